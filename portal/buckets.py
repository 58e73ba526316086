"""Spans of days, and the days, weeks, months, quarters and years that a chart divides them into.

One rule: a bucket stands as its calendar start, as lakehouse plans name it (weeks start on Monday), also where the
span begins later; what of it lies in the span is its own.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from lakehouse.errors import RequestWrong
from lakehouse.metrics.period import DAY, GRAINS, MONTHS_OF, bucket

LATEST = date(9998, 12, 31)
"""The last day of a span; the buckets that hold it, and the days after them, can still be written as dates."""

MOST_BUCKETS = 400
"""Points that a line of a chart can still show."""

DEFAULT_GRAINS = ((45, "day"), (200, "week"), (1096, "month"), (4383, "quarter"))
"""The longest span, in days, that is first shown at each grain: 1,096 days are three years, 4,383 are twelve."""

__all__ = ["GRAINS", "Bucket", "Span", "allowed_grains", "buckets", "default_grain", "following"]


@dataclass(frozen=True)
class Span:
    """The days from `first` to `last`, both included. Raises `RequestWrong` when there are none, or too late ones."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise RequestWrong(
                f"The period begins on {self.first}, after its end on {self.last}. Give the earlier date first."
            )
        if self.last > LATEST:
            raise RequestWrong(
                f"{self.last} is too late for a period. Choose a day up to {LATEST}; if it stands in the data, "
                "correct it in the source."
            )

    @property
    def days(self) -> int:
        """How many days these are."""
        return (self.last - self.first).days + 1

    @property
    def until(self) -> date:
        """The day after the last one, where a half-open range ends."""
        return self.last + DAY

    @property
    def half_open(self) -> dict[str, str]:
        """The same days as a plan writes them."""
        return {"from": self.first.isoformat(), "to": self.until.isoformat()}


@dataclass(frozen=True)
class Bucket:
    """One day, week, month, quarter or year of a span.

    `start` is its first day on the calendar, `span` the part of it that lies in the span. It is not `whole` when the
    span cuts it or when it ends after the last date in the data; in the latter case it counts `so_far`.
    """

    start: date
    span: Span
    whole: bool
    so_far: bool


def buckets(span: Span, grain: str, bounds: Span) -> list[Bucket]:
    """The buckets that cover the span, without gap or overlap. `bounds`: the first and the last date in the data."""
    return list(_buckets(span, grain, bounds))


def default_grain(span: Span) -> str:
    """The grain at which a span is first shown."""
    return next((grain for days, grain in DEFAULT_GRAINS if span.days <= days), "year")


def allowed_grains(span: Span) -> tuple[str, ...]:
    """The grains at which a chart can show a span, the finest first; always the year, so that there is one."""
    return tuple(grain for grain in GRAINS if grain == "year" or _number(span, grain) <= MOST_BUCKETS)


def following(start: date, grain: str) -> date:
    """The start of the next bucket."""
    if grain in MONTHS_OF:
        return shifted_month(start, MONTHS_OF[grain])
    return start + datetime.timedelta(days=7 if grain == "week" else 1)


def shifted_month(day: date, months: int) -> date:
    """The first day of the month that lies so many months after this day's, or before it."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def months_between(earlier: date, later: date) -> int:
    """How many months the month of one day lies before that of another."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month


def _buckets(span: Span, grain: str, bounds: Span) -> Iterator[Bucket]:
    start = bucket(span.first, grain)
    while start <= span.last:
        following_start = following(start, grain)
        end = following_start - DAY
        part = Span(max(start, span.first), min(end, span.last))
        so_far = end > bounds.last
        yield Bucket(start, part, whole=(part.first, part.last) == (start, end) and not so_far, so_far=so_far)
        start = following_start


def _number(span: Span, grain: str) -> int:
    """How many buckets cover the span: counted, not made, since a span may have millions of days."""
    first, last = bucket(span.first, grain), bucket(span.last, grain)
    if grain in MONTHS_OF:
        return months_between(first, last) // MONTHS_OF[grain] + 1
    return (last - first).days // (7 if grain == "week" else 1) + 1
