"""One table on the page Data: what it means, what it is made of, how well it was tested, and its first rows.

One rule: sizes and counts are those that its reader may know; what a scope does not allow is left out without a word.
"""

from collections.abc import Iterable
from dataclasses import replace

from dash.development.base_component import Component

from lakehouse.access import policy
from lakehouse.core import Workspace
from lakehouse.facts import Facts
from lakehouse.quality import Verdict
from portal import html, rows, wording
from portal.as_of import moment_text
from portal.components.card import card
from portal.components.link import link
from portal.components.table import Cell, Column, table
from portal.data.dictionary import Dictionary
from portal.data.told import (
    UNKNOWN,
    changed_text,
    grain_text,
    kind_text,
    passed_text,
    result_text,
    rows_text,
    size_text,
    test_chip,
)
from portal.page import Visit
from portal.sql_names import written_table

SAMPLE_ROWS = 20
COLUMNS = (Column("Column"), Column("Type"), Column("Meaning"), Column("Tests"))
TESTS = (Column("Test"), Column("Looks at"), Column("Last run"), Column("Result"))

Fact = tuple[str, Component | str]


def table_cards(workspace: Workspace, name: str, visit: Visit) -> list[Component]:
    """The cards of one table. Raises `UnknownName`, which lists the tables that may be seen."""
    facts = workspace.facts(name)
    about = workspace.about(name)
    title = f"{about['label']} · {name}"
    links = [
        link("All tables and metrics", visit.href(table=None), "lp-button"),
        *sql_link(workspace, visit, select(name)),
    ]
    text = about["description"] or "This table has no description."
    body = [html.P(text, className="lp-data-text"), facts_list(table_facts(workspace, name, facts))]
    return [
        card(title, "", body, "lp-8", [html.Div(links, className="lp-buttons")]),
        lineage_card(facts, visit),
        columns_card(workspace, name, facts.tests or ()),
        *tests_card(workspace, [test for test in facts.tests or () if not test.column]),
        sample_card(workspace, name),
    ]


def table_facts(workspace: Workspace, name: str, facts: Facts) -> list[Fact]:
    """What is known of a table, by name; a size is not told to those who may not see every row."""
    about, rows_seen = workspace.about(name), Dictionary(workspace).rows(name)
    runs = [moment_text(workspace, max(test.at for test in facts.tests))] if facts.tests else []
    in_full = not workspace.scope.rows
    size = facts.size
    files = "" if size is None else f" in {wording.count(size.files, 'data file', 'data files')}"
    snapshot = "None yet" if facts.snapshot is None else str(facts.snapshot)
    version = f"{snapshot}, read from release {workspace.release.number}"
    return [
        ("Grain", grain_text(about["grain"])),
        ("Layer", about["layer"]),
        ("Rows" if in_full else "Rows that you may see", rows_text(rows_seen)),
        *([("Size", UNKNOWN if size is None else size_text(size.bytes) + files)] if in_full else []),
        ("Last change", changed_text(workspace, facts.changed)),
        ("Snapshot", version),
        ("Tests", ", last run ".join([passed_text(facts.tests), *runs])),
    ]


def facts_list(facts: Iterable[Fact]) -> Component:
    """Names and values below each other."""
    return html.Dl([part for name, value in facts for part in (html.Dt(name), html.Dd(value))], className="lp-facts")


def lineage_card(facts: Facts, visit: Visit) -> Component:
    """The tables before and after this one."""
    parts = [
        part
        for title, names in (("Built from", facts.built_from), ("Goes into", facts.feeds))
        for part in (html.H3(title), table_links(names, visit))
    ]
    return card("Where it comes from", "", [html.Div(parts, className="lp-data-lineage")], "lp-4")


def table_links(names: tuple[str, ...] | None, visit: Visit) -> Component:
    """Links to tables."""
    if not names:
        said = UNKNOWN if names is None else "No table that you may see"
        return html.P(said, className="lp-small lp-muted")
    return html.Ul([html.Li(link(html.Code(name), visit.href(table=name))) for name in names])


def columns_card(workspace: Workspace, name: str, tests: Iterable[Verdict]) -> Component:
    """The columns that may be seen, each with its tests."""
    by_column: dict[str, list[Verdict]] = {}
    for test in tests:
        by_column.setdefault(test.column, []).append(test)
    found = workspace.columns(name)
    shown: list[list[Cell]] = [
        [
            titled(column["label"], column["name"]),
            html.Span(column["type"].lower(), className="lp-muted"),
            html.Div(column["description"] or wording.NONE, className="lp-data-about"),
            html.Div([test_chip(workspace, test) for test in by_column.get(column["name"], [])], className="lp-chips"),
        ]
        for column in found
    ]
    sub = wording.count(len(found), "column", "columns")
    return card("Columns", sub, [table("Columns", COLUMNS, shown, cards=True)], "lp-12 lp-data-list lp-data-columns")


def titled(label: str, name: str) -> Component:
    """A label, and what it is called in statements, where that is something else."""
    named = [html.Code(name, className="lp-muted")] if name != label else []
    return html.Div([html.Span(label), *named], className="lp-data-name")


def tests_card(workspace: Workspace, tests: list[Verdict]) -> list[Component]:
    """Tests of the table as a whole, or together with others; no card where there are none."""
    shown: list[list[Cell]] = [
        [kind_text(test), ", ".join(test.reads), moment_text(workspace, test.at), result_text(test)] for test in tests
    ]
    sub = "They look at the table as a whole, some at others with it"
    body = [table("Tests of the whole table", TESTS, shown, cards=True)]
    return [card("Tests of the whole table", sub, body, "lp-12 lp-data-list")] if shown else []


def sample_card(workspace: Workspace, name: str) -> Component:
    """The first rows, as its reader may see them."""
    found = workspace.sample(name, SAMPLE_ROWS).table
    if not found.num_rows:
        nothing = html.P("There is no row that you may see.", className="lp-small lp-muted")
        return card("First rows", "", [nothing])
    sub = f"{wording.count(found.num_rows, 'row', 'rows')}, sorted by all columns from the left"
    return card(
        "First rows", sub, [table("First rows", rows.columns(found), rows.cells(found))], "lp-12 lp-data-sample"
    )


def sql_link(workspace: Workspace, visit: Visit, statement: str) -> list[Component]:
    """A link to the SQL page with a statement in it, for those who may use it."""
    if not workspace.lakehouse.settings.query.free_sql or not policy.allows(workspace.principal, "query"):
        return []
    place = replace(visit.only(("at",)), path=visit.path.rpartition("/")[0] + "/sql")
    return [link("Ask in SQL", place.href(q=statement), "lp-button")]


def select(name: str) -> str:
    """The statement that begins to ask a table."""
    return f"select * from {written_table(name)} limit 100"
