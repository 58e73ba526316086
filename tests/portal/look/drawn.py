"""Components as tests see them: as the tree that a browser is sent.

One rule: what is found here went through the JSON that Dash sends.
"""

import json
from collections.abc import Iterator
from typing import Any

from dash.development.base_component import Component
from plotly.utils import PlotlyJSONEncoder

Node = dict[str, Any]


def tree(component: Component) -> Node:
    """The component as the browser gets it."""
    drawn: Node = json.loads(json.dumps(component, cls=PlotlyJSONEncoder))
    return drawn


def nodes(component: Component | Node) -> Iterator[Node]:
    """The component and everything in it, in the order of the page."""
    node = tree(component) if isinstance(component, Component) else component
    yield node
    children = node["props"].get("children")
    for child in children if isinstance(children, list) else [children]:
        if isinstance(child, dict):
            yield from nodes(child)


def found(component: Component, class_name: str) -> list[Node]:
    """The parts that carry a class."""
    return [node for node in nodes(component) if class_name in (node["props"].get("className") or "").split()]


def types(component: Component, name: str) -> list[Node]:
    """The parts of a type, such as `Th`."""
    return [node for node in nodes(component) if node["type"] == name]


def text(node: Node | str | list[Any] | None) -> str:
    """The words in a part, as they are read."""
    if isinstance(node, dict):
        return text(node["props"].get("children"))
    if isinstance(node, list):
        return "".join(text(child) for child in node)
    return node or ""
