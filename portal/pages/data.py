"""Data: every table and metric that one may see, what it means, where it comes from, and how it was tested."""

from dash.development.base_component import Component

from lakehouse.core import Workspace
from lakehouse.errors import RequestWrong
from portal.as_of import stamp_text
from portal.components.filters import filters, share_button
from portal.components.grid import find_form
from portal.components.stamp import stamp
from portal.components.states import empty
from portal.data.listing import FIND, METRIC, TABLE, listing
from portal.data.metric import metric_cards
from portal.data.table import table_cards
from portal.page import Page, Screen, Visit

SHAPE = ("filters", "table lp-12", "table lp-12")


def layout(workspace: Workspace, visit: Visit) -> Screen:
    """The list, or the table or metric that the address names."""
    if not workspace.has_release:
        return Screen([empty("No data yet", "Tables and metrics appear here after the first refresh.")])
    return Screen([*content(workspace, visit), stamp(stamp_text(workspace))], filter_bar(visit))


def content(workspace: Workspace, visit: Visit) -> list[Component]:
    """What the address asks for."""
    table, metric = visit.one(TABLE), visit.one(METRIC)
    if table and metric:
        raise RequestWrong("The address names a table and a metric. Give one of them.")
    if table:
        return table_cards(workspace, table, visit)
    return metric_cards(workspace, metric, visit) if metric else listing(workspace, visit)


def filter_bar(visit: Visit) -> Component:
    """The search field; words that are found lead back to the list."""
    kept = visit.without(FIND).without(TABLE).without(METRIC)
    words = visit.one(FIND)
    field = find_form("Find tables, columns, metrics", (FIND, words), visit.path, kept.values)
    return filters(f"Find: {words}" if words else "All tables and metrics", [field], [share_button()])


PAGE = Page(path="/data", title="Data", icon="data", needs="read", layout=layout, recorded=(TABLE, METRIC), shape=SHAPE)
