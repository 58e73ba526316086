"""The policy of a lake: which tables, rows and columns each role and each user may see, as `policy.toml` says it.

One rule: what a user's own entries say comes on top of his role's, and only takes away.
"""

import datetime
import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from lakehouse.access.identity import Role
from lakehouse.query.scope import OPERATORS, SETS, ColumnRule, RowRule, Scope, is_shown
from lakehouse.settings.section import NAME, Section

TABLE = r"^[a-z][a-z0-9_]*\.([a-z0-9_]+|\*)$"
MOST_VALUES = 1000


def row_rule(given: Any) -> RowRule:
    """The rule that `[column, operator, value]` or `[column, operator, [values]]` means. Raises `ValueError`."""
    if isinstance(given, RowRule):
        return given
    if not isinstance(given, list | tuple) or len(given) != 3:
        raise ValueError('write a rule as [column, operator, value], such as ["region", "in", ["North", "South"]]')
    column, operator, value = given
    if not isinstance(column, str) or not re.fullmatch(NAME, column):
        raise ValueError(f"{column!r} is not the name of a column")
    if operator not in OPERATORS:
        raise ValueError(f"unknown operator {operator!r}; operators: {', '.join(OPERATORS)}")
    values = value if isinstance(value, list | tuple) else [value]
    wanted = 2 if operator == "between" else None if operator in SETS else 1
    if len(values) > MOST_VALUES or not values or (wanted is not None and len(values) != wanted):
        raise ValueError(f"{operator!r} takes {wanted or f'1 to {MOST_VALUES:,}'} values, not {len(values):,}")
    return RowRule(column, operator, tuple(_text(one) for one in values))


def _text(value: Any) -> str:
    """A value as text, which the column's own type reads again."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, int | float):
        return repr(value)
    if not isinstance(value, str) or "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
        raise ValueError(f"{value!r} is no text, number, date or truth value")
    return value


def _shown(text: str) -> str:
    if not is_shown(text):
        raise ValueError(f"unknown column rule {text!r}; write hide, hash, last four, or round 100 (a power of ten)")
    return text


ColumnName = Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]*\.[a-z0-9_]+\.)?[a-z][a-z0-9_]{0,62}$")]
Rule = Annotated[
    RowRule,
    BeforeValidator(row_rule),
    PlainSerializer(lambda rule: [rule.column, rule.operator, list(rule.values)]),
]


class Rights(Section):
    """What a role or a user may see."""

    tables: tuple[Annotated[str, Field(pattern=TABLE)], ...] | None = Field(
        None, description="Tables, such as marts.order_lines or marts.*; without it every table."
    )
    rows: tuple[Rule, ...] = Field((), description='Row rules, such as ["region", "in", ["North", "South"]].')
    columns: dict[ColumnName, Annotated[str, AfterValidator(_shown)]] = Field(
        default_factory=dict, description="What stands for a column: hide, hash, last four, or round 100."
    )

    @property
    def scope(self) -> Scope:
        """The same as a scope."""
        tables = None if self.tables is None else frozenset(self.tables)
        return Scope(tables, frozenset(self.rows), frozenset(map(_column_rule, self.columns.items())))


def _column_rule(entry: tuple[str, str]) -> ColumnRule:
    table, _, column = entry[0].rpartition(".")
    return ColumnRule(table, column, entry[1])


DEFAULTS: dict[Role, Rights] = {
    "viewer": Rights(tables=("marts.*",)),
    "analyst": Rights(tables=("marts.*", "staging.*")),
}
"""What a role may see that the policy does not name; engineers and admins see everything."""


class Policy(Section):
    """The rights of all roles and users. A role that is not named has the rights that `DEFAULTS` gives it."""

    roles: dict[Role, Rights] = Field(default_factory=dict, description="Rights by role.")
    users: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._@-]{0,99}$")], Rights] = Field(
        default_factory=dict, description="Rights by user, on top of those of the role."
    )

    def scope(self, name: str, role: Role, rules: Iterable[RowRule] = ()) -> Scope:
        """What a user may see: what the role may, less what the user's own entries and `rules` take away."""
        granted = self.roles.get(role) or DEFAULTS.get(role) or Rights()
        own = self.users.get(name) or Rights()
        return granted.scope.and_also(own.scope).and_also(Scope(rows=frozenset(rules)))
