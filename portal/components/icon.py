"""Icons, by name.

One rule: an icon never speaks alone; the words beside it, or the label of its button, say the same.
"""

from functools import cache

from dash.development.base_component import Component

from portal import html
from portal.components.attributes import HIDDEN

PAGES = ("brand", "home", "revenue", "explore", "ask", "sql", "time", "pipelines", "data", "admin")
CONTROLS = (
    "search",
    "moon",
    "sun",
    "filter",
    "link",
    "left",
    "right",
    "close",
    "logout",
    "key",
    "warning",
    "info",
    "down",
    "rise",
    "fall",
    "same",
    "plus",
    "check",
    "more",
)
RUNS = ("refresh", "run", "wait", "circle", "stop")
NAMES = frozenset((*PAGES, *CONTROLS, *RUNS))
"""The icons of `assets/icons.css`."""


@cache
def icon(name: str, small: bool = False) -> Component:
    """One of `NAMES`, 16 pixels high, or 12, in the colour of the text around it. Made once: nobody changes it."""
    assert name in NAMES, name  # noqa: S101  # a wrong name is a mistake of ours, and would show nothing
    size = " lp-icon-small" if small else ""
    return html.Span(className=f"lp-icon is-{name}{size}", **HIDDEN)
