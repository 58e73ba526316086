"""Rows on their way out of DuckDB: streamed as Arrow, cut at the limits, and never changed silently.

One rule: what Arrow cannot carry faithfully is refused by name, with the cast that would help.
"""

from collections.abc import Iterator
from typing import IO, Any, NamedTuple

import duckdb
import pyarrow as pa

from lakehouse.errors import StatementWrong, Stopped

BATCH_ROWS = 65_536

PIECE_BYTES = 8 << 20
"""Size of a batch on the way, as far as its rows allow: whoever reads an export holds one of them at a time."""

MOST_ROW_BYTES = 64 << 20
"""Of one row of an export; a row of an answer may be as large as the answer."""

_UNFAITHFUL = frozenset(("uhugeint", "time with time zone", "bit", "bignum", "varint", "variant"))
"""DuckDB hands these to Arrow as other values: UHUGEINT wraps around, TIMETZ loses its zone, BIT becomes bytes."""

_NESTED = frozenset(("list", "array", "struct", "map", "union"))


class Sent(NamedTuple):
    """How many rows were written, and whether these were all."""

    rows: int
    complete: bool


def send_rows(cursor: duckdb.DuckDBPyConnection, sink: IO[bytes], max_rows: int, max_bytes: int | None) -> Sent:
    """Write the cursor's rows to `sink` as an Arrow stream, at most `max_rows` and `max_bytes` (None: of an export).

    Rows come in the order of the statement. No more than a batch beyond the limit is ever computed.
    """
    exact = _check_columns(cursor)
    reader = cursor.to_arrow_reader(max(1, min(max_rows + 1, BATCH_ROWS)))
    left, left_bytes = max_rows, max_bytes
    with pa.ipc.new_stream(sink, reader.schema) as writer:
        for batch in reader:
            kept = batch.slice(0, left)
            if not exact:
                _check_digits(kept)
            if left_bytes is not None and kept.nbytes > left_bytes:
                rows = _rows_that_fit(kept, left_bytes, first=left == max_rows)
                writer.write_batch(kept.slice(0, rows))
                return Sent(max_rows - left + rows, False)
            for piece in _pieces(kept, is_export=max_bytes is None):
                writer.write_batch(piece)
            if kept.num_rows < batch.num_rows:
                return Sent(max_rows, False)
            left, left_bytes = left - batch.num_rows, None if left_bytes is None else left_bytes - batch.nbytes
    return Sent(max_rows - left, True)


def _rows_that_fit(batch: Any, max_bytes: int, first: bool) -> int:
    """How many rows of a batch that is too large fit, if all were of one size."""
    rows: int = batch.num_rows * max_bytes // batch.nbytes
    while rows and batch.slice(0, rows).nbytes > max_bytes:
        rows //= 2
    if first and not rows:
        raise Stopped("A single row of the answer is larger than an answer may be. Ask for fewer columns.")
    return rows


def _pieces(batch: Any, *, is_export: bool) -> Iterator[Any]:
    """A batch in parts of bounded size, each of a row at least."""
    if batch.nbytes <= PIECE_BYTES:
        yield batch
    elif batch.num_rows > 1:
        half = batch.num_rows // 2
        yield from _pieces(batch.slice(0, half), is_export=is_export)
        yield from _pieces(batch.slice(half), is_export=is_export)
    elif is_export and batch.nbytes > MOST_ROW_BYTES:
        raise Stopped(f"A single row has more than {MOST_ROW_BYTES >> 20} MiB. Export fewer columns.")
    else:
        yield batch


def _check_columns(cursor: duckdb.DuckDBPyConnection) -> bool:
    """Refuse columns that cannot travel; False when values must be looked at as well (HUGEINT)."""
    exact = True
    for column, kind, *_ in cursor.description or ():
        for name, label in _kinds(kind):
            if name in _UNFAITHFUL:
                raise StatementWrong(f"Column {column!r} is of type {label}, which an answer cannot carry. Cast it.")
            exact = exact and name != "hugeint"
    return exact


def _kinds(kind: Any) -> Iterator[tuple[str, str]]:
    """Name and label of a type and of all types inside it."""
    yield kind.id, str(kind)
    if kind.id not in _NESTED:
        return
    parts = [(name, part) for name, part in kind.children if not isinstance(part, int)]
    if len({name for name, _ in parts}) < len(parts):
        raise StatementWrong("A struct without names for its fields cannot be carried; write {'a': 1, 'b': 2}.")
    for _, part in parts:
        yield from _kinds(part)


def _check_digits(batch: Any) -> None:
    """HUGEINT travels as DECIMAL(38, 0), which cannot hold its largest values."""
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid as error:
        raise StatementWrong("A HUGEINT of more than 38 digits cannot be carried. Cast it to VARCHAR.") from error
