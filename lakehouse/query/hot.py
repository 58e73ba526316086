"""Hot copies: released tables once more as files of DuckDB, which it reads faster than Iceberg and without the store.

One rule: a copy is never the truth. It is named by its pin, so it is never stale; it was compared with what it copies;
and whoever cannot use it reads Iceberg. The whole folder may be deleted at any moment.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.query.engine import table_function
from lakehouse.query.pins import Pin
from lakehouse.quoting import sql_name, sql_text

if TYPE_CHECKING:
    import duckdb

LAYER = "marts"
"""The layer whose tables are copied: what pages ask."""

ROWS, ORIGIN = "rows", "origin"
"""The two tables of a copy: what it copies, and where that was read."""

_ENDING, _PART = ".duckdb", ".part"
_PART_SECONDS = 3600.0
"""After so long without a change, an unfinished copy has nobody who writes it."""

_ROOM = 4
"""A copy is made where its table's size is free so many times: what else needs the disk comes first."""


def hot_folder(folder: Path) -> Path:
    """Where copies lie, in a lake's own folder."""
    return folder / "hot"


class CopyWrong(Exception):
    """A copy does not hold what it should."""


@dataclass(frozen=True)
class HotCopies:
    """The copies in one folder; those of all environments lie side by side."""

    folder: Path

    def path(self, table: str, pin: Pin) -> Path:
        """The file of a table at a pin, whether it is there or not."""
        # The snapshot alone is not enough: a column may be renamed without a new one.
        key = hashlib.sha256(f"{pin.metadata} {pin.snapshot}".encode()).hexdigest()[:24]
        return self.folder / f"{table}.{key}{_ENDING}"

    def has(self, table: str, pin: Pin) -> bool:
        """Whether the copy is there."""
        return self.path(table, pin).exists()

    def has_room(self, size_bytes: int) -> bool:
        """Whether the disk has room for a copy of a table whose data files have this size."""
        self._make_folder()
        return shutil.disk_usage(self.folder).free > _ROOM * size_bytes

    def write(self, connection: duckdb.DuckDBPyConnection, table: str, pin: Pin) -> None:
        """Copy the table as it is at the pin; the file is there whole or not at all.

        `connection` is one of `engine.connect`. Raises `CopyWrong` when the copy does not equal the table, and whatever
        DuckDB and the disk raise; the connection may be used for other tables then.
        """
        self._make_folder()
        part = self.folder / f"{table}.{os.getpid()}{_PART}"
        part.unlink(missing_ok=True)
        try:
            _fill(connection, part, pin)
            part.chmod(0o600)
            part.replace(self.path(table, pin))
        finally:
            for left in self.folder.glob(f"{part.name}*"):  # DuckDB's log of changes lies beside its file
                left.unlink(missing_ok=True)

    def sweep(self, kept: Iterable[tuple[str, Pin]]) -> None:
        """Remove all copies but these, and what writers that were killed have left."""
        names = {self.path(table, pin).name for table, pin in kept}
        long_ago = time.time() - _PART_SECONDS
        for file in self.folder.iterdir() if self.folder.is_dir() else ():
            is_copy = file.suffix == _ENDING and file.name not in names
            is_left = _PART in file.suffixes and file.stat().st_mtime < long_ago
            if is_copy or is_left:
                file.unlink(missing_ok=True)

    def _make_folder(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _database(path: Path) -> str:
    """The name under which a copy is attached."""
    return f"h_{path.stem.rpartition('.')[2]}"


def _fill(connection: duckdb.DuckDBPyConnection, part: Path, pin: Pin) -> None:
    file, source = sql_text(str(part)), table_function(pin)
    with _attached(connection, f"{file} AS copy"):
        origin = "SELECT ?::VARCHAR AS metadata, ?::BIGINT AS snapshot"
        connection.execute(f"CREATE TABLE copy.{ROWS} AS FROM {source}")
        connection.execute(f"CREATE TABLE copy.{ORIGIN} AS {origin}", [pin.metadata, pin.snapshot])
    with _attached(connection, f"{file} AS copy (READ_ONLY)"):  # what is compared is what stands on the disk
        copied, read = (_described(connection, one) for one in (f"copy.{ROWS}", source))
    if copied != read:
        raise CopyWrong(f"The copy holds {copied[0]}, the table {read[0]}.")


@contextmanager
def _attached(connection: duckdb.DuckDBPyConnection, what: str) -> Iterator[None]:
    connection.execute(f"ATTACH {what}")
    try:
        yield
    finally:
        connection.execute("DETACH copy")


def _described(connection: duckdb.DuckDBPyConnection, source: str) -> list[Any]:
    """What must be equal of a table and its copy: number and sum of the rows, columns and their types."""
    return [*connection.execute(_sums(source)).fetchall(), *connection.execute(f"DESCRIBE FROM {source}").fetchall()]


def _sums(source: str) -> str:
    """A statement that reads everything: how many rows there are, and a sum that every value goes into."""
    return f"SELECT count(*), sum(hash(one)::HUGEINT) FROM {source} AS one"


class OpenCopies:
    """The copies that one DuckDB instance has attached, each as long as something there reads it."""

    def __init__(self, copies: HotCopies | None) -> None:
        self._copies = copies
        self._readers: dict[str, set[str]] = {}  # database of a copy -> who reads it
        self._unfit: set[str] = set()

    def source(self, cursor: duckdb.DuckDBPyConnection, table: str, pin: Pin, reader: str) -> str:
        """SQL text that stands where a table may stand: the copy, or Iceberg where there is none to be used."""
        if self._copies is None or not table.startswith(f"{LAYER}.") or not self._copies.has(table, pin):
            return table_function(pin)
        path = self._copies.path(table, pin)
        name = _database(path)
        if name in self._unfit or not self._attached(cursor, name, path, pin):
            self._unfit.add(name)
            return table_function(pin)
        self._readers[name].add(reader)
        return f"{sql_name(name)}.{ROWS}"

    def leave(self, cursor: duckdb.DuckDBPyConnection, reader: str) -> None:
        """A reader has gone; copies that nobody reads any more are closed."""
        for name, readers in list(self._readers.items()):
            readers.discard(reader)
            if not readers:
                cursor.execute(f"DETACH {sql_name(name)}")
                del self._readers[name]

    def _attached(self, cursor: duckdb.DuckDBPyConnection, name: str, path: Path, pin: Pin) -> bool:
        import duckdb

        if name in self._readers:
            return True
        try:
            cursor.execute(f"ATTACH {sql_text(str(path))} AS {sql_name(name)} (READ_ONLY)")
        except duckdb.Error:
            return False
        try:
            origin = cursor.execute(f"SELECT metadata, snapshot FROM {sql_name(name)}.{ORIGIN}").fetchall()
        except duckdb.Error:
            origin = []
        if origin != [(pin.metadata, pin.snapshot)]:
            cursor.execute(f"DETACH {sql_name(name)}")
            return False
        self._readers[name] = set()
        return True

    def damaged(self, cursor: duckdb.DuckDBPyConnection, table: str, pin: Pin) -> bool:
        """Whether the table's copy is open and cannot be read to its end; such a one is not used again here."""
        import duckdb

        name = _database(self._copies.path(table, pin)) if self._copies is not None else ""
        if name not in self._readers:
            return False
        try:
            cursor.execute(_sums(f"{sql_name(name)}.{ROWS}")).fetchall()
        except duckdb.Error as error:
            if str(error).startswith("INTERRUPT"):
                raise
            self._unfit.add(name)
            return True
        return False
