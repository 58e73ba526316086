"""The guard of free SQL: what it accepts may be run for anybody who sees the tables named in it.

One rule: the text that runs is written from the tree that was checked, never the text that came in. Everything is
allowed by name: kinds of nodes, functions, types, tables; the rest is refused. It uses DuckDB's own parser, in the
query worker, before anything is executed; what is costly rather than harmful is the worker's limits' to stop.
"""

import json
import re
from collections.abc import Collection
from typing import Any

import duckdb

from lakehouse.errors import StatementRefused, StatementWrong
from lakehouse.query.guard_functions import fold
from lakehouse.query.guard_shapes import Node
from lakehouse.query.guard_walk import NOWHERE, Refused, Walk
from lakehouse.query.guard_written import as_written, same
from lakehouse.query.statement import Checked
from lakehouse.quoting import sql_text

LONGEST_TEXT = 100_000
"""Characters of one statement."""

LONGEST_TREE = 12_000_000
"""Characters of one statement's tree: some hundred for each part."""

# Literals, since binding a parameter costs as much again; DuckDB leaves nothing out of a tree unless told to.
_READ = "SELECT json_serialize_sql({})"
_WRITE = "SELECT text, json_serialize_sql(text) FROM (SELECT json_deserialize_sql({}::JSON) AS text)"
_WAYS = (
    "Questions are single statements that read: SELECT, FROM, WITH, VALUES, TABLE, UNPIVOT, "
    "and PIVOT with its values in a list (PIVOT table ON column IN ('a', 'b') USING sum(value))."
)
_LISTED = "Tables and columns are listed by `lakeport tables` and `lakeport describe TABLE`."
_FIRST_WORD = re.compile(r"(?:\s|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*([a-z]+)", re.IGNORECASE | re.DOTALL)
_TOO_DEEP = "The statement is nested too deeply. Ask in a simpler way."


def check(connection: duckdb.DuckDBPyConnection, sql: str, tables: Collection[str]) -> Checked:
    """The statement, when it reads only `tables` (logical names, `marts.orders`) and does nothing else.

    Raises `StatementWrong` for what does not parse and `StatementRefused`, its subclass, for what is not allowed.
    """
    _check_text(sql)
    statement, tree = _parsed(connection, sql)
    walk = Walk({fold(name): name for name in tables})
    try:
        walk.over(statement)
    except Refused as refused:
        raise StatementRefused(f"{refused}{_place(sql, refused.place)}") from refused
    return Checked(_written(connection, tree, walk), frozenset(walk.read), walk.stable)


def _check_text(sql: str) -> None:
    if len(sql) > LONGEST_TEXT:
        raise StatementRefused(
            f"The statement has {len(sql):,} characters; {LONGEST_TEXT:,} are allowed. Ask for less at a time."
        )
    try:
        readable = b"\0" not in sql.encode()
    except UnicodeEncodeError:
        readable = False
    if not readable:
        raise StatementWrong("The statement holds a character that is no valid Unicode text. Type it again.")


def _parsed(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Node, Node]:
    """The one statement of the text, and the whole tree that it stands in."""
    tree = _loaded(_asked(connection, _READ, sql)[0])
    if tree.get("error") is not False:
        raise _parse_error(tree, sql)
    statements = tree.get("statements")
    if not statements:
        raise StatementWrong(f"There is no statement in the text. {_WAYS}")
    if len(statements) > 1:
        raise StatementRefused(f"Ask one statement at a time; this text holds {len(statements)}.")
    return statements[0], tree


def _parse_error(tree: Node, sql: str) -> StatementWrong:
    if tree.get("error_type") == "parser":
        return _syntax_error(tree, sql)
    match = _FIRST_WORD.match(sql)
    word = match[1].upper() if match else ""
    if word in ("EXPLAIN", "DESCRIBE", "SHOW", "SUMMARIZE"):
        return StatementRefused(f"{word} is not available here. {_WAYS} {_LISTED}")
    if word in ("SELECT", "FROM", "WITH", "VALUES", "TABLE", "PIVOT", "UNPIVOT"):
        return StatementRefused(f"This statement does more than read, or is a PIVOT without its list. {_WAYS}")
    return StatementRefused(f"{word or 'This'} is not a statement that only reads. {_WAYS}")


def _syntax_error(tree: Node, sql: str) -> StatementWrong:
    position = str(tree.get("position"))
    message = " ".join(str(tree.get("error_message")).split())
    if message.startswith(("memory exhausted", "Max expression depth")):
        return StatementRefused(_TOO_DEEP)
    where = _place(sql, int(position) if position.isdigit() else NOWHERE)
    return StatementWrong(f"Parser Error: {message}{'' if message.endswith(('.', '!')) else '.'}{where}")


def _written(connection: duckdb.DuckDBPyConnection, tree: Node, walk: Walk) -> str:
    """The text of the checked tree; refused when DuckDB's own writing of it would mean something else."""
    for constant in walk.rewritten:
        as_written(constant)
    text, again = _asked(connection, _WRITE, json.dumps(tree))
    if not same(tree, _loaded(again)):
        raise StatementRefused("The statement cannot be written back faithfully; word it otherwise.")
    return str(text)


def _asked(connection: duckdb.DuckDBPyConnection, sql: str, text: str) -> tuple[Any, ...]:
    try:
        row = connection.execute(sql.format(sql_text(text))).fetchone()
    except duckdb.InterruptException:  # its time was over before it was taken apart
        raise
    except duckdb.Error as error:
        raise StatementRefused("The statement cannot be taken apart; word it otherwise.") from error
    if row is None:
        raise StatementRefused("The statement cannot be taken apart; word it otherwise.")
    return row


def _loaded(text: str) -> Node:
    if len(text) > LONGEST_TREE:
        raise StatementRefused("The statement has too many parts. Ask for less at a time.")
    try:
        tree = json.loads(text)
    except RecursionError as error:
        raise StatementRefused(_TOO_DEEP) from error
    except ValueError as error:
        raise StatementRefused("The statement holds a number that cannot be read; write it shorter.") from error
    if not isinstance(tree, dict):
        raise StatementRefused("The statement cannot be taken apart; word it otherwise.")
    return tree


def _place(sql: str, offset: int) -> str:
    """Where in the text something stands, as the end of a sentence; offsets are bytes."""
    if not isinstance(offset, int) or not 0 <= offset <= len(sql.encode()):
        return ""
    before = sql.encode()[:offset].decode(errors="ignore")
    line = before.count("\n") + 1
    return f" (line {line}, column {len(before) - before.rfind(chr(10))})"
