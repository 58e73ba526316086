"""The walk over a statement's tree: everything in it is looked at, and what is not known to be harmless is refused.

One rule: no node is followed before its own shape has been checked, and none is left out. The walk keeps its own
stack, so that no depth of nesting can exhaust Python's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lakehouse.query.guard_functions import CLOCK_NAMES, SESSION_NAMES, fold, is_stable, why_not
from lakehouse.query.guard_shapes import SHAPES, Node, Unexpected, kind_of
from lakehouse.query.guard_types import NAMED_TYPES, TYPES

MOST_NODES = 30_000
DEEPEST = 250
"""Limits of one statement; a query that people or tools write has some hundred nodes and is ten or twenty deep."""

NOWHERE = 2**64 - 1
"""What DuckDB writes when it does not know where a node stands in the text."""

_SYSTEM_BEGINNINGS = ("duckdb_", "pg_", "pragma_", "sqlite_", "information_schema")
_CLOSED_KINDS = {
    "SHOW_REF": "Tables and columns are listed by `lakeport tables` and `lakeport describe TABLE`, not by SQL.",
    "PARAMETER": "There are no parameters here; write the value itself.",
    "DEFAULT": "DEFAULT has no meaning in a question.",
    "GENERIC_TYPE_INFO": "Types of that kind are not available here.",
    "COLUMN_DATA": "Data from outside the statement cannot be used here.",
}
_CLOSED_KEYS = {
    "at_clause": "AT is not available here; ask the whole question of an earlier version instead (`--at VERSION`).",
    "pivot_enum": "PIVOT takes its values from a list: PIVOT table ON column IN ('a', 'b') USING sum(value).",
    "named_param_map": "There are no parameters here; write the value itself.",
    "catalog": "Names of types and columns are written without a database before them.",
    "schema": "Names of types are written without a schema before them.",
    "alias": "Types of that kind are not available here.",
}

Scope = frozenset[str]
"""Folded names of the WITH queries that may be used at a place."""


class Refused(Exception):
    """What is not allowed, as a sentence, and where it stands in the text (bytes from its beginning)."""

    def __init__(self, sentence: str, place: int = NOWHERE) -> None:
        super().__init__(sentence)
        self.place = place


@dataclass
class Walk:
    """One walk: what may be read, and what was found."""

    visible: Mapping[str, str]
    """Folded logical name -> logical name."""

    read: set[str] = field(default_factory=set)
    stable: bool = True
    rewritten: list[Node] = field(default_factory=list)
    """Constants that DuckDB writes back as another type."""

    def over(self, statement: Node) -> None:
        """Look at everything; raises `Refused`."""
        stack: list[tuple[str, Any, Scope, int]] = [("statement", statement, frozenset(), 0)]
        seen, place = 0, NOWHERE
        while stack:
            family, node, scope, depth = stack.pop()
            seen += 1
            if seen > MOST_NODES:
                raise Refused(f"The statement has more than {MOST_NODES:,} parts. Ask for less at a time.")
            if depth > DEEPEST:
                raise Refused(f"The statement is nested more than {DEEPEST} deep. Ask in a simpler way.")
            if not isinstance(node, dict):
                raise Refused(_unknown(family), place)
            place = node.get("query_location", place)
            for child in self._children(family, node, scope, place):
                stack.append((*child, depth + 1))

    def _children(self, family: str, node: Node, scope: Scope, place: int) -> list[tuple[str, Any, Scope]]:
        kind = kind_of(family, node)
        shape = SHAPES[family].get(kind)
        if shape is None:
            raise Refused(_CLOSED_KINDS.get(kind, _unknown(f"{family} {kind}")), place)
        if node.keys() != shape.keys():
            raise Refused(_unknown(f"{family} {kind}"), place)
        children: list[tuple[str, Any]] = []
        for key, part in shape.items():
            try:
                children.extend(part(node[key]))
            except (Unexpected, TypeError) as error:
                raise Refused(_CLOSED_KEYS.get(key, _unknown(f"{key} of {kind or family}")), place) from error
        judge = _JUDGES.get(kind if family in ("table", "expression") else family)
        if judge is not None:
            judge(self, node, scope, place)
        if family == "query":
            return _scoped(kind, node, children, scope)
        return [(child_family, child, scope) for child_family, child in children]

    def _base_table(self, node: Node, scope: Scope, place: int) -> None:
        schema, table = fold(node["schema_name"]), fold(node["table_name"])
        if node["catalog_name"]:
            raise Refused(f"A table is named by its layer and its name alone. {self._choices()}", place)
        if not schema and table in scope:
            return
        name = self.visible.get(f"{schema}.{table}") if schema else None
        if name is None:
            asked = f"{node['schema_name']}.{node['table_name']}" if schema else node["table_name"]
            raise Refused(f"No table named {_short(asked)!r}. {self._choices()}", place)
        self.read.add(name)

    def _table_call(self, node: Node, scope: Scope, place: int) -> None:
        if fold(node["schema"]) not in ("", "main") or node["catalog"]:
            raise Refused("A function in FROM is written without a schema before its name.", place)
        self._named(node, "table", place)

    def _call(self, node: Node, scope: Scope, place: int) -> None:
        # What stands before the name may be a column (`note.upper()`); the verdict holds for the name in every schema.
        self._named(node, "call", place)

    def _named(self, node: Node, where: str, place: int) -> None:
        name = fold(node["function_name"])
        closed = why_not(name, where)
        if closed is not None:
            tables = f" {self._choices()}" if where == "table" else ""
            raise Refused(_short(closed, 200) + tables, place)
        self.stable = self.stable and is_stable(name, where)

    def _column(self, node: Node, scope: Scope, place: int) -> None:
        if len(node["column_names"]) != 1:
            return
        name = fold(node["column_names"][0])
        if name in SESSION_NAMES:
            raise Refused(f"{name} would tell of the session. A column of that name is written table.{name}.", place)
        self.stable = self.stable and name not in CLOCK_NAMES

    def _constant(self, node: Node, scope: Scope, place: int) -> None:
        value = node["value"]
        if isinstance(value, dict) and isinstance(value.get("type"), dict) and value.get("is_null") is False:
            kind, content = value["type"].get("id"), value.get("value")
            if kind in ("DOUBLE", "BOOLEAN") and isinstance(content, float | bool):
                self.rewritten.append(node)

    def _sample(self, node: Node, scope: Scope, place: int) -> None:
        self.stable = False

    def _type(self, node: Node, scope: Scope, place: int) -> None:
        if node["id"] not in TYPES:
            raise Refused(f"The type {_short(node['id'])} is not available here.", place)

    def _type_info(self, node: Node, scope: Scope, place: int) -> None:
        if node["type"] == "UNBOUND_TYPE_INFO" and fold(node["name"]) not in NAMED_TYPES:
            raise Refused(f"There is no type named {_short(node['name'])!r}.", place)

    def _with_entry(self, node: Node, scope: Scope, place: int) -> None:
        name, query = fold(node["key"]), node["value"]
        if name.startswith(_SYSTEM_BEGINNINGS) or any(sign in name for sign in "./\\*?:"):
            raise Refused(f"A WITH query may not be called {_short(node['key'])!r}; give it a plain name.", place)
        inner = query.get("query", {}).get("node", {}) if isinstance(query, dict) else {}
        if inner.get("type") == "RECURSIVE_CTE_NODE" and fold(str(inner.get("cte_name"))) != name:
            raise Refused(_unknown("recursion"), place)

    def _choices(self) -> str:
        names = sorted(self.visible.values())
        return f"Tables you can ask: {', '.join(names)}." if names else "There is no table that you can ask."


_JUDGES: Mapping[str, Callable[[Walk, Node, Scope, int], None]] = {
    "BASE_TABLE": Walk._base_table,
    "table call": Walk._table_call,
    "FUNCTION": Walk._call,
    "WINDOW": Walk._call,
    "COLUMN_REF": Walk._column,
    "CONSTANT": Walk._constant,
    "sample": Walk._sample,
    "type": Walk._type,
    "type info": Walk._type_info,
    "with entry": Walk._with_entry,
}


def _scoped(kind: str, node: Node, children: list[tuple[str, Any]], scope: Scope) -> list[tuple[str, Any, Scope]]:
    """The parts of a query with what WITH names each of them sees.

    A WITH query sees those before it; the rest of the statement sees all; a recursive one sees itself on its right.
    """
    found: list[tuple[str, Any, Scope]] = []
    entries = node["cte_map"].get("map") if isinstance(node["cte_map"], dict) else None
    if not isinstance(entries, list) or node["cte_map"].keys() != {"map"}:
        raise Refused(_unknown("WITH"))
    for entry in entries:
        found.append(("with entry", entry, scope))
        if isinstance(entry, dict):
            scope = scope | {fold(str(entry.get("key")))}
    for family, child in children:
        if family == "with":
            continue
        inside = scope
        if kind == "RECURSIVE_CTE_NODE" and child is not node["left"]:
            inside = scope | {fold(node["cte_name"])}
        found.append((family, child, inside))
    return found


def _unknown(what: str) -> str:
    return f"The statement uses something that is not known to be harmless ({_short(what.strip().lower(), 80)})."


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[:most]}..."
