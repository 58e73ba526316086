"""Opens the state store, and brings an older one up to date.

One rule: a store is never migrated before it was copied.
"""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
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
        with _translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: everything in it is stored, or nothing."""
        with _translated(), self.engine.connect() as connection:
            connection = connection.execution_options(lakeport_writes=True)
            with connection.begin():
                yield connection

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
    except DatabaseError as error:
        if isinstance(error.orig, sqlite3.DatabaseError) and "not a database" in str(error.orig):
            raise Unavailable("The state store is not a database. Restore it from a copy.") from error
        raise


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by _on_begin, not by the driver
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma foreign_keys = on")


def _on_begin(connection: Connection) -> None:
    # A deferred transaction that turns into a writer fails at once when another one writes; an immediate one waits.
    writes = connection.get_execution_options().get("lakeport_writes", False)
    connection.exec_driver_sql("begin immediate" if writes else "begin")
