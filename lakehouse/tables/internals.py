"""Every private name of PyIceberg that Lakeport uses, and nothing else.

One rule: PyIceberg is pinned to the patch version, and `tests/unit/tables/test_internals.py` looks at each name here; a
new version of PyIceberg changes this file alone. Why private names at all: a *candidate* is a transaction whose
metadata is written before it is committed, and a *release* commits several tables in one database transaction. The
public API has neither.
"""

import uuid
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import pyarrow as pa
from pydantic import TypeAdapter
from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.io.pyarrow import ArrowScan, _dataframe_to_data_files, bin_pack_record_batches
from pyiceberg.manifest import DataFile, ManifestFile
from pyiceberg.schema import Schema
from pyiceberg.serializers import ToOutputFile
from pyiceberg.table import ALWAYS_TRUE, FileScanTask, TableProperties, Transaction
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update import AssertTableUUID, TableRequirement, TableUpdate
from pyiceberg.table.update.snapshot import _OverwriteFiles
from sqlalchemy import update
from sqlalchemy.orm import Session


def change(transaction: Transaction) -> dict[str, Any]:
    """What a transaction would change, as JSON that a later process can commit: requirements and updates."""
    same_table = AssertTableUUID(uuid=transaction.table_metadata.table_uuid)
    requirements = (*transaction._requirements, same_table)
    return {
        "requirements": [item.model_dump(mode="json", by_alias=True) for item in requirements],
        "updates": [item.model_dump(mode="json", by_alias=True, exclude_none=True) for item in transaction._updates],
        "snapshot": transaction.table_metadata.current_snapshot_id,
    }


def write_metadata(transaction: Transaction, location: str) -> None:
    """Write the metadata that the table will have to a file that no catalog knows."""
    output = transaction._table.io.new_output(location)
    ToOutputFile.table_metadata(transaction.table_metadata, output, overwrite=True)


class Overwrite(_OverwriteFiles):
    """A snapshot that adds files and takes files away, and leaves manifests behind in which no file lives any more.

    PyIceberg's own keeps them for ever: each replacement would add one that every later reader and writer opens.
    """

    def _existing_manifests(self) -> list[ManifestFile]:
        return [item for item in super()._existing_manifests() if item.has_added_files() or item.has_existing_files()]


def overwrite(transaction: Transaction, properties: Mapping[str, str]) -> Overwrite:
    """A new snapshot of a table that has one already; `properties` go into its summary."""
    return Overwrite(Operation.OVERWRITE, transaction, transaction._table.io, snapshot_properties=dict(properties))


def planned_files(transaction: Transaction, row_filter: Any = ALWAYS_TRUE) -> list[FileScanTask]:
    """The data files of the table as the transaction sees it, less those whose bounds exclude the filter."""
    return list(transaction._scan(row_filter=row_filter).plan_files())


def write_files(transaction: Transaction, rows: pa.RecordBatchReader) -> Iterator[DataFile]:
    """Write rows as data files of about the table's target size, one after another: memory is bounded by that size."""
    metadata, io = transaction.table_metadata, transaction._table.io
    size = TableProperties.WRITE_TARGET_FILE_SIZE_BYTES
    target = int(metadata.properties.get(size, TableProperties.WRITE_TARGET_FILE_SIZE_BYTES_DEFAULT))
    write, number = uuid.uuid4(), count()
    # PyIceberg would hand a whole stream to its threads at once, and hold what they have not written yet.
    for batches in bin_pack_record_batches(rows, target):
        piece = pa.RecordBatchReader.from_batches(rows.schema, batches)
        yield from _dataframe_to_data_files(metadata, piece, io, write_uuid=write, counter=number)


def read_file(transaction: Transaction, task: FileScanTask, schema: Schema) -> pa.Table:
    """The rows of one data file, in the table's present schema."""
    scan = ArrowScan(transaction.table_metadata, transaction._table.io, schema, ALWAYS_TRUE)
    return scan.to_table([task])


def commit_together(catalog: SqlCatalog, changes: Mapping[tuple[str, ...], Mapping[str, Any]]) -> None:
    """Commit changes of several tables in one database transaction: all of them, or none.

    Raises `CommitFailedException` when a requirement does not hold or another process was faster.
    """
    staged = []
    for name, item in changes.items():
        table = catalog.load_table(name)
        requirements = TypeAdapter(tuple[TableRequirement, ...]).validate_python(item["requirements"])
        updates = TypeAdapter(tuple[TableUpdate, ...]).validate_python(item["updates"])
        new = catalog._update_and_stage_table(table, name, requirements, updates)
        catalog._write_metadata(metadata=new.metadata, io=new.io, metadata_path=new.metadata_location)
        staged.append((name, table.metadata_location, new.metadata_location))
    with Session(catalog.engine) as session, session.begin():
        for name, before, after in staged:
            row = update(IcebergTables).where(
                IcebergTables.catalog_name == catalog.name,
                IcebergTables.table_namespace == ".".join(name[:-1]),
                IcebergTables.table_name == name[-1],
                IcebergTables.metadata_location == before,
            )
            result = session.execute(row.values(metadata_location=after, previous_metadata_location=before))
            if result.rowcount != 1:
                raise CommitFailedException(f"{'.'.join(name)} was changed by someone else")
