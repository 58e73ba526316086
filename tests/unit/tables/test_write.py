"""Staging: replace, append and drop, and what becomes of a table's columns."""

import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from staged_tables import intent, put, rows, snapshots, staged

from lakehouse.tables.catalog import TableCatalog, snapshot_property
from lakehouse.tables.commit import commit
from lakehouse.tables.write import EVERYTHING, Drop, plain


def columns(catalog: TableCatalog, table: str) -> list[tuple[str, str]]:
    head = catalog.head(table)
    assert head is not None
    return [(field.name, str(field.field_type)) for field in head.schema().fields]


def test_what_is_staged_is_seen_by_nobody_until_it_is_committed(catalog: TableCatalog) -> None:
    waiting = staged(catalog, "raw.t", {"n": [1]})
    before = rows(catalog, "raw.t"), snapshots(catalog, "raw.t")
    commit(catalog, intent(waiting))

    assert before == ([], 0)
    assert (rows(catalog, "raw.t"), snapshots(catalog, "raw.t")) == ([(1,)], 1)


def test_a_snapshot_carries_the_properties_that_it_was_given(catalog: TableCatalog) -> None:
    put(catalog, "raw.t", {"n": [1]})

    assert snapshot_property(catalog.head("raw.t"), "lakeport.run") == "r1"
    assert snapshot_property(catalog.head("raw.t"), "unknown") is None
    assert snapshot_property(catalog.head("raw.none"), "lakeport.run") is None


def test_an_append_keeps_what_is_there(catalog: TableCatalog) -> None:
    put(catalog, "raw.t", {"n": [1]})
    put(catalog, "raw.t", {"n": [1, 2]})

    assert rows(catalog, "raw.t") == [(1,), (1,), (2,)]
    assert snapshots(catalog, "raw.t") == 2


def test_a_replacement_is_one_snapshot_and_the_old_one_stays_readable(catalog: TableCatalog) -> None:
    put(catalog, "raw.t", {"n": [1, 2]})
    head = catalog.head("raw.t")
    assert head is not None
    old = head.metadata.current_snapshot_id

    put(catalog, "raw.t", {"n": [3]}, EVERYTHING)

    assert snapshots(catalog, "raw.t") == 2
    assert rows(catalog, "raw.t") == [(3,)]
    assert rows(catalog, "raw.t", old) == [(1,), (2,)]


def test_a_table_may_be_replaced_by_nothing(catalog: TableCatalog) -> None:
    put(catalog, "raw.t", {"n": [1]})
    put(catalog, "raw.t", pa.table({"n": pa.array([], pa.int64())}), EVERYTHING)

    assert (rows(catalog, "raw.t"), snapshots(catalog, "raw.t")) == ([], 2)


@pytest.mark.parametrize(
    ("drop", "left"),
    [
        ({"k": ["b"]}, [("a", 1), ("a", 2), ("c", 4), ("d", 5), (None, 6)]),
        ({"k": ["a", "d"]}, [("b", 3), ("c", 4), (None, 6)]),
        ({"k": ["a"], "n": [2, 4]}, [("a", 1), ("b", 3), ("c", 4), ("d", 5), (None, 6)]),
        ({"k": ["z"]}, [("a", 1), ("a", 2), ("b", 3), ("c", 4), ("d", 5), (None, 6)]),
        ({"k": []}, [("a", 1), ("a", 2), ("b", 3), ("c", 4), ("d", 5), (None, 6)]),
    ],
)
def test_dropped_are_the_rows_whose_every_named_column_is_among_the_values(
    catalog: TableCatalog, drop: dict[str, list[Any]], left: list[tuple[Any, ...]]
) -> None:
    put(catalog, "raw.t", {"k": ["a", "a", "b"], "n": [1, 2, 3]})
    put(catalog, "raw.t", {"k": ["c", "d", None], "n": [4, 5, 6]})
    types = {"k": pa.string(), "n": pa.int64()}
    which: Drop = {name: pa.array(values, types[name]) for name, values in drop.items()}

    put(catalog, "raw.t", {"k": ["new"], "n": [9]}, which)

    assert rows(catalog, "raw.t") == sorted([*left, ("new", 9)], key=repr)
    assert snapshots(catalog, "raw.t") == 3


def test_files_that_hold_nothing_to_drop_are_not_written_again(catalog: TableCatalog) -> None:
    put(catalog, "raw.t", {"n": [1, 2]})
    put(catalog, "raw.t", {"n": [8, 9]})
    head = catalog.head("raw.t")
    assert head is not None
    before = {task.file.file_path for task in head.scan(row_filter="n >= 8").plan_files()}

    put(catalog, "raw.t", {"n": [3]}, {"n": pa.array([1])})
    head = catalog.head("raw.t")
    assert head is not None

    assert before <= {task.file.file_path for task in head.scan().plan_files()}
    assert rows(catalog, "raw.t") == [(2,), (3,), (8,), (9,)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"b": ["x"]}, [("b", "string")]),
        ({"a": [1], "b": ["x"], "c": [2.5]}, [("a", "long"), ("b", "string"), ("c", "double")]),
        ({"c": [2.5], "b": ["x"], "a": [1]}, [("c", "double"), ("b", "string"), ("a", "long")]),
        ({"a": ["text"], "b": ["x"]}, [("a", "string"), ("b", "string")]),
        ({"b": ["x"], "a": ["text"]}, [("b", "string"), ("a", "string")]),
        ({"z": [datetime.date(2026, 3, 31)]}, [("z", "date")]),
    ],
    ids=["removed", "added", "added-and-reordered", "another-type", "another-type-and-place", "all-new"],
)
def test_a_replaced_table_has_exactly_the_new_columns_and_older_snapshots_keep_theirs(
    catalog: TableCatalog, change: dict[str, list[Any]], expected: list[tuple[str, str]]
) -> None:
    put(catalog, "marts.t", {"a": [1], "b": ["old"]})
    head = catalog.head("marts.t")
    assert head is not None
    old = head.metadata.current_snapshot_id

    put(catalog, "marts.t", change, EVERYTHING)

    assert columns(catalog, "marts.t") == expected
    assert rows(catalog, "marts.t") == [tuple(values[0] for values in change.values())]
    head = catalog.head("marts.t")
    assert head is not None
    assert head.scan(snapshot_id=old).to_arrow().to_pylist() == [{"a": 1, "b": "old"}]


def test_an_append_adds_columns_and_old_rows_have_none_there(catalog: TableCatalog) -> None:
    put(catalog, "raw.t", {"a": [1]})
    put(catalog, "raw.t", {"a": [2], "b": ["x"]})

    assert columns(catalog, "raw.t") == [("a", "long"), ("b", "string")]
    assert rows(catalog, "raw.t") == [(1, None), (2, "x")]


def test_an_append_may_lack_a_column(catalog: TableCatalog) -> None:
    put(catalog, "raw.t", {"a": [1], "b": ["x"]})
    put(catalog, "raw.t", {"a": [2]})

    assert rows(catalog, "raw.t") == [(1, "x"), (2, None)]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (pa.large_string(), pa.string()),
        (pa.dictionary(pa.int8(), pa.large_string()), pa.string()),
        (pa.int8(), pa.int32()),
        (pa.uint16(), pa.int32()),
        (pa.uint32(), pa.int64()),
        (pa.uint64(), pa.decimal128(20, 0)),
        (pa.timestamp("ns"), pa.timestamp("us")),
        (pa.timestamp("s", "UTC"), pa.timestamp("us", "UTC")),
        (pa.time32("s"), pa.time64("us")),
        (pa.decimal128(18, 2), pa.decimal128(18, 2)),
        (pa.bool_(), pa.bool_()),
    ],
    ids=str,
)
def test_a_type_is_stored_as_the_nearest_one_that_iceberg_has(given: pa.DataType, kept: pa.DataType) -> None:
    assert plain(given) == kept


def test_values_at_the_edges_come_back_as_they_were(catalog: TableCatalog) -> None:
    edges = pa.table(
        {
            "money": pa.array([Decimal("-9999999999999999.99"), Decimal("0.01")], pa.decimal128(18, 2)),
            "count": pa.array([2**64 - 1, 0], pa.uint64()),
            "day": pa.array([datetime.date(1, 1, 1), datetime.date(9999, 12, 31)]),
            "text": ["", "\x00 ünï \U0001f6a2"],
        }
    )

    put(catalog, "raw.t", edges)

    assert rows(catalog, "raw.t") == sorted(
        [
            (Decimal("-9999999999999999.99"), Decimal(2**64 - 1), datetime.date(1, 1, 1), ""),
            (Decimal("0.01"), Decimal(0), datetime.date(9999, 12, 31), "\x00 ünï \U0001f6a2"),
        ],
        key=repr,
    )


def test_two_tables_of_one_name_never_share_a_folder(catalog: TableCatalog) -> None:
    schema = pa.schema([("n", pa.int64())])
    first = catalog.ensure("raw.t", schema).location()
    catalog.catalog.drop_table(catalog.identifier("raw.t"))

    assert catalog.ensure("raw.t", schema).location() != first
    assert catalog.names("raw") == ["raw.t"]
    assert catalog.names("marts") == []
