"""What stands in the place of a chart of the revenue page that would be empty.

One rule: it says how to get to something, and leads there.
"""

from dash.development.base_component import Component

from portal.components.states import empty
from portal.page import Visit
from portal.sales import Sales


def nothing_sold(sales: Sales, visit: Visit) -> Component:
    """The way out of a page without numbers."""
    other = visit.href(**dict.fromkeys(sales.asked.keys))
    return empty("Nothing was sold here", "Choose other days or fewer filters.", [("Show it without filters", other)])
