"""What is shown, as files: the menu of a page's filter bar, and the links of one tile.

One rule: a link holds the page's whole state, so a file is of what is shown, at the same version.
"""

from collections.abc import Mapping
from typing import Any

from dash.development.base_component import Component

from portal import html
from portal.components.attributes import aria
from portal.components.popover import popover
from portal.page import Visit

FILES = (("csv", "CSV"), ("xlsx", "XLSX"), ("parquet", "Parquet"))
"""Kinds of files, and what they are called."""

SAYS = "Each file says its release, how many rows it has, and whether that is all."
MARKED = "In CSV a text that a spreadsheet would compute gets a leading '."


def export_menu(visit: Visit, page: str, tiles: Mapping[str, str]) -> Component:
    """Files of what is shown: by name of a tile its words, such as {"region": "By region"}."""
    rows = [_row(words, file_links(visit, page, tile, words)) for tile, words in tiles.items()]
    raw = [html.Li(_link(words, _address(visit, page, tile, "csv", raw="1"))) for tile, words in tiles.items()]
    notes = html.Div([html.P(SAYS), html.P(MARKED)], className="lp-small lp-muted lp-files-notes")
    fold = html.Details([html.Summary("CSV with every text as it is"), html.Ul(raw)], className="lp-files-raw")
    return popover("Export", [*rows, notes, fold], label="Files of what is shown")


def file_links(visit: Visit, page: str, tile: str, words: str) -> list[Component]:
    """One link for each kind of file of a tile; `words` say what is in it."""
    return [_link(name, _address(visit, page, tile, kind), **aria(label=f"{words}, {name}")) for kind, name in FILES]


def _row(words: str, links: list[Component]) -> Component:
    return html.Div([html.Span(words), *links], className="lp-files")


def _link(text: str, address: str, **said: Any) -> Component:
    return html.A(text, href=address, className="lp-choice", download="", **said)


def _address(visit: Visit, page: str, tile: str, kind: str, raw: str = "") -> str:
    base = visit.path.removesuffix(f"/{page}")
    place = "/".join(part for part in (page, tile) if part)
    return f"{base}/export/{place}.{kind}{visit.href(raw=raw).removeprefix(visit.path)}"
