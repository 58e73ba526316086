"""Whether a statement that was written back from its tree is still the same statement.

One rule: two trees are the same when they differ in nothing but places in the text and two ways of writing that
DuckDB itself uses for one thing; both are named here.
"""

from typing import Any

from lakehouse.query.guard_shapes import Node

VALUES_ALIAS = "valueslist"
"""What DuckDB calls a list of values without a name; it writes one back inside a subquery of that name."""

_OF_A_STAR = (
    "relation_name",
    "exclude_list",
    "replace_list",
    "qualified_exclude_list",
    "rename_list",
    "alias",
    "columns",
    "expr",
)
_OF_A_QUERY = ("modifiers", "where_clause", "group_expressions", "group_sets", "having", "sample", "qualify")


def as_written(constant: Node) -> None:
    """Turn a DOUBLE or BOOLEAN constant into a cast of its text, in place.

    DuckDB writes 1e3 back as 1000.0, which is a DECIMAL, and true as a cast.
    """
    value = constant["value"]
    content = value["value"]
    text = ("t" if content else "f") if isinstance(content, bool) else repr(content)
    child = {key: constant[key] for key in ("class", "type", "query_location")}
    child |= {"alias": "", "value": {"type": {"id": "VARCHAR", "type_info": None}, "is_null": False, "value": text}}
    del constant["value"]
    constant |= {
        "class": "CAST",
        "type": "OPERATOR_CAST",
        "child": child,
        "cast_type": value["type"],
        "try_cast": False,
    }


def same(tree: Node, again: Node) -> bool:
    """Whether both trees mean the same statement. It keeps its own stack: trees may be deep."""
    stack: list[tuple[Any, Any]] = [(tree, again)]
    while stack:
        one, other = stack.pop()
        if isinstance(one, dict):
            one, other = _plain_values(one), _plain_values(other)
            if not isinstance(other, dict) or one.keys() != other.keys():
                return False
            stack.extend((one[key], other[key]) for key in one if key != "query_location")
        elif isinstance(one, list):
            if not isinstance(other, list) or len(one) != len(other):
                return False
            stack.extend(zip(one, other, strict=True))
        elif one != other or type(one) is not type(other):
            return False
    return True


def _plain_values(node: Any) -> Any:
    """A list of values without the subquery `SELECT * FROM (VALUES ...) AS valueslist` around it."""
    if not isinstance(node, dict) or node.get("type") != "SUBQUERY" or node.get("alias") != VALUES_ALIAS:
        return node
    if node.get("sample") is not None or node.get("column_name_alias") != [] or "class" in node:
        return node
    query = node["subquery"]["node"]
    values = query.get("from_table", {})
    if values.get("type") != "EXPRESSION_LIST" or values.get("alias") != VALUES_ALIAS:
        return node
    return values if _is_star_alone(query) else node


def _is_star_alone(query: Node) -> bool:
    """Whether a query is `SELECT *` of its table and nothing else."""
    (star, *others) = query["select_list"]
    if others or star["class"] != "STAR" or any(star[key] for key in _OF_A_STAR):
        return False
    return query["cte_map"] == {"map": []} and not any(query.get(key) for key in _OF_A_QUERY)
