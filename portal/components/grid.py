"""A grid: some rows of a table that is too long for a page, with links that sort it, search it and turn its pages.

One rule: the whole of it is links and a form that lead to addresses; nothing is sorted or left out in the browser.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dash import dcc
from dash.development.base_component import Component

from portal import html, wording
from portal.components.attributes import HIDDEN, aria, heard
from portal.components.card import segments
from portal.components.icon import icon
from portal.components.link import link
from portal.components.popover import choice, popover
from portal.components.table import Cell, Column, Row, bare_table, scroll_area

LONGEST_TEXT = 40
"""Characters of a cell that surely fit (assets/grid.css); a longer text is told in full by its title too."""


@dataclass(frozen=True)
class Pages:
    """The pages of a grid, the first of which is 1, and the address of each."""

    now: int
    count: int
    href: Callable[[int], str]

    @property
    def linked(self) -> list[int]:
        """The first, the last, and those around the one that is shown."""
        near = range(max(1, self.now - 1), min(self.count, self.now + 1) + 1)
        return sorted({1, *near, self.count})


def grid(caption: str, columns: Sequence[Column], rows: Sequence[Row]) -> Component:
    """The rows under a head that stays on top; on a phone cards, sorted by a menu."""
    sorts = [choice(column.title, column.href, bool(column.order)) for column in columns if column.href]
    now = next((column.title for column in columns if column.order), "nothing")
    menu = html.Div(popover(f"Sorted by {now}", sorts, label="Sort"), className="lp-window-sort")
    area = scroll_area(caption, bare_table(caption, columns, rows, cards=True), "lp-window")
    return html.Div([menu, area], className="lp-lines-rows")


def text_cell(text: str, href: str = "", title: str = "") -> Cell:
    """A text that is cut where it is too long; with an address it is a link, whose title says what it does."""
    if href:
        return link(text, href, title=title)
    return html.Span(text, title=text) if len(text) > LONGEST_TEXT else text


def grid_foot(said: str, pages: Pages, sizes: Sequence[tuple[str, str, bool]]) -> Component:
    """Which rows these are, links to the other pages, and how many rows a page has: text, address, chosen."""
    shown: list[Component] = [html.Span(said, className="lp-num")]
    if pages.count > 1:
        shown.append(html.Nav(_page_links(pages), className="lp-pages", **aria(label="Pages")))
    label = "Rows per page"
    choices = html.Div([html.Span(label, **HIDDEN), segments(label, sizes)], className="lp-sizes")
    return html.Div([*shown, choices], className="lp-pager")


def find_form(label: str, field: tuple[str, str], action: str, kept: Sequence[tuple[str, str]]) -> Component:
    """A search field (its key in the address, and what stands in it) that keeps other keys of the address."""
    name, words = field
    hidden = [dcc.Input(type="hidden", name=key, value=value) for key, value in kept]
    text = dcc.Input(type="search", name=name, value=words, placeholder=label)
    send = html.Button(
        [icon("search"), html.Span("Find", className="lp-hidden")], type="submit", className="lp-button is-icon"
    )
    shown = [*hidden, html.Label([html.Span(label, className="lp-hidden"), text]), send]
    return html.Form(shown, action=action, method="GET", role="search", className="lp-find", **heard("link"))


def _page_links(pages: Pages) -> list[Component]:
    found = [_step("Previous page", "left", pages.now - 1, pages)]
    before = 0
    for number in pages.linked:
        if number > before + 1:
            found.append(html.Span("…", className="lp-muted", **HIDDEN))
        current = "page" if number == pages.now else ""
        text = wording.exact(number)
        spoken = aria(label=f"Page {text}")
        found.append(link(text, pages.href(number), "lp-button is-plain", current, **spoken))
        before = number
    return [*found, _step("Next page", "right", pages.now + 1, pages)]


def _step(label: str, arrow: str, number: int, pages: Pages) -> Component:
    if 1 <= number <= pages.count:
        return link(icon(arrow), pages.href(number), "lp-button is-icon", title=label, **aria(label=label))
    spoken = aria(label=label, disabled="true")
    return html.Span(icon(arrow), className="lp-button is-icon", role="link", **spoken)
