"""Counts rows and NULLs of a snapshot from its metadata, without reading data.

One rule: what the metadata does not say for certain is named as unknown, never guessed; who wants it reads the table.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pyiceberg.schema import Schema
from pyiceberg.table import FileScanTask, Table

from lakehouse.tables import internals
from lakehouse.tables.write import Staged


@dataclass(frozen=True)
class Known:
    """What the metadata says: rows (None where rows were deleted outside of the data files), NULLs by column."""

    rows: int | None
    nulls: dict[str, int]
    unknown: tuple[str, ...]


def counts_of_staged(staged: Staged) -> Known:
    """Of content that is not committed yet."""
    return _counts(internals.planned_files(staged.transaction), staged.transaction.table_metadata.schema())


def counts_of_snapshot(table: Table, snapshot_id: int) -> Known | None:
    """Of a snapshot of a table; None once the table no longer knows it."""
    snapshot = table.snapshot_by_id(snapshot_id)
    if snapshot is None:
        return None
    schema = table.schemas().get(snapshot.schema_id if snapshot.schema_id is not None else -1, table.schema())
    return _counts(table.scan(snapshot_id=snapshot_id).plan_files(), schema)


def _counts(tasks: Iterable[FileScanTask], schema: Schema) -> Known:
    tasks = list(tasks)
    names = [field.name for field in schema.fields]
    if any(task.delete_files for task in tasks):
        return Known(None, {}, tuple(names))
    nulls: dict[str, int] = {}
    for field in schema.fields:
        # A file that was written before the column was added says nothing of it; nor does one of nested values.
        said = [(task.file.null_value_counts or {}).get(field.field_id) for task in tasks]
        if field.field_type.is_primitive and None not in said:
            nulls[field.name] = sum(count or 0 for count in said)
    unknown = tuple(name for name in names if name not in nulls)
    return Known(sum(task.file.record_count for task in tasks), nulls, unknown)
