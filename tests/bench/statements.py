"""The very statements that a page asks, and plain DuckDB to ask them of: on Iceberg, and on a table of its own.

One rule: DuckDB alone gets the threads and the memory of one query worker, the pins of the release, and nothing else.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse
from lakehouse.query.engine import connect, table_function
from lakehouse.query.pool import QueryPool, Question
from lakehouse.quoting import sql_name, sql_table, sql_text
from portal.app import create_app
from tests.bench.served import NAME
from tests.bench.tile_server import WITH_TILE
from tests.portal.signing_in import inside

LAYER = "marts."
"""Of the tables that pages read."""


class ListeningPool:
    """A pool that remembers the statements which it had to ask a worker."""

    def __init__(self, pool: QueryPool) -> None:
        self._pool, self.new = pool, list[str]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def ask(self, question: Question) -> Any:
        answer = self._pool.ask(question)
        if not answer.cached:
            self.new.append(question.sql)
        return answer


class Listener:
    """A portal in this process, which says what a visit asks that nobody has asked before."""

    def __init__(self, lakehouse: Lakehouse) -> None:
        self._pool: Any = ListeningPool(lakehouse.pool)
        lakehouse.pool = self._pool
        self._visitor = inside(create_app(lakehouse, pages=WITH_TILE).server, NAME)

    def of_page(self, search: str) -> list[str]:
        """The statements of the revenue page at a query string."""
        return self._heard(lambda: self._visitor.page(f"/revenue{search}"))

    def of_tile(self, least: int) -> list[str]:
        """The statement of the tile."""
        return self._heard(lambda: self._visitor.callback("tile-place.children", [("tile-least", "value", least)]))

    def _heard(self, visit: Callable[[], object]) -> list[str]:
        self._pool.new.clear()
        visit()
        return list(self._pool.new)


class Alone:
    """DuckDB in this process."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def ask(self, statements: list[str]) -> list[Any]:
        """The answers, each as an Arrow table, as a query worker would give them."""
        return [self.connection.execute(text).to_arrow_table() for text in statements]


@contextmanager
def plain_duckdb(lakehouse: Lakehouse, folder: Path) -> Iterator[tuple[Alone, Alone]]:
    """DuckDB on Iceberg files at the pins of the release, and on a file of its own format with the same rows."""
    query = lakehouse.settings.query
    pins = {name: pin for name, pin in lakehouse.as_user(operator()).pins.items() if name.startswith(LAYER)}
    iceberg, native = (connect(f"{query.memory_mb}MiB", query.threads) for _ in range(2))
    try:
        for connection in (iceberg, native):
            connection.execute("set temp_directory = ''")  # a query worker has no disk to go to either
        iceberg.execute(f"create schema {sql_name(LAYER.rstrip('.'))}")
        for name, pin in pins.items():
            iceberg.execute(f"create view {sql_table(name)} as select * from {table_function(pin)}")
        _write_copy(lakehouse, folder / "native.duckdb")
        native.execute(f"attach {sql_text(str(folder / 'native.duckdb'))} as copy_of_lake (read_only)")
        native.execute("use copy_of_lake")
        yield Alone(iceberg), Alone(native)
    finally:
        iceberg.close()
        native.close()


def _write_copy(lakehouse: Lakehouse, file: Path) -> None:
    """Every row of the tables that pages read, in the order in which Iceberg gives them."""
    query = lakehouse.settings.query
    writer = connect(f"{query.memory_mb}MiB", query.threads)
    writer.execute(f"attach {sql_text(str(file))} as copy_of_lake")
    writer.execute("use copy_of_lake")
    writer.execute(f"create schema {sql_name(LAYER.rstrip('.'))}")
    for name, pin in lakehouse.as_user(operator()).pins.items():
        if name.startswith(LAYER):
            writer.execute(f"create table {sql_table(name)} as select * from {table_function(pin)}")
    writer.close()
