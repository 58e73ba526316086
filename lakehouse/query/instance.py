"""One locked DuckDB inside a worker, for one scope: releases come and go in it as attached databases of views.

One rule: a statement finds exactly the tables of its own pins, as its scope sees them, under their plain names
(`marts.daily_revenue`).
"""

import logging
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from lakehouse.errors import PolicyWrong
from lakehouse.query.engine import connect, lock
from lakehouse.query.hot import HotCopies, OpenCopies
from lakehouse.query.pins import Pin
from lakehouse.query.scope import Scope
from lakehouse.query.views import TableView
from lakehouse.query.wire import Limits
from lakehouse.quoting import sql_name, sql_text

ATTACHED = 16
"""How many sets of pins stay attached; the one that was not used for longest goes first."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tables:
    """The tables of one question: where they are pinned, and which of them have public rows."""

    key: str
    pins: Mapping[str, Pin]
    public: Collection[str]

    @classmethod
    def of(cls, question: Mapping[str, Any]) -> "Tables":
        """The tables of a question as it came over the pipe."""
        pins = {name: Pin(*pin) for name, pin in question["pins"].items()}
        return cls(question["key"], pins, frozenset(question["public"]))


class Instance:
    """A DuckDB that can read the lake's folders and nothing else."""

    def __init__(self, limits: Limits, scope: Scope) -> None:
        self._connection = connect(f"{limits.memory_mb}MiB", limits.threads)
        lock(self._connection, limits.readable)
        self._scope, self._mask_key = scope, limits.mask_key
        self._copies = OpenCopies(HotCopies(Path(limits.hot)) if limits.hot else None)
        self._attached: OrderedDict[str, set[str]] = OrderedDict()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection for one statement; the caller closes it."""
        return self._connection.cursor()

    def close(self) -> None:
        """Free everything the instance holds."""
        self._connection.close()

    def show(
        self, cursor: duckdb.DuckDBPyConnection, tables: Tables, wanted: Iterable[str] | None, *, fenced: bool
    ) -> None:
        """Let the cursor see the wanted tables, all of them for None, `fenced` as `TableView.sql` says.

        Only those: a view costs milliseconds to make, and one damaged manifest would end the process for all others.
        Raises `PolicyWrong` for a wanted table that a rule does not fit; among all tables such a one is left out.
        """
        name = self._name(tables, fenced=fenced)
        database = sql_name(name)
        if name not in self._attached:
            self._make_room(cursor)
            cursor.execute(f"ATTACH {sql_text(':memory:')} AS {database}")
            self._attached[name] = set()
        self._attached.move_to_end(name)
        cursor.execute(f"USE {database}")
        for table in sorted(tables.pins.keys() - self._attached[name]):
            if wanted is None or table in wanted:
                try:
                    self._make_view(cursor, name, tables, table, fenced=fenced)
                    self._attached[name].add(table)
                except PolicyWrong as error:
                    if wanted is not None:
                        raise
                    _log.warning("%s", error)

    def mend(
        self, cursor: duckdb.DuckDBPyConnection, tables: Tables, wanted: Iterable[str] | None, *, fenced: bool
    ) -> bool:
        """Let what read a damaged copy read Iceberg instead; whether there was one among the wanted tables."""
        name, mended = self._name(tables, fenced=fenced), False
        for table in self._attached.get(name, set()) & (tables.pins.keys() if wanted is None else set(wanted)):
            if self._copies.damaged(cursor, table, tables.pins[table]):
                self._make_view(cursor, name, tables, table, fenced=fenced)
                mended = True
        return mended

    def _name(self, tables: Tables, *, fenced: bool) -> str:
        """The attached database that holds the views of these pins."""
        return f"{'f' if fenced and self._scope.rows else 'r'}_{tables.key}"

    def _make_view(
        self, cursor: duckdb.DuckDBPyConnection, name: str, tables: Tables, table: str, *, fenced: bool
    ) -> None:
        source = self._copies.source(cursor, table, tables.pins[table], name)
        view = TableView(table, source, self._scope, table in tables.public, self._mask_key)
        select = view.sql(cursor, fenced=fenced)
        layer, _, short = table.partition(".")
        if select is not None:
            place = f"{sql_name(name)}.{sql_name(layer)}"
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {place}")
            cursor.execute(f"CREATE OR REPLACE VIEW {place}.{sql_name(short)} AS {select}")

    def _make_room(self, cursor: duckdb.DuckDBPyConnection) -> None:
        while len(self._attached) >= ATTACHED:
            oldest, _ = self._attached.popitem(last=False)
            cursor.execute(f"DETACH {sql_name(oldest)}")
            self._copies.leave(cursor, oldest)
