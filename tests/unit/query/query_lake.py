"""A small warehouse of real Iceberg tables, written by PyIceberg, for the tests of the query room."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog

from lakehouse.query.pins import Pin
from lakehouse.query.pool import QueryPool, Question

SCHEMA = pa.schema([("day", pa.date32()), ("region", pa.string()), ("amount", pa.decimal128(18, 2)), ("n", pa.int64())])
OpenPool = Callable[..., QueryPool]


def rows(pool: QueryPool, sql: str, **parts: Any) -> list[dict[str, Any]]:
    """Rows of one question; keywords are the question's other parts."""
    parts.setdefault("pins", {})
    return pool.ask(Question(sql, **parts)).table.to_pylist()


@dataclass(frozen=True)
class Lake:
    """One table at three moments: without rows, with 20 rows worth 47.50, and with one more worth 7.25."""

    folder: Path
    empty: Pin
    january: Pin
    february: Pin


def write_lake(folder: Path) -> Lake:
    """A warehouse in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    catalog = SqlCatalog("lake", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse")
    catalog.create_namespace("raw")
    table = catalog.create_table("raw.sales", schema=SCHEMA)

    def pin() -> Pin:
        snapshot = table.current_snapshot()
        return Pin(table.metadata_location, snapshot.snapshot_id if snapshot else None)

    empty = pin()
    rows = [(datetime.date(2024, 1, i + 1), "NS"[i % 2], Decimal(i) / 4, i) for i in range(20)]
    table.append(as_table(rows))
    january = pin()
    table.append(as_table([(datetime.date(2024, 2, 1), "N", Decimal("7.25"), 20)]))
    february = pin()
    catalog.close()
    return Lake(folder / "warehouse", empty, january, february)


def as_table(rows: list[tuple[Any, ...]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], schema=SCHEMA)
