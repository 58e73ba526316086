"""What Unicode's locale data (CLDR), as babel has them, say of a locale, as formats.

One rule: babel is asked once per locale, when a lake is opened; while a page is drawn only its answers are used.

Digits are Latin and the calendar is the Gregorian one in every locale, since both stand within English words; a date
in a script that runs to the left is kept together by invisible marks. Spaces are those that the portal's font has.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from babel import Locale
from babel.dates import DateTimeFormat, tokenize_pattern
from babel.numbers import get_decimal_symbol, get_group_symbol

from portal.formats import BRITISH, OF_CLOCKS, OF_DAYS, THIN, Field, Formats, Pattern, using

Wsgi = Any

DIGITS = "latn"
NO_BREAK = "\u00a0"
NARROW = "\u202f"
"""A narrow no-break space, which the font does not have."""
TO_THE_LEFT, END = "\u2067", "\u2069"
"""What stands between them is read from right to left, and does not move what stands around it."""
MARKS = "\u200e\u200f\u061c"
"""They tell which way a sign runs, which the page's own direction already says of a number."""

SAME = {"L": "M", "c": "E", "Y": "y", "a": "H", "B": "H"}
"""Letters for other words of a number, by the letter for the number."""
NEVER_WORDS, WORDS_FROM_THREE = "dyYHhm", "MLQ"
NUMBERS = {**OF_DAYS, **OF_CLOCKS}
MOMENTS = [datetime(2024, 1, 1, hour, 30) + timedelta(days=15 * hour) for hour in range(24)]  # noqa: DTZ001  # of no zone
"""Among them is every month, quarter, weekday and hour."""


def written_as(name: str, app: Wsgi) -> Wsgi:
    """The WSGI application, in a locale's formats while it answers."""
    formats = formats_of(name)

    def serve(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        with using(formats):
            return app(environ, start)  # type: ignore[no-any-return]

    return serve


@cache
def formats_of(name: str) -> Formats:
    """The formats of a locale that babel knows, such as `de_DE`."""
    if name == BRITISH.locale:
        return BRITISH
    locale = Locale.parse(name)
    dates = {skeleton: pattern.pattern for skeleton, pattern in locale.datetime_skeletons.items()}
    first, last = locale.interval_formats["yMMMd"]["M"]
    date, clock = dates["yMMMd"], locale.time_formats["short"].pattern
    moment = str(locale.datetime_formats["medium"]).replace("{1}", date).replace("{0}", clock)
    return Formats(
        locale=name,
        group=_spaced(get_group_symbol(locale, numbering_system=DIGITS), NO_BREAK),
        decimal=get_decimal_symbol(locale, numbering_system=DIGITS),
        sizes=locale.decimal_formats[None].grouping,
        percent=_percent(locale),
        day=_pattern(date, locale),
        day_short=_pattern(dates["MMMd"], locale),
        weekday=_pattern(dates["yMMMEd"], locale),
        weekday_short=_pattern(dates["MMMEd"], locale),
        days=_patterns(first, last, locale),
        month=_pattern(dates["yMMMM"], locale),
        month_short=_pattern(dates["yMMM"], locale),
        quarter=_pattern(dates["yQQQ"], locale),
        year=_pattern(dates["y"], locale),
        moment=_pattern(moment, locale),
        clock=_pattern(clock, locale),
    )


def _percent(locale: Locale) -> str:
    pattern = locale.percent_formats[None]
    around = _spaced(f"{pattern.prefix[0]}{{}}{pattern.suffix[0]}", THIN)
    return around.translate(dict.fromkeys(map(ord, MARKS)))


def _spaced(text: str, space: str) -> str:
    return text.replace(NARROW, space).replace(NO_BREAK, space)


def _pattern(text: str, locale: Locale) -> Pattern:
    whole, end = _patterns(text, "", locale)
    return (*whole, *end)


def _patterns(first: str, last: str, locale: Locale) -> tuple[Pattern, Pattern]:
    """Two of CLDR's patterns, such as `d. MMM y`, of which the last is written right after the first."""
    is_to_the_left = locale.character_order == "right-to-left"
    begin, end = ([TO_THE_LEFT], [END]) if is_to_the_left else ([], [])
    return (*begin, *_parts(first, locale)), (*_parts(last, locale), *end)


def _parts(text: str, locale: Locale) -> Iterator[Field | str]:
    for _, token in tokenize_pattern(text):
        yield _spaced(token, NO_BREAK) if isinstance(token, str) else _field(*token, locale)


def _field(letter: str, length: int, locale: Locale) -> Field:
    """A field by its letter and how often it is repeated: a month, for one, is a word from the third on."""
    known = SAME.get(letter, letter)
    if letter in NEVER_WORDS or (letter in WORDS_FROM_THREE and length < 3):
        return Field(known, digits=length)
    return Field(known, {NUMBERS[known](moment): DateTimeFormat(moment, locale)[letter * length] for moment in MOMENTS})
