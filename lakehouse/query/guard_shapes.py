"""Every shape that a checked statement may have: kinds of nodes, and for each kind every key and what may stand there.

One rule: what is not written down here is refused, a new key of a known node as much as a new kind of node. The names
are those of DuckDB's `json_serialize_sql` with nothing skipped.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Node = dict[str, Any]
Part = Callable[[Any], "Iterator[tuple[str, Any]]"]
"""Takes the value of a key and gives the nodes in it with their families; raises `Unexpected` for any other value."""

Shape = Mapping[str, Part]


class Unexpected(Exception):
    """A value that no shape allows at its place."""


def text(value: Any) -> Iterator[tuple[str, Any]]:
    """Any text."""
    return _plain(isinstance(value, str))


def names(value: Any) -> Iterator[tuple[str, Any]]:
    """A list of texts."""
    return _plain(isinstance(value, list) and all(isinstance(name, str) for name in value))


def flag(value: Any) -> Iterator[tuple[str, Any]]:
    """True or false."""
    return _plain(isinstance(value, bool))


def whole(value: Any) -> Iterator[tuple[str, Any]]:
    """A whole number."""
    return _plain(isinstance(value, int) and not isinstance(value, bool))


def anything(value: Any) -> Iterator[tuple[str, Any]]:
    """A value that is data and nothing else: the content of a constant, whose type is judged beside it."""
    return iter(())


def index_sets(value: Any) -> Iterator[tuple[str, Any]]:
    """Grouping sets: lists of places in the list of groups."""
    return _plain(all(isinstance(place, int) for places in value for place in places))


def always(expected: Any) -> Part:
    """Exactly this value: a key that untrusted statements must leave alone."""
    return lambda value: _plain(value == expected)


def among(*choices: str) -> Part:
    """One of these texts."""
    allowed = frozenset(choices)
    return lambda value: _plain(isinstance(value, str) and value in allowed)


def one(family: str) -> Part:
    """One node."""
    return lambda value: iter(((family, value),))


def maybe(family: str) -> Part:
    """One node or nothing."""
    return lambda value: iter(()) if value is None else iter(((family, value),))


def many(family: str) -> Part:
    """A list of nodes."""

    def part(value: Any) -> Iterator[tuple[str, Any]]:
        if not isinstance(value, list):
            raise Unexpected
        return iter([(family, node) for node in value])

    return part


def rows(family: str) -> Part:
    """A list of lists of nodes."""

    def part(value: Any) -> Iterator[tuple[str, Any]]:
        if not isinstance(value, list) or not all(isinstance(row, list) for row in value):
            raise Unexpected
        return iter([(family, node) for row in value for node in row])

    return part


def _plain(fits: bool) -> Iterator[tuple[str, Any]]:
    if not fits:
        raise Unexpected
    return iter(())


def _expression(*kinds: str, **parts: Part) -> Shape:
    return {"class": text, "type": among(*kinds), "alias": text, "query_location": whole, **parts}


def _table(**parts: Part) -> Shape:
    return {"type": text, "alias": text, "sample": maybe("sample"), "query_location": whole, **parts}


def _query(**parts: Part) -> Shape:
    return {"type": text, "modifiers": many("modifier"), "cte_map": one("with"), **parts}


def _type(**parts: Part) -> Shape:
    return {"type": text, "alias": always(""), "extension_info": always(None), **parts}


EXPRESSION, MANY = one("expression"), many("expression")
MAYBE = maybe("expression")
COMPARISONS = (
    "COMPARE_EQUAL",
    "COMPARE_NOTEQUAL",
    "COMPARE_LESSTHAN",
    "COMPARE_GREATERTHAN",
    "COMPARE_LESSTHANOREQUALTO",
    "COMPARE_GREATERTHANOREQUALTO",
    "COMPARE_DISTINCT_FROM",
    "COMPARE_NOT_DISTINCT_FROM",
)
OPERATORS = (
    "OPERATOR_NOT",
    "OPERATOR_IS_NULL",
    "OPERATOR_IS_NOT_NULL",
    "OPERATOR_COALESCE",
    "OPERATOR_NULLIF",
    "OPERATOR_TRY",
    "OPERATOR_UNPACK",
    "COMPARE_IN",
    "COMPARE_NOT_IN",
    "ARRAY_EXTRACT",
    "ARRAY_SLICE",
    "ARRAY_CONSTRUCTOR",
    "STRUCT_EXTRACT",
    "GROUPING_FUNCTION",
)
WINDOWS = (
    "WINDOW_AGGREGATE",
    "WINDOW_RANK",
    "WINDOW_RANK_DENSE",
    "WINDOW_NTILE",
    "WINDOW_PERCENT_RANK",
    "WINDOW_CUME_DIST",
    "WINDOW_ROW_NUMBER",
    "WINDOW_FIRST_VALUE",
    "WINDOW_LAST_VALUE",
    "WINDOW_LEAD",
    "WINDOW_LAG",
    "WINDOW_NTH_VALUE",
    "WINDOW_FILL",
)
_BOUNDS = among(
    "UNBOUNDED_PRECEDING",
    "UNBOUNDED_FOLLOWING",
    *(
        f"{place}_{unit}"
        for place in ("CURRENT_ROW", "EXPR_PRECEDING", "EXPR_FOLLOWING")
        for unit in ("RANGE", "ROWS", "GROUPS")
    ),
)
_CALL: dict[str, Part] = {
    "function_name": text,
    "schema": text,
    "children": MANY,
    "filter": MAYBE,
    "order_bys": one("order"),
    "distinct": flag,
    "is_operator": flag,
    "export_state": always(False),
    "catalog": text,
}
_QUALIFIED: Shape = {"catalog": always(""), "schema": text, "table": text, "column": text}

SHAPES: Mapping[str, Mapping[str, Shape]] = {
    "statement": {"": {"node": one("query"), "named_param_map": always([])}},
    "query": {
        "SELECT_NODE": _query(
            select_list=MANY,
            from_table=one("table"),
            where_clause=MAYBE,
            group_expressions=MANY,
            group_sets=index_sets,
            aggregate_handling=among("STANDARD_HANDLING", "FORCE_AGGREGATES"),
            having=MAYBE,
            sample=maybe("sample"),
            qualify=MAYBE,
        ),
        "SET_OPERATION_NODE": _query(
            setop_type=among("UNION", "EXCEPT", "INTERSECT", "UNION_BY_NAME"),
            left=one("query"),
            right=one("query"),
            setop_all=flag,
        ),
        "RECURSIVE_CTE_NODE": _query(
            cte_name=text, union_all=flag, left=one("query"), right=one("query"), aliases=names, key_targets=MANY
        ),
    },
    "with": {"": {"map": many("with entry")}},
    "with entry": {"": {"key": text, "value": one("with query")}},
    "with query": {
        "": {
            "aliases": names,
            "query": one("statement"),
            "materialized": among("CTE_MATERIALIZE_DEFAULT", "CTE_MATERIALIZE_ALWAYS", "CTE_MATERIALIZE_NEVER"),
            "key_targets": MANY,
        }
    },
    "modifier": {
        "LIMIT_MODIFIER": {"type": text, "limit": MAYBE, "offset": MAYBE},
        "LIMIT_PERCENT_MODIFIER": {"type": text, "limit": MAYBE, "offset": MAYBE},
        "DISTINCT_MODIFIER": {"type": text, "distinct_on_targets": MANY},
        "ORDER_MODIFIER": {"type": text, "orders": many("ordered")},
    },
    "order": {"ORDER_MODIFIER": {"type": text, "orders": many("ordered")}},
    "ordered": {
        "": {
            "type": among("ORDER_DEFAULT", "ASCENDING", "DESCENDING"),
            "null_order": among("ORDER_DEFAULT", "NULLS FIRST", "NULLS LAST", "NULLS_FIRST", "NULLS_LAST"),
            "expression": EXPRESSION,
        }
    },
    "table": {
        "EMPTY": _table(),
        "BASE_TABLE": _table(
            schema_name=text,
            table_name=text,
            column_name_alias=names,
            catalog_name=text,
            at_clause=always(None),
        ),
        "SUBQUERY": _table(subquery=one("statement"), column_name_alias=names),
        "TABLE_FUNCTION": _table(
            function=one("table call"),
            column_name_alias=names,
            with_ordinality=among("WITHOUT_ORDINALITY", "WITH_ORDINALITY"),
        ),
        "JOIN": _table(
            left=one("table"),
            right=one("table"),
            condition=MAYBE,
            join_type=among("INNER", "LEFT", "RIGHT", "FULL", "OUTER", "SEMI", "ANTI"),
            ref_type=among("REGULAR", "NATURAL", "CROSS", "POSITIONAL", "ASOF"),
            using_columns=names,
            delim_flipped=always(False),
            duplicate_eliminated_columns=always([]),
        ),
        "EXPRESSION_LIST": _table(expected_names=names, expected_types=many("type"), values=rows("expression")),
        "PIVOT": _table(
            source=one("table"),
            aggregates=MANY,
            unpivot_names=names,
            pivots=many("pivot"),
            groups=names,
            column_name_alias=names,
            include_nulls=flag,
        ),
    },
    "pivot": {
        "": {
            "pivot_expressions": MANY,
            "unpivot_names": names,
            "entries": many("pivot entry"),
            "pivot_enum": always(""),
        }
    },
    "pivot entry": {"": {"values": many("value"), "star_expr": MAYBE, "alias": text}},
    "sample": {
        "": {
            "sample_size": one("value"),
            "is_percentage": flag,
            "method": among("Reservoir", "System", "Bernoulli"),
            "seed": whole,
        }
    },
    "table call": {"FUNCTION": _expression("FUNCTION", **_CALL)},
    "expression": {
        "BETWEEN": _expression("COMPARE_BETWEEN", input=EXPRESSION, lower=EXPRESSION, upper=EXPRESSION),
        "CASE": _expression("CASE_EXPR", case_checks=many("case"), else_expr=EXPRESSION),
        "CAST": _expression("OPERATOR_CAST", child=EXPRESSION, cast_type=one("type"), try_cast=flag),
        "COLLATE": _expression("COLLATE", child=EXPRESSION, collation=text),
        "COLUMN_REF": _expression("COLUMN_REF", column_names=names),
        "COMPARISON": _expression(*COMPARISONS, left=EXPRESSION, right=EXPRESSION),
        "CONJUNCTION": _expression("CONJUNCTION_AND", "CONJUNCTION_OR", children=MANY),
        "CONSTANT": _expression("VALUE_CONSTANT", value=one("value")),
        "FUNCTION": _expression("FUNCTION", **_CALL),
        "LAMBDA": _expression("LAMBDA", lhs=EXPRESSION, expr=EXPRESSION),
        "OPERATOR": _expression(*OPERATORS, children=MANY),
        "POSITIONAL_REFERENCE": _expression("POSITIONAL_REFERENCE", index=whole),
        "STAR": _expression(
            "STAR",
            relation_name=text,
            exclude_list=names,
            replace_list=many("replacement"),
            columns=flag,
            expr=MAYBE,
            qualified_exclude_list=many("qualified"),
            rename_list=many("renaming"),
        ),
        "SUBQUERY": _expression(
            "SUBQUERY",
            subquery_type=among("SCALAR", "EXISTS", "NOT_EXISTS", "ANY"),
            subquery=one("statement"),
            child=MAYBE,
            comparison_type=among("INVALID", *COMPARISONS),
        ),
        "WINDOW": _expression(
            *WINDOWS,
            function_name=text,
            schema=text,
            catalog=text,
            children=MANY,
            partitions=MANY,
            orders=many("ordered"),
            start=_BOUNDS,
            end=_BOUNDS,
            start_expr=MAYBE,
            end_expr=MAYBE,
            offset_expr=MAYBE,
            default_expr=MAYBE,
            ignore_nulls=flag,
            filter_expr=MAYBE,
            exclude_clause=among("NO_OTHER", "CURRENT_ROW", "GROUP", "TIES"),
            distinct=flag,
            arg_orders=many("ordered"),
        ),
    },
    "case": {"": {"when_expr": EXPRESSION, "then_expr": EXPRESSION}},
    "replacement": {"": {"key": text, "value": EXPRESSION}},
    "qualified": {"": _QUALIFIED},
    "renaming": {"": {"key": one("qualified"), "value": text}},
    "value": {
        "given": {"type": one("type"), "is_null": always(False), "value": anything},
        "null": {"type": one("type"), "is_null": always(True)},
    },
    "type": {"": {"id": text, "type_info": maybe("type info")}},
    "type info": {
        "DECIMAL_TYPE_INFO": _type(width=whole, scale=whole),
        "LIST_TYPE_INFO": _type(child_type=one("type")),
        "ARRAY_TYPE_INFO": _type(child_type=one("type"), size=whole),
        "STRUCT_TYPE_INFO": _type(child_types=many("field")),
        "UNBOUND_TYPE_INFO": _type(name=text, catalog=always(""), schema=always(""), user_type_modifiers=many("value")),
    },
    "field": {"": {"first": text, "second": one("type")}},
}
"""Family of nodes -> kind ("" where a family has only one) -> key -> what may stand there."""


def kind_of(family: str, node: Node) -> str:
    """The kind under which a node's shape is written down."""
    if family in ("expression", "table call"):
        return str(node.get("class"))
    if family == "value":
        return "null" if node.get("is_null") is True else "given"
    return "" if "" in SHAPES[family] else str(node.get("type"))
