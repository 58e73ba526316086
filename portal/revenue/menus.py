"""The menu of a tile or card: what its numbers are, the same as a table, the same as a file.

One rule: everything that is offered holds for what the card shows at this moment.
"""

from dash.development.base_component import Component

from portal import html
from portal.components.attributes import heard
from portal.components.icon import icon
from portal.components.popover import choice, popover
from portal.export_menu import file_links
from portal.page import Visit

ABOUT = "about"
"""The key of what is explained in the address of the page."""


def card_menu(title: str, figure: str, file: str, visit: Visit, *, has_table: bool = False) -> Component:
    """The button with three dots: `figure` is what is explained, `file` the tile that holds it."""
    rows = [choice("About this number" if not has_table else "About these numbers", visit.href(about=figure), False)]
    if has_table:
        rows.append(html.Button("Show as a table", type="button", className="lp-choice", **heard("table")))
    files = html.Div([html.Span("File"), *file_links(visit, "revenue", file, title)], className="lp-files")
    return popover(icon("more"), [*rows, files], f"More on {title}", "is-icon", arrow=False)
