"""Short ways to stage, commit and read tables."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from lakehouse.tables.catalog import TableCatalog
from lakehouse.tables.commit import Intent, commit
from lakehouse.tables.write import Drop, Staged, stage


def staged(
    catalog: TableCatalog, table: str, columns: Mapping[str, Any] | pa.Table, drop: Drop | None = None
) -> Staged:
    """A table staged from columns; without `drop` it is an append."""
    rows = columns if isinstance(columns, pa.Table) else pa.table(dict(columns))
    return stage(catalog, table, rows.to_reader(), drop, {"lakeport.run": "r1"})


def intent(*items: Staged) -> Intent:
    return {item.table: item.change for item in items}


def put(catalog: TableCatalog, table: str, columns: Mapping[str, Any] | pa.Table, drop: Drop | None = None) -> None:
    """Stage and commit."""
    commit(catalog, intent(staged(catalog, table, columns, drop)))


def rows(catalog: TableCatalog, table: str, snapshot: int | None = None) -> list[tuple[Any, ...]]:
    """The rows of a table, sorted; None has a place of its own."""
    head = catalog.head(table)
    assert head is not None
    found = head.scan(snapshot_id=snapshot).to_arrow().to_pylist()
    return sorted((tuple(row.values()) for row in found), key=repr)


def snapshots(catalog: TableCatalog, table: str) -> int:
    head = catalog.head(table)
    return len(head.snapshots()) if head is not None else 0
