"""One metric on the page Data: what it means, by what it can be asked, and how it is computed.

One rule: its SQL is shown as it would be asked, and not asked.
"""

from dash.development.base_component import Component

from lakehouse.core import Workspace
from lakehouse.errors import UnknownName
from lakehouse.metrics.terms import Metric
from portal import html
from portal.components.card import card
from portal.components.link import link
from portal.components.table import Cell, Column, table
from portal.data.table import Fact, facts_list, sql_link, titled
from portal.page import Visit

DIMENSIONS = (Column("Dimension"), Column("Type"), Column("Meaning"), Column("Also called"))
GOOD = {"better": "Higher is better", "worse": "Lower is better", "neutral": "Neither up nor down is better"}


def metric_cards(workspace: Workspace, name: str, visit: Visit) -> list[Component]:
    """The cards of one metric. Raises `UnknownName`, which lists the metrics that may be seen."""
    known = {metric.name: metric for metric in workspace.metrics()}
    if name not in known:
        raise UnknownName("metric", name, list(known))
    metric, statement = known[name], workspace.compiled({"metrics": [name]}).sql
    links = [
        link("All tables and metrics", visit.href(metric=None), "lp-button"),
        *sql_link(workspace, visit, statement),
    ]
    text = metric.description or "This metric has no description."
    body = [html.P(text, className="lp-data-text"), facts_list(metric_facts(metric, visit))]
    shown = html.Pre(statement, className="lp-sql", tabIndex="0")
    return [
        card(f"{metric.label} · {metric.name}", "", body, "lp-12", [html.Div(links, className="lp-buttons")]),
        dimensions_card(workspace, metric),
        card("How it is computed", "As it is asked; rules on your rows and columns come on top", [shown]),
    ]


def metric_facts(metric: Metric, visit: Visit) -> list[Fact]:
    """What is known of a metric, by name."""
    return [
        ("Unit", metric.unit or "None"),
        ("Type", str(metric.type)),
        ("Direction", GOOD[metric.higher_is]),
        ("Stands on", link(html.Code(metric.table), visit.href(table=metric.table, metric=None))),
        ("Also called", ", ".join(metric.synonyms) or "Nothing else"),
    ]


def dimensions_card(workspace: Workspace, metric: Metric) -> Component:
    """By what the metric can be grouped and filtered."""
    shown: list[list[Cell]] = [
        [
            titled(one.label, one.name),
            html.Span(str(one.type), className="lp-muted"),
            html.Div(one.description, className="lp-data-about"),
            html.Div(", ".join(one.synonyms), className="lp-data-about"),
        ]
        for one in workspace.model.table(metric.table).dimensions
    ]
    sub = "By what it can be grouped and filtered"
    return card("Dimensions", sub, [table("Dimensions", DIMENSIONS, shown, cards=True)], "lp-12 lp-data-list")
