"""The lines behind a plan in DuckDB SQL: all of them or a window of them, and how many there are.

One rule: the order of lines is total, so that windows beside each other miss no line and repeat none. Only columns that
the asker sees are read, sorted by or searched; the caller names them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lakehouse.errors import UnknownName
from lakehouse.metrics.clauses import conditions, conjunction, select, source
from lakehouse.metrics.literal import TEXT, read_value, sql_literal
from lakehouse.metrics.model import Model
from lakehouse.metrics.plan import Plan, Sort
from lakehouse.metrics.terms import Table
from lakehouse.quoting import sql_name

Columns = Mapping[str, str]
"""The visible columns of a table, in their order, each with DuckDB's name of its type."""

SEARCHED = "VARCHAR"


@dataclass(frozen=True)
class Window:
    """Some of the lines behind a plan: those that hold `words`, in an order, from the place `first` (0 is the start).

    Lines stand by `sort`, then by the main time, then by the other columns in their places; NULL last, text by code
    point. `words` are looked for in the text columns, as they stand: no character of theirs means anything else, and
    capitals count as small letters. What Python's `casefold` takes for equal is equal here, ß and ss among it, but for
    the few other letters that it writes as several (such as the ligature fi); and the Turkish ı counts as i.
    """

    sort: Sort | None = None
    words: str = ""
    first: int = 0
    count: int | None = None
    """How many lines at most; None for all that are left."""
    searched: tuple[str, ...] | None = None
    """The columns in which words are looked for, as far as they hold text; None for all columns."""

    def to_json(self) -> dict[str, Any]:
        """What is said of it, without what goes without saying."""
        sort = self.sort and f"{'-' if self.sort.descending else ''}{self.sort.column}"
        searched = self.searched and list(self.searched)
        said = {"sort": sort, "find": self.words, "in": searched, "first": self.first, "count": self.count}
        return {key: value for key, value in said.items() if value}


ALL = Window()


def compile_lines(plan: Plan, model: Model, columns: Columns, window: Window = ALL) -> str:
    """The SQL of a window of the lines behind a plan. Raises `UnknownName` for what is no visible column."""
    table = model.table_of(plan.metrics)
    limit = [] if window.count is None else [f"limit {window.count}"]
    return "\n".join(
        [
            *select([_named(name) for name in columns]),
            *_found(plan, table, columns, window),
            f"order by {', '.join(_order(table, columns, window.sort))}",
            *limit,
            *([f"offset {window.first}"] if window.first else []),
        ]
    )


def compile_count(plan: Plan, model: Model, columns: Columns, window: Window = ALL) -> str:
    """The SQL of how many lines are behind a plan and hold the words of a window, wherever it begins and ends."""
    return "\n".join(["select count(*) as lines", *_found(plan, model.table_of(plan.metrics), columns, window)])


def _found(plan: Plan, table: Table, columns: Columns, window: Window) -> list[str]:
    fulfilled = [*conditions(plan, table, plan.time), *([_holds(window, columns)] if window.words else [])]
    return [source(table.name), *conjunction("where", fulfilled)]


def _holds(window: Window, columns: Columns) -> str:
    literal = _folded(sql_literal(read_value(window.words, TEXT, "What is looked for"), TEXT))
    searched = columns if window.searched is None else [_known(name, columns) for name in window.searched]
    texts = [_named(name) for name in searched if columns[name] == SEARCHED]
    return f"({' or '.join(f'contains({_folded(text)}, {literal})' for text in texts) or 'false'})"


def _folded(text: str) -> str:
    # Over the capital, since a small letter may have two shapes: σ and ς are both Σ. DuckDB leaves ß as it is.
    return f"replace(lower(upper({text})), 'ß', 'ss')"


def _order(table: Table, columns: Columns, sort: Sort | None) -> list[str]:
    time = [table.dimension(table.time).expr] if table.time else []
    first = [f"{_named(_known(sort.column, columns))}{' desc' if sort.descending else ''} nulls last"] if sort else []
    others = dict.fromkeys([*(name for name in time if name in columns), *columns])
    return [*first, *(f"{_named(name)} nulls last" for name in others if sort is None or name != sort.column)]


def _known(name: str, columns: Columns) -> str:
    if name not in columns:
        raise UnknownName("column", name, list(columns))
    return name


def _named(name: str) -> str:
    """A column by its own name, whatever characters it has."""
    return f"lines.{sql_name(name)}"
