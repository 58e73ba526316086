"""Failing rows of a test: bounded, as the test has found them, and never the reason why a run ends otherwise."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from pipelines.failing import MOST_BYTES, MOST_ROWS, MOST_TESTS, FailingRows, failing_sql


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[FailingRows]:
    with duckdb.connect(":memory:") as connection:
        yield FailingRows(tmp_path, connection)


def kept(failing: FailingRows, sql: str, name: str = "t") -> dict[str, Any]:
    file = failing.keep(name, sql)
    assert file is not None
    document: dict[str, Any] = json.loads((failing.folder / file).read_text(encoding="utf-8"))
    return document


def test_rows_are_kept_as_json_that_loses_nothing(failing: FailingRows) -> None:
    found = kept(failing, "select 'a' as t, 1.50::decimal(9,2) as m, null::date as d -- no end of line")

    types = {"t": "VARCHAR", "m": "DECIMAL(9,2)", "d": "DATE"}
    assert found == {
        "test": "t",
        "columns": [{"name": name, "type": kind} for name, kind in types.items()],
        "rows": [["a", "1.50", None]],
        "complete": True,
    }


@pytest.mark.parametrize(("rows", "complete"), [(MOST_ROWS, True), (MOST_ROWS + 1, False), (10**9, False)])
def test_of_many_rows_the_first_are_kept(failing: FailingRows, rows: int, complete: bool) -> None:
    found = kept(failing, f"select range as n from range({rows})")

    assert (len(found["rows"]), found["complete"]) == (MOST_ROWS, complete)


def test_of_long_rows_fewer_are_kept(failing: FailingRows) -> None:
    found = kept(failing, "select repeat('x', 100000) as t from range(50)")

    assert (len(found["rows"]), found["complete"]) == (MOST_BYTES // 100_000, False)


def test_names_of_tests_make_names_of_files(failing: FailingRows) -> None:
    files = [failing.keep(name, "select 1 as n") for name in ("../../x y", "../../x_y", "ü" * 300)]

    assert files[:2] == ["failures/01-.._.._x_y.json", "failures/02-.._.._x_y.json"]
    assert all(file is not None and (failing.folder / file).exists() for file in files)


def test_rows_that_cannot_be_found_are_left_out(failing: FailingRows) -> None:
    assert failing.keep("t", "select * from nowhere") is None


def test_of_very_many_tests_the_first_are_kept(failing: FailingRows) -> None:
    files = [failing.keep("t", "select 1 as n") for _ in range(MOST_TESTS + 2)]

    assert files[-2:] == [None, None]
    assert None not in files[:-2]


def node(sql: str, name: str | None, namespace: str | None = None, column: str | None = "n") -> Any:
    told = SimpleNamespace(name=name, namespace=namespace, kwargs={"column_name": column})
    return SimpleNamespace(compiled_code=sql, test_metadata=told if name else None)


NOT_NULL = '\n    \n\nselect n\nfrom "memory"."marts"."a"\nwhere n is null\n'


@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        (node(NOT_NULL, "not_null"), 'select * from "memory"."marts"."a"\nwhere n is null\n'),
        (node(NOT_NULL, "not_null", "other_package"), NOT_NULL),
        (node(NOT_NULL, "unique"), NOT_NULL),
        (node(NOT_NULL, None), NOT_NULL),
        (node("select m from a where n is null", "not_null"), "select m from a where n is null"),
    ],
)
def test_a_missing_value_is_shown_with_its_row_and_others_as_their_test_shows_them(asked: Any, rows: str) -> None:
    assert failing_sql(asked) == rows
