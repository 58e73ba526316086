"""The view through which a scope sees one pinned table: its rows under the row rules, its columns under the masks.

One rule: a view that cannot be made as the rules say is not made at all. Values reach it as DuckDB's own constants,
never as pieces of SQL.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import reduce
from itertools import count
from operator import and_
from typing import Any

import duckdb
from duckdb import (
    CaseExpression,
    ColumnExpression,
    ConstantExpression,
    Expression,
    FunctionExpression,
    StarExpression,
)

from lakehouse.errors import PolicyWrong
from lakehouse.query.scope import HASH, HIDE, LAST_FOUR, ColumnRule, RowRule, Scope

EVERY_ROW = 2**63 - 1
HASH_DIGITS = 16
HIDDEN_PART = "****"

_WHOLE_NUMBERS = ("tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint")
_NUMBERS = (*_WHOLE_NUMBERS, "decimal", "float", "double")

_COMPARED: Mapping[str, Callable[[Expression, Sequence[Expression]], Expression]] = {
    "=": lambda column, values: column.isin(*values),
    "in": lambda column, values: column.isin(*values),
    "!=": lambda column, values: column.isnotin(*values),
    "not in": lambda column, values: column.isnotin(*values),
    "<": lambda column, values: column < values[0],
    "<=": lambda column, values: column <= values[0],
    ">": lambda column, values: column > values[0],
    ">=": lambda column, values: column >= values[0],
    "between": lambda column, values: (column >= values[0]) & (column <= values[1]),
}


@dataclass(frozen=True)
class TableView:
    """One table as a scope sees it; `source` is SQL text that stands where a table may, and gives all its rows.

    `public`: its model says that row rules are not meant for it. `mask_key` is what hashes are made with, so that
    nobody can find a value by hashing guesses.
    """

    table: str
    source: str
    scope: Scope
    public: bool
    mask_key: str

    def sql(self, cursor: duckdb.DuckDBPyConnection, *, fenced: bool) -> str | None:
        """The SELECT behind the view; None when the table may not be seen at all. Raises `PolicyWrong`.

        `fenced` keeps expressions of a statement from being computed on rows that the rules take away, where an error
        would tell something about them.
        """
        source = f"FROM {self.source}"
        if not self.scope.rows and not self.scope.shown(self.table):
            return source
        relation = cursor.sql(source)
        types: dict[str, Any] = dict(zip(relation.columns, relation.types, strict=True))
        if any(rule.column not in types for rule in self.scope.rows) and not self.public:
            return None
        rules = [rule for rule in sorted(self.scope.rows) if rule.column in types]
        shown = self._columns(types)
        if not shown:
            return None
        if rules:
            relation = relation.filter(reduce(and_, (self._condition(rule, types[rule.column]) for rule in rules)))
        relation = relation.select(*shown)
        return (_fenced(relation) if fenced and rules else relation).sql_query()

    def _columns(self, types: Mapping[str, Any]) -> list[Expression]:
        """Every column that may be seen, in its place, under its own name."""
        masks = self.scope.shown(self.table)
        return [
            self._masked(ColumnRule(self.table, name, masks[name]), kind) if name in masks else ColumnExpression(name)
            for name, kind in types.items()
            if masks.get(name) != HIDE
        ]

    def _masked(self, rule: ColumnRule, kind: Any) -> Expression:
        column = ColumnExpression(rule.column)
        text = column.cast("VARCHAR")
        if rule.shown == HASH:
            digest = FunctionExpression("sha256", FunctionExpression("concat", ConstantExpression(self.mask_key), text))
            masked = FunctionExpression("left", digest, ConstantExpression(HASH_DIGITS))
        elif rule.shown == LAST_FOUR:
            masked = _last_four(text)
        elif kind.id in _NUMBERS:
            masked = FunctionExpression("round", column, ConstantExpression(-rule.digits)).cast(kind)
        else:
            raise self._unfit(rule.shown, rule.column, kind)
        return CaseExpression(column.isnotnull(), masked).alias(rule.column)

    def _condition(self, rule: RowRule, kind: Any) -> Expression:
        try:
            values = [_constant(value, kind) for value in rule.values]
        except (InvalidOperation, ValueError, OverflowError) as error:
            raise self._unfit(str(rule), rule.column, kind) from error
        if rule.operator not in _COMPARED:
            raise self._unfit(str(rule), rule.column, kind)
        return _COMPARED[rule.operator](ColumnExpression(rule.column), values)

    def _unfit(self, rule: str, column: str, kind: Any) -> PolicyWrong:
        return PolicyWrong(
            f"The rule {rule!r} does not fit {self.table}.{column}, which is of type {kind}, so nothing of that table "
            "is shown. An admin can mend the policy; `lakeport policy check` lists what does not fit."
        )


def _fenced(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """The same rows, made so that nothing which reads them can be computed on any others.

    DuckDB moves no filter below a LIMIT, and this one is never reached. And it computes some functions, those with a
    lambda among them, once for each value in the dictionary of a Parquet file instead of once for each row. An entry
    of a list whose place is not known beforehand comes without the dictionary; this one is always the first.
    """
    taken = {name.lower() for name in relation.columns}
    never = next(name for number in count() if (name := f"never_{number}") not in taken)
    is_below = FunctionExpression("random") < ConstantExpression(0)
    place = ConstantExpression(1) + ColumnExpression(never)
    columns = [
        FunctionExpression("list_extract", FunctionExpression("list_value", ColumnExpression(name)), place).alias(name)
        for name in relation.columns
    ]
    return relation.select(StarExpression(), is_below.cast("INTEGER").alias(never)).select(*columns).limit(EVERY_ROW)


def _last_four(text: Expression) -> Expression:
    """The end of a longer text; of a short one nothing, since its end would be all of it."""
    is_long = FunctionExpression("length", text) > ConstantExpression(2 * len(HIDDEN_PART))
    hidden = ConstantExpression(HIDDEN_PART)
    end = FunctionExpression("right", text, ConstantExpression(4))
    return CaseExpression(is_long, FunctionExpression("concat", hidden, end)).otherwise(hidden)


def _constant(value: str, kind: Any) -> Expression:
    """The value as a constant that compares with a column of this type without losing a digit."""
    if kind.id in _WHOLE_NUMBERS and Decimal(value) == int(Decimal(value)):
        return ConstantExpression(int(Decimal(value)))
    if kind.id in _WHOLE_NUMBERS or kind.id == "decimal":
        return ConstantExpression(Decimal(value))
    if kind.id in ("float", "double"):
        return ConstantExpression(float(value))
    if kind.id == "varchar":
        return ConstantExpression(value)
    return ConstantExpression(value).cast(kind)
