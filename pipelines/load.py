"""Loads a source into its raw table: extract, judge keys, stage, commit.

One rule: the rows and the rejected records of a load become visible in one commit, or not at all, and together they
are the records that were read. A load that was refused or failed has changed nothing.
"""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from lakehouse.errors import WorkFailed
from lakehouse.query.pins import Pin
from lakehouse.tables.catalog import RUN_PROPERTY, TableCatalog
from lakehouse.tables.commit import Overtaken, commit
from lakehouse.tables.write import EVERYTHING, Drop, Staged, stage
from pipelines.events import Events
from pipelines.extract import Extract, extract
from pipelines.keys import KeyCheck
from pipelines.load_plan import LoadPlan
from pipelines.loads import Load, Loads
from pipelines.rejected import QUARANTINE_TABLE, Rejected, first_rejected
from pipelines.sources.csv_file import QUARANTINE

LOAD_PROPERTY = "lakeport.load"


@dataclass(frozen=True)
class Judged:
    """What an extract comes to: rows to load, records that are rejected, and the keys of the rows where there are."""

    rows: pa.RecordBatchReader
    rejected: pa.Table
    keys: pa.Array | None = None


@dataclass(frozen=True)
class Loader:
    """Loads sources for one run. `folder` is the run's own folder."""

    catalog: TableCatalog
    loads: Loads
    events: Events
    run: str
    folder: Path

    def load(self, plan: LoadPlan) -> Load:
        """Do what the plan says; returns what stands in the table of loads now.

        Raises `FileRefused` for a file that cannot be loaded as declared, `WorkFailed` when too much was rejected.
        """
        name = plan.source.name
        work = self.folder / "load" / name
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        try:
            self.events.mark("load", f"{name} started")
            extracted = extract(plan, work, partial(self._say, name, _size(plan)))
            self.events.mark("load", f"{name} extracted")
            with self._judged(plan, extracted, work) as judged:
                load, staged = self._stage(plan, extracted, judged)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        self._commit(load, staged)
        return load

    def _say(self, name: str, size: int, read: Extract) -> None:
        """How much of a source has been read. How many records there are nobody knows, but how many bytes."""
        self.events.progress("load", name, read.records, None, "records")
        self.events.progress("load", name, min(read.bytes, size), size, "bytes")

    @contextmanager
    def _judged(self, plan: LoadPlan, extracted: Extract, work: Path) -> Iterator[Judged]:
        rejected = Rejected(plan.source.name, plan.source.settings, self.folder)
        rejected.tolerate(extracted.records, extracted.rejected_table())
        if not plan.source.settings.key or not extracted.rows:
            yield Judged(extracted.reader(plan.source.settings), extracted.rejected_table())
            return
        with closing(KeyCheck(plan.source, extracted.rows, self._held(plan), work)) as check:
            records = pa.concat_tables([extracted.rejected_table(), check.rejected()])
            rejected.tolerate(extracted.records, records)
            yield Judged(check.kept(), records, check.keys() if plan.mode == "merge" else None)

    def _held(self, plan: LoadPlan) -> Pin | None:
        head = self.catalog.head(plan.source.table) if plan.mode == "append" else None
        snapshot = head.current_snapshot() if head is not None else None
        return Pin(head.metadata_location, snapshot.snapshot_id) if head is not None and snapshot is not None else None

    def _stage(self, plan: LoadPlan, extracted: Extract, judged: Judged) -> tuple[Load, list[Staged]]:
        load_id = f"{self.run}/{plan.source.name}"
        properties = {LOAD_PROPERTY: load_id, RUN_PROPERTY: self.run}
        rows = _Counted(judged.rows)
        staged = [stage(self.catalog, plan.source.table, rows.reader, _drop(plan, judged), properties)]
        rejected = judged.rejected.num_rows
        if rows.number + rejected != extracted.records:
            raise WorkFailed(
                f"{plan.source.name}: {extracted.records:,} records were read, but {rows.number:,} rows and "
                f"{rejected:,} rejected records came of them. Nothing was loaded; please report this."
            )
        if self._touches_quarantine(plan, rejected):
            old = _drop_rejected(plan)
            staged.append(stage(self.catalog, QUARANTINE_TABLE, judged.rejected.to_reader(), old, properties))
        counts = {
            **extracted.counts(),
            "loaded": rows.number,
            "quarantined": rejected,
            "rejected": first_rejected(judged.rejected),
            "vanished": list(plan.vanished),
        }
        return Load(load_id, plan.source.name, plan.source.table, plan.source.config, plan.holds, counts), staged

    def _touches_quarantine(self, plan: LoadPlan, rejected: int) -> bool:
        """Whether the load adds to the quarantine table or may take something away from it."""
        table = self.catalog.ensure(QUARANTINE_TABLE, QUARANTINE)
        return rejected > 0 or (table.current_snapshot() is not None and _drop_rejected(plan) is not None)

    def _commit(self, load: Load, staged: list[Staged]) -> None:
        intent = {item.table: item.change for item in staged}
        self.loads.intend(self.run, load, intent)
        self.events.mark("load", f"{load.source} intended")
        try:
            commit(self.catalog, intent)
        except Overtaken:
            self.loads.settle(self.run, load.id, "discarded")
            raise
        self.events.mark("load", f"{load.source} committed")
        self.loads.settle(self.run, load.id, "committed")
        self.events.mark("load", f"{load.source} settled")


def _size(plan: LoadPlan) -> int:
    """Bytes of the files that are to be read; what has gone meanwhile is missed by the extract."""
    paths = [plan.source.paths[file] for file in plan.read]
    return sum(path.stat().st_size for path in paths if path.exists())


def _drop(plan: LoadPlan, judged: Judged) -> Drop | None:
    """The rows of the raw table that make way for the new ones."""
    if plan.mode == "replace":
        return EVERYTHING
    return {"line_id": judged.keys} if judged.keys is not None else None


def _drop_rejected(plan: LoadPlan) -> Drop:
    """The records of the quarantine table that an earlier load of the same files has left."""
    source = {"source": pa.array([plan.source.name])}
    return source if plan.mode == "replace" else {**source, "file": pa.array(list(plan.read), pa.string())}


class _Counted:
    """A reader that knows how many rows have gone through it."""

    def __init__(self, rows: pa.RecordBatchReader) -> None:
        self.number = 0
        self.reader = pa.RecordBatchReader.from_batches(rows.schema, self._count(rows))

    def _count(self, rows: pa.RecordBatchReader) -> Iterator[Any]:
        for batch in rows:
            self.number += batch.num_rows
            yield batch
