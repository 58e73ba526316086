"""What an address filters by: values of the text columns of a table, and ranges of its numbers.

One rule: all columns that a plan may filter by are alike here. A key of an address that is neither one of them nor the
page's own is refused in the words of the plan: no filter goes unheard, least of all one by a hidden column.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from lakehouse.errors import RequestWrong
from lakehouse.metrics.terms import Dimension, Filterable, Table
from portal.page import Visit

LEAST, MOST = ".min", ".max"
"""What follows a column's name in the keys of a range; no name of a column holds a dot."""
TAKEN = "column."
"""What stands before the name of a column that is called like a key of the page's own."""

Predicate = list[object]
"""One entry of `where` in a plan."""


@dataclass(frozen=True)
class Condition:
    """What an address says of one column: some values of a text, or one or both ends of a range of numbers."""

    column: Filterable
    key: str
    values: tuple[str, ...] = ()
    least: str = ""
    most: str = ""

    @property
    def is_range(self) -> bool:
        """Whether the column holds numbers."""
        return self.column.type.is_number

    @property
    def is_listed(self) -> bool:
        """Whether a plan can name the column's values."""
        return isinstance(self.column, Dimension)

    @property
    def is_active(self) -> bool:
        """Whether it lets through less than all."""
        return bool(self.values or self.least or self.most)

    @property
    def singular(self) -> str:
        """Its label inside a sentence; one that begins like an abbreviation keeps its capitals."""
        label = self.column.label
        return label if label[1:2].isupper() else f"{label[:1].lower()}{label[1:]}"

    @property
    def plural(self) -> str:
        """The same of several."""
        one = self.singular
        if re.search(r"[^aeiou]y$", one):
            return f"{one[:-1]}ies"
        return f"{one}es" if re.search(r"(s|x|z|ch|sh)$", one) else f"{one}s"

    @property
    def said(self) -> str:
        """What it lets through."""
        if self.is_range:
            ends = [f"from {self.least}" if self.least else "", f"up to {self.most}" if self.most else ""]
            return " ".join(filter(None, ends)) or "all"
        return f"{len(self.values)} chosen" if len(self.values) > 1 else self.values[0] if self.values else "all"

    @property
    def keys(self) -> tuple[str, ...]:
        """Its keys in an address."""
        return (self.key + LEAST, self.key + MOST) if self.is_range else (self.key,)

    @property
    def predicates(self) -> list[Predicate]:
        """The same for a plan."""
        name = self.column.name
        ends = ((">=", self.least), ("<=", self.most))
        inside: list[Predicate] = [[name, operator, _number(end)] for operator, end in ends if end]
        return [[name, "in", list(self.values)]] if self.values else inside


def read_conditions(table: Table, visit: Visit, own: Collection[str]) -> tuple[Condition, ...]:
    """Every column that an address may filter by, with what this one says of it, in the order of the model.

    `own` are the keys that mean something else. Raises `UnknownName` and `RequestWrong` for a key that means nothing.
    """
    found = tuple(_condition(column, visit, own) for column in _columns(table))
    known = {key for condition in found for key in condition.keys}
    for key, _ in visit.values:
        if key not in own and key not in known:
            _refuse(key, table, sorted(known))
    return found


def _columns(table: Table) -> Iterator[Filterable]:
    """Dimensions but those of time, then the other columns: texts and numbers."""
    dimensions = [dimension for dimension in table.dimensions if not dimension.is_time]
    yield from (column for column in (*dimensions, *table.filterables) if _is_fit(column))


def _is_fit(column: Filterable) -> bool:
    return column.type.is_number or column.type.kind == "text"


def _condition(column: Filterable, visit: Visit, own: Collection[str]) -> Condition:
    key = f"{TAKEN}{column.name}" if column.name in own else column.name
    if column.type.is_number:
        return Condition(column, key, least=visit.one(key + LEAST), most=visit.one(key + MOST))
    return Condition(column, key, values=visit.many(key))


def _refuse(key: str, table: Table, known: list[str]) -> None:
    name = key.removeprefix(TAKEN)
    for end in (LEAST, MOST):
        name = name.removesuffix(end)
    table.filterable(name)  # says what there is instead
    raise RequestWrong(f"The address filters by {key!r}, which is none of its keys: {', '.join(known)}.")


def _number(text: str) -> int | str:
    """The number as a plan writes it; what is none goes on as it is, for the plan to say so."""
    return int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else text
