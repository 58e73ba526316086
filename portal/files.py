"""Rows as files: CSV and Parquet, written piece by piece while they are sent.

One rule: a file holds every row that it was made from, in its order, and says itself how many there are and whether
they are all.
"""

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.query.answer import Answer
from lakehouse.query.document import json_value

PIECE_ROWS = 16_384
FORMULA = r"^([=+\-@\t\r])"
"""Text that begins so is a formula to a spreadsheet."""

KINDS = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
"""What can be written, and its media type."""


def file_name(name: str, release: int, answer: Answer, kind: str) -> str:
    """`revenue.release-17.all-1438-rows.csv`."""
    rows = answer.table.num_rows
    count = f"all-{rows}-rows" if answer.complete else f"first-{rows}-rows"
    return f"{name}.release-{release}.{count}.{kind}"


def as_csv(answer: Answer, *, is_raw: bool) -> Iterator[bytes]:
    """RFC 4180 with the header first. Without `is_raw` a text that a spreadsheet would compute gets a leading `'`.

    NULL is an empty field, an empty text is `""`; times are ISO 8601.
    """
    from pyarrow import csv

    table = pa.table(
        [_plain(column, is_raw) for column in answer.table.columns],
        names=[name if is_raw else _harmless(name) for name in answer.table.column_names],
    )
    for number, piece in enumerate(_pieces(table)):
        written = io.BytesIO()
        options = csv.WriteOptions(include_header=number == 0, quoting_style="needed", eol="\r\n")
        csv.write_csv(piece, written, options)
        yield written.getvalue()


def as_parquet(answer: Answer, facts: Mapping[str, str]) -> Iterator[bytes]:
    """Parquet, with facts about the file as key-value metadata."""
    from pyarrow import parquet

    schema = answer.table.schema.with_metadata({f"lakeport.{key}": value for key, value in facts.items()})
    written = _Drained()
    with parquet.ParquetWriter(pa.PythonFile(written, mode="w"), schema, compression="zstd") as writer:
        for piece in _pieces(answer.table):
            writer.write_table(piece.replace_schema_metadata(schema.metadata))
            yield written.taken()
    yield written.taken()


def _pieces(table: pa.Table) -> Iterator[pa.Table]:
    """The table in parts; one without rows for a table without any, so that its header is written."""
    for start in range(0, max(table.num_rows, 1), PIECE_ROWS):
        yield table.slice(start, PIECE_ROWS)


def _plain(column: pa.ChunkedArray, is_raw: bool) -> pa.ChunkedArray:
    """The column as CSV has it."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _plain(column.cast(kind.value_type), is_raw)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column if is_raw else pc.replace_substring_regex(column, FORMULA, r"'\1")
    if pa.types.is_timestamp(kind):
        return pc.strftime(column, "%Y-%m-%dT%H:%M:%SZ" if kind.tz else "%Y-%m-%dT%H:%M:%S")
    if pa.types.is_nested(kind):
        written = [None if value is None else json.dumps(json_value(value)) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(written, pa.string())])
    return column


def _harmless(name: str) -> str:
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t", "\r") else name


class _Drained(io.RawIOBase):
    """A file that gives away what was written since the last time."""

    def __init__(self) -> None:
        super().__init__()
        self._buffer, self._place = bytearray(), 0

    def writable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """How many bytes were written in all."""
        return self._place

    def write(self, data: Any) -> int:
        """Keep the bytes until they are taken."""
        self._buffer += memoryview(data).cast("B")
        self._place += len(data)
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        found = bytes(self._buffer)
        self._buffer.clear()
        return found
