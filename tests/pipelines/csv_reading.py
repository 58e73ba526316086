"""Reads bytes as a CSV source, for the tests of the reader: one call from bytes to rows, rejects and report."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from lakehouse.settings import SourceSettings
from pipelines.sources.csv_file import QUARANTINE, FileReport, SourceFile, read_csv, rows_schema

FILE = "data/sales.csv"
SALES = {
    "id": {"type": "text"},
    "day": {"type": "date"},
    "quantity": {"type": "integer", "required": False},
    "amount": {"type": "decimal(18,2)"},
}
NOTES = {"id": {"type": "integer"}, "note": {"type": "text", "required": False}}


@dataclass(frozen=True)
class Outcome:
    """What reading a file gave."""

    rows: list[dict[str, Any]]
    rejected: list[dict[str, Any]]
    report: FileReport
    sizes: list[int]

    def values(self, *columns: str) -> list[tuple[Any, ...]]:
        """The loaded values of some columns, row by row."""
        return [tuple(row[column] for column in columns) for row in self.rows]

    @property
    def reasons(self) -> list[tuple[Any, ...]]:
        """Line, record, column, value and reason of every rejected record."""
        return [(row["line"], row["record"], row["column_name"], row["value"], row["reason"]) for row in self.rejected]


def source(columns: dict[str, Any], **settings: Any) -> SourceSettings:
    """The settings of a source with these columns."""
    return SourceSettings.model_validate({"path": FILE, "columns": columns, **settings})


def write(folder: Path, data: bytes, file: str = FILE) -> SourceFile:
    """A file with these bytes, fingerprinted."""
    path = folder / "file"
    path.write_bytes(data)
    return SourceFile(path, file, hashlib.sha256(data).hexdigest())


def read(folder: Path, data: bytes, settings: SourceSettings, batch_rows: int = 50_000) -> Outcome:
    """Reads the bytes; checks what holds for every file: the schemas, the batch sizes and that nothing gets lost."""
    report = FileReport(FILE)
    batches = list(read_csv(write(folder, data), "sales", settings, report, batch_rows))
    for batch in batches:
        assert batch.rows.schema == rows_schema(settings)
        assert batch.rejected.schema == QUARANTINE
        assert 0 < len(batch.rows) + len(batch.rejected) <= batch_rows
    rows = pa.concat_tables([rows_schema(settings).empty_table(), *(batch.rows for batch in batches)]).to_pylist()
    rejected = pa.concat_tables([QUARANTINE.empty_table(), *(batch.rejected for batch in batches)]).to_pylist()
    assert (report.loaded, report.rejected) == (len(rows), len(rejected))
    assert report.records == report.loaded + report.rejected
    return Outcome(rows, rejected, report, [len(batch.rows) for batch in batches])
