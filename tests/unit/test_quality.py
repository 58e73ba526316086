"""Verdicts: read from what dbt has said, kept for tests that need not run again, and shown to whom they concern."""

from dataclasses import replace
from typing import Any

import pytest

from lakehouse.quality import Ran, Verdict, read_verdicts, say_the_same, visible_verdicts

NOW = Ran("pass", 0, "run-2", "2026-03-31T08:15:00.000000Z")
MANIFEST: dict[str, Any] = {
    "nodes": {
        "model.p.lines": {
            "resource_type": "model",
            "schema": "marts",
            "alias": "lines",
            "name": "lines",
            "config": {"materialized": "iceberg"},
            "depends_on": {"nodes": ["source.p.raw.sales"]},
        },
        "test.p.known": {
            "resource_type": "test",
            "name": "accepted_values_lines_region__North__South",
            "attached_node": "model.p.lines",
            "column_name": "region",
            "test_metadata": {"name": "accepted_values", "kwargs": {}},
            "depends_on": {"nodes": ["model.p.lines"]},
        },
        "test.p.source": {
            "resource_type": "test",
            "name": "source_unique_raw_sales_id",
            "attached_node": None,
            "column_name": "id",
            "test_metadata": {
                "name": "unique",
                "kwargs": {"model": "{{ get_where_subquery(source('raw', 'sales')) }}"},
            },
            "depends_on": {"nodes": ["source.p.raw.sales"]},
        },
        "test.p.own": {
            "resource_type": "test",
            "name": "nothing_is_lost",
            "attached_node": None,
            "column_name": None,
            "depends_on": {"nodes": ["source.p.raw.sales", "model.p.lines"]},
        },
    },
    "sources": {
        "source.p.raw.sales": {
            "resource_type": "source",
            "schema": "raw",
            "identifier": "sales",
            "name": "sales",
            "source_name": "raw",
        },
    },
}
TESTS = ("test.p.known", "test.p.source", "test.p.own")
FOUND = read_verdicts(MANIFEST, dict.fromkeys(TESTS, NOW), {})
BOTH = ("marts.lines", "raw.sales")


def nothing(_table: str) -> frozenset[str]:
    return frozenset()


def seen(*tables: str, hidden: Any = nothing, in_full: bool = True) -> list[str]:
    return [one.name for one in visible_verdicts(FOUND.values(), tables, hidden, in_full=in_full)]


@pytest.mark.parametrize(
    ("test", "kind", "table", "column", "reads"),
    [
        ("test.p.known", "accepted_values", "marts.lines", "region", ("marts.lines",)),
        ("test.p.source", "unique", "raw.sales", "id", ("raw.sales",)),
        ("test.p.own", "nothing_is_lost", "", "", ("marts.lines", "raw.sales")),
    ],
)
def test_a_verdict_says_what_its_test_is_about(
    test: str, kind: str, table: str, column: str, reads: tuple[str, ...]
) -> None:
    found = FOUND[test]

    assert (found.kind, found.table, found.column, found.reads) == (kind, table, column, reads)
    assert (found.status, found.failures, found.run, found.at) == ("pass", 0, "run-2", NOW.at)


def test_a_test_of_several_tables_is_about_each_of_them() -> None:
    about = {table: [test for test in TESTS if FOUND[test].is_about(table)] for table in (*BOTH, "marts.other")}

    assert about == {
        "marts.lines": ["test.p.known", "test.p.own"],
        "raw.sales": ["test.p.source", "test.p.own"],
        "marts.other": [],
    }


def test_a_test_that_did_not_run_keeps_its_verdict_and_time() -> None:
    later = Ran("warn", 3, "run-3", "2026-04-01T08:15:00.000000Z")

    found = read_verdicts(MANIFEST, {"test.p.own": later}, FOUND)

    assert found["test.p.known"] == FOUND["test.p.known"]
    assert found["test.p.own"] == replace(FOUND["test.p.own"], status="warn", failures=3, run="run-3", at=later.at)


def test_what_is_no_test_any_more_or_was_never_run_has_no_verdict() -> None:
    gone = {**FOUND, "test.p.gone": FOUND["test.p.own"]}

    assert set(read_verdicts(MANIFEST, {}, gone)) == set(TESTS)
    assert read_verdicts(MANIFEST, {"test.p.own": NOW}, {}).keys() == {"test.p.own"}


def test_a_verdict_survives_being_stored() -> None:
    assert [Verdict.from_json(found.to_json()) for found in FOUND.values()] == [*FOUND.values()]


@pytest.mark.parametrize(
    ("change", "same"), [({"at": "2027", "run": "r"}, True), ({"status": "warn"}, False), ({"failures": 1}, False)]
)
def test_verdicts_say_the_same_when_nothing_but_the_time_differs(change: dict[str, Any], same: bool) -> None:
    other = {**FOUND, "test.p.own": replace(FOUND["test.p.own"], **change)}

    assert say_the_same(FOUND, other) is same
    assert not say_the_same(FOUND, {})


def test_who_does_not_see_a_table_learns_of_no_test_that_reads_it() -> None:
    assert seen("marts.lines") == ["accepted_values_lines_region__North__South"]
    assert seen("raw.sales") == ["source_unique_raw_sales_id"]
    assert len(seen(*BOTH)) == 3
    assert seen() == []


@pytest.mark.parametrize("column", ["region", "lost"])
def test_a_test_on_a_hidden_column_or_named_after_one_is_not_there(column: str) -> None:
    left = seen(*BOTH, hidden=lambda table: frozenset({column}) if table == "marts.lines" else frozenset())

    assert len(left) == 2
    assert not any(column in name for name in left)


def test_who_does_not_see_all_rows_is_told_neither_values_nor_counts() -> None:
    warned = [replace(one, status="warn", failures=7) for one in FOUND.values()]

    found = visible_verdicts(warned, BOTH, nothing, in_full=False)

    assert [(one.name, one.status, one.failures) for one in found] == [
        ("accepted_values", "warn", None),
        ("unique", "warn", None),
        ("nothing_is_lost", "warn", None),
    ]
