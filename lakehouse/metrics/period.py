"""Half-open ranges of days, the grains that divide them, and the earlier period that one is compared with.

One rule: the n-th bucket of a period is counted on the calendar from the bucket that holds its first day, whether or
not rows lie in between. So two periods match bucket by bucket exactly when the later dates are moved by `offset`.
"""

import datetime
from dataclasses import dataclass

from lakehouse.errors import PlanWrong

GRAINS = ("day", "week", "month", "quarter", "year")
DAY = datetime.timedelta(days=1)
MONTHS_OF = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Period:
    """The days from `start` up to but not including `end`."""

    start: datetime.date
    end: datetime.date

    def __str__(self) -> str:
        return f"{self.start.isoformat()} up to but not including {self.end.isoformat()}"

    def to_json(self) -> dict[str, str]:
        """The period as a plan writes it."""
        return {"from": self.start.isoformat(), "to": self.end.isoformat()}


def previous_period(period: Period) -> Period:
    """The period of equal length in days that ends where this one starts. Raises `PlanWrong` before year 1."""
    try:
        return Period(period.start - (period.end - period.start), period.start)
    except OverflowError:
        raise PlanWrong(_too_early(period)) from None


def previous_year(period: Period) -> Period:
    """The same dates one year earlier. Raises `PlanWrong` before year 1.

    29 February becomes 28 February, as start and as end alike: so periods that follow each other without a gap still
    do. Only a 28 February alone keeps its day, which the 29th has as well, rather than become empty.
    """
    start, end = _year_before(period.start, period), _year_before(period.end, period)
    return Period(start, max(end, start + DAY))


def bucket(day: datetime.date, grain: str) -> datetime.date:
    """The first day of the week (Monday), month, quarter or year that holds this day; at grain day, the day itself."""
    if grain == "day":
        return day
    if grain == "week":
        return day - day.weekday() * DAY
    months = MONTHS_OF[grain]
    return day.replace(month=(day.month - 1) // months * months + 1, day=1)


def offset(now: Period, before: Period, grain: str) -> tuple[int, str]:
    """How far a bucket of the earlier period moves onto its counterpart: (n, "day") or (n, "month").

    It moves the earlier period's first bucket onto the first one of the later period, and every other along with it.
    """
    there, here = bucket(before.start, grain), bucket(now.start, grain)
    if grain in MONTHS_OF:
        return (here.year - there.year) * 12 + here.month - there.month, "month"
    return (here - there).days, "day"


def _year_before(day: datetime.date, period: Period) -> datetime.date:
    if day.year == 1:
        raise PlanWrong(_too_early(period))
    if (day.month, day.day) == (2, 29):
        return day.replace(year=day.year - 1, day=28)
    return day.replace(year=day.year - 1)


def _too_early(period: Period) -> str:
    return f"There is no earlier period to compare {period} with. Choose a later time.from."
