"""About a number of the revenue page: what it means, how it is computed, and from which data; drawn when asked for.

One rule: it explains the plan that the page has asked for this number, and gives the same number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dash.development.base_component import Component

from lakehouse.core import Workspace
from lakehouse.errors import UnknownName
from lakehouse.metrics.terms import Measure, Metric
from portal import html, wording
from portal.as_of import moment_of, tests_text
from portal.components.attributes import aria, heard
from portal.components.icon import icon
from portal.components.link import link
from portal.metric_words import decimals, label
from portal.page import Visit
from portal.revenue.menus import ABOUT
from portal.revenue.over_time import chart_title
from portal.revenue.ranking import ranking_title
from portal.sales import KEY_FIGURES, OVER_TIME, Sales

LINES = "lines"
SQL = "revenue-about-sql"
AGGREGATES = {
    "sum": "the sum of {}",
    "count": "the number of lines with {}",
    "count_distinct": "the number of different values of {}",
    "min": "the lowest {}",
    "max": "the highest {}",
}


@dataclass(frozen=True)
class Explained:
    """What is explained: its title, the metric behind it, its value where it is one, the question and its SQL."""

    title: str
    metric: Metric
    values: Sequence[tuple[str, str]]
    sentence: str
    sql: str
    sql_title: str


def about_panel(sales: Sales, visit: Visit, money: str) -> list[Component]:
    """The panel that `about` asks for; nothing without. Raises `UnknownName`, which lists what can be explained."""
    figure = visit.one(ABOUT)
    if not figure:
        return []
    found = explained(sales, figure, money)
    close = link(
        icon("close"),
        visit.href(about=None),
        "lp-button is-icon",
        title="Close",
        **heard("close"),
        **aria(label="Close"),
    )
    head = html.Div([html.H2(found.title), close], className="lp-head")
    facts = [*_of_metric(found, money), *_of_page(sales, found), *_of_data(sales.workspace, sales.table.name)]
    rows = [part for term, text in facts if text for part in (html.Dt(term), html.Dd(text))]
    body = [head, html.Dl(rows, className="lp-facts"), *_sql(found)]
    named = aria(label=f"About {found.title}")
    return [html.Section(body, className="lp-about", role="dialog", tabIndex="-1", **heard("about"), **named)]


def explained(sales: Sales, figure: str, money: str) -> Explained:
    """What there is to say of a tile (by its metric), of a chart, or of the lines."""
    model = sales.workspace.model
    if figure in sales.metrics:
        total = next(one for one in sales.totals if one.name == figure)
        values = [("Value", wording.exact(total.value, decimals(total)))]
        if sales.asked.period.before is not None:
            values.append((_sentence_case(sales.asked.period.versus), wording.exact(total.before)))
        return _of_plan(sales, KEY_FIGURES, label(total, money), model.metric(figure), values)
    revenue = model.metric("revenue")
    if figure == OVER_TIME:
        return _of_plan(sales, OVER_TIME, chart_title(sales, money), revenue)
    if figure in sales.ranked:
        return _of_plan(sales, figure, ranking_title(sales.asked.condition(figure), money), revenue)
    if figure == LINES:
        compiled = sales.compiled_lines
        return Explained(sales.table.label, revenue, [], compiled.sentence, compiled.sql, "SQL of their sums")
    raise UnknownName("number to explain", figure, [*sales.metrics, OVER_TIME, *sales.ranked, LINES])


def formula(metric: Metric) -> str:
    """How a metric is computed, in words."""
    words = _measure(metric.measure)
    if metric.denominator is not None:
        decimals = wording.count(metric.type.scale, "decimal", "decimals")
        words = f"{words} divided by {_measure(metric.denominator)}, rounded to {decimals}"
    return _sentence_case(words)


def _of_plan(
    sales: Sales, figure: str, title: str, metric: Metric, values: Sequence[tuple[str, str]] = ()
) -> Explained:
    compiled = sales.measured(figure).compiled
    return Explained(title, metric, values, compiled.sentence, compiled.sql, "SQL")


def _measure(measure: Measure) -> str:
    return AGGREGATES[measure.aggregate].format(measure.expr)


def _of_metric(found: Explained, money: str) -> list[tuple[str, str]]:
    metric = found.metric
    unit = money if metric.unit == "currency" else metric.unit
    return [*found.values, ("Meaning", metric.description), ("Formula", formula(metric)), ("Unit", unit)]


def _of_page(sales: Sales, found: Explained) -> list[tuple[str, str | Component]]:
    filtered = [
        html.Li(f"{condition.column.label}: {', '.join(condition.values) or condition.said}")
        for condition in sales.asked.active
    ]
    return [("Asked", found.sentence), ("Filters", html.Ul(filtered) if filtered else "None")]


def _of_data(workspace: Workspace, table: str) -> list[tuple[str, str]]:
    release, about = workspace.release, workspace.about(table)
    grain = f", {about['grain']}" if about["grain"] else ""
    return [
        ("Table", f"{about['label']} ({table}){grain}"),
        ("Release", f"Release {release.number}, published {moment_of(workspace)}"),
        ("Tests", tests_text(workspace)),
    ]


def _sql(found: Explained) -> list[Component]:
    words = html.Span("Copy the SQL", **aria(live="polite"))
    button = html.Button(words, type="button", className="lp-button", **heard("copy-text", SQL))
    head = html.Div([html.H3(found.sql_title), button], className="lp-head")
    frame = {"tabIndex": "0", "role": "region", **aria(label=found.sql_title)}
    return [head, html.Pre(html.Code(found.sql), id=SQL, className="lp-sql", **frame)]


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
