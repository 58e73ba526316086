"""An answer as JSON: every type under DuckDB's name, every value without losing a digit."""

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.query.document import EXACT, document, json_value, type_name


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (pa.bool_(), "BOOLEAN"),
        (pa.int8(), "TINYINT"),
        (pa.int64(), "BIGINT"),
        (pa.uint64(), "UBIGINT"),
        (pa.float64(), "DOUBLE"),
        (pa.decimal128(38, 2), "DECIMAL(38,2)"),
        (pa.date32(), "DATE"),
        (pa.time64("us"), "TIME"),
        (pa.timestamp("us"), "TIMESTAMP"),
        (pa.timestamp("us", "UTC"), "TIMESTAMP WITH TIME ZONE"),
        (pa.string(), "VARCHAR"),
        (pa.large_string(), "VARCHAR"),
        (pa.binary(), "BLOB"),
        (pa.null(), "NULL"),
        (pa.list_(pa.int32()), "INTEGER[]"),
        (pa.struct([("a", pa.int32()), ("b", pa.string())]), "STRUCT(a INTEGER, b VARCHAR)"),
        (pa.map_(pa.string(), pa.int64()), "MAP(VARCHAR, BIGINT)"),
    ],
)
def test_a_type_carries_the_name_that_duckdb_gives_it(kind: pa.DataType, name: str) -> None:
    assert type_name(kind) == name


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        ("text", "text"),
        (EXACT, EXACT),
        (EXACT + 1, "9007199254740993"),
        (-EXACT, -EXACT),
        (-EXACT - 1, "-9007199254740993"),
        (Decimal("1.50"), "1.50"),
        (Decimal("0E-10"), "0.0000000000"),
        (1.5, 1.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 2, 29, 12, tzinfo=UTC), "2024-02-29T12:00:00+00:00"),
        (time(1, 2, 3), "01:02:03"),
        (b"\x00\xff", "AP8="),
        ([1, None, Decimal("2.0")], [1, None, "2.0"]),
        ({"a": {"b": EXACT + 1}}, {"a": {"b": "9007199254740993"}}),
    ],
)
def test_a_value_keeps_every_digit(value: Any, expected: Any) -> None:
    found = json_value(value)

    assert found == expected
    assert type(found) is type(expected)


@given(st.integers(min_value=-(10**38) + 1, max_value=10**38 - 1), st.integers(min_value=0, max_value=38))
def test_every_decimal_comes_back_from_its_json(digits: int, scale: int) -> None:
    value = Decimal(digits).scaleb(-scale)

    text = json.loads(json.dumps(json_value(value)))

    assert isinstance(text, str)
    assert Decimal(text) == value


def test_a_document_has_columns_and_rows_also_when_there_are_none() -> None:
    table = pa.table({"n": pa.array([], pa.int64())})

    assert document(table) == {"columns": [{"name": "n", "type": "BIGINT"}], "rows": []}


def test_columns_of_one_name_keep_their_places() -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array(["x"])], names=["a", "a"])

    assert document(table)["rows"] == [[1, "x"]]
