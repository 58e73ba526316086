"""How numbers, dates and ages are worded on a page.

One rule: the text depends on the arguments and on the lake's formats alone, not on the machine's language, zone or
clock; numbers are decimals, rounded half away from zero. Words are English; the examples here are British.

Between a number and its unit stands a thin space, which a page must keep from breaking (`white-space: nowrap`). Ages
and counts are words ("4 min ago", "42 tests") and have ordinary spaces.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Literal

from lakehouse.metrics.period import DAY
from portal.buckets import Span, following
from portal.formats import MINUS, THIN, chosen, written

NONE = "–"

UNITS = ("", "k", "M", "bn", "tn")
"""Each is `STEP` times the one before."""

STEP = 1000

FULL_BELOW = 100_000
"""From here on a tile shows thousands."""

AXIS_DIGITS = 4
MOST_DECIMALS = 6
"""Enough to tell one tick from the next, few enough to hide the noise of binary fractions."""

MOST_PERCENT = 999
LEAST_PERCENT = Decimal("0.1")
LEAST_SECONDS = 0.01
DAYS_AGO = 7

# The default context keeps 28 digits and rounds halves to even; sums of decimals have 38 digits.
EXACTLY = Context(prec=100, rounding=ROUND_HALF_UP)

Number = Decimal | int
Direction = Literal["up", "down", "same"]


@dataclass(frozen=True)
class Change:
    """A relative change. `text` has no sign, as an arrow stands beside it; `signed` stands alone and has no limit."""

    text: str
    direction: Direction
    signed: str


def short(value: Number | None, decimals: int | None = None) -> str:
    """A number as a tile shows it: "825.30", "408.5 k", "1.29 M".

    Below 100,000 the number itself with so many decimals (None: its own), then thousands with one, from a million on
    three digits. What rounds up to the next of these is written as that: never "1,000.0 k".
    """
    if value is None:
        return NONE
    itself = _rounded(value, _decimals(value, decimals))
    if itself.copy_abs() < FULL_BELOW:
        return _number(itself)
    thousands = _rounded(_scaled(value, 1), 1)
    number, unit = (thousands, "k") if thousands.copy_abs() < STEP else _in_units(value, 3, UNITS.index("M"))
    return f"{_number(number)}{THIN}{unit}"


def exact(value: Number | None, decimals: int | None = None) -> str:
    """A number in full: "408,524.83", with so many decimals (None: its own)."""
    return NONE if value is None else _number(_rounded(value, _decimals(value, decimals)))


def axis(value: Number | float) -> str:
    """A number beside an axis: "0", "12.5k", "1.3M"; four digits, without zeros at their end."""
    number, unit = _in_units(Decimal(str(value)), AXIS_DIGITS, 0)
    return _number(number.normalize(EXACTLY)) + unit


def change(ratio: Decimal | None) -> Change | None:
    """A change given as a ratio (0.512 is 51.2 %); None without one. What rounds to 0.0 % is no change."""
    if ratio is None:
        return None
    percent = _rounded(EXACTLY.scaleb(ratio, 2), 1)
    if percent == 0:
        return Change("no change", "same", "no change")
    size = percent.copy_abs()
    text = _percent(size) if size <= MOST_PERCENT else f">{_percent(Decimal(MOST_PERCENT))}"
    sign = "+" if percent > 0 else MINUS
    direction: Direction = "up" if percent > 0 else "down"
    return Change(text, direction, f"{sign}{_percent(size)}")


def share(part: Number | None, whole: Number | None) -> str | None:
    """A part of a whole, such as "3.1 %"; None where there is no part, no whole, or a whole of nothing."""
    if part is None or not whole:
        return None
    percent = EXACTLY.divide(EXACTLY.scaleb(Decimal(part), 2), Decimal(whole))
    if percent and percent.copy_abs() < LEAST_PERCENT:
        return f"<{_percent(LEAST_PERCENT)}" if percent > 0 else f">{_percent(-LEAST_PERCENT)}"
    return _percent(_rounded(percent, 1))


def count(number: int, singular: str, plural: str) -> str:
    """How many there are of something: "1 order", "1,438 orders"."""
    return f"{_number(Decimal(number))} {singular if number == 1 else plural}"


def day(value: date) -> str:
    """A date: "31 Mar 2026"."""
    return written(chosen().day, value)


def day_short(value: date) -> str:
    """A date whose year is known from its place: "31 Mar"."""
    return written(chosen().day_short, value)


def span_text(span: Span) -> str:
    """The first and the last day: "13 Jun – 9 Dec 2011"; a single day stands alone."""
    return day(span.last) if span.days == 1 else _from_to(span.first, span.last)


def bucket_text(start: date, grain: str) -> str:
    """A bucket as it stands on the calendar: "Mon, 4 Jul 2011", "4 Jul – 10 Jul 2011", "July 2011"."""
    match grain:
        case "day":
            return written(chosen().weekday, start)
        case "week":
            return _from_to(start, following(start, grain) - DAY)
        case "month":
            return written(chosen().month, start)
    return bucket_short(start, grain)


def bucket_short(start: date, grain: str) -> str:
    """A bucket as a tick of an axis names it: "4 Jul" for days and weeks, "Jul 2011", "Q3 2011", "2011"."""
    match grain:
        case "month":
            return written(chosen().month_short, start)
        case "quarter":
            return written(chosen().quarter, start)
        case "year":
            return written(chosen().year, start)
    return day_short(start)


def age(moment: datetime, now: datetime) -> str:
    """How long ago a moment is: "4 min ago", "yesterday", from a week on the date; days are those of `now`'s zone.

    Both need a zone. A moment that is yet to come counts as just now: another machine's clock may be ahead.
    """
    # In one zone Python subtracts what the clocks show, which is wrong when they were changed in between.
    minutes = int((now.astimezone(UTC) - moment.astimezone(UTC)).total_seconds()) // 60
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    date_then = moment.astimezone(now.tzinfo).date()
    days = (now.date() - date_then).days
    if minutes < 24 * 60 or days == 0:
        return f"{minutes // 60} h ago"
    if days == 1:
        return "yesterday"
    return f"{days} days ago" if days < DAYS_AGO else day(date_then)


def moment_text(moment: datetime, zone: tzinfo) -> str:
    """A moment, which needs a zone, in another zone: "31 Mar 2026, 09:14"."""
    return written(chosen().moment, moment.astimezone(zone))


def clock(moment: datetime, zone: tzinfo) -> str:
    """What the clocks of a zone show at a moment, which needs a zone itself: "09:14"."""
    return written(chosen().clock, moment.astimezone(zone))


def coming(moment: datetime, now: datetime) -> str:
    """A moment that is yet to come: "today, 18:10", "tomorrow, 06:10", "Mon 12 Dec, 06:10"; days are `now`'s."""
    zone = now.tzinfo or UTC
    there = moment.astimezone(zone)
    days = (there.date() - now.date()).days
    if days <= 1:
        return f"{'tomorrow' if days == 1 else 'today'}, {clock(there, zone)}"
    if there.year != now.year:
        return moment_text(there, zone)
    return f"{written(chosen().weekday_short, there)}, {clock(there, zone)}"


def took(seconds: float) -> str:
    """How long something took: "0.12 s", "<0.01 s"."""
    text = _number(_rounded(Decimal(str(max(seconds, LEAST_SECONDS))), 2))
    return f"{'<' if seconds < LEAST_SECONDS else ''}{text}{THIN}s"


def _from_to(first: date, last: date) -> str:
    if first.year != last.year:
        return f"{day(first)} – {day(last)}"
    begin, end = chosen().days
    return written(begin, first) + written(end, last)


def _decimals(value: Number, decimals: int | None) -> int:
    """As many as asked for, or else as the value has."""
    if decimals is not None:
        return decimals
    exponent = Decimal(value).as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _rounded(value: Number, decimals: int) -> Decimal:
    return Decimal(value).quantize(Decimal(1).scaleb(-decimals), context=EXACTLY)


def _scaled(value: Number, power: int) -> Decimal:
    """The value in the unit of that place in `UNITS`."""
    return EXACTLY.scaleb(Decimal(value), -3 * power)


def _in_units(value: Number, digits: int, first: int) -> tuple[Decimal, str]:
    """The value rounded to so many digits, and the first unit (from that place on) of which it is less than 1,000."""
    number, unit = Decimal(value), ""
    for power in range(first, len(UNITS)):
        number, unit = _of_digits(_scaled(value, power), digits), UNITS[power]
        if number.copy_abs() < STEP:
            break
    return number, unit


def _of_digits(number: Decimal, digits: int) -> Decimal:
    # Twice, since 9.995 becomes 10.00, of which the last digit is one too many.
    for _ in range(2):
        number = _rounded(number, min(MOST_DECIMALS, max(0, digits - 1 - number.adjusted())))
    return number


def _number(value: Decimal) -> str:
    return chosen().number(value)


def _percent(value: Decimal) -> str:
    text = chosen().percent.format(_number(value.copy_abs()))
    return f"{MINUS}{text}" if value < 0 else text
