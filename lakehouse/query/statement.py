"""Statements that may be executed; and those that Lakeport itself has written: compiled plans, questions about tables.

One rule: exactly one statement, and one that reads. What people write goes through `lakehouse.query.guard` instead.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

import duckdb

from lakehouse.errors import StatementWrong

_VOLATILE_WORDS = frozenset(("age", "ago", "localtime", "localtimestamp", "sample", "tablesample"))
"""What depends on the clock or on chance and is no volatile function (`age(x)` reads the clock)."""

_VOLATILE_PREFIXES = ("current_", "duckdb_", "pg_")
_volatile: set[str] = set()


@dataclass(frozen=True)
class Checked:
    """A statement that may be executed: this text and no other."""

    sql: str

    tables: frozenset[str] | None
    """Logical names of the tables that it reads; None: it asks which ones there are."""

    stable: bool
    """Whether equal pins always give an equal answer, so that it may be kept."""


def trusted(connection: duckdb.DuckDBPyConnection, sql: str, tables: Collection[str]) -> Checked:
    """The statement as it stands, once it is clear that it is one and that it reads."""
    statements = connection.extract_statements(sql)
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        raise StatementWrong("A question of Lakeport's own is not a single SELECT. Check the models' expressions.")
    found = frozenset(re.findall(r"\w+", sql.lower()))
    read = frozenset(table for table in tables if table.partition(".")[2].lower() in found)
    asks_for_all = any(word.startswith("duckdb_") for word in found)
    return Checked(sql, None if asks_for_all else read, _depends_on_data_alone(found, connection))


def _depends_on_data_alone(found: frozenset[str], connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the same pins always give the same answer.

    It looks at words, in strings and names too: a column called `today` is not cached, but no answer is ever stale.
    """
    return found.isdisjoint(_VOLATILE_WORDS | volatile_functions(connection)) and not any(
        word.startswith(_VOLATILE_PREFIXES) for word in found
    )


def volatile_functions(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Names of functions that may answer differently on the same data; asked once per process."""
    if not _volatile:
        rows = connection.execute(
            "SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE stability <> 'CONSISTENT'"
        ).fetchall()
        _volatile.update(name for (name,) in rows)
    return frozenset(_volatile)
