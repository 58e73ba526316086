"""Links inside the portal: a new address without a new document.

One rule: a link is an ordinary `<a>`, so it works before and without any script. `dcc.Link` is not used: it refuses
`aria-current`, and it scrolls to the top at every click, also when only a filter changes.
"""

from collections.abc import Sequence
from typing import Any

from dash.development.base_component import Component

from portal import html
from portal.components.attributes import aria, heard

Children = Component | str | Sequence[Component | str]
"""What stands inside a component."""

Links = Sequence[tuple[str, str]]
"""Text and address of some links."""


def link(children: Children, href: str, class_name: str = "", current: str = "", **attributes: Any) -> Component:
    """A link that `assets/lakeport.js` follows in place; `current` is what `aria-current` says (`page`, `true`)."""
    marked = aria(current=current) if current else {}
    return html.A(children, href=href, className=class_name or None, **heard("link"), **marked, **attributes)


def buttons(links: Links) -> list[Component]:
    """Links as a row of buttons; nothing where there are none."""
    shown = [link(text, href, "lp-button") for text, href in links]
    return [html.Div(shown, className="lp-buttons")] if shown else []
