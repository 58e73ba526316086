"""SQL: any SELECT over the tables that one may see, for analysts, where `query.free_sql` is on."""

import re
import secrets
from datetime import datetime

from dash import Dash, Input, Output, State, ctx, dcc
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from lakehouse.access.history import STATEMENT_ACTION, Statement
from lakehouse.core import Workspace
from lakehouse.errors import RequestWrong, Stopped
from lakehouse.query.answer import Answer
from lakehouse.settings import Settings
from portal import html, rows, wording
from portal.as_of import stamp_text
from portal.components.attributes import heard
from portal.components.card import card
from portal.components.editor import editor, marked_line, replace, run_button, stop_button, wrong
from portal.components.schema import Field, Listed, schema
from portal.components.stamp import stamp
from portal.components.states import empty
from portal.components.table import table
from portal.errors import trouble
from portal.export_menu import FILES
from portal.page import OpenWorkspace, Page, Screen, Visit
from portal.recording import about
from portal.sql_names import written_name, written_table
from portal.sql_place import find_place

STATEMENT = "sql-statement"
RUN = "sql-run"
CANCEL = "sql-cancel"
CANCELLED = "sql-cancelled"
TOKEN = "sql-token"  # noqa: S105  # an id
SAID = "sql-said"
RESULT = "sql-result"
HISTORY = "sql-history"
LOCATION = "shell-location"
PATH = "/sql"
PAST_STATEMENTS = 20
TITLES = {
    "StatementWrong": "The statement cannot be run",
    "StatementRefused": "The statement cannot be run",
    "RequestWrong": "The statement cannot be run",
    "NotAllowed": "The statement may not be run",
}
STOPPED = "The query was stopped"
OTHERWISE = "The query was not answered"
LONGEST_SHOWN = 200
"""Characters of a past statement."""

WHILE_RUNNING = (
    ((RUN, "disabled"), True, False),
    ((CANCEL, "disabled"), False, True),
    ((SAID, "children"), "Running", ""),
)
"""A property of a component, and what it is while a statement runs and afterwards."""


def layout(workspace: Workspace, visit: Visit) -> Screen:
    """The editor, what came back, the tables to ask, and what was asked before.

    A statement in the address is shown and not run: following somebody's link must not ask anything in one's own name.
    """
    nothing = empty("No result yet", "Write a SELECT and run it. Its rows appear here.")
    left = [editing(workspace, visit.one("q")), html.Div(nothing, id=RESULT, className="lp-result")]
    right = [tables(workspace), html.Div(history(workspace), id=HISTORY)]
    stores = [dcc.Store(id=TOKEN, data=secrets.token_hex(16)), dcc.Store(id=CANCELLED)]
    columns = [html.Div(left, className="lp-stack lp-8"), html.Div(right, className="lp-stack lp-4")]
    return Screen([*columns, stamp(stamp_text(workspace)), *stores])


def callbacks(app: Dash, open_workspace: OpenWorkspace) -> None:
    """What happens when the user touches the page."""

    def refused(error: Exception) -> tuple[Component, Component]:
        return not_answered(error), history(open_workspace("now"))

    @app.callback(
        Output(RESULT, "children"),
        Output(HISTORY, "children"),
        Input(RUN, "n_clicks"),
        State(STATEMENT, "value"),
        State(TOKEN, "data"),
        State(LOCATION, "search"),
        prevent_initial_call=True,
        on_error=refused,
        running=[(Output(*prop), during, after) for prop, during, after in WHILE_RUNNING],
    )
    def run(clicks: int | None, statement: object, token: object, search: str | None) -> tuple[Component, Component]:
        check_pressed(clicks)
        workspace = open_workspace(Visit.from_search(PATH, search or "").version)
        return result(workspace, asked(workspace, statement, token), str(statement)), history(workspace)

    @app.callback(Output(CANCELLED, "data"), Input(CANCEL, "n_clicks"), State(TOKEN, "data"), prevent_initial_call=True)
    def cancel(clicks: int | None, token: object) -> None:
        check_pressed(clicks)
        open_workspace("now").cancel(checked_token(token))


def editing(workspace: Workspace, statement: str) -> Component:
    """The card with the editor."""
    said = html.Span(id=SAID, className="lp-small lp-muted", role="status")
    hint = html.Span([html.Kbd("Ctrl"), " ", html.Kbd("Enter"), " runs"], className="lp-small lp-muted lp-keys")
    buttons = [run_button(RUN), stop_button(CANCEL), said, hint]
    limit = workspace.lakehouse.settings.query.timeout_seconds
    sub = f"One SELECT, stopped after {limit:g} s"
    return card("Statement", sub, [editor(STATEMENT, statement, "SQL statement", "q", buttons)])


def check_pressed(clicks: int | None) -> None:
    """A statement is run by a press of its button alone, never because the page is there."""
    if not clicks:
        raise PreventUpdate


def checked_token(token: object) -> str:
    """What a statement is cancelled by; each page that is drawn has its own."""
    if not isinstance(token, str) or not re.fullmatch(r"[0-9a-f]{32}", token):
        raise RequestWrong("This page is out of date. Load it again and try once more.")
    return token


def asked(workspace: Workspace, statement: object, token: object) -> Answer:
    """The answer to the statement in the editor."""
    about(STATEMENT_ACTION, PATH)
    if not isinstance(statement, str) or not statement.strip():
        raise RequestWrong("There is no statement. Write a SELECT and run it.")
    return workspace.sql(statement, cancel_token=checked_token(token))


def result(workspace: Workspace, answer: Answer, statement: str) -> Component:
    """The first rows, and how many there are."""
    columns = rows.columns(answer.table)
    body = [table("Result", columns, rows.cells(answer.table))]
    if not answer.table.num_rows:
        body.append(html.P("No row matches.", className="lp-small lp-muted lp-note"))
    return card("Result", told(workspace, answer), body, "lp-12", [downloads(statement, workspace)])


def downloads(statement: str, workspace: Workspace) -> Component:
    """The result as a file: a form, whose token `assets/lakeport.js` fills in, since a link must not run anything."""
    base = f"{workspace.lakehouse.settings.server.base_path}/export/sql"
    fields = {"csrf_token": "", "q": statement, "at": workspace.version}
    hidden = [dcc.Input(type="hidden", name=name, value=value) for name, value in fields.items()]
    buttons = [
        html.Button(words, type="submit", className="lp-button", formAction=f"{base}.{kind}") for kind, words in FILES
    ]
    return html.Form([*hidden, *buttons], method="POST", className="lp-buttons", **heard("token"))


def told(workspace: Workspace, answer: Answer) -> list[Component | str]:
    """How many rows there are, which of them are shown, how long it took, and what was asked."""
    count, width = answer.table.num_rows, answer.table.num_columns
    counted = wording.count(count, "row", "rows")
    whole = f"{counted}, complete" if answer.complete else f"Cut after {counted}: there are more"
    shown = [f"the first {rows.SHOWN_ROWS} shown"] if count > rows.SHOWN_ROWS else []
    all_columns = wording.count(width, "column", "columns")
    shown += [f"the first {rows.SHOWN_COLUMNS} of {all_columns} shown"] if width > rows.SHOWN_COLUMNS else []
    facts = [*shown, wording.took(answer.seconds), f"release {workspace.release.number}"]
    first = html.Span(whole, className=None if answer.complete else "lp-warn")
    return [first, "".join(f" · {fact}" for fact in facts)]


def not_answered(error: Exception) -> Component:
    """Why there is no result, and where the statement is wrong."""
    said = trouble(error)
    statement = ctx.states.get(f"{STATEMENT}.value")
    place = find_place(said.text, statement) if isinstance(statement, str) else None
    title = STOPPED if said.status == Stopped.status else TITLES.get(said.kind, OTHERWISE)
    if place is None:
        return wrong(title, said.text)
    line = marked_line(place.line, (place.before, place.words, place.after), (place.start, place.end))
    return wrong(title, said.text, line)


def tables(workspace: Workspace) -> Component:
    """What one may ask: every table with its columns."""
    listed = [listed_table(workspace, name) for name in workspace.tables()]
    sub = f"{wording.count(len(listed), 'table', 'tables')}; a click puts a name into the statement"
    return card("Tables", sub, [schema(listed)])


def listed_table(workspace: Workspace, name: str) -> Listed:
    """One table, as it is called, written and described."""
    fields = [
        Field(column["name"], written_name(column["name"]), column["type"], column["description"])
        for column in workspace.columns(name)
    ]
    return Listed(name, written_table(name), str(workspace.about(name).get("description") or ""), fields)


def history(workspace: Workspace) -> Component:
    """What this user has asked here before."""
    found = workspace.statements(PAST_STATEMENTS)
    if not found:
        return card("History", "", [html.P("Statements that you run appear here.", className="lp-small lp-muted")])
    entries = html.Ol([html.Li(past(one, workspace)) for one in found], className="lp-history")
    return card("History", "Yours alone; a click puts it into the editor", [entries])


def past(statement: Statement, workspace: Workspace) -> Component:
    """One statement and how it went; what the audit keeps of it only in part is not offered again."""
    when = wording.age(statement.asked, datetime.now(workspace.lakehouse.settings.zone))
    went = "no answer" if statement.rows is None else wording.count(statement.rows, "row", "rows")
    facts = [when, went, *([] if statement.rows is None else [wording.took(statement.seconds)])]
    shown: list[Component | str] = [
        html.Code(" ".join(statement.text.split())[:LONGEST_SHOWN]),
        html.Span(" · ".join(facts if statement.is_whole else [*facts, "kept in part"]), className="lp-small lp-muted"),
    ]
    return replace(statement.text, shown) if statement.is_whole else html.Div(shown, className="lp-past-statement")


def is_on(settings: Settings) -> bool:
    """Whether the lake lets its users write SQL."""
    return settings.query.free_sql


PAGE = Page(
    PATH,
    "SQL",
    icon="sql",
    needs="query",
    layout=layout,
    callbacks=callbacks,
    exports={"": lambda workspace, visit: workspace.export_sql(visit.one("q"))},
    exports_by_post=True,
    offered=is_on,
    shape=("editor lp-8", "table lp-4"),
)
