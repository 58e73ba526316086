"""Facts of a table: what the release knows of it, as far as a scope allows."""

from dataclasses import replace

import pytest

from lakehouse.facts import read_facts
from lakehouse.quality import Verdict
from lakehouse.query.pins import Pin
from lakehouse.query.scope import ColumnRule, RowRule, Scope
from lakehouse.releases import Release, Size

LINES = "marts.lines"
VERDICT = Verdict("unique_lines_id", "unique", LINES, "id", (LINES,), "warn", 4, "r1", "2026-03-31T08:15:00.000000Z")
RELEASE = Release(
    number=1,
    env="dev",
    run="r1",
    published="2026-03-31T08:15:00.000000Z",
    pins={LINES: Pin("file:///lines.json", 7), "raw.sales": Pin("file:///sales.json", 8)},
    nodes={},
    definitions={"lineage": {LINES: ["raw.sales"], "raw.sales": [], "marts.sums": [LINES]}},
    definitions_id="d",
    tests={"test.p.unique": VERDICT},
    sizes={LINES: Size(rows=1000, bytes=20_000, files=2)},
)
NORTH = Scope(rows=frozenset({RowRule("region", "=", ("North",))}))
MASKED = Scope(columns=frozenset({ColumnRule("", "id", "hash")}))
HIDDEN = Scope(columns=frozenset({ColumnRule("", "id", "hide")}))
ALL = (LINES, "raw.sales", "marts.sums")


def test_who_sees_everything_is_told_everything() -> None:
    found = read_facts(RELEASE, LINES, Scope(), ALL)

    assert found.size == Size(1000, 20_000, 2)
    assert found.tests == (VERDICT,)
    assert (found.built_from, found.feeds, found.snapshot) == (("raw.sales",), ("marts.sums",), 7)


def test_row_rules_take_the_size_and_the_counts_of_tests_away() -> None:
    found = read_facts(RELEASE, LINES, NORTH, ALL)

    assert found.size is None
    assert found.tests == (replace(VERDICT, name="unique", failures=None),)


@pytest.mark.parametrize(("scope", "tests"), [(MASKED, 1), (HIDDEN, 0)])
def test_a_test_on_a_masked_column_is_named_by_its_kind_and_one_on_a_hidden_column_not_at_all(
    scope: Scope, tests: int
) -> None:
    found = read_facts(RELEASE, LINES, scope, ALL)

    assert [one.name for one in found.tests or ()] == ["unique"] * tests


def test_tables_that_may_not_be_seen_are_not_named() -> None:
    found = read_facts(RELEASE, LINES, Scope(), (LINES,))

    assert (found.built_from, found.feeds) == ((), ())


def test_what_an_old_release_has_not_written_down_is_unknown() -> None:
    old = replace(RELEASE, tests=None, sizes={}, definitions={"tables": {}})

    found = read_facts(old, LINES, Scope(), ALL)

    assert (found.size, found.tests, found.built_from, found.feeds) == (None, None, None, None)
