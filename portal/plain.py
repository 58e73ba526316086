"""Components as the plain dictionaries that a browser gets.

One rule: it changes nothing but the cost. Dash's own way walks every component three times; a page of 500 then takes
more time to write than to compute.
"""

from typing import Any

from dash.development.base_component import Component


def plain(tree: Any) -> Any:
    """The tree with every component as its dictionary; everything else stays as it is."""
    if isinstance(tree, Component):
        known = tree._prop_names
        props = {
            name: plain(value)
            for name, value in vars(tree).items()
            if name in known or name.startswith(("data-", "aria-"))
        }
        return {"props": props, "type": tree._type, "namespace": tree._namespace}
    if isinstance(tree, list | tuple):
        return [plain(one) for one in tree]
    return tree
