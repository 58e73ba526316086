"""What the SQL page is made of: names as statements write them, places of mistakes, values of an answer."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from dash.development.base_component import Component
from hypothesis import given
from hypothesis import strategies as st

from portal.rows import LONGEST_CELL, SHOWN_COLUMNS, SHOWN_ROWS, cell, cells, columns
from portal.sql_names import RESERVED, written_name, written_table
from portal.sql_place import find_place


def test_the_reserved_words_are_those_of_duckdb() -> None:
    """Of the others a column may be called without quotes."""
    rows = duckdb.execute("select keyword_name, keyword_category from duckdb_keywords()").fetchall()

    assert {name for name, kind in rows if kind in ("reserved", "type_function")} == RESERVED
    for name, _ in rows:
        assert selected(written_name(name), name) == name


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_a_written_name_is_that_name(name: str) -> None:
    assert selected(written_name(name), name) == name


def selected(written: str, name: str) -> str:
    """What a column of that name is called after it was selected as written."""
    quoted = '"' + name.replace('"', '""') + '"'
    found: str = duckdb.execute(f"select {written} from (select 1 as {quoted}) as t").description[0][0]
    return found


@pytest.mark.parametrize(
    ("name", "written"),
    [("region", "region"), ("order", '"order"'), ("Unit price", '"Unit price"'), ('a"b', '"a""b"'), ("2024", '"2024"')],
)
def test_only_names_that_need_it_are_quoted(name: str, written: str) -> None:
    assert written_name(name) == written


def test_a_table_is_written_with_its_layer() -> None:
    assert [written_table(name) for name in ("marts.orders", "marts.order")] == ["marts.orders", 'marts."order"']


@pytest.mark.parametrize(
    ("sentence", "statement", "line", "words"),
    [
        ("No such table. (line 2, column 6)", "select 1\nfrom nope", 2, "nope"),
        ("Wrong (line 1, column 8).", "select f(x)", 1, "f"),
        ("At the end (line 1, column 7)", "select", 1, ""),
        ('Column "nope" not found', "select\n\n nope from t", 3, "nope"),
        ("There is no function 'f' here.", "select f(fx)", 1, "f"),
    ],
)
def test_a_sentence_leads_to_its_place(sentence: str, statement: str, line: int, words: str) -> None:
    place = find_place(sentence, statement)

    assert place is not None
    assert (place.line, place.words) == (line, words)
    assert place.before + place.words + place.after == statement.split("\n")[line - 1]
    assert statement[place.start : place.end] == words


@pytest.mark.parametrize(
    ("sentence", "statement"),
    [
        ("It took too long.", "select 1"),
        ("Wrong (line 9, column 1)", "select 1"),
        ("Wrong (line 1, column 99)", "select 1"),
        ("Wrong (line 0, column 0)", "select 1"),
        ('Column "a" not found', "select a, a"),
        ('Column "b" not found', "select a"),
    ],
)
def test_what_names_no_place_has_none(sentence: str, statement: str) -> None:
    assert find_place(sentence, statement) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("North", "North"),
        (2024, "2024"),
        (2**70, str(2**70)),
        (Decimal("0E-10"), "0.0000000000"),
        (1.5, "1.5"),
        (float("nan"), "nan"),
        (False, "false"),
        (date(2024, 3, 31), "2024-03-31"),
        (datetime(2024, 3, 31, 9, tzinfo=UTC), "2024-03-31T09:00:00+00:00"),
        ({"a": [1, None]}, '{"a": [1, null]}'),
        ("x" * 500, "x" * (LONGEST_CELL - 1) + "…"),
    ],
)
def test_a_value_is_written_as_it_is(value: Any, text: str) -> None:
    assert cell(value) == text


def test_null_is_told_from_its_word() -> None:
    assert isinstance(cell(None), Component)


def test_a_large_answer_is_shown_in_part() -> None:
    wide = pa.table([[*range(SHOWN_ROWS + 1)]] * (SHOWN_COLUMNS + 1), names=["same"] * (SHOWN_COLUMNS + 1))
    shown = cells(wide)

    assert (len(shown), {len(row) for row in shown}, len(columns(wide))) == (SHOWN_ROWS, {SHOWN_COLUMNS}, SHOWN_COLUMNS)
    assert all(column.is_number for column in columns(wide))
    assert cells(wide.slice(0, 0)) == []
