"""Revenue: what we sold, when, where and of what, against an earlier period.

This page only composes. In `portal/revenue/`: `asked` is what the address asks for, `filters` the bar, `key_figures`
the tiles, `over_time` the chart and `drill` the way down into it, `ranking` the bars, `menus` what each card offers,
`about` what explains a number. In `portal/`: `sales` asks for the numbers, `conditions` is what can be filtered by,
`lines_card` the lines behind the numbers.
"""

from collections.abc import Callable
from typing import Any

from dash import MATCH, Dash, Input, Output, State
from dash.development.base_component import Component

from lakehouse.core import Workspace
from lakehouse.query.spool import Spooled
from portal.as_of import stamp_text
from portal.components.stamp import stamp
from portal.components.states import empty
from portal.lines import Lines
from portal.lines_card import lines_card
from portal.page import OpenWorkspace, Page, Screen, Visit
from portal.revenue.about import about_panel
from portal.revenue.asked import PAGE_OF_LINES
from portal.revenue.filters import FOUND, OPENED, WORDS, filter_bar, found_values, part_id
from portal.revenue.key_figures import key_figures
from portal.revenue.over_time import over_time
from portal.revenue.ranking import ranking_card
from portal.sales import KEY_FIGURES, OVER_TIME, RANKED, Sales

LOCATION = "shell-location"
WIDTHS = {"region": "lp-4", "product": "lp-5"}
FILES = {
    "lines": "All lines",
    KEY_FIGURES: "Key figures",
    OVER_TIME: "Over time",
    "region": "By region",
    "product": "By product",
}


def layout(workspace: Workspace, visit: Visit) -> Screen:
    """The page as its address asks for it."""
    sales, foot = Sales(workspace, visit), stamp(stamp_text(workspace))
    if sales.bounds is None:
        return Screen([empty("Nothing has been sold yet", "Rows appear here after the next refresh with data."), foot])
    money = workspace.lakehouse.settings.lake.currency
    other = visit.without(PAGE_OF_LINES)  # another filter begins at the first page of the lines
    cards = [
        *about_panel(sales, visit, money),
        key_figures(sales, other, money),
        over_time(sales, other, money, beside(sales, "region", 8)),
        *(ranking_card(sales, name, other, money, WIDTHS[name]) for name in sales.ranked),
        lines_card(sales, visit, beside(sales, "product", 7)),
    ]
    return Screen([*cards, foot], filter_bar(sales, other, FILES))


def beside(sales: Sales, dimension: str, columns: int) -> str:
    """The width of a card that stands beside the bars of a dimension, unless these may not be seen."""
    return f"lp-{columns}" if dimension in sales.ranked else "lp-12"


def callbacks(app: Dash, open_workspace: OpenWorkspace) -> None:
    """What happens when the user touches the page; most controls are links and need nothing here."""

    @app.callback(
        Output(part_id(FOUND, MATCH), "children"),
        Input(part_id(WORDS, MATCH), "value"),
        Input(part_id(OPENED, MATCH), "n_clicks"),
        State(part_id(WORDS, MATCH), "id"),
        State(LOCATION, "pathname"),
        State(LOCATION, "search"),
        prevent_initial_call=True,
    )
    def find(words: str | None, _opened: int | None, field: Any, path: str, search: str | None) -> list[Component]:
        visit = Visit.from_search(path, search or "")
        sales = Sales(open_workspace(visit.version), visit)
        return found_values(sales.asked.condition(named(field)), sales, visit.without(PAGE_OF_LINES), str(words or ""))


def named(field: Any) -> str:
    """The column that a search field says it belongs to; whether there is one of that name is asked afterwards."""
    return str(field.get("column", "")) if isinstance(field, dict) else ""


def file_of(figure: str) -> Callable[[Workspace, Visit], Spooled]:
    """What gives a figure as a file."""
    return lambda workspace, visit: Sales(workspace, visit).export(figure)


EXPORTS: dict[str, Callable[[Workspace, Visit], Spooled]] = {
    "": lambda workspace, visit: Sales(workspace, visit).lines(),
    "lines": lambda workspace, visit: Lines(Sales(workspace, visit), visit).file(),
    **{figure: file_of(figure) for figure in (KEY_FIGURES, OVER_TIME, *RANKED)},
}
"""What can be had as a file, by name; the whole page as the lines behind it."""

PAGE = Page(
    path="/revenue",
    title="Revenue",
    icon="revenue",
    needs="read",
    layout=layout,
    callbacks=callbacks,
    exports=EXPORTS,
    is_kept=True,
    shape=("filters", "tiles", "chart lp-8", "bars lp-4", "bars lp-5", "bars lp-7"),
    recorded=("period", "from", "to", "grain", "compare", "top", "region", "product"),
)
