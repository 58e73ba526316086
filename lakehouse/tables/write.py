"""Stages new content of a table: data files and one uncommitted snapshot.

One rule: nothing here changes what anybody sees. What is staged becomes visible when `commit` or a release takes it.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.expressions import AlwaysTrue, And, BooleanExpression, GreaterThanOrEqual, LessThanOrEqual
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.manifest import DataFile
from pyiceberg.table import Transaction

from lakehouse.tables import internals
from lakehouse.tables.catalog import TableCatalog

Drop = Mapping[str, pa.Array]
"""Which old rows go: those whose value of *every* named column is among the given ones. `{}` means every row."""

EVERYTHING: Drop = {}


@dataclass(frozen=True)
class Staged:
    """Content that a table will have once its change is committed."""

    table: str
    transaction: Transaction

    @property
    def change(self) -> dict[str, Any]:
        """The change as JSON, for an intent."""
        return internals.change(self.transaction)

    def candidate(self, run: str) -> str:
        """Where the run writes the metadata that the table will have."""
        return f"{self.transaction.table_metadata.location}/metadata/candidate-{run}.metadata.json"

    def write_candidate(self, run: str) -> str:
        """Write the future metadata to a file that no catalog knows, for tests to read; returns its location."""
        location = self.candidate(run)
        internals.write_metadata(self.transaction, location)
        return location


def stage(
    catalog: TableCatalog,
    table: str,
    rows: pa.RecordBatchReader,
    drop: Drop | None,
    properties: Mapping[str, str],
) -> Staged:
    """Stage one snapshot that adds `rows` and, unless `drop` is None, takes the rows away that it names.

    Columns that are new join the table's schema; a column whose type changed is an error of PyIceberg. `properties` go
    into the snapshot's summary. Memory is bounded by one data file.
    """
    schema = iceberg_schema(rows.schema)
    transaction = catalog.ensure(table, schema).transaction()
    _evolve(transaction, schema, replaced=drop is not None and not drop)
    files = internals.write_files(transaction, _as(schema, rows))
    dropped, kept = ([], []) if drop is None else _split(transaction, drop)
    appended = transaction.update_snapshot(snapshot_properties=dict(properties)).merge_append
    with internals.overwrite(transaction, properties) if dropped else appended() as snapshot:
        for old in dropped:
            snapshot.delete_data_file(old)
        for file in (*kept, *files):
            snapshot.append_data_file(file)
    return Staged(table, transaction)


def _evolve(transaction: Transaction, schema: pa.Schema, *, replaced: bool) -> None:
    """Give the table the columns of the new rows.

    Where all rows are replaced, the table has exactly these columns afterwards, in their order; older snapshots keep
    theirs. Elsewhere columns are only added, and a type may only widen.
    """
    if replaced:
        old = {field.name: field for field in schema_to_pyarrow(transaction.table_metadata.schema())}
        with transaction.update_schema() as evolution:
            for name, field in old.items():
                if name not in schema.names or schema.field(name).type != plain(field.type):
                    evolution.delete_column(name)
    with transaction.update_schema() as evolution:
        evolution.union_by_name(schema)
    names = [field.name for field in transaction.table_metadata.schema().fields]
    if replaced and names != schema.names:
        with transaction.update_schema() as evolution:
            evolution.move_first(schema.names[0])
            for before, name in itertools.pairwise(schema.names):
                evolution.move_after(name, before)


def _split(transaction: Transaction, drop: Drop) -> tuple[list[DataFile], list[DataFile]]:
    """The data files that hold rows to drop, and new ones with the rows of them that stay."""
    tasks = internals.planned_files(transaction, _within(drop))
    if not drop:
        return [task.file for task in tasks], []
    schema = transaction.table_metadata.schema()
    touched: list[DataFile] = []
    rewritten: list[DataFile] = []
    for task in tasks:
        gone = _matches(internals.read_file(transaction, task, schema.select(*drop)), drop)
        if not pc.any(gone).as_py():
            continue
        touched.append(task.file)
        rest = internals.read_file(transaction, task, schema).filter(pc.invert(gone))
        if rest.num_rows:
            rewritten.extend(internals.write_files(transaction, rest.to_reader()))
    return touched, rewritten


def _within(drop: Drop) -> BooleanExpression:
    """A filter on the range of the values, so that files whose bounds exclude them are not opened."""
    expression: BooleanExpression = AlwaysTrue()
    for column, values in drop.items():
        bounds = pc.min_max(values).as_py()
        if bounds["min"] is not None:
            expression = And(expression, GreaterThanOrEqual(term=column, value=bounds["min"]))
            expression = And(expression, LessThanOrEqual(term=column, value=bounds["max"]))
    return expression


def _matches(rows: pa.Table, drop: Drop) -> pa.ChunkedArray:
    columns = iter(drop.items())
    name, values = next(columns)
    found = pc.is_in(rows[name], value_set=values)
    for name, values in columns:
        found = pc.and_(found, pc.is_in(rows[name], value_set=values))
    return found


def iceberg_schema(schema: pa.Schema) -> pa.Schema:
    """The nearest types that Iceberg has; every column optional, so that a later file may lack it."""
    return pa.schema([pa.field(field.name, plain(field.type)) for field in schema])


def plain(kind: pa.DataType) -> pa.DataType:
    """The nearest Arrow type that Iceberg stores and gives back unchanged."""
    if pa.types.is_dictionary(kind):
        return plain(kind.value_type)
    for fits, nearest in _NEAREST:
        if fits(kind):
            return nearest
    return pa.timestamp("us", kind.tz) if pa.types.is_timestamp(kind) else kind


_NEAREST: tuple[tuple[Callable[[pa.DataType], bool], pa.DataType], ...] = (
    (pa.types.is_large_string, pa.string()),
    (pa.types.is_large_binary, pa.binary()),
    (pa.types.is_time32, pa.time64("us")),
    (pa.types.is_uint64, pa.decimal128(20, 0)),
    (pa.types.is_uint32, pa.int64()),
    (lambda kind: pa.types.is_integer(kind) and kind.bit_width < 32, pa.int32()),
)


def _as(schema: pa.Schema, rows: pa.RecordBatchReader) -> pa.RecordBatchReader:
    batches = (batch for raw in rows for batch in pa.Table.from_batches([raw]).cast(schema).to_batches())
    return pa.RecordBatchReader.from_batches(schema, batches)
