"""The tables of `sql_grammar` twice: as real Iceberg tables with rows for nobody, and as a scope may know them.

One rule: what a scope may know is worked out in plain Python and held by a plain DuckDB, without a rule, a mask or a
table that is not granted; nothing of the product computes there.
"""

import datetime
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.schema import Schema
from sql_grammar import SETUP, multiset

from lakehouse.query.pins import Pin
from lakehouse.query.scope import ColumnRule, RowRule, Scope

MASK_KEY = "a key of the tests"
MARK = "FOREIGN"
"""Stands in every text of a row that no scope sees."""
HUGE = 10**12
"""Below every number of such a row; the allowed ones, which are small, do not come near it in one statement."""

Row = dict[str, Any]

LATE = datetime.date(9999, 12, 31)
_PLACED = datetime.datetime(9999, 12, 31, 23, tzinfo=datetime.UTC)
_PAYLOADS = ('{"kind": "FOREIGN', '{"kind": "FOREIGN-k"}', "FOREIGN", '{"FOREIGN": 1e999}')
_NOTES = ("FOREIGN", "FOREIGN%_", "a note FOREIGN", "99999999999999999999FOREIGN")
_TAGS: tuple[list[str], ...] = (["FOREIGN"], ["FOREIGN"] * 40, ["a", "FOREIGN"], ["FOREIGN-t", "b"])
FOREIGN: Mapping[str, list[Row]] = {
    "marts.orders": [
        {
            "id": 2**31 - 1 - number,
            "region": None if number % 4 == 3 else f"FOREIGN-{number % 4}",
            "day": LATE - datetime.timedelta(days=number),
            "placed": _PLACED,
            "amount": Decimal("9999999999999999.99") * (-1) ** number,
            "paid": number % 2 == 0,
            "note": _NOTES[number % 4],
            "tags": _TAGS[number % 4],
            "payload": _PAYLOADS[number % 4],
        }
        for number in range(12)
    ],
    "marts.regions": [
        {"region": "FOREIGN-0", "label": "FOREIGN", "active": True, "since": datetime.date(1, 1, 1)},
        {"region": "FOREIGN-1", "label": "FOREIGN", "active": None, "since": LATE},
        {"region": None, "label": "FOREIGN", "active": True, "since": None},
    ],
}
"""Rows that no scope sees: errors wait in them for whoever computes with them."""

CLOSED = "marts.ledger"
"""A table that no scope sees."""


@dataclass(frozen=True)
class Rights:
    """A scope, and the same in plain Python: which tables, which rows, and what stands for a value."""

    name: str
    scope: Scope
    tables: tuple[str, ...]
    fits: Callable[[Row], bool]
    shown: Mapping[str, Callable[[Any], Any]]
    public: frozenset[str] = frozenset()


def hidden(_value: Any) -> None:
    """What is shown of a hidden column."""


def hashed(value: str | None) -> str | None:
    return None if value is None else hashlib.sha256(f"{MASK_KEY}{value}".encode()).hexdigest()[:16]


def end(value: str | None) -> str | None:
    return None if value is None else "****" + (value[-4:] if len(value) > 8 else "")


def tens(value: Decimal | None) -> Decimal | None:
    """To tens, halves away from zero."""
    if value is None:
        return None
    size = int(abs(value) / 10 + Decimal("0.5")) * 10
    return Decimal(-size if value < 0 else size)


def _scope(rows: Sequence[RowRule], columns: Mapping[str, str], tables: Sequence[str] = ("marts.orders",)) -> Scope:
    rules = [ColumnRule("", column, shown) for column, shown in columns.items()]
    return Scope(frozenset(tables), frozenset(rows), frozenset(rules))


def _is_few(row: Row) -> bool:
    return bool(row["id"] < 24)


BOTH = ("marts.orders", "marts.regions")
_NEAR = RowRule("region", "in", ("North", "South"))
_FEW = RowRule("id", "<", ("24",))
_WITHOUT_EAST = RowRule("region", "not in", ("East", "FOREIGN-0", "FOREIGN-1", "FOREIGN-2"))
RIGHTS = (
    Rights("rows", _scope([_NEAR], {}, BOTH), BOTH, lambda row: row["region"] in ("North", "South"), {}),
    Rights("a table", _scope([_FEW], {}), BOTH[:1], _is_few, {}),
    Rights("a table too little", _scope([_FEW], {}, BOTH), BOTH[:1], _is_few, {}),
    Rights(
        "columns",
        _scope([_FEW], {"payload": "hide", "label": "hide", "note": "last four", "amount": "round 10"}),
        BOTH[:1],
        _is_few,
        {"payload": hidden, "note": end, "amount": tens},
    ),
    Rights(
        "everything",
        _scope([_WITHOUT_EAST, RowRule("region", "!=", ("South",))], {"region": "hash", "paid": "hide"}, BOTH),
        BOTH,
        lambda row: row["region"] in ("North", "West"),
        {"region": hashed, "paid": hidden},
        frozenset({"marts.regions"}),
    ),
)
"""Rights of all kinds; under each the row rules take every row of `FOREIGN` away."""


@dataclass(frozen=True)
class RulesLake:
    """The Iceberg tables, and what their allowed rows are before any rule."""

    folder: Path
    pins: Mapping[str, Pin]
    rows: Mapping[str, list[Row]]


def write_rules_lake(folder: Path) -> RulesLake:
    """A warehouse in `folder`."""
    folder.mkdir(parents=True)
    catalog = SqlCatalog("lake", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse")
    catalog.create_namespace("marts")
    pins, allowed = {}, {}
    with duckdb.connect() as origin:
        origin.execute(SETUP)
        for table in BOTH:
            found = _arrow(origin.execute(f"from {table}").to_arrow_table())
            allowed[table] = found.to_pylist()
            foreign = pa.Table.from_pylist(FOREIGN[table], schema=found.schema)
            # The first and the last rows of a file are the ones that nobody sees, and there is a file of them alone.
            pins[table] = _write(catalog, table, [pa.concat_tables([foreign, found, foreign]), foreign])
    pins[CLOSED] = _write(catalog, CLOSED, [pa.table({"id": [1, 2], "note": [MARK, MARK]})])
    catalog.close()
    return RulesLake(folder / "warehouse", pins, allowed)


def _arrow(found: pa.Table) -> pa.Table:
    """The table with types that Iceberg knows."""
    kinds = {"placed": pa.timestamp("us", tz="UTC")}
    return found.cast(pa.schema([(field.name, kinds.get(field.name, field.type)) for field in found.schema]))


def _write(catalog: SqlCatalog, name: str, files: Sequence[pa.Table]) -> Pin:
    schema: Schema | pa.Schema = files[0].schema
    table = catalog.create_table(name, schema=schema)
    for file in files:
        table.append(file)
    snapshot = table.current_snapshot()
    assert snapshot is not None
    return Pin(table.metadata_location, snapshot.snapshot_id)


def known_to(rights: Rights, lake: RulesLake) -> duckdb.DuckDBPyConnection:
    """A plain DuckDB with the granted tables, columns and rows, each under its mask, and nothing else."""
    plain = duckdb.connect(config={"threads": 1})
    plain.execute(SETUP)
    for table in BOTH:
        if table in rights.tables:
            _fill(plain, table, rights, lake.rows[table])
        else:
            plain.execute(f"drop table {table}")
    return plain


def _fill(plain: duckdb.DuckDBPyConnection, table: str, rights: Rights, rows: Sequence[Row]) -> None:
    """Leave what the rights leave of a table."""
    schema = plain.execute(f"from {table} limit 0").to_arrow_table().schema
    shown = [
        {name: rights.shown.get(name, _itself)(value) for name, value in row.items()}
        for row in rows
        if rights.fits(row)
    ]
    plain.register("given", pa.Table.from_pylist(shown, schema=schema))
    plain.execute(f"delete from {table}")
    plain.execute(f"insert into {table} from given")
    plain.unregister("given")
    for column in schema.names:
        if rights.shown.get(column) is hidden:
            plain.execute(f"alter table {table} drop column {column}")


def _itself(value: Any) -> Any:
    return value


def values(table: pa.Table) -> list[tuple[Any, ...]]:
    """Rows of an answer, whatever its columns are called."""
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def equal(first: Sequence[tuple[Any, ...]], second: Sequence[tuple[Any, ...]]) -> bool:
    """Whether both are the same rows in any order, doubles within 1e-9 of each other."""
    if len(first) != len(second):
        return False
    if multiset(first) == multiset(second):
        return True
    return all(_near(*pair) for pair in zip(sorted(first, key=_rough), sorted(second, key=_rough), strict=True))


def _rough(row: Any) -> str:
    """A text that two rows share whose doubles differ in the last digits only, unless one stands at a border."""
    return repr(next(iter(multiset([row]))))


def _near(first: Any, second: Any) -> bool:
    if isinstance(first, float) and isinstance(second, float):
        return math.isclose(first, second, rel_tol=1e-9) or (math.isnan(first) and math.isnan(second))
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(_near, first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_near(first[key], second[key]) for key in first)
    return bool(first == second)


def foreign_values(rows: Sequence[Any]) -> list[Any]:
    """Values that only rows of nobody can have given."""
    found: list[Any] = []
    for value in rows:
        if isinstance(value, list | tuple):
            found += foreign_values(value)
        elif isinstance(value, dict):
            found += foreign_values([*value.keys(), *value.values()])
        elif isinstance(value, str | bytes):
            found += [value] if MARK in str(value).upper() else []
        elif isinstance(value, int | float | Decimal):
            found += [value] if math.isfinite(value) and abs(float(value)) >= HUGE else []
        elif isinstance(value, datetime.date):
            found += [value] if value.year > 9000 else []
    return found
