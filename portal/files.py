"""Rows as files: CSV and Parquet, written piece by piece while they are sent; XLSX is in `portal.workbook`.

One rule: a file holds every row that it was made from, in its order, and says itself how many there are and whether
they are all.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from portal.cells import as_text

GROUP_BYTES = 16 << 20
"""Rows of Parquet are written in groups of about this size: readers want them large, the web process small."""

FORMULA = r"^([=+\-@\t\r])"
"""Text that begins so is a formula to a spreadsheet."""

KINDS = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""What can be written, and its media type."""


@dataclass(frozen=True)
class Facts:
    """What a file says of itself: of which release its rows are, how many, whether that is all, and of which page."""

    release: int
    published: str
    rows: int
    complete: bool
    address: str

    def to_texts(self) -> dict[str, str]:
        """All of it, by name."""
        said = {"release": str(self.release), "published": self.published, "rows": str(self.rows)}
        return {**said, "complete": "true" if self.complete else "false", "address": self.address}

    def header(self) -> str:
        """What the header `X-Lakeport-Export` says: `release=17; rows=1438; complete=true`."""
        texts = self.to_texts()
        return "; ".join(f"{key}={texts[key]}" for key in ("release", "rows", "complete"))

    def file_name(self, name: str, kind: str) -> str:
        """`revenue.release-17.all-1438-rows.csv`."""
        return f"{name}.release-{self.release}.{'all' if self.complete else 'first'}-{self.rows}-rows.{kind}"


def as_csv(schema: pa.Schema, batches: Iterable[pa.RecordBatch], *, is_raw: bool) -> Iterator[bytes]:
    """RFC 4180 with the header first. Without `is_raw` a text that a spreadsheet would compute gets a leading `'`.

    NULL is an empty field, an empty text is `""`; other values are as `as_text` writes them.
    """
    names = schema.names if is_raw else [_harmless(name) for name in schema.names]
    yield _written(pa.table([pa.array([], pa.string()) for _ in names], names=names), has_header=True)
    for batch in batches:
        columns = [as_text(column, name) for name, column in zip(schema.names, batch.columns, strict=True)]
        yield _written(pa.table(columns if is_raw else list(map(_marked, columns)), names=names), has_header=False)


def as_parquet(schema: pa.Schema, batches: Iterable[pa.RecordBatch], facts: Facts) -> Iterator[bytes]:
    """Parquet, with facts about the file as key-value metadata; an interval, which it does not know, is a text."""
    from pyarrow import parquet

    fields = [field.with_type(pa.string()) if pa.types.is_interval(field.type) else field for field in schema]
    said = pa.schema(fields, {f"lakeport.{key}": value for key, value in facts.to_texts().items()})
    written = _Drained()
    with parquet.ParquetWriter(pa.PythonFile(written, mode="w"), said, compression="zstd") as writer:
        for group in _groups(batches):
            whole = pa.Table.from_batches(group)
            columns = [
                pa.chunked_array([as_text(chunk, field.name) for chunk in column.chunks], field.type)
                if pa.types.is_interval(column.type)
                else column
                for field, column in zip(fields, whole.columns, strict=True)
            ]
            writer.write_table(pa.table(columns, schema=said))
            yield written.taken()
    yield written.taken()


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Batches that stand together in a file."""
    group: list[pa.RecordBatch] = []
    for batch in batches:
        group.append(batch)
        if sum(one.nbytes for one in group) >= GROUP_BYTES:
            yield group
            group = []
    if group:
        yield group


def _written(table: pa.Table, *, has_header: bool) -> bytes:
    from pyarrow import csv

    written = io.BytesIO()
    csv.write_csv(table, written, csv.WriteOptions(include_header=has_header, quoting_style="needed", eol="\r\n"))
    return written.getvalue()


def _marked(column: pa.Array) -> pa.Array:
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return pc.replace_substring_regex(column, FORMULA, r"'\1") if is_text else column


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
