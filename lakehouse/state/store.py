"""Opens the state store, and brings an older one up to date.

One rule: a store is never migrated before it was copied.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from lakehouse.errors import RequestWrong, SettingsWrong, Unavailable
from lakehouse.settings import Settings
from lakehouse.state.schema import VERSION, now

MIGRATIONS = Path(__file__).parent / "migrations"


class State:
    """The state store of one lake, on SQLite or PostgreSQL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opened: tuple[int, int] | None = None

    @cached_property
    def engine(self) -> Engine:
        """The SQLAlchemy engine, made when it is first used."""
        sqlite = make_url(self.url).get_backend_name() == "sqlite"
        arguments = {"timeout": 30} if sqlite else {}
        engine = create_engine(self.url, connect_args=arguments, hide_parameters=True)  # errors are logged
        if sqlite:
            event.listen(engine, "connect", _on_connect)
            event.listen(engine, "begin", _on_begin)
        return engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state."""
        with _translated():
            self._look()
            with self.engine.connect() as connection:
                yield connection

    @contextmanager
    def write(self, *, flush: bool = True) -> Iterator[Connection]:
        """One transaction: everything in it is stored, or nothing.

        Without `flush` SQLite leaves it to the system when it reaches the disk: no process that is killed loses it, a
        power cut may, up to the next transaction with a flush; the store stays whole in any case.
        """
        with _translated():
            self._look()
            with self.engine.connect() as connection:
                connection = connection.execution_options(lakeport_writes="full" if flush else "normal")
                with connection.begin():
                    yield connection

    def check(self) -> None:
        """Raise `Unavailable` when the store is gone or no database any more, also where open connections go on."""
        self._look()
        if self._file is not None:
            with _translated(), closing(sqlite3.connect(f"{self._file.as_uri()}?mode=ro", uri=True)) as anew:
                anew.execute("select version_num from alembic_version").fetchone()

    @cached_property
    def _file(self) -> Path | None:
        """The file of an SQLite store."""
        url = make_url(self.url)
        named = url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:"
        return Path(url.database or "").absolute() if named else None

    def _look(self) -> None:
        """Notice that the file was removed or replaced: who holds it open would go on with what nobody else sees."""
        if self._file is None:
            return
        try:
            found = os.stat(self._file)
        except OSError:
            if self._opened is None:
                return  # not made yet; whether it can be is seen when it is opened
            raise Unavailable("The state store is gone. Restore it from a copy.") from None
        if self._opened not in (None, (found.st_dev, found.st_ino)):
            self.engine.dispose()
        self._opened = found.st_dev, found.st_ino

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def open_state(settings: Settings) -> State:
    """The lake's state store, created when it is missing and migrated when it is older.

    Raises `RequestWrong` when a newer Lakeport has written it, `Unavailable` when it cannot be reached.
    """
    try:
        settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unlisted = settings.folder / ".gitignore"  # the folder keeps itself out of Git
        if not unlisted.exists():
            unlisted.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise Unavailable(f"The folder {settings.folder} cannot be made: {error.strerror}.") from error
    state = State(settings.state_url)
    if version(state) == VERSION:
        return state
    with (settings.folder / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = version(state)
        if found is not None and found > VERSION:
            raise RequestWrong(
                f"The state store is of version {found}; this Lakeport knows versions up to {VERSION}. "
                "Use the Lakeport that wrote it, or a newer one."
            )
        if found is not None and found < VERSION:
            _copy(state, settings.folder / "backups" / f"state-{found}-{now().replace(':', '')}.db")
        if found != VERSION:
            migrate(state)
    return state


def version(state: State) -> str | None:
    """Which migration the store is at; None when it is empty."""
    with state.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("select version_num from alembic_version")).scalar()


def migrate(state: State, target: str = "head") -> None:
    """Bring the store to a migration, in one transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with state.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, target)


def upsert(connection: Connection, table: Table) -> Any:
    """An insert that knows `on conflict`. Only the dialect that is used is imported: the other costs 20 ms."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        return postgresql_insert(table)
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(table)


def _copy(state: State, target: Path) -> None:
    """Copy an SQLite store with its own backup, which is consistent while others read and write."""
    url = make_url(state.url)
    if url.get_backend_name() != "sqlite":
        return  # PostgreSQL migrates in one transaction; its copies are the operator's pg_dump
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    source, copy = sqlite3.connect(str(url.database)), sqlite3.connect(target)
    try:
        source.backup(copy)
    finally:
        source.close()
        copy.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise Unavailable(
            "The state store cannot be used. Check that its folder is writable, the disk is not full and nothing "
            f"holds it locked ({error.orig})."
        ) from error
    except (ArgumentError, ImportError) as error:  # no such database, or its driver is not installed
        raise SettingsWrong(f"lake.state cannot be used: {error}.") from error
    except (DatabaseError, sqlite3.DatabaseError) as error:
        sentence = _broken(error.orig if isinstance(error, DatabaseError) else error)
        if sentence is None:
            raise
        raise Unavailable(sentence) from error


def _broken(error: BaseException | None) -> str | None:
    """What to say of a file that SQLite cannot read; None for every other error."""
    if not isinstance(error, sqlite3.DatabaseError):
        return None
    if "not a database" in str(error):
        return "The state store is not a database. Restore it from a copy."
    if "malformed" in str(error):
        return "The state store is damaged. Restore it from a copy."
    return "The state store cannot be used." if isinstance(error, sqlite3.OperationalError) else None


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by _on_begin, not by the driver
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma foreign_keys = on")


def _on_begin(connection: Connection) -> None:
    # A deferred transaction that turns into a writer fails at once when another one writes; an immediate one waits.
    writes = connection.get_execution_options().get("lakeport_writes")
    if writes:
        connection.exec_driver_sql(f"pragma synchronous = {writes}")
    connection.exec_driver_sql("begin immediate" if writes else "begin")
