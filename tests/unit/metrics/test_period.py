"""Periods, their buckets, and the earlier periods that they are compared with."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import PlanWrong
from lakehouse.metrics.period import GRAINS, Period, bucket, offset, previous_period, previous_year

DAYS = st.dates(datetime.date(1990, 1, 1), datetime.date(2060, 1, 1))


def period(start: str, end: str) -> Period:
    return Period(datetime.date.fromisoformat(start), datetime.date.fromisoformat(end))


def test_the_previous_period_has_as_many_days_and_ends_where_the_period_starts() -> None:
    assert previous_period(period("2024-03-01", "2024-04-01")) == period("2024-01-30", "2024-03-01")


def test_the_previous_year_has_the_same_dates() -> None:
    assert previous_year(period("2025-02-01", "2025-03-01")) == period("2024-02-01", "2024-03-01")


def test_a_leap_day_becomes_28_february_as_start_and_as_end() -> None:
    assert previous_year(period("2024-02-29", "2024-03-01")) == period("2023-02-28", "2023-03-01")
    assert previous_year(period("2024-02-01", "2024-02-29")) == period("2023-02-01", "2023-02-28")


@given(DAYS, st.integers(1, 800), st.integers(1, 800))
def test_periods_that_follow_each_other_still_do_a_year_earlier(start: datetime.date, first: int, second: int) -> None:
    middle = start + datetime.timedelta(days=first)
    end = middle + datetime.timedelta(days=second)

    left, right = previous_year(Period(start, middle)), previous_year(Period(middle, end))

    assert left.start < left.end
    assert right.start < right.end
    assert left.end == right.start or Period(start, middle) == period(f"{start.year}-02-28", f"{start.year}-02-29")


def test_a_28_february_alone_keeps_its_day_before_a_leap_day() -> None:
    assert previous_year(period("2024-02-28", "2024-02-29")) == period("2023-02-28", "2023-03-01")


@pytest.mark.parametrize("before", [previous_period, previous_year])
def test_a_period_before_the_first_year_is_refused(before: object) -> None:
    assert callable(before)
    with pytest.raises(PlanWrong, match=r"no earlier period.*0001-01-05.*later time\.from"):
        before(period("0001-01-05", "0001-03-01"))


def test_weeks_start_on_monday_also_across_the_year() -> None:
    assert bucket(datetime.date(2021, 1, 3), "week") == datetime.date(2020, 12, 28)


def test_months_are_counted_from_the_month_of_the_first_day() -> None:
    distance = offset(period("2024-01-31", "2024-03-02"), period("2023-12-31", "2024-01-31"), "month")

    assert distance == (1, "month")


@given(DAYS, DAYS, st.sampled_from(GRAINS), st.integers(0, 900))
def test_an_offset_moves_every_bucket_onto_the_one_at_the_same_position(
    start: datetime.date, there: datetime.date, grain: str, days: int
) -> None:
    day = datetime.timedelta(days=1)
    now, before = Period(start, start + day), Period(there, there + day)
    position = len({bucket(there + n * day, grain) for n in range(days + 1)}) - 1
    wanted = start
    while position:
        following = wanted + day
        position -= bucket(following, grain) != bucket(wanted, grain)
        wanted = following

    distance, unit = offset(now, before, grain)
    moved = bucket(there + days * day, grain)
    if unit == "month":
        months = moved.year * 12 + moved.month - 1 + distance
        moved = datetime.date(months // 12, months % 12 + 1, 1)
    else:
        moved += distance * day

    assert moved == bucket(wanted, grain)
