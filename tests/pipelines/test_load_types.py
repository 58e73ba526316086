"""Values come through dlt, Parquet and Iceberg exactly as they stood in the file, whoever reads them."""

import csv
import io
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from lakehouse.query.engine import connect, table_function
from lakehouse.query.pins import Pin
from lakehouse.tables.catalog import TableCatalog
from tests.pipelines.lake import Lake, lines, source

NINES = "9" * 28 + "." + "9" * 10
OPTIONAL = {
    "key": "text",
    "whole": 'type = "integer", required = false',
    "money": 'type = "decimal(38,10)", required = false',
    "small": 'type = "decimal(3,3)", required = false',
    "float": 'type = "double", required = false',
    "yes": 'type = "boolean", required = false',
    "day": 'type = "date", required = false',
    "moment": 'type = "timestamp", required = false',
    "note": 'type = "text", required = false',
}
TYPES = {
    "whole": pa.int64(),
    "money": pa.decimal128(38, 10),
    "small": pa.decimal128(3, 3),
    "float": pa.float64(),
    "yes": pa.bool_(),
    "day": pa.date32(),
    "moment": pa.timestamp("us"),
    "note": pa.string(),
}
DUCKDB_TYPES = [
    "BIGINT",
    "DECIMAL(38,10)",
    "DECIMAL(3,3)",
    "DOUBLE",
    "BOOLEAN",
    "DATE",
    "TIMESTAMP",
    "VARCHAR",
]
VALUES: list[tuple[Any, ...]] = [
    (
        -(2**63),
        Decimal(f"-{NINES}"),
        Decimal("-0.999"),
        5e-324,
        False,
        date(1, 1, 1),
        datetime(1, 1, 1),  # noqa: DTZ001 - zoneless by contract
        "🦆 “Ünï”\r\n\t'x' \\ |",
    ),
    (
        2**63 - 1,
        Decimal(NINES),
        Decimal("0.001"),
        1.7976931348623157e308,
        True,
        date(9999, 12, 31),
        datetime(9999, 12, 31, 23, 59, 59, 999999),  # noqa: DTZ001 - zoneless by contract
        " NULL ",
    ),
    (
        0,
        Decimal("0.0000000001"),
        Decimal("0.000"),
        0.1,
        True,
        date(1969, 12, 31),
        datetime(2024, 3, 31, 2, 30, 0, 1),  # noqa: DTZ001 - zoneless by contract; an hour that summer time skips
        "nan",
    ),
    (None,) * 8,
]


def as_csv() -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(OPTIONAL)
    for number, values in enumerate(VALUES):
        writer.writerow([number, *(_text(value) for value in values)])
    return out.getvalue()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def read_by_duckdb(lake: Lake, select: str, table: str = "raw.sales") -> tuple[list[str], list[tuple[Any, ...]]]:
    """Types and rows, as the lake's readers get them."""
    with closing(TableCatalog(lake.settings, "dev")) as catalog, closing(connect("400MB", 1)) as connection:
        head = catalog.head(table)
        assert head is not None
        snapshot = head.current_snapshot()
        assert snapshot is not None
        rows = table_function(Pin(head.metadata_location, snapshot.snapshot_id))
        relation = connection.sql(f"select {select} from {rows} order by _line")
        return [str(kind) for kind in relation.types], relation.fetchall()


def test_values_of_every_type_come_through_exactly(lake: Lake) -> None:
    lake.configure(source(columns=OPTIONAL, key=["key"]))
    lake.write("sales.csv", as_csv())

    ran = lake.load()

    assert ran.counts("sales") == {"read": 4, "loaded": 4, "quarantined": 0}
    assert lake.rows("raw.sales", *TYPES) == VALUES
    table = lake.table("raw.sales")
    assert table is not None
    assert {name: table.schema.field(name).type for name in TYPES} == TYPES
    assert read_by_duckdb(lake, ", ".join(TYPES)) == (DUCKDB_TYPES, VALUES)


def test_times_stay_without_a_zone_also_where_no_row_was_accepted_before(lake: Lake) -> None:
    columns = {"id": "text", "moment": 'type = "timestamp", format = "%d.%m.%Y %H:%M"'}
    lake.configure(source(columns=columns, disposition="append", path="data"))
    lake.write("data/1.csv", lines("a,not a time", header="id,moment"))
    lake.load()

    lake.write("data/2.csv", lines("b,31.03.2024 02:30", header="id,moment"))
    lake.load()

    moment = datetime(2024, 3, 31, 2, 30)  # noqa: DTZ001 - zoneless by contract
    assert read_by_duckdb(lake, "id, moment") == (["VARCHAR", "TIMESTAMP"], [("b", moment)])


def test_a_time_may_have_the_name_of_a_column_of_the_quarantine(lake: Lake) -> None:
    names = ["source", "file", "line", "value", "reason"]
    lake.configure(source(columns=dict.fromkeys(names, "timestamp")))
    time = "2024-03-31 02:30"
    lake.write(
        "sales.csv", lines(",".join([time] * 5), ",".join([time, time, "late", time, time]), header=",".join(names))
    )

    lake.load()

    moment = datetime(2024, 3, 31, 2, 30)  # noqa: DTZ001 - zoneless by contract
    assert lake.rows("raw.sales", *names) == [(moment,) * 5]
    assert lake.rejected("file", "line", "column_name", "value") == [("sales.csv", 3, "line", "late")]


def test_column_names_are_kept_whatever_dlt_would_make_of_them(lake: Lake) -> None:
    names = ["select", "a__b", "n2", "x_", "id"]
    lake.configure(source(columns=dict.fromkeys(names, "text"), key=["a__b"]))
    lake.write("sales.csv", lines("1,2,3,4,5", header=",".join(names)))

    lake.load()

    assert lake.rows("raw.sales", *names) == [("1", "2", "3", "4", "5")]


def test_a_text_of_five_megabytes_comes_through(lake: Lake) -> None:
    text = "🦆 quack, " * (5_000_000 // 12)
    lake.configure(source())
    lake.write("sales.csv", f'id,n\n"{text}",1\n')

    lake.load()

    assert lake.rows() == [(text, 1)]


def test_a_rejected_record_keeps_a_text_that_is_longer_than_any_column(lake: Lake) -> None:
    text = "🦆" * 100_000
    lake.configure(source())
    lake.write("sales.csv", lines(f"a,{text}"))

    lake.load()

    assert lake.rejected("value", "fields") == [(text, f'["a", "{text}"]')]
