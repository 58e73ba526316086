"""Drift: what counts as a difference, and which one goes beyond its limit."""

import pytest

from lakehouse.drift import Counts, Difference, differences, in_order
from lakehouse.settings import PublishSettings

LIMITS = PublishSettings(max_rows_lost=0.29, max_rows_gained=0.5, max_nulls_moved=0.05)


def rows_over(before: int, after: int) -> list[bool]:
    return [found.over for found in differences("marts.a", Counts(before, {}), Counts(after, {}), LIMITS)]


@pytest.mark.parametrize(
    ("before", "after", "over"),
    [
        (100, 100, []),
        (100, 71, [False]),  # 29 of 100: exactly the limit, which no binary number is
        (100, 70, [True]),
        (100, 0, [True]),
        (100, 150, [False]),
        (100, 151, [True]),
        (3, 2, [True]),
        (0, 0, []),
        (0, 1_000_000, []),
    ],
)
def test_rows_may_come_and_go_within_their_own_limits(before: int, after: int, over: list[bool]) -> None:
    assert rows_over(before, after) == over


def nulls_moved(before: Counts, after: Counts) -> list[tuple[str | None, float, float]]:
    return [(found.column, found.before, found.after) for found in differences("marts.a", before, after, LIMITS)]


@pytest.mark.parametrize(("old", "new"), [(0, 6), (6, 0), (50, 44), (94, 100)])
def test_nulls_that_moved_beyond_their_limit_are_named_in_both_directions(old: int, new: int) -> None:
    assert nulls_moved(Counts(100, {"x": old}), Counts(100, {"x": new})) == [("x", old / 100, new / 100)]


@pytest.mark.parametrize(("old", "new"), [(0, 5), (5, 0), (50, 50), (95, 100)])
def test_nulls_within_their_limit_are_no_difference(old: int, new: int) -> None:
    assert nulls_moved(Counts(100, {"x": old}), Counts(100, {"x": new})) == []


def test_it_is_the_share_of_nulls_that_counts_not_their_number() -> None:
    assert nulls_moved(Counts(100, {"x": 10}), Counts(140, {"x": 14})) == [(None, 100, 140)]


def test_columns_that_are_new_or_gone_are_not_compared() -> None:
    assert nulls_moved(Counts(100, {"old": 0}), Counts(100, {"new": 100})) == []


def test_a_table_that_was_emptied_has_no_shares() -> None:
    assert nulls_moved(Counts(100, {"x": 0}), Counts(0, {"x": 0})) == [(None, 100, 0)]


def test_what_goes_beyond_its_limit_comes_first() -> None:
    found = [
        *differences("marts.a", Counts(100, {}), Counts(101, {}), LIMITS),
        *differences("raw.z", Counts(10, {"x": 0}), Counts(100, {"x": 100}), LIMITS),
        *differences("marts.b", Counts(10, {}), Counts(1, {}), LIMITS),
    ]

    shown = [(one.table, one.column) for one in in_order(found)]

    assert shown == [("marts.b", None), ("raw.z", None), ("raw.z", "x"), ("marts.a", None)]


@pytest.mark.parametrize(
    ("difference", "sentence"),
    [
        (Difference("marts.a", None, "rows", 1000, 397, -0.2, True), "marts.a: rows fell by 60.3 %, from 1,000 to 397"),
        (Difference("marts.a", None, "rows", 10, 25, 1, True), "marts.a: rows rose by 150.0 %, from 10 to 25"),
        (Difference("marts.a", "x", "nulls", 0.01, 0.5, 0.05, True), "marts.a.x: NULLs went from 1.0 % to 50.0 %"),
    ],
)
def test_a_difference_is_said_in_a_sentence(difference: Difference, sentence: str) -> None:
    assert difference.sentence() == sentence
    assert Difference(**difference.to_json()) == difference
