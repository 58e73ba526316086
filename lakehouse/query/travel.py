"""Rows on their way out of DuckDB: streamed as Arrow, cut at the limits, and never changed silently.

One rule: what Arrow cannot carry faithfully is refused by name, with the cast that would help.
"""

from collections.abc import Iterator
from typing import IO, Any

import duckdb
import pyarrow as pa

from lakehouse.errors import StatementWrong, Stopped

BATCH_ROWS = 65_536

_UNFAITHFUL = frozenset(("uhugeint", "time with time zone", "bit", "bignum", "varint", "variant"))
"""DuckDB hands these to Arrow as other values: UHUGEINT wraps around, TIMETZ loses its zone, BIT becomes bytes."""

_NESTED = frozenset(("list", "array", "struct", "map", "union"))


def send_rows(cursor: duckdb.DuckDBPyConnection, sink: IO[bytes], max_rows: int, max_bytes: int) -> bool:
    """Write the cursor's rows to `sink` as an Arrow stream, at most `max_rows` and `max_bytes`; True when that was all.

    Rows come in the order of the statement. No more than a batch beyond the limit is ever computed.
    """
    exact = _check_columns(cursor)
    reader = cursor.to_arrow_reader(max(1, min(max_rows + 1, BATCH_ROWS)))
    left, left_bytes = max_rows, max_bytes
    with pa.ipc.new_stream(sink, reader.schema) as writer:
        for batch in reader:
            if batch.num_rows > left:
                writer.write_batch(batch.slice(0, left))
                return False
            if batch.nbytes > left_bytes:
                return _send_part(writer, batch, left_bytes, first=left == max_rows)
            left, left_bytes = left - batch.num_rows, left_bytes - batch.nbytes
            if not exact:
                _check_digits(batch)
            writer.write_batch(batch)
    return True


def _send_part(writer: Any, batch: Any, max_bytes: int, first: bool) -> bool:
    """Of a batch that is too large, as many rows as fit if all were of one size; False, for the answer is cut."""
    rows = batch.num_rows * max_bytes // batch.nbytes
    while rows and batch.slice(0, rows).nbytes > max_bytes:
        rows //= 2
    if first and not rows:
        raise Stopped("A single row of the answer is larger than an answer may be. Ask for fewer columns.")
    writer.write_batch(batch.slice(0, rows))
    return False


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
