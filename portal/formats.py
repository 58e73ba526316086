"""How numbers, dates and times are written: the signs and patterns of one locale, as plain data.

One rule: what is not told otherwise is British, as the portal's words are English; what is told holds for as long as a
request is answered, so that one process can serve lakes of two locales.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

THIN = "\u2009"
MINUS = "\u2212"

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

OF_DAYS: Mapping[str, Callable[[date], int]] = {
    "d": lambda day: day.day,
    "E": lambda day: day.weekday(),
    "M": lambda day: day.month,
    "Q": lambda day: (day.month + 2) // 3,
    "y": lambda day: day.year,
}
OF_CLOCKS: Mapping[str, Callable[[datetime], int]] = {
    "H": lambda moment: moment.hour,
    "h": lambda moment: moment.hour % 12 or 12,
    "m": lambda moment: moment.minute,
}
"""Which number a field shows, by the letter that Unicode's locale data (CLDR) have for it."""


@dataclass(frozen=True)
class Field:
    """One number of a date or time, by its letter: as its text, if there are texts, or with so many digits at least."""

    letter: str
    texts: Mapping[int, str] = field(default_factory=dict)
    digits: int = 1

    def written(self, moment: date) -> str:
        """The field of this date, or of this moment; only a moment has a clock."""
        if isinstance(moment, datetime) and self.letter in OF_CLOCKS:
            number = OF_CLOCKS[self.letter](moment)
        else:
            number = OF_DAYS[self.letter](moment)
        return self.texts[number] if self.texts else f"{number:0{self.digits}}"


Pattern = Sequence[Field | str]
"""Fields, and what stands between them."""


def written(pattern: Pattern, moment: date) -> str:
    """A date, or a moment as the clocks of its own zone show it, by a pattern."""
    return "".join(part if isinstance(part, str) else part.written(moment) for part in pattern)


@dataclass(frozen=True)
class Formats:
    """What one locale has: signs of numbers, and patterns of dates.

    `sizes` are the digits of the last group and of those before it: (3, 2) gives 12,34,567. `percent` has `{}` in the
    place of the number. `days` are two patterns, for the first and the last day of a span within one year.
    """

    locale: str
    group: str
    decimal: str
    sizes: tuple[int, int]
    percent: str
    day: Pattern
    day_short: Pattern
    weekday: Pattern
    weekday_short: Pattern
    days: tuple[Pattern, Pattern]
    month: Pattern
    month_short: Pattern
    quarter: Pattern
    year: Pattern
    moment: Pattern
    clock: Pattern

    def number(self, value: Decimal) -> str:
        """With all its digits in groups, and a real minus, which zero does not have."""
        whole, _, rest = f"{value.copy_abs():f}".partition(".")
        last, others = self.sizes
        groups, left = [whole[-last:]], whole[:-last]
        while left:
            groups.append(left[-others:])
            left = left[:-others]
        text = self.group.join(reversed(groups)) + (self.decimal + rest if rest else "")
        return f"{MINUS}{text}" if value < 0 else text


_DAY, _YEAR, _QUARTER = Field("d"), Field("y"), Field("Q", {number: f"Q{number}" for number in range(1, 5)})
_MONTH = Field("M", {number: name[:3] for number, name in enumerate(MONTHS, start=1)})
_WEEKDAY = Field("E", dict(enumerate(WEEKDAYS)))
_DAY_SHORT: Pattern = (_DAY, " ", _MONTH)
_WHOLE_DAY: Pattern = (*_DAY_SHORT, " ", _YEAR)
_CLOCK: Pattern = (Field("H", digits=2), ":", Field("m", digits=2))

BRITISH = Formats(
    locale="en_GB",
    group=",",
    decimal=".",
    sizes=(3, 3),
    percent=f"{{}}{THIN}%",
    day=_WHOLE_DAY,
    day_short=_DAY_SHORT,
    weekday=(_WEEKDAY, ", ", *_WHOLE_DAY),
    weekday_short=(_WEEKDAY, " ", *_DAY_SHORT),
    days=((*_DAY_SHORT, " – "), _WHOLE_DAY),
    month=(Field("M", dict(enumerate(MONTHS, start=1))), " ", _YEAR),
    month_short=(_MONTH, " ", _YEAR),
    quarter=(_QUARTER, " ", _YEAR),
    year=(_YEAR,),
    moment=(*_WHOLE_DAY, ", ", *_CLOCK),
    clock=_CLOCK,
)
"""The portal's own: "1,234.50", "8.2 %" with a thin space, "31 Mar 2026", "5 Sep" (and not "Sept"), "Mon 12 Dec",
"13:05"."""

_CHOSEN: ContextVar[Formats] = ContextVar("formats", default=BRITISH)


def chosen() -> Formats:
    """The formats of the request that is answered; British outside of one."""
    return _CHOSEN.get()


@contextmanager
def using(formats: Formats) -> Iterator[None]:
    """These formats, for what is done within, in this thread."""
    before = _CHOSEN.set(formats)
    try:
        yield
    finally:
        _CHOSEN.reset(before)
