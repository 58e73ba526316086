"""Marks of the axis of time: few, and at the beginnings of periods that people count in."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.figures.axes import MOST_MARKS, MOST_WIDE_MARKS, time_marks


def months(first: date, count: int, step: int = 1) -> list[date]:
    """The first days of some months."""
    numbers = [first.year * 12 + first.month - 1 + step * number for number in range(count)]
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]


def days(first: date, count: int, step: int = 1) -> list[date]:
    """Every nth day."""
    return [first + timedelta(days=step * number) for number in range(count)]


@pytest.mark.parametrize(
    ("starts", "longest", "marked"),
    [
        (
            days(date(2011, 6, 13), 26, 7),
            6,
            ["2011-07-04", "2011-08-01", "2011-09-05", "2011-10-03", "2011-11-07", "2011-12-05"],
        ),
        (days(date(2024, 3, 4), 5), 6, [f"2024-03-0{day}" for day in range(4, 9)]),
        (days(date(2024, 3, 5), 8), 6, ["2024-03-05", "2024-03-07", "2024-03-09", "2024-03-11"]),
        (days(date(2024, 3, 1), 30), 6, ["2024-03-04", "2024-03-11", "2024-03-18", "2024-03-25"]),
        (days(date(2024, 1, 1), 90), 6, ["2024-01-01", "2024-02-01", "2024-03-01"]),
        (months(date(2010, 12, 1), 13), 8, ["2011-01-01", "2011-04-01", "2011-07-01", "2011-10-01"]),
        (months(date(2020, 1, 1), 16, 3), 7, ["2020-01-01", "2021-01-01", "2022-01-01", "2023-01-01"]),
        (months(date(2010, 1, 1), 14, 12), 4, [f"{year}-01-01" for year in (2010, 2015, 2020)]),
    ],
    ids=["weeks", "few days", "a week and a day", "days", "a quarter of days", "months", "quarters", "years"],
)
def test_marks_stand_at_the_beginnings_of_periods(starts: list[date], longest: int, marked: list[str]) -> None:
    assert [starts[index].isoformat() for index in time_marks(starts, longest)] == marked


@given(
    first=st.dates(date(1, 1, 1), date(5000, 1, 1)),
    count=st.integers(1, 800),
    step=st.sampled_from([1, 7, 30, 91, 365]),
    longest=st.integers(1, 12),
)
def test_there_are_never_too_many_marks_and_always_one(first: date, count: int, step: int, longest: int) -> None:
    starts = days(first, count, step)

    marks = time_marks(starts, longest)

    assert 1 <= len(marks) <= (MOST_MARKS if longest <= 6 else MOST_WIDE_MARKS)
    assert marks == sorted(set(marks))
    assert all(0 <= mark < count for mark in marks)
