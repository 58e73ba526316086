"""Pieces of a statement on one table: its name, its columns, conditions, and lists of them.

One rule: a value or a name is written by `sql_literal` or `sql_name`; only expressions of the dbt project stand as they
are. The table is always called `lines`.
"""

from collections.abc import Sequence

from lakehouse.metrics.artefacts import IDENTIFIER
from lakehouse.metrics.literal import DATE, sql_literal
from lakehouse.metrics.period import Period
from lakehouse.metrics.plan import Plan, Predicate
from lakehouse.metrics.terms import Table
from lakehouse.quoting import sql_name, sql_table

Lines = list[str]
"""A query line by line. A line is never split again: a text value in it may hold line breaks of its own."""


def column_sql(expr: str) -> str:
    """SQL of a column. Plain names are qualified, so that no alias of the answer can stand in for a column."""
    return f"lines.{sql_name(expr)}" if IDENTIFIER.fullmatch(expr) else f"({expr})"


def source(name: str) -> str:
    """What a table of that logical name is read from."""
    return f"from {sql_table(name)} as lines"


def select(columns: Sequence[str]) -> Lines:
    """The columns of an answer, one a line."""
    return ["select", *(f"  {column}," for column in columns[:-1]), f"  {columns[-1]}"]


def conjunction(word: str, conditions: Sequence[str]) -> Lines:
    """Conditions that all hold, after `where` or `on`; nothing where there are none."""
    return [f"{word if place == 0 else '  and'} {condition}" for place, condition in enumerate(conditions)]


def conditions(plan: Plan, table: Table, period: Period | None) -> list[str]:
    """What a line of a period must fulfil to count in a plan."""
    return [*_within(table, period), *(_condition(predicate, table) for predicate in plan.where)]


def _within(table: Table, period: Period | None) -> list[str]:
    """The bare column against DATE literals: the shape that prunes Iceberg's files."""
    if period is None:
        return []
    column = column_sql(table.dimension(table.time).expr)
    start, end = sql_literal(period.start, DATE), sql_literal(period.end, DATE)
    return [f"{column} >= {start}", f"{column} < {end}"]


def _condition(predicate: Predicate, table: Table) -> str:
    found = table.filterable(predicate.column)
    column = column_sql(found.expr)
    values = [sql_literal(value, found.type) for value in predicate.values]
    match predicate.operator:
        case "is null" | "is not null":
            return f"{column} {predicate.operator}"
        case "in" | "not in":
            return f"{column} {predicate.operator} ({', '.join(values)})"
        case "between":
            return f"{column} between {values[0]} and {values[1]}"
        case "contains":
            return f"contains({column}, {values[0]})"
        case operator:
            return f"{column} {operator} {values[0]}"
