"""A CSV file as batches of typed rows, and of the records that could not be loaded.

One rule: every record is either loaded exactly as it stands in the file or rejected with its line and a reason, so
`records == loaded + rejected`. A file that cannot be trusted as a whole is refused (`FileRefused`), possibly after
some batches: whoever reads it must not keep them then.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.errors import FileRefused
from lakehouse.settings import SourceSettings
from pipelines.sources.convert import Conversion, arrow_type, conversion
from pipelines.sources.header import Layout, by_header, by_position
from pipelines.sources.records import Block, Records
from pipelines.sources.text import Lines, SourceFile

__all__ = ["QUARANTINE", "Batch", "FileReport", "SourceFile", "read_csv", "rows_schema"]

QUARANTINE: pa.Schema = pa.schema(
    [
        ("source", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("record", pa.int64()),
        ("column_name", pa.string()),
        ("value", pa.string()),
        ("reason", pa.string()),
        ("fields", pa.string()),
    ]
)
"""A rejected record: the first column that does not fit (NULL when the number of fields is wrong), its text, and why.

`line` is the physical line on which the record begins, `record` its number without header and blank lines, both from
1; `fields` is the whole record as a JSON list of its texts, so nothing is lost.
"""


@dataclass(frozen=True)
class Batch:
    """Some records of a file: `rows` as `rows_schema` says, `rejected` as `QUARANTINE` says."""

    rows: pa.Table
    rejected: pa.Table


@dataclass
class FileReport:
    """What became of a file; filled while it is read, complete once its batches are exhausted."""

    file: str
    records: int = 0
    loaded: int = 0
    rejected: int = 0
    blank_lines: int = 0
    ignored_columns: tuple[str, ...] = ()
    bytes: int = field(default=0, compare=False)  # read so far; how far ahead of the records depends on the file


def rows_schema(source: SourceSettings) -> pa.Schema:
    """`line_id`, the declared columns in order, `_file` and `_line` (the first physical line of the record, from 1)."""
    declared = [(name, arrow_type(column.type)) for name, column in source.columns.items()]
    return pa.schema([("line_id", pa.string()), *declared, ("_file", pa.string()), ("_line", pa.int64())])


def read_csv(
    source_file: SourceFile, name: str, source: SourceSettings, report: FileReport, batch_rows: int = 50_000
) -> Iterator[Batch]:
    """The batches of a file of the source called `name`; a file without rows gives none.

    `line_id` is the text of the declared key, as read; several are joined with `|`, in which `|` and the backslash
    are escaped with a backslash. Without a key it is `<16 hex digits of SHA-256(file NUL content)>-<record number>`.

    Raises `FileRefused` when the file cannot be loaded as declared or changed since it was fingerprinted, and
    `SettingsWrong` when the source's delimiter or a column's format cannot work.
    """
    conversions = {column: conversion(column, settings) for column, settings in source.columns.items()}
    lines = Lines(source_file, source.encoding)
    records = Records(lines, source_file.file, source.delimiter)
    layout = _layout(source_file.file, records, source)
    report.ignored_columns = layout.ignored
    making = _Making(source_file, name, source, layout, conversions)
    for block in records.blocks(batch_rows):
        batch = making.batch(block, report.records + 1)
        report.records += len(block.records)
        report.loaded += len(batch.rows)
        report.rejected += len(batch.rejected)
        report.blank_lines, report.bytes = records.blank_lines, lines.bytes
        yield batch
    report.blank_lines = records.blank_lines
    _check_end(source_file, lines, source, report)


def _layout(file: str, records: Records, source: SourceSettings) -> Layout:
    if not source.header:
        return by_position(source)
    first = records.first()
    if first is None:
        raise _empty(file, records.blank_lines)
    return by_header(file, *first, source)


def _check_end(source_file: SourceFile, lines: Lines, source: SourceSettings, report: FileReport) -> None:
    """What can only be said of a whole file."""
    if lines.sha256 != source_file.content:
        raise FileRefused(
            source_file.file, None, "it was changed while it was read", "Wait until it is complete, then run again."
        )
    if report.records == 0 and not source.header:
        raise _empty(source_file.file, report.blank_lines)
    if report.records == 0 and source.disposition == "replace" and not source.allow_empty:
        raise FileRefused(
            source_file.file,
            None,
            "it has a header but no rows, and would leave the table empty",
            "Export it again, or set allow_empty = true if that is meant.",
        )


def _empty(file: str, blank_lines: int) -> FileRefused:
    found = "it has nothing but blank lines" if blank_lines else "it is empty"
    return FileRefused(file, None, found, "Export it again, or take it away if there is nothing to load.")


@dataclass(frozen=True)
class _Fault:
    """Why a record is rejected."""

    column: str | None
    value: str | None
    reason: str


@dataclass(frozen=True)
class _Making:
    """What turns the blocks of one file into batches."""

    source_file: SourceFile
    name: str
    source: SourceSettings
    layout: Layout
    conversions: dict[str, Conversion]

    def batch(self, block: Block, first: int) -> Batch:
        """The batch of a block whose first record has the number `first`."""
        faults = self._misfits(block.records)
        # A record of the wrong length keeps its place, with empty fields, so that positions stay record numbers.
        blank = [""] * self.layout.width
        records = (
            [blank if at in faults else fields for at, fields in enumerate(block.records)] if faults else block.records
        )
        texts = {
            name: pa.array([fields[at] for fields in records], pa.string())
            for name, at in self.layout.positions.items()
        }
        values = [self._converted(name, texts[name], records, faults) for name in self.source.columns]
        rows = pa.Table.from_arrays(
            [
                self._line_ids(texts, first, len(records)),
                *values,
                pa.repeat(self.source_file.file, len(records)),
                pa.array(block.lines, pa.int64()),
            ],
            schema=rows_schema(self.source),
        )
        if faults:
            accepted = np.ones(len(records), dtype=bool)
            accepted[list(faults)] = False
            rows = rows.filter(pa.array(accepted))
        return Batch(rows, self._rejected(block, first, faults))

    def _misfits(self, records: list[list[str]]) -> dict[int, _Fault]:
        width = self.layout.width
        return {
            at: _Fault(None, None, f"{len(fields)} field{'s' if len(fields) > 1 else ''} instead of {width}")
            for at, fields in enumerate(records)
            if len(fields) != width
        }

    def _converted(self, name: str, texts: pa.Array, records: list[list[str]], faults: dict[int, _Fault]) -> pa.Array:
        """The values of a column; its faults join those of the columns before it, which come first."""
        values, reasons = self.conversions[name].apply(texts)
        position = self.layout.positions[name]
        for at, reason in reasons.items():
            if at not in faults:
                faults[at] = _Fault(name, records[at][position], reason)
        return values

    def _line_ids(self, texts: dict[str, pa.Array], first: int, count: int) -> pa.Array:
        if not self.source.key:
            file = f"{self.source_file.file}\0{self.source_file.content}"
            prefix = hashlib.sha256(file.encode()).hexdigest()[:16]
            numbers = pc.cast(pa.array(np.arange(first, first + count)), pa.string())
            return pc.binary_join_element_wise(prefix, numbers, "-")
        parts = [texts[name] for name in self.source.key]
        if len(parts) == 1:
            return parts[0]
        escaped = [pc.replace_substring(pc.replace_substring(part, "\\", "\\\\"), "|", "\\|") for part in parts]
        return pc.binary_join_element_wise(*escaped, "|")

    def _rejected(self, block: Block, first: int, faults: dict[int, _Fault]) -> pa.Table:
        return pa.Table.from_pylist(
            [
                {
                    "source": self.name,
                    "file": self.source_file.file,
                    "line": block.lines[at],
                    "record": first + at,
                    "column_name": fault.column,
                    "value": fault.value,
                    "reason": fault.reason,
                    "fields": json.dumps(block.records[at], ensure_ascii=False),
                }
                for at, fault in sorted(faults.items(), key=lambda item: item[0])
            ],
            schema=QUARANTINE,
        )
