"""Random rights on the order lines, and what they leave, worked out in plain Python: no SQL, no code of the product.

One rule: a rule is kept as whoever writes the policy would write it, and is judged here by the value of one row.
"""

import datetime
import hashlib
import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from lakehouse.access.identity import Principal, Role
from lakehouse.access.rights import row_rule

TABLE = "marts.order_lines"
TEXTS = ("region", "product", "customer_id", "order_id", "line_id")
NUMBERS = ("quantity", "amount", "line_total")
COLUMNS = (*TEXTS, *NUMBERS, "order_date", "order_year", "order_month")
NEEDS: Mapping[str, frozenset[str]] = {
    "revenue": frozenset({"line_total"}),
    "orders": frozenset({"order_id"}),
    "customers": frozenset({"customer_id"}),
    "units": frozenset({"quantity"}),
    "average_order_value": frozenset({"line_total", "order_id"}),
}
"""Columns that a metric is made of."""

COMPARED: Mapping[str, Callable[[Any, tuple[Any, ...]], bool]] = {
    "=": lambda cell, values: cell == values[0],
    "!=": lambda cell, values: cell != values[0],
    "in": lambda cell, values: cell in values,
    "not in": lambda cell, values: cell not in values,
    "<": lambda cell, values: cell < values[0],
    "<=": lambda cell, values: cell <= values[0],
    ">": lambda cell, values: cell > values[0],
    ">=": lambda cell, values: cell >= values[0],
    "between": lambda cell, values: values[0] <= cell <= values[1],
}

Row = dict[str, Any]
Rule = tuple[str, str, tuple[Any, ...]]


@dataclass(frozen=True)
class Entry:
    """What the policy says of one user or role."""

    tables: tuple[str, ...] | None = None
    rules: tuple[Rule, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()

    def to_toml(self) -> str:
        """Its lines in the policy's file."""
        columns = ", ".join(f"{json.dumps(column)} = {json.dumps(shown)}" for column, shown in self.columns)
        rows = json.dumps([_written(rule) for rule in self.rules], ensure_ascii=False)
        tables = "" if self.tables is None else f"tables = {json.dumps(self.tables)}\n"
        return f"{tables}rows = {rows}\ncolumns = {{{columns}}}\n"


@dataclass(frozen=True)
class Person:
    """Somebody, with what the policy says of the role and of the name, and with rules that the store keeps."""

    name: str
    role: Role
    by_role: Entry
    by_name: Entry
    own: tuple[Rule, ...] = field(default=())

    @property
    def principal(self) -> Principal:
        return Principal(self.name, self.role, frozenset(row_rule(_written(rule)) for rule in self.own))

    @property
    def is_open(self) -> bool:
        """Whether the order lines may be seen at all."""
        granted = all(
            entry.tables is None or {TABLE, "marts.*"} & {*entry.tables} for entry in (self.by_role, self.by_name)
        )
        return granted and all(column in (*COLUMNS, "stock_code") for column, _, _ in self._rules)

    @property
    def hidden(self) -> frozenset[str]:
        return frozenset(column for column, shown in self._shown().items() if shown == "hide")

    def refuses(self, plan: Mapping[str, Any]) -> bool:
        """Whether the plan uses what is hidden."""
        used = {entry.partition(":")[0] for entry in plan.get("by", [])} | {one[0] for one in plan.get("where", [])}
        used |= {"order_date"} if "time" in plan else set()
        return bool(used & self.hidden) or any(NEEDS[metric] & self.hidden for metric in plan["metrics"])

    @property
    def sees_metrics(self) -> bool:
        return self.is_open and any(not needed & self.hidden for needed in NEEDS.values())

    def left(self, rows: Iterable[Row], key: str) -> list[Row]:
        """The rows that this person sees, with what stands for the columns that are masked."""
        shown = self._shown()
        return [
            {column: _masked(value, shown.get(column, ""), key) for column, value in row.items()}
            for row in rows
            if all(fits(rule, row) for rule in self._rules)
        ]

    @property
    def _rules(self) -> tuple[Rule, ...]:
        return *self.by_role.rules, *self.by_name.rules, *self.own

    def _shown(self) -> dict[str, str]:
        found: dict[str, set[str]] = {}
        for name, shown in (*self.by_role.columns, *self.by_name.columns):
            table, _, column = name.rpartition(".")
            if table in ("", TABLE):
                found.setdefault(column, set()).add(shown)
        return {column: one.pop() if len(one) == 1 else "hide" for column, one in found.items()}


def policy(people: Sequence[Person]) -> str:
    """The policy's file of some people; those of one role share what it says of the role."""
    roles = {person.role: person.by_role for person in people}
    said = [f"[roles.{role}]\n{entry.to_toml()}" for role, entry in roles.items()]
    return "\n".join([*said, *(f"[users.{person.name}]\n{person.by_name.to_toml()}" for person in people)])


def fits(rule: Rule, row: Row) -> bool:
    """Whether a row may be seen: NULL fits nothing."""
    column, operator, values = rule
    cell = row[column]
    if cell is None:
        return False
    return COMPARED[operator](cell, values)


def random_people(chance: random.Random, rows: Sequence[Row]) -> list[Person]:
    """Two or three people; the roles of some are the same."""
    roles: tuple[Role, ...] = ("viewer", "analyst", "engineer")
    by_role = {role: random_entry(chance, rows, usual=0.5) for role in roles}
    people = []
    for name in chance.sample(("ana", "ben", "cem", "dan"), chance.choice((2, 2, 3))):
        role = chance.choice(roles)
        own = tuple(random_rule(chance, rows) for _ in range(chance.choice((0, 0, 1))))
        people.append(Person(name, role, by_role[role], random_entry(chance, rows, usual=0.2), own))
    return people


def random_entry(chance: random.Random, rows: Sequence[Row], usual: float) -> Entry:
    """What a policy may say; with the chance `usual` nothing."""
    if chance.random() < usual:
        return Entry(("marts.*",))
    tables = chance.choice((None, None, None, ("marts.*",), (TABLE, "staging.*"), ("marts.daily_revenue",)))
    rules = tuple(random_rule(chance, rows) for _ in range(chance.choice((0, 1, 1, 2))))
    columns = {}
    for _ in range(chance.choice((0, 0, 1, 2))):
        column = chance.choice(COLUMNS)
        masks = ["hash", "last four"] if column in TEXTS else ["round 10", "round 100"] if column in NUMBERS else []
        columns[chance.choice(("", "", f"{TABLE}.", "raw.sales.")) + column] = chance.choice(["hide", *masks, *masks])
    return Entry(tables, rules, tuple(columns.items()))


def random_rule(chance: random.Random, rows: Sequence[Row]) -> Rule:
    """A rule that some rows fit; now and then one on a column that the table lacks."""
    if chance.random() < 0.04:
        return "country", "=", ("France",)
    column = chance.choice(("region", "region", "product", *COLUMNS))
    operator = chance.choice(("=", "!=", "in", "in", "not in", "<", "<=", ">", ">=", "between"))
    size = chance.randint(1, 4) if operator in ("in", "not in") else 2 if operator == "between" else 1
    values = [chance.choice(rows)[column] for _ in range(size)]
    if isinstance(values[0], str) and chance.random() < 0.1:
        values[0] = chance.choice(("north", "' or true --", "", "Ünknown \U0001f600"))
    return column, operator, tuple(sorted(values) if operator == "between" else values)


def _written(rule: Rule) -> list[Any]:
    column, operator, values = rule
    plain = [str(value) if isinstance(value, Decimal | datetime.date) else value for value in values]
    return [column, operator, plain if operator in ("in", "not in", "between") else plain[0]]


def _masked(value: Any, shown: str, key: str) -> Any:
    if value is None or not shown:
        return value
    if shown == "hide":
        return None
    if shown == "hash":
        return hashlib.sha256(f"{key}{value}".encode()).hexdigest()[:16]
    if shown == "last four":
        return "****" + (value[-4:] if len(value) > 8 else "")
    size = int(shown.removeprefix("round "))
    tens = (Decimal(value) / size).quantize(Decimal(1), ROUND_HALF_UP) * size
    return int(tens) if isinstance(value, int) else tens
