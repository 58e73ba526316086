"""Rows on their way into a file: what a worker sends goes to disk first, and is read from there piece by piece.

One rule: nothing of it stays. The file has no name, so it is gone when it is closed or its process ends; and a worker
is free as soon as it has sent its rows, however slowly they are read.
"""

import errno
import io
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import pyarrow as pa

from lakehouse.errors import Busy, Stopped, Unavailable

MOST_OPEN = 4
"""Exports of one asker that may be under way at once: each takes disk, and a thread of the web process."""

SPARED_BYTES = 256 << 20
"""What exports leave free on the disk, since the lake's state is written there too."""


class Room:
    """The disk that exports under way may fill, all together. Thread-safe."""

    def __init__(self, folder: Path | None, limit_bytes: int) -> None:
        """Files are made in `folder`; None is where the system has its temporary files."""
        self._folder, self._limit = folder, limit_bytes
        self._lock = threading.Lock()
        self._used = 0
        self._open: Counter[str] = Counter()

    def spool(self, asker: str) -> "Spool":
        """An empty file for rows. Raises `Busy` when the asker has too many, `Unavailable` when none can be made."""
        with self._lock:
            if asker and self._open[asker] >= MOST_OPEN:
                raise Busy(f"{MOST_OPEN} of your exports are under way. Wait for one of them, or stop it.")
            self._open[asker] += 1
        try:
            # The system's own way to make a file that never has a name, where there is one.
            with tempfile.TemporaryFile(dir=self._folder) as file:
                number = os.dup(file.fileno())
        except OSError as error:
            self.leave(asker, 0)
            raise Unavailable("No file for this export could be made on the server's disk. Tell an admin.") from error
        return Spool(self, asker, number)

    def take(self, size_bytes: int) -> None:
        """Count so much more as used. Raises `Stopped` at the limit."""
        with self._lock:
            if self._used + size_bytes > self._limit:
                raise Stopped(
                    f"Exports that are under way fill the {self._limit >> 20:,} MiB of disk that they may use. "
                    "Export fewer rows or columns, try again when others are done, or raise query.export_mb."
                )
            self._used += size_bytes

    def leave(self, asker: str, size_bytes: int) -> None:
        """A file of an asker is gone."""
        with self._lock:
            self._used -= size_bytes
            self._open[asker] -= 1
            if not self._open[asker]:
                del self._open[asker]


class Spool:
    """One file without a name, while it is written. Used by one thread at a time."""

    def __init__(self, room: Room, asker: str, number: int) -> None:
        """`number` is that of an open file, which is closed with the spool."""
        self.file = io.FileIO(number, "r+", closefd=False)
        self.size_bytes = 0
        self._room, self._asker, self._number = room, asker, number

    def write(self, piece: bytes | bytearray) -> None:
        """Append bytes. Raises `Stopped` at the limit of all exports, `Unavailable` when the disk is full."""
        self._room.take(len(piece))
        self.size_bytes += len(piece)
        try:
            found = os.fstatvfs(self.file.fileno())
            if found.f_bavail * found.f_frsize < SPARED_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            rest = memoryview(piece)
            while rest:
                rest = rest[self.file.write(rest) :]
        except OSError as error:
            raise Unavailable(
                "The server's disk has no room for this export. Export fewer rows or columns, or tell an admin."
            ) from error

    def close(self) -> None:
        """Give the disk back. Closing twice is fine."""
        if not self.file.closed:
            self.file.close()
            os.close(self._number)
            self._room.leave(self._asker, self.size_bytes)

    def __del__(self) -> None:
        self.close()


@dataclass(frozen=True)
class Stored:
    """An open file with the Arrow stream of so many rows. Another process may read it too, one of them at a time."""

    file: io.FileIO
    rows: int

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""
        return self._reader().schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows from the first on, a few MiB at a time. Raises `Unavailable` when rows are missing at the end."""
        read = 0
        for batch in self._reader():
            yield batch
            read += batch.num_rows
        if read != self.rows:
            raise Unavailable(f"Of {self.rows:,} rows {read:,} could be read. Export them again.")

    def _reader(self) -> pa.RecordBatchReader:
        self.file.seek(0)
        return pa.ipc.open_stream(pa.PythonFile(self.file, mode="r"))


@dataclass(frozen=True)
class Spooled:
    """The rows of one question on disk: how many, and whether that is all, is known before the first is read.

    Closed by whoever has it. `complete` and `seconds` are those of an `Answer`.
    """

    spool: Spool
    rows: int
    complete: bool
    seconds: float

    @property
    def stored(self) -> "Stored":
        """The rows, to be read."""
        return Stored(self.spool.file, self.rows)

    @property
    def size_bytes(self) -> int:
        """What they take on disk."""
        return self.spool.size_bytes

    def close(self) -> None:
        """Give the disk back."""
        self.spool.close()

    def __enter__(self) -> "Spooled":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.close()
