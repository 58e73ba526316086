"""Words, dates and roundings of the revenue page, written a second time for the tests that check its numbers.

One rule: they follow the document of the page alone; nothing of the product is imported.
"""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

THIN, MINUS, DASH = "\u2009", "\u2212", "\u2013"
DAY = timedelta(days=1)
GRAINS = ("day", "week", "month", "quarter", "year")
MONTHS = {"month": 1, "quarter": 3, "year": 12}
COMPARISONS = {"previous-period": "Previous period", "previous-year": "Previous year", "off": "Off"}
PRESETS = {
    "last-7-days": "Last 7 days",
    "last-30-days": "Last 30 days",
    "last-90-days": "Last 90 days",
    "last-26-weeks": "Last 26 weeks",
    "last-12-months": "Last 12 months",
    "this-year": "This year",
    "all": "All data",
}

Number = Decimal | int | None
Days = tuple[date, date]
"""The first and the last day, both included."""

Choice = tuple[str, Days, Days | None, str]
"""Label and days of a period, the earlier days (whether or not the data go back so far), and what those are called."""


def exact(value: Number) -> str:
    """A number in full."""
    return DASH if value is None else f"{value:,}".replace("-", MINUS)


def short(value: Number, decimals: int) -> str:
    """A number as a tile shows it: in full below 100,000, then thousands with one decimal, then three digits."""
    if value is None:
        return DASH
    if abs(itself := rounded(value, decimals)) < 100_000:
        return exact(itself)
    if abs(thousands := rounded(Fraction(value) / 1000, 1)) < 1000:
        return f"{exact(thousands)}{THIN}k"
    for unit, size in (("M", 10**6), ("bn", 10**9), ("tn", 10**12)):
        for places, most in ((2, 10), (1, 100), (0, 1000)):
            if abs(number := rounded(Fraction(value) / size, places)) < most:
                return f"{exact(number)}{THIN}{unit}"
    raise AssertionError(value)


def share(part: Number, whole: Number) -> str:
    """A part of a whole in per cent; empty where there is none."""
    if part is None or not whole:
        return ""
    percent = Fraction(part) * 100 / Fraction(whole)
    return f"<0.1{THIN}%" if 0 < percent < Fraction(1, 10) else f"{rounded(percent, 1):,}{THIN}%"


def change_percent(now: Number, before: Number) -> Decimal | None:
    """A change in per cent: the ratio has six decimals, as plans answer it, and is rounded once more to one."""
    if now is None or before is None or before == 0:
        return None
    ratio = rounded((Fraction(now) - Fraction(before)) / abs(Fraction(before)), 6)
    return rounded(ratio * 100, 1) if abs(ratio) < 10**12 else None


def change_size(percent: Decimal) -> str:
    """A change beside an arrow that says its direction."""
    size = abs(percent)
    return "no change" if size == 0 else f">999{THIN}%" if size > 999 else f"{size:,}{THIN}%"


def change_signed(percent: Decimal) -> str:
    """A change that stands alone."""
    return f"{'+' if percent > 0 else MINUS}{abs(percent):,}{THIN}%" if percent else "no change"


def direction(percent: Decimal) -> tuple[str, str]:
    """The word before a change, and what it means: of every metric of the page, more is better."""
    return ("up", "better") if percent > 0 else ("down", "worse") if percent < 0 else ("", "")


def rounded(value: Decimal | Fraction | int, decimals: int) -> Decimal:
    """Rounded half away from zero."""
    whole = int(abs(Fraction(value)) * 10**decimals + Fraction(1, 2))
    return Decimal(f"{'-' if value < 0 else ''}{whole}e-{decimals}")


def day(value: date) -> str:
    """A date: 31 Mar 2026."""
    return f"{value.day} {value:%b} {value.year}"


def span(days: Days) -> str:
    """The first and the last day, with the year once where it is one; a single day stands alone."""
    first, last = days
    if first == last:
        return day(last)
    return f"{day(first) if first.year != last.year else f'{first.day} {first:%b}'} {DASH} {day(last)}"


def bucket_name(start: date, ends: date, grain: str) -> str:
    """A bucket in full."""
    if grain == "day":
        return f"{start:%a}, {day(start)}"
    if grain == "week":
        return span((start, ends))
    return f"{start:%B} {start.year}" if grain == "month" else bucket_mark(start, grain)


def bucket_mark(start: date, grain: str) -> str:
    """A bucket beside an axis."""
    if grain in ("day", "week"):
        return f"{start.day} {start:%b}"
    names = {"month": f"{start:%b} {start.year}", "quarter": f"Q{(start.month + 2) // 3} {start.year}"}
    return names.get(grain, str(start.year))


def bucket_count(days: Days, grain: str) -> int:
    """How many buckets the days touch: the first day of the calendar was a Monday."""
    first, last = (
        {"day": one.toordinal(), "week": (one.toordinal() - 1) // 7}.get(grain, one.year * 12 + one.month - 1)
        for one in days
    )
    return last // MONTHS.get(grain, 1) - first // MONTHS.get(grain, 1) + 1


def mark_size(text: str) -> float:
    """What a mark of an axis of values says."""
    number = text.rstrip("kMbnt")
    size = {"k": 1e3, "M": 1e6, "bn": 1e9, "tn": 1e12}.get(text.removeprefix(number), 1.0)
    return float(number.replace(MINUS, "-").replace(",", "")) * size


def preset_days(slug: str, bounds: Days) -> Choice:
    """A preset, which counts back from the last date in the data."""
    label, last = PRESETS[slug], bounds[1]
    if slug == "all":
        return label, bounds, None, ""
    if slug == "this-year":
        earlier = (date(last.year - 1, 1, 1), _same_day(last, last.year - 1, last.month))
        return label, (date(last.year, 1, 1), last), earlier, f"the same days of {last.year - 1}"
    if slug == "last-12-months":
        first = _month_start(last.year, last.month - 11)
        is_end = (last + DAY).day == 1
        end = _month_end(last.year - 1, last.month) if is_end else _same_day(last, last.year - 1, last.month)
        return label, (first, last), (date(first.year - 1, first.month, 1), end), "12 months before"
    if slug == "last-26-weeks":
        first, back, versus = last - timedelta(days=last.weekday() + 25 * 7), 26 * 7, "26 weeks before"
    else:
        back = int(slug.split("-")[1])
        first, versus = last - timedelta(days=back - 1), f"{back} days before"
    return label, (first, last), (first - timedelta(days=back), last - timedelta(days=back)), versus


def custom_days(days: Days) -> Choice:
    """A range as it was typed: a whole month, quarter or year meets the one before, other days as many just before."""
    first, last = days
    grain = whole(days)
    if grain in MONTHS:
        earlier = (_month_start(first.year, first.month - MONTHS[grain]), first - DAY)
        return bucket_name(first, last, grain), days, earlier, bucket_name(*earlier, grain)
    count = (last - first).days + 1
    versus = f"{count:,} day{'' if count == 1 else 's'} before"
    return span(days), days, (first - timedelta(days=count), first - DAY), versus


def year_before(days: Days) -> tuple[Days | None, str]:
    """The earlier days when a year is compared, and what they are called; none before the first year of all."""
    first, last = days
    if first.year == 1:
        return None, ""
    grain = whole(days)
    if grain in MONTHS:
        earlier = (_month_start(first.year - 1, first.month), _month_end(last.year - 1, last.month))
        return earlier, bucket_name(*earlier, grain)
    versus = f"the same days of {last.year - 1}" if first.year == last.year else "the same days a year before"
    return (_same_day(first, first.year - 1, first.month), _same_day(last, last.year - 1, last.month)), versus


def whole(days: Days) -> str:
    """The grain of which some days are exactly one bucket; empty where they are none."""
    first, last = days
    if first == last:
        return "day"
    if first.weekday() == 0 and last - first == timedelta(days=6):
        return "week"
    for grain, months in MONTHS.items():
        starts = first.day == 1 and (first.month - 1) % months == 0
        if starts and last == _month_end(first.year, first.month + months - 1):
            return grain
    return ""


def trail(days: Days) -> list[str]:
    """The steps from all data to some days, when these are a bucket of the calendar; a week may have no month."""
    grain, (first, last) = whole(days), days
    if not grain:
        return []
    larger = [one for one in ("year", "quarter", "month") if MONTHS[one] > MONTHS.get(grain, 0)]
    starts = {one: (first.month - 1) // MONTHS[one] * MONTHS[one] + 1 for one in larger}
    around = [one for one in larger if first.year == last.year and last.month < starts[one] + MONTHS[one]]
    own = bucket_name(first, last, grain) if grain in ("day", "week") else bucket_mark(first, grain)
    return ["All data", *(bucket_mark(date(first.year, starts[one], 1), one) for one in around), own]


def plural(name: str) -> str:
    """Several of what there is one of."""
    return f"{name[:-1]}ies" if name[-1] == "y" else f"{name}s"


def _month_start(year: int, month: int) -> date:
    """The first day of a month; months before January and after December belong to other years."""
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


def _month_end(year: int, month: int) -> date:
    return _month_start(year, month + 1) - DAY


def _same_day(wanted: date, year: int, month: int) -> date:
    """The same day of another month, or its last one where it is shorter."""
    return min(_month_end(year, month), _month_start(year, month) + timedelta(days=wanted.day - 1))


def known(values: Any) -> list[Any]:
    """Those of some values that are there."""
    return [value for value in values if value is not None]
