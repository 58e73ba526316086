"""One locked DuckDB inside a worker, for one scope: releases come and go in it as attached databases of views.

One rule: a statement finds exactly the tables of its own pins, under their plain names (`marts.daily_revenue`).
"""

from collections import OrderedDict

import duckdb

from lakehouse.query.engine import connect, identifier, literal, lock, table_function
from lakehouse.query.pins import Pins
from lakehouse.query.statement import lists_tables, words
from lakehouse.query.wire import Limits

ATTACHED = 16
"""How many sets of pins stay attached; the one that was not used for longest goes first."""


class Instance:
    """A DuckDB that can read the lake's folders and nothing else."""

    def __init__(self, limits: Limits) -> None:
        self._connection = connect(f"{limits.memory_mb}MiB", limits.threads)
        lock(self._connection, limits.folders)
        self._attached: OrderedDict[str, set[str]] = OrderedDict()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection for one statement; the caller closes it."""
        return self._connection.cursor()

    def close(self) -> None:
        """Free everything the instance holds."""
        self._connection.close()

    def show(self, cursor: duckdb.DuckDBPyConnection, key: str, pins: Pins, sql: str) -> None:
        """Let the cursor see the pinned tables that the text speaks of.

        Only those: a view costs milliseconds to make, and one damaged manifest would end the process for all others.
        """
        database = identifier(f"r_{key}")
        if key not in self._attached:
            self._make_room(cursor)
            cursor.execute(f"ATTACH {literal(':memory:')} AS {database}")
            self._attached[key] = set()
        self._attached.move_to_end(key)
        cursor.execute(f"USE {database}")
        mentioned, everything = words(sql), lists_tables(sql)
        for name in sorted(pins.keys() - self._attached[key]):
            layer, _, table = name.partition(".")
            if everything or table.lower() in mentioned:
                place = f"{database}.{identifier(layer)}"
                cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {place}")
                cursor.execute(f"CREATE VIEW {place}.{identifier(table)} AS FROM {table_function(pins[name])}")
                self._attached[key].add(name)

    def _make_room(self, cursor: duckdb.DuckDBPyConnection) -> None:
        while len(self._attached) >= ATTACHED:
            oldest, _ = self._attached.popitem(last=False)
            cursor.execute(f"DETACH {identifier(f'r_{oldest}')}")
