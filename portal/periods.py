"""The period of days that a page shows, and the earlier one that it is compared with.

One rule: presets count back from the last date in the data (`bounds.last`), never from today, so that the same release
gives the same page on every day.

The buckets of two periods match by position, as the compiler of plans matches them (`lakehouse.metrics.period`): the
n-th of a period is counted on the calendar from the bucket that holds its first day, whether or not that day opens the
bucket and whether or not rows lie in between. So the last 26 weeks meet the 26 before week by week with the same
weekdays, and the last 12 months meet each month's namesake of the year before; but 30 days by week may touch six weeks
and the 30 before only five, or the other way round.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from lakehouse.errors import RequestWrong, UnknownName
from lakehouse.metrics.literal import shown
from lakehouse.metrics.period import DAY, MONTHS_OF, bucket
from portal.buckets import (
    GRAINS,
    Bucket,
    Span,
    allowed_grains,
    buckets,
    default_grain,
    following,
    months_between,
    shifted_month,
)
from portal.wording import bucket_text, count, day, span_text

PRESETS = {
    "last-7-days": "Last 7 days",
    "last-30-days": "Last 30 days",
    "last-90-days": "Last 90 days",
    "last-26-weeks": "Last 26 weeks",
    "last-12-months": "Last 12 months",
    "this-year": "This year",
    "all": "All data",
}
"""Label by slug, in menu order."""

DEFAULT = "last-30-days"
COMPARISONS = {"previous-period": "Previous period", "previous-year": "Previous year", "off": "Off"}
"""What a period can be compared with: label by slug, in menu order; the first one unless an address says otherwise."""

PREVIOUS_PERIOD, PREVIOUS_YEAR, OFF = COMPARISONS
DAYS = {"last-7-days": 7, "last-30-days": 30, "last-90-days": 90}
WEEKS = timedelta(weeks=25)
"""From the Monday of the first of 26 weeks to that of the last."""

__all__ = [
    "COMPARISONS",
    "DEFAULT",
    "GRAINS",
    "PRESETS",
    "Bucket",
    "Period",
    "Span",
    "allowed_grains",
    "before_buckets",
    "buckets",
    "calendar_grain",
    "compared",
    "custom",
    "default_grain",
    "preset",
    "read_period",
]


@dataclass(frozen=True)
class Period:
    """The days that a page shows, and what they are compared with.

    `slug` is empty for a custom range. `versus` names the earlier period, as in "vs 30 days before"; it is empty where
    `before` is None, and then `no_before` says why, unless no comparison was asked for. `bounds` are the first and the
    last date in the data, `comparison` is one of `COMPARISONS`.
    """

    slug: str
    label: str
    span: Span
    before: Span | None
    versus: str
    no_before: str
    bounds: Span
    comparison: str = PREVIOUS_PERIOD

    @property
    def incomplete(self) -> bool:
        """Whether the period goes on after the last date in the data, so that its totals are no match for earlier ones.

        Only a custom range can: presets end with the data.
        """
        return self.span.last > self.bounds.last


def preset(slug: str, bounds: Span) -> Period:
    """One of `PRESETS`. Raises `UnknownName`, which lists them."""
    if slug not in PRESETS:
        raise UnknownName("period", slug, list(PRESETS))
    last = bounds.last
    if slug == "last-26-weeks":
        span = Span(bucket(last, "week") - WEEKS, last)
        before, versus = _days_earlier(span, 26 * 7, bounds), "26 weeks before"
    elif slug == "last-12-months":
        span = Span(shifted_month(last, -11), last)
        before, versus = _months_earlier(span, 12, bounds), "12 months before"
    elif slug == "this-year":
        span = Span(bucket(last, "year"), last)
        before, versus = _same_days_a_year_earlier(span, bounds), _same_days(span)
    elif slug == "all":
        span, before, versus = bounds, None, ""
    else:
        days = DAYS[slug]
        span = Span(last - timedelta(days=days - 1), last)
        before, versus = _days_earlier(span, days, bounds), f"{days} days before"
    return _period(slug, span, before, versus, bounds)


def custom(first: date, last: date, bounds: Span) -> Period:
    """The days as typed, which may lie outside of the data. Raises `RequestWrong` when the first is after the last.

    A whole month, quarter or year is compared with the one before, other days with as many just before.
    """
    span = Span(first, last)
    grain = calendar_grain(span)
    if grain in MONTHS_OF:
        months = months_between(first, span.until)
        before = _months_earlier(span, months, bounds)
        return _period("", span, before, bucket_text(before.first, grain) if before else "", bounds)
    return _period(
        "", span, _days_earlier(span, span.days, bounds), f"{count(span.days, 'day', 'days')} before", bounds
    )


def compared(period: Period, comparison: str) -> Period:
    """The period with another of `COMPARISONS` than its own first one. Raises `UnknownName`, which lists them.

    A whole month, quarter or year meets its namesake of the year before, other days the same dates.
    """
    if comparison not in COMPARISONS:
        raise UnknownName("comparison", comparison, list(COMPARISONS))
    if comparison == PREVIOUS_PERIOD:
        return period
    if comparison == OFF:
        return replace(period, before=None, versus="", no_before="", comparison=comparison)
    span, bounds, grain = period.span, period.bounds, calendar_grain(period.span)
    if grain in MONTHS_OF:
        before = _months_earlier(span, 12, bounds)
        versus = bucket_text(before.first, grain) if before else ""
    else:
        before, versus = _same_days_a_year_earlier(span, bounds), _same_days(span)
    found = _period(period.slug, span, before, versus, bounds)
    return replace(found, comparison=comparison)


def before_buckets(period: Period, grain: str) -> list[Bucket]:
    """The buckets of the earlier period; each is compared with the one at the same place in `buckets` of the period.

    There may be fewer or more of them. In an answer with a comparison, values of the n-th stand in the row of the
    period's n-th bucket, and those of one too many in rows behind the period's last bucket.
    """
    return buckets(period.before, grain, period.bounds) if period.before else []


def read_period(values: Mapping[str, str], bounds: Span) -> Period:
    """The period that an address asks for with `period`, or with `from` and `to` (a day that is included).

    One that is missing or empty was not given: without `from` or `to` the data's first or last date stands in, or the
    other one where that lies outside of the data; without any of the three `DEFAULT`. `compare` is one of
    `COMPARISONS`. Raises `UnknownName` and `RequestWrong`.
    """
    return compared(_asked(values, bounds), values.get("compare") or PREVIOUS_PERIOD)


def _asked(values: Mapping[str, str], bounds: Span) -> Period:
    slug, first, last = (values.get(key, "") for key in ("period", "from", "to"))
    if not first and not last:
        return preset(slug or DEFAULT, bounds)
    if slug:
        raise RequestWrong("The period is given twice, by 'period' and by 'from' or 'to'. Give one of them.")
    begin, end = (_date(key, text) if text else None for key, text in (("from", first), ("to", last)))
    # Of an earlier release the data may end before a period begins whose end is open.
    given = [day for day in (begin, end) if day]
    return custom(begin or min(bounds.first, *given), end or max(bounds.last, *given), bounds)


def _period(slug: str, span: Span, before: Span | None, versus: str, bounds: Span) -> Period:
    if before:
        no_before = ""
    else:
        no_before = "No earlier data" if span.first == bounds.first else f"Data begin on {day(bounds.first)}"
    grain = calendar_grain(span)
    label = PRESETS.get(slug) or (bucket_text(span.first, grain) if grain in MONTHS_OF else span_text(span))
    return Period(slug, label, span, before, versus if before else "", no_before, bounds)


def _days_earlier(span: Span, days: int, bounds: Span) -> Span | None:
    """The span so many days earlier; None when the data begin later."""
    # Asked of the distance, since the day itself could lie before the first that can be written.
    if (span.first - bounds.first).days < days:
        return None
    distance = timedelta(days=days)
    return Span(span.first - distance, span.last - distance)


def _months_earlier(span: Span, months: int, bounds: Span) -> Span | None:
    """The span, which begins with a month, so many months earlier; the end of a month becomes the end of a month."""
    if not _reaches(span, months, bounds):
        return None
    if span.until.day == 1:
        last = shifted_month(span.until, -months) - DAY
    else:
        last = _day_of(shifted_month(span.last, -months), span.last.day)
    return Span(shifted_month(span.first, -months), last)


def _same_days_a_year_earlier(span: Span, bounds: Span) -> Span | None:
    """The same dates of the year before: unlike above, 28 February stays 28 February, also before a 29th."""
    if span.first.year <= bounds.first.year:  # also since there is no year before the first one
        return None
    first, last = (_day_of(shifted_month(day, -12), day.day) for day in (span.first, span.last))
    return Span(first, last) if first >= bounds.first else None


def _same_days(span: Span) -> str:
    """What the same days of the year before are called."""
    years = span.last.year - span.first.year
    return "the same days a year before" if years else f"the same days of {span.last.year - 1}"


def _reaches(span: Span, months: int, bounds: Span) -> bool:
    """Whether the data go back so many months from the first day of a span, which begins with a month."""
    found = months_between(bounds.first, span.first)
    return found > months or (found == months and bounds.first.day == 1)


def _day_of(month: date, number: int) -> date:
    """The day of that number in a month, given as its first day; the last one where the month is shorter."""
    last = following(month, "month") - DAY
    return last.replace(day=min(number, last.day))


def calendar_grain(span: Span) -> str:
    """The grain of which the days are exactly one bucket, such as `month`; an empty text where they are none."""
    for grain in GRAINS:
        if span.first == bucket(span.first, grain) and span.until == following(span.first, grain):
            return grain
    return ""


def _date(key: str, text: str) -> date:
    wrong = RequestWrong(f"{key!r} is {shown(text)}, which is no date. Write it like 2024-03-31.")
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):  # the only one of the forms of ISO 8601 that people know
        raise wrong
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise wrong from None
