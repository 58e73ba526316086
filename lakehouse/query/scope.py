"""What somebody may see: tables, rows and columns. There are no pins in it, so it holds for every version of the data.

One rule: rules only take away. Of two rules on the same column the stricter one holds, and of two on rows both do.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

ORDERED = ("<", "<=", ">", ">=")
SETS = ("in", "not in")
OPERATORS = ("=", "!=", *SETS, *ORDERED, "between")
"""Operators of a row rule; none of them matches NULL."""

HIDE, HASH, LAST_FOUR = "hide", "hash", "last four"
QUARANTINE = "raw.quarantine"
"""The table of rejected records. It holds each as it came, with every column of its source."""

_ROUND = re.compile(r"round 1(0{1,15})")


@dataclass(frozen=True, order=True)
class RowRule:
    """Which rows may be seen: those whose `column` fits. Values are texts; the column's own type reads them."""

    column: str
    operator: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.column} {self.operator} {', '.join(self.values)}"


@dataclass(frozen=True, order=True)
class ColumnRule:
    """What is shown in the place of a column, in one table or, where `table` is empty, in all that have it.

    `shown` is `hide`, `hash`, `last four` or `round N` with N a power of ten.
    """

    table: str
    column: str
    shown: str

    @property
    def digits(self) -> int:
        """How many digits before the point `round` takes away."""
        match = _ROUND.fullmatch(self.shown)
        return len(match[1]) if match else 0


def is_shown(text: str) -> bool:
    """Whether the text is what a column rule may say."""
    return text in (HIDE, HASH, LAST_FOUR) or _ROUND.fullmatch(text) is not None


@dataclass(frozen=True)
class Scope:
    """Which tables, rows and columns somebody may see; people with equal rights share one.

    An entry of `tables` is a table or a whole layer, `marts.*`; None means every table. A table that lacks the column
    of a row rule is not seen at all, unless its model says that its rows are public.
    """

    tables: frozenset[str] | None = None
    rows: frozenset[RowRule] = frozenset()
    columns: frozenset[ColumnRule] = frozenset()

    @cached_property
    def key(self) -> str:
        """A short text that is equal exactly for equal rights."""
        text = json.dumps(self.to_json(), ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def sees(self, table: str) -> bool:
        """Whether the table's name is among those that may be seen; row rules may still close it."""
        if table == QUARANTINE and self.columns:
            return False  # whole records quote columns of any name
        return self.tables is None or table in self.tables or _layer(table) in self.tables

    def and_also(self, other: "Scope") -> "Scope":
        """What both of them let somebody see."""
        return Scope(_both(self.tables, other.tables), self.rows | other.rows, self.columns | other.columns)

    def shown(self, table: str) -> dict[str, str]:
        """Column -> what is shown in its place, for this table. Two different masks of one column hide it."""
        found: dict[str, str] = {}
        for rule in sorted(self.columns):
            if rule.table in ("", table):
                before = found.setdefault(rule.column, rule.shown)
                found[rule.column] = rule.shown if before == rule.shown else HIDE
        return found

    def hidden(self, table: str) -> frozenset[str]:
        """Columns of the table that may not be seen."""
        return frozenset(column for column, shown in self.shown(table).items() if shown == HIDE)

    def to_json(self) -> dict[str, Any]:
        """The scope as a document that is equal exactly for equal rights."""
        tables = None if self.tables is None else sorted(_without_double(self.tables))
        rows = [[rule.column, rule.operator, list(rule.values)] for rule in sorted(set(map(_plain, self.rows)))]
        return {"tables": tables, "rows": rows, "columns": [list(_parts(rule)) for rule in sorted(self.columns)]}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Scope":
        """The scope that `to_json` wrote."""
        tables = document["tables"]
        return cls(
            None if tables is None else frozenset(tables),
            frozenset(RowRule(column, operator, tuple(values)) for column, operator, values in document["rows"]),
            frozenset(ColumnRule(*parts) for parts in document["columns"]),
        )


def _plain(rule: RowRule) -> RowRule:
    # The order of values means something to `between` alone; there the lower one is written first.
    return replace(rule, values=rule.values if rule.operator == "between" else tuple(sorted(set(rule.values))))


def _parts(rule: ColumnRule) -> tuple[str, str, str]:
    return rule.table, rule.column, rule.shown


def _layer(table: str) -> str:
    layer, dot, _ = table.partition(".")
    return f"{layer}{dot}*"


def _without_double(tables: Iterable[str]) -> frozenset[str]:
    """The tables without those that stand beside their own layer."""
    names = frozenset(tables)
    return frozenset(name for name in names if name == _layer(name) or _layer(name) not in names)


def _both(first: frozenset[str] | None, second: frozenset[str] | None) -> frozenset[str] | None:
    """Tables that both sets name, each by itself or with its layer."""
    if first is None or second is None:
        return second if first is None else first
    return frozenset(name for name in first if Scope(second).sees(name)) | frozenset(
        name for name in second if Scope(first).sees(name)
    )
