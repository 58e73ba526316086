"""Counts of rows and NULLs from metadata: right where they are known, and named where they are not."""

import pyarrow as pa
from staged_tables import put, staged

from lakehouse.tables.catalog import TableCatalog
from lakehouse.tables.counts import Known, counts_of_snapshot, counts_of_staged
from lakehouse.tables.write import EVERYTHING

FIRST = {"n": [1, None, 3], "t": ["a", "b", None], "e": pa.array([None, None, None], pa.int64())}


def newest(catalog: TableCatalog, table: str) -> Known | None:
    head = catalog.head(table)
    assert head is not None
    snapshot = head.current_snapshot()
    assert snapshot is not None
    return counts_of_snapshot(head, snapshot.snapshot_id)


def test_a_candidate_is_counted_before_it_is_committed(catalog: TableCatalog) -> None:
    found = counts_of_staged(staged(catalog, "marts.a", FIRST, EVERYTHING))

    assert found == Known(3, {"n": 1, "t": 1, "e": 3}, ())


def test_a_snapshot_is_counted_over_all_of_its_files(catalog: TableCatalog) -> None:
    put(catalog, "marts.a", FIRST)
    put(catalog, "marts.a", FIRST)

    assert newest(catalog, "marts.a") == Known(6, {"n": 2, "t": 2, "e": 6}, ())


def test_an_older_snapshot_is_counted_as_it_was(catalog: TableCatalog) -> None:
    put(catalog, "marts.a", FIRST)
    head = catalog.head("marts.a")
    assert head is not None
    first = head.metadata.current_snapshot_id
    put(catalog, "marts.a", {"n": [7], "other": [8]}, EVERYTHING)
    head = catalog.head("marts.a")
    assert head is not None
    assert first is not None

    assert counts_of_snapshot(head, first) == Known(3, {"n": 1, "t": 1, "e": 3}, ())
    assert counts_of_snapshot(head, first + 1) is None


def test_a_column_that_older_files_do_not_have_is_unknown(catalog: TableCatalog) -> None:
    put(catalog, "marts.a", {"n": [1, 2]})
    put(catalog, "marts.a", {"n": [3], "new": [4]})

    assert newest(catalog, "marts.a") == Known(3, {"n": 0}, ("new",))


def test_a_column_of_nested_values_is_unknown(catalog: TableCatalog) -> None:
    put(catalog, "marts.a", {"n": [1, 2], "many": [[1], None]})

    assert newest(catalog, "marts.a") == Known(2, {"n": 0}, ("many",))
