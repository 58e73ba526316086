"""The filter bar of the revenue page: period, grain, comparison, and every column that can be filtered by.

One rule: a column is a button of its own once the address filters by it, or once the page has a card for it; until then
it waits under "Filter". What is offered there is looked up when it is opened, so that the page asks for none of it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc
from dash.development.base_component import Component

from portal import html
from portal.components.filters import filters, reset, share_button
from portal.components.icon import icon
from portal.components.popover import popover
from portal.conditions import Condition
from portal.controls import (
    compare_menu,
    condition_menu,
    grain_menu,
    period_menu,
    range_form,
    toggles,
    value_form,
)
from portal.export_menu import export_menu
from portal.page import Visit
from portal.periods import OFF, PREVIOUS_YEAR
from portal.sales import Sales

WORDS, OPENED, FOUND = "revenue-words", "revenue-opened", "revenue-found"
"""A column's search field, what asks for its first values, and where they stand: types of ids, by `column`."""


def part_id(kind: str, column: Any) -> dict[str, Any]:
    """The id of one of the three parts of a column's search; `MATCH` for that of every column."""
    return {"type": kind, "column": column}


def filter_bar(sales: Sales, visit: Visit, files: Mapping[str, str]) -> Component:
    """The controls, and a sentence that says the same; `files` are words by the name of a tile."""
    asked = sales.asked
    shown = [condition for condition in asked.conditions if stands_alone(condition, sales)]
    others = [condition for condition in asked.conditions if condition not in shown]
    controls = [
        period_menu(asked.period, visit),
        grain_menu(asked.grain, asked.period, visit),
        compare_menu(asked.period, visit),
        *(condition_menu(one, visit, _settings(one, sales, visit)) for one in shown),
        *([_more(others, visit)] if others else []),
    ]
    undo = visit.href(**dict.fromkeys(asked.keys)) if any(visit.many(key) for key in asked.keys) else ""
    return filters(said(sales), controls, [reset(undo), export_menu(visit, "revenue", files), share_button()])


def said(sales: Sales) -> str:
    """What the controls are set to, as one sentence."""
    asked = sales.asked
    against = {PREVIOUS_YEAR: ["against the previous year"], OFF: ["not compared"]}.get(asked.period.comparison, [])
    filtered = [
        value
        for condition in asked.active
        for value in (condition.values or [f"{condition.singular} {condition.said}"])
    ]
    return ", ".join([asked.period.label, f"by {asked.grain}", *against, *filtered])


def stands_alone(condition: Condition, sales: Sales) -> bool:
    """Whether a column has a button of its own."""
    return condition.is_active or condition.column.name in sales.ranked


def found_values(condition: Condition, sales: Sales, visit: Visit, words: str) -> list[Component]:
    """The values to choose from: all of a few by name, or of many the chosen and the largest that hold the words."""
    found = sales.found(condition.column.name, words)
    chosen = [] if found.is_all else list(condition.values)
    others = sorted(found.names) if found.is_all else [name for name in found.names if name not in chosen]
    rows = toggles(condition, [*chosen, *others], visit, keeps_open=stands_alone(condition, sales))
    nothing = (
        f"No other {condition.singular} has that in its name." if words else f"The data name no {condition.singular}."
    )
    return [*rows, *([] if others else [html.P(nothing, className="lp-small lp-muted")])]


def _settings(condition: Condition, sales: Sales, visit: Visit) -> list[Component]:
    """What a button's panel holds."""
    if condition.is_range:
        return [range_form(condition, visit)]
    if not condition.is_listed:
        return [*toggles(condition, condition.values, visit), value_form(condition, visit)]
    # Its values are there already, so nothing has to be opened.
    opened = html.Span(id=part_id(OPENED, condition.column.name), disable_n_clicks=True)
    return [*_finder(condition, found_values(condition, sales, visit, "")), opened]


def _finder(condition: Condition, found: Sequence[Component]) -> list[Component]:
    """A search field, and below it what it finds."""
    label = f"Find a {condition.singular}"
    field = dcc.Input(
        id=part_id(WORDS, condition.column.name),
        type="search",
        placeholder=label,
        debounce=0.2,
    )
    named = html.Label([html.Span(label, className="lp-hidden"), field])
    return [named, html.Div(found, id=part_id(FOUND, condition.column.name), className="lp-found")]


def _more(conditions: Sequence[Condition], visit: Visit) -> Component:
    """The columns that nothing is filtered by yet."""
    folds = [_fold(condition, visit) for condition in conditions]
    return popover([icon("plus", small=True), "Filter"], folds, "Another filter", "is-plain", arrow=False)


def _fold(condition: Condition, visit: Visit) -> Component:
    if condition.is_range:
        body: Sequence[Component] = [range_form(condition, visit)]
    else:
        body = _finder(condition, []) if condition.is_listed else [value_form(condition, visit)]
    opened = {"id": part_id(OPENED, condition.column.name)} if condition.is_listed and not condition.is_range else {}
    return html.Details(
        [html.Summary([condition.column.label, icon("down", small=True)], **opened), html.Div(body)],
        className="lp-more-filter",
    )
