"""The list of the page Data: tables layer by layer, and the metrics.

One rule: everything named here leads to its own page.
"""

from dash.development.base_component import Component

from lakehouse.core import Workspace
from lakehouse.metrics.terms import Metric
from portal import html, wording
from portal.components.card import card
from portal.components.link import link
from portal.components.states import empty
from portal.components.table import Cell, Column, table
from portal.data.dictionary import Dictionary, Entry
from portal.data.told import changed_text, first_sentence, grain_text, passed_text, rows_text
from portal.page import Visit

FIND, TABLE, METRIC = "find", "table", "metric"
MEANT = {
    "marts": "What pages and metrics are made of",
    "staging": "Sources with clean names, texts and types",
    "raw": "What the sources hold, before anything is left out",
}
TABLES = (
    Column("Table"),
    Column("Grain"),
    Column("Last change", is_lesser=True),
    Column("Tests"),
    Column("Rows", is_number=True),
)
METRICS = (Column("Metric"), Column("Also called", is_lesser=True), Column("Stands on", is_lesser=True), Column("Unit"))


def listing(workspace: Workspace, visit: Visit) -> list[Component]:
    """The cards of everything that holds the words of the address."""
    words = visit.one(FIND)
    found = Dictionary(workspace, words)
    cards = [layer_card(workspace, layer, entries, visit) for layer, entries in found.by_layer.items()]
    if found.metrics:
        cards.append(metrics_card(found.metrics, visit))
    return cards or [nothing(words, visit)]


def layer_card(workspace: Workspace, layer: str, entries: list[Entry], visit: Visit) -> Component:
    """The tables of one layer."""
    rows = [table_row(workspace, entry, visit) for entry in entries]
    many = wording.count(len(entries), "table", "tables")
    sub = f"{MEANT[layer]} · {many}" if layer in MEANT else many
    shown = table(f"Tables of {layer}", TABLES, rows, cards=True)
    return card(layer.capitalize(), sub, [shown], "lp-12 lp-data-list lp-data-tables")


def table_row(workspace: Workspace, entry: Entry, visit: Visit) -> list[Cell]:
    """One table."""
    return [
        named(link(entry.label, visit.href(table=entry.name)), entry.name, first_sentence(entry.description), entry),
        grain_text(entry.grain),
        changed_text(workspace, entry.facts.changed),
        passed_text(entry.facts.tests),
        counted(entry.rows),
    ]


def counted(rows: int | None) -> Component:
    """A number of rows; its unit is said where the head of the table is not seen."""
    unit = [html.Span(" row" if rows == 1 else " rows", className="lp-data-unit")] if rows is not None else []
    return html.Span([rows_text(rows), *unit])


def named(title: Component, name: str, description: str, entry: Entry | None = None) -> Component:
    """A title, what it is called in statements, what it is, and which columns hold the words."""
    shown = [html.Span([title, html.Code(name, className="lp-muted")], className="lp-data-name")]
    shown += [html.Span(description, className="lp-data-about")] if description else []
    if entry is not None and entry.columns:
        shown.append(html.Span(["Columns: ", ", ".join(entry.columns)], className="lp-data-about"))
    return html.Div(shown, className="lp-data-entry")


def metrics_card(metrics: list[Metric], visit: Visit) -> Component:
    """The metrics."""
    rows: list[list[Cell]] = [
        [
            named(link(metric.label, visit.href(metric=metric.name)), metric.name, metric.description),
            html.Div(", ".join(metric.synonyms), className="lp-data-about"),
            html.Code(metric.table),
            metric.unit,
        ]
        for metric in metrics
    ]
    many = wording.count(len(metrics), "metric", "metrics")
    sub = f"Numbers that are defined once, for pages, files and questions alike · {many}"
    return card("Metrics", sub, [table("Metrics", METRICS, rows, cards=True)], "lp-12 lp-data-list")


def nothing(words: str, visit: Visit) -> Component:
    """What stands there where nothing is found, or nothing may be seen."""
    if words:
        looked = (
            "Names, labels and descriptions of tables, columns and metrics are looked through; all words must match."
        )
        return empty("Nothing holds these words", looked, [("Show everything", visit.href(find=None))])
    return empty("No tables to see", "Tables that you may see appear here. An admin can give you access to some.")
