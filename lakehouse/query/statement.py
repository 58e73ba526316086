"""Which statements may be asked, and whether their answer depends on the data alone.

One rule: exactly one statement, and one that reads. This runs in the worker, before anything is executed, and is where
the guard of untrusted SQL joins: what `reading_statement` returns is what will run, nothing else.
"""

import re

import duckdb

from lakehouse.errors import StatementWrong

READING_WORDS = ("SELECT", "FROM", "WITH", "VALUES", "TABLE", "DESCRIBE", "DESC", "SUMMARIZE", "SHOW", "EXPLAIN")
_ALLOWED = f"Ask with one of: {', '.join(READING_WORDS)}."
_BLANK = r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*"
_FIRST_WORD = re.compile(rf"(?:{_BLANK}\()*{_BLANK}([a-z]+)", re.IGNORECASE | re.DOTALL)
_EXPLAIN = re.compile(
    rf"{_BLANK}explain\b{_BLANK}(?:analyze\b{_BLANK})?(?:\(\s*(?:analyze|format)\b[^()]*\))?", re.IGNORECASE | re.DOTALL
)

_VOLATILE_KEYWORDS = frozenset(
    ("age", "ago", "localtime", "localtimestamp", "sample", "tablesample", "explain", "show", "information_schema")
)
"""What depends on the clock, on chance or on the instance, and is no volatile function (`age(x)` reads the clock)."""

_VOLATILE_PREFIXES = ("current_", "duckdb_", "pg_", "pragma_", "sqlite_")
_SYSTEM_WORDS = ("show", "information_schema", "sqlite_master", "duckdb_", "pg_")


def reading_statement(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """The one statement of the text, parsed; `StatementWrong` for several, none, or one that does more than read."""
    statements = connection.extract_statements(sql)
    if not statements:
        raise StatementWrong(f"There is no statement in the text. {_ALLOWED}")
    word = _first_word(sql)
    if word not in READING_WORDS:
        raise StatementWrong(f"{word or 'This'} is not a statement that only reads. {_ALLOWED}")
    if len(statements) > 1:
        raise StatementWrong(
            f"Ask one statement at a time; this text holds {len(statements)} (a PIVOT without IN counts as two)."
        )
    kind = statements[0].type
    if kind == duckdb.StatementType.EXPLAIN and word == "EXPLAIN":
        reading_statement(connection, _EXPLAIN.sub("", sql, count=1))
    elif kind != duckdb.StatementType.SELECT:
        raise StatementWrong(f"{kind.name} is not a statement that only reads. {_ALLOWED}")
    return statements[0]


def volatile_functions(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Names of functions that may answer differently on the same data."""
    rows = connection.execute(
        "SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE stability <> 'CONSISTENT'"
    ).fetchall()
    return frozenset(name for (name,) in rows)


def depends_on_data_alone(sql: str, volatile: frozenset[str]) -> bool:
    """Whether the same pins always give the same answer, so that it may be kept.

    It looks at words, in strings and names too: a column called `today` is not cached, but no answer is ever stale.
    """
    found = words(sql)
    return found.isdisjoint(volatile | _VOLATILE_KEYWORDS) and not any(
        word.startswith(_VOLATILE_PREFIXES) for word in found
    )


def lists_tables(sql: str) -> bool:
    """Whether the statement may look at the catalog itself, so that every table must be there."""
    return any(word.startswith(_SYSTEM_WORDS) for word in words(sql))


def words(sql: str) -> set[str]:
    """Every word of the text in lower case; whatever table or function it uses is among them."""
    return set(re.findall(r"\w+", sql.lower()))


def _first_word(sql: str) -> str:
    match = _FIRST_WORD.match(sql)
    return match[1].upper() if match else ""
