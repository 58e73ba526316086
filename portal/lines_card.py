"""The card of the lines behind the revenue page's numbers: a grid, its search field and its pages.

One rule: whatever it changes stands in the address, and another order or other words begin at the first page again.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from dash.development.base_component import Component

from portal import wording
from portal.components.card import card
from portal.components.grid import Pages, find_form, grid, grid_foot, text_cell
from portal.components.states import empty
from portal.components.table import Cell, Column
from portal.lines import FIND, PAGE, ROWS, SIZES, SORT, USUAL_SIZE, LineColumn, Lines
from portal.page import Visit
from portal.revenue.menus import card_menu
from portal.sales import Sales

LONGEST_WORDS = 40
LOOKED_THROUGH = "The texts of a line are looked through, capitals and small letters alike; a part of one is enough."
ORDERS = {False: "ascending", True: "descending"}


def lines_card(sales: Sales, visit: Visit, span: str) -> Component:
    """The lines that the page's numbers stand on, as its address sorts, searches and turns them."""
    lines, first_page = Lines(sales, visit), visit.without(PAGE)
    kept = first_page.without(FIND)
    search = find_form("Find a text in the lines", (FIND, lines.words), visit.path, kept.values)
    menu = card_menu(sales.table.label, "lines", "lines", first_page)
    body = shown(lines, first_page) if lines.rows else [nothing(lines, kept)]
    return card(sales.table.label, said(lines), body, f"{span} lp-lines", [search, menu])


def said(lines: Lines) -> str:
    """What the lines are, and how many of them hold the words."""
    money = f"amounts in {lines.sales.workspace.lakehouse.settings.lake.currency}"
    if not lines.words:
        return f"What the numbers of this page stand on, {money}"
    everything = wording.count(lines.count_of_all, "line", "lines")
    words = lines.words if len(lines.words) <= LONGEST_WORDS else f"{lines.words[: LONGEST_WORDS - 1]}…"
    holds = "holds" if lines.count == 1 else "hold"
    return f"{wording.exact(lines.count)} of {everything} {holds} “{words}”, {money}"


def nothing(lines: Lines, kept: Visit) -> Component:
    """What stands in the place of lines where there are none."""
    if lines.words and lines.count_of_all:
        everything = wording.count(lines.count_of_all, "line", "lines")
        return empty("No line holds these words", LOOKED_THROUGH, [(f"Show {everything}", kept.href())])
    return empty("No lines here", "Choose other days or fewer filters.")


def shown(lines: Lines, first_page: Visit) -> list[Component]:
    """The rows, and the line under them."""
    label = lines.sales.table.label
    columns = [column_head(column, lines, first_page) for column in lines.columns]
    keyed = [(column, filter_key(column, lines)) for column in lines.columns]
    rows = [[cell(row[column.name], column, key, first_page) for column, key in keyed] for row in lines.rows]
    caption = ", ".join([label, *(f"by {one.title}, {one.order}" for one in columns if one.order)])
    pages = Pages(lines.page, lines.page_count, lambda page: first_page.href(**{PAGE: str(page) if page > 1 else None}))
    sizes = [
        (str(size), first_page.href(**{ROWS: None if size == USUAL_SIZE else str(size)}), size == lines.size)
        for size in SIZES
    ]
    last = lines.first + len(lines.rows)
    counted = f"{wording.exact(lines.first + 1)}–{wording.exact(last)} of {wording.count(lines.count, 'line', 'lines')}"
    return [grid(caption, columns, rows), grid_foot(counted, pages, sizes)]


def column_head(column: LineColumn, lines: Lines, first_page: Visit) -> Column:
    """A column whose title sorts by it: texts from their beginning, all else from the largest; then the other way."""
    sort, usual = lines.sort, lines.usual_sort
    is_sorted = sort is not None and sort.column == column.name
    starts_large = column.is_number or (usual is not None and usual.column == column.name)
    descending = not sort.descending if sort is not None and is_sorted else starts_large
    is_usual = usual is not None and (usual.column, usual.descending) == (column.name, descending)
    href = first_page.href(**{SORT: None if is_usual else f"{'-' if descending else ''}{column.name}"})
    order = ORDERS[sort.descending] if sort is not None and is_sorted else ""
    return Column(column.label, column.is_number, column.is_lesser, order, href)


def cell(value: Any, column: LineColumn, key: str, first_page: Visit) -> Cell:
    """A value as people read it; where its column has a `key` that the page is filtered under, a link that does."""
    if value is None:
        return wording.NONE
    if isinstance(value, date):
        return wording.day(value)
    if column.is_number and isinstance(value, Decimal | int):
        return wording.exact(value)
    text = str(value)
    if not key or not text:
        return text_cell(text)
    undone = text in first_page.many(key)
    title = f"{text}: show the others too" if undone else f"{text}: show only this {column.label.lower()}"
    return text_cell(text, first_page.toggled(key, text), title)


def filter_key(column: LineColumn, lines: Lines) -> str:
    """The key that the page is filtered by the values of a column under; empty where it is not."""
    conditions = lines.sales.asked.conditions
    found = (one for one in conditions if one.column.expr == column.name and one.is_listed and not one.is_range)
    return next((one.key for one in found), "")
