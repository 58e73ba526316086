"""Components as the plain dictionaries that a browser gets.

One rule: it changes nothing but the cost. Dash's own way walks every component three times; a page of 500 then takes
more time to write than to compute.
"""

from typing import Any

from dash.development.base_component import Component

from portal.html import NAMESPACE, Element


def plain(tree: Any) -> Any:
    """The tree with every component as its dictionary; everything else stays as it is."""
    if isinstance(tree, Component):
        kind, namespace, props = parts(tree)
        return {"props": {name: plain(value) for name, value in props.items()}, "type": kind, "namespace": namespace}
    if isinstance(tree, list | tuple):
        return [plain(one) for one in tree]
    return tree


def parts(component: Component) -> tuple[str, str, dict[str, Any]]:
    """A component's type, its namespace, and its properties as they stand."""
    if isinstance(component, Element):
        return component.kind, NAMESPACE, component.props
    known = component._prop_names
    props = {
        name: value for name, value in vars(component).items() if name in known or name.startswith(("data-", "aria-"))
    }
    return component._type, component._namespace, props
