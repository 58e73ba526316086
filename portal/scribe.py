"""Writes files: small ones here and now, others in a process of their own that goes behind the web process.

One rule: however large a file is, others do not wait for it, and what writes it ends with whoever wanted it.
"""

import io
import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa

from lakehouse.child import bare_environment, go_behind
from lakehouse.errors import LakeportError, Unavailable, as_told
from lakehouse.query.spool import Spooled, Stored
from portal.files import Facts, as_csv, as_parquet
from portal.workbook import as_xlsx, own_folder

SMALL_BYTES = 256 << 10
"""Rows up to this size, a few thousand, are written in less time than it takes to start a process."""

PIECE_BYTES = 1 << 20

TOLD = 3
"""Exit code of a process whose last words are an error for whoever wanted the file."""

_COMMAND = (sys.executable, "-P", "-m", "portal.scribe")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Order:
    """What file is to be written: its kind, whether texts stay as they are, and what it says of itself."""

    kind: str
    is_raw: bool
    facts: Facts


@contextmanager
def written(order: Order, found: Spooled, folder: Path) -> Iterator[Iterator[bytes]]:
    """The bytes of the file, while they are written; a workbook grows in `folder` before there are any.

    They raise `RequestWrong` for what the file cannot hold and `Unavailable` for what the machine cannot do.
    """
    with ExitStack() as kept:
        inside = kept.enter_context(own_folder(folder)) if order.kind == "xlsx" else folder
        if found.size_bytes <= SMALL_BYTES:
            yield _bytes(order, found.stored.schema, found.stored.batches(), inside, kept)
        else:
            yield kept.enter_context(_apart(order, found.stored, inside))


def main() -> None:
    """Write the file that standard input describes to standard output, from rows in an inherited file."""
    said = json.load(sys.stdin)
    order = Order(said["kind"], said["is_raw"], Facts(**said["facts"]))
    rows = Stored(io.FileIO(said["file"]), said["rows"])
    try:
        with ExitStack() as kept:
            for piece in _bytes(order, rows.schema, _while_wanted(rows.batches()), Path.cwd(), kept):
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
    except LakeportError as error:
        sys.stderr.write(json.dumps({"error": type(error).__name__, "text": str(error)}))
        sys.exit(TOLD)


def _bytes(
    order: Order, schema: pa.Schema, batches: Iterator[pa.RecordBatch], folder: Path, kept: ExitStack
) -> Iterator[bytes]:
    """The file, written by this process; `kept` closes what is open for it."""
    if order.kind == "csv":
        return as_csv(schema, batches, is_raw=order.is_raw)
    if order.kind == "parquet":
        return as_parquet(schema, batches, order.facts)
    return _pieces(kept.enter_context(as_xlsx(schema, batches, order.facts, folder)))


def _while_wanted(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same, as long as the process lives that wants the file; a workbook is written long before it is sent."""
    wanted_by = os.getppid()
    for batch in batches:
        if os.getppid() != wanted_by:
            sys.exit("Nobody is there any more who wants this file.")
        yield batch


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(PIECE_BYTES):
        yield piece


@contextmanager
def _apart(order: Order, rows: Stored, folder: Path) -> Iterator[Iterator[bytes]]:
    """The file, written by a process that is gone afterwards."""
    with tempfile.TemporaryFile() as complaints, _started(rows, folder, complaints) as process:
        try:
            assert process.stdin is not None  # noqa: S101 - for the type checker: it is a pipe
            with suppress(BrokenPipeError), process.stdin:  # one that died at once is noticed below
                said = {**asdict(order), "rows": rows.rows, "file": rows.file.fileno()}
                process.stdin.write(json.dumps(said).encode())
            yield _heard(process, complaints)
        finally:
            process.kill()


def _started(rows: Stored, folder: Path, complaints: IO[bytes]) -> "subprocess.Popen[bytes]":
    try:
        process = subprocess.Popen(  # noqa: S603 - this very Python, and no words of anybody else
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            pipesize=PIECE_BYTES,
            cwd=folder,
            env=bare_environment(),
            pass_fds=[rows.file.fileno()],
            start_new_session=True,  # Ctrl-C is for the portal
        )
        go_behind(process.pid)
    except OSError as error:
        raise Unavailable("No process that writes this file could be started. Try again, or tell an admin.") from error
    return process


def _heard(process: "subprocess.Popen[bytes]", complaints: IO[bytes]) -> Iterator[bytes]:
    """What a process writes, until it has written all, or said why not."""
    assert isinstance(process.stdout, io.BufferedReader)  # noqa: S101 - for the type checker
    while piece := process.stdout.read1(PIECE_BYTES):
        yield piece
    if code := process.wait():
        complaints.seek(0)
        words = complaints.read().decode(errors="replace")
        if code == TOLD:
            last = json.loads(words.splitlines()[-1])
            raise as_told(last["error"], last["text"])
        _log.warning(
            "Process %d, which wrote a file, ended with %d. It said: %s", process.pid, code, words or "nothing"
        )
        raise Unavailable("The file could not be written to its end. Export it again; if it stays, tell an admin.")


if __name__ == "__main__":
    main()
