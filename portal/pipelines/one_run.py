"""A run's page: what it was asked to do, its steps along the time, and everything that has come of it.

One rule: what a run says is shown as text, and what it has read is shown under the rights of whoever looks.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dash.development.base_component import Component

from lakehouse.access import policy
from lakehouse.core import Workspace
from lakehouse.failures import FailingTest, failing_tests
from lakehouse.query.scope import QUARANTINE
from pipelines.control import RunControl
from pipelines.progress import Progress
from pipelines.result import left_sentences
from portal import html, wording
from portal import rows as values
from portal.components.card import card
from portal.components.link import link
from portal.components.table import Cell, Column, table
from portal.data.told import size_text
from portal.pipelines.current import current_card, progress_of
from portal.pipelines.downloads import ARTEFACTS, artefacts
from portal.pipelines.log_lines import printed_log, said_log
from portal.pipelines.look import Look
from portal.pipelines.timeline import timeline
from portal.pipelines.words import (
    NOT_COUNTED,
    Record,
    exact_time,
    is_active,
    job_text,
    length,
    order_text,
    reason_of,
    result_text,
    seconds_of,
    state_sign,
    tests_text,
    time,
    told_rows,
    who,
    withheld,
)
from portal.readable import if_readable

LOG_LINES = 200
SAMPLE_ROWS = 20

Fact = tuple[str, Component | str]


def run_cards(look: Look, run: str) -> list[Component]:
    """The cards of one run. Raises `UnknownName`, which names the newest, and `NotAllowed`."""
    policy.check(look.workspace.principal, "diagnose", f"run {run}")
    record = look.workspace.runs().show(run)
    room = look.room(record["env"])
    back = html.Div(link("All runs", f"{look.base}/pipelines", "lp-button"), className="lp-run-back")
    if is_active(record):
        return [back, current_card(look, record, is_alone=True), facts_card(look, record)]
    failing, progress = failing_tests(room, run), progress_of(look, record)
    return [
        back,
        facts_card(look, record),
        *steps_card(look, record, progress),
        *failing_cards(failing),
        *tables_card(look, record),
        *sources_card(look, record),
        *quarantine_card(look, record),
        log_card(look, record, progress),
    ]


def facts_card(look: Look, record: Record) -> Component:
    """What the run was asked to do, by whom, when, and what has come of it."""
    facts = [fact for fact in run_facts(look, record) if fact[1]]
    listed = html.Dl([part for term, said in facts for part in (html.Dt(term), html.Dd(said))], className="lp-facts")
    body: list[Component] = [listed]
    if record["error"]:
        body.insert(0, html.P(record["error"], className="lp-run-error"))
    if is_active(record):
        return card("About this run", "", body)
    return card(f"Run {record['run']}, {job_text(record)} of {record['env']}", state_sign(record), body)


def run_facts(look: Look, record: Record) -> Iterator[Fact]:
    """The facts by name; what is not known is empty."""
    yield "Asked for", order_text(record)
    yield "Started by", who(record["starter"])
    yield "Reason", reason_of(record)
    yield "Cancelled by", who(record["cancelled_by"]) if record.get("cancelled_by") else ""
    yield "Started", exact_time(record["started"], look.now)
    if not is_active(record):
        ended = exact_time(record["ended"], look.now) if record["ended"] else ""
        yield "Ended", html.Span([f"{ended}, ", time(record["ended"], look.now)]) if ended else ""
        yield "Took", length(seconds_of(record, look.now))
        yield "Result", _result(look, record)
        yield "Tests", tests_text(record)
        yield "Rows", _rows_text(record)
        yield "Left", " ".join(left_sentences(record))
        yield "Repaired", " ".join(record.get("repaired") or ())


def _result(look: Look, record: Record) -> Component | str:
    number = record["release"]
    if number is None or record["env"] != look.workspace.env:
        return result_text(record)
    return link(f"Release {number}", f"{look.base}/?at={number}")


def _rows_text(record: Record) -> str:
    read, loaded, rejected = (record.get(f"rows_{name}") or 0 for name in ("read", "loaded", "quarantined"))
    if not read:
        return ""
    return f"{wording.exact(read)} read, {wording.exact(loaded)} loaded, {wording.exact(rejected)} quarantined"


def steps_card(look: Look, record: Record, progress: Progress) -> list[Component]:
    """The steps along the time; nothing where the run has kept none."""
    drawn = timeline(look, record, progress)
    return [card("Steps", "From the start of the run to its end", drawn)] if drawn else []


def failing_cards(failing: Sequence[FailingTest]) -> list[Component]:
    """A card for each test that failed, with the rows that it has found."""
    return [_failing(one) for one in failing]


def _failing(test: FailingTest) -> Component:
    counted = wording.count(test.failures, "row", "rows") if test.failures is not None else "not computed"
    if test.message is None:
        return card(f"Failed: {test.test}", ", ".join(test.reads), [withheld("What it has found is")])
    body: list[Component] = [html.P(test.message, className="lp-run-error")]
    if test.rows:
        columns = [Column(str(column["name"])) for column in test.columns or ()][: values.SHOWN_COLUMNS]
        shown = [[values.cell(value) for value in row[: values.SHOWN_COLUMNS]] for row in test.rows]
        body.append(table(f"Rows that {test.test} has found", columns, shown))
        if not test.complete:
            body.append(html.P(f"The first {len(test.rows)} of them are shown.", className="lp-small lp-muted lp-note"))
    elif test.failures:
        body.append(html.P("Its rows are for whoever may operate here.", className="lp-small lp-muted"))
    return card(f"Failed: {test.test}", counted, body)


def tables_card(look: Look, record: Record) -> list[Component]:
    """The tables that the run has loaded or built, with their rows and the snapshots that it has made."""
    made: Mapping[str, Mapping[str, Any]] = record.get("tables") or {}
    if not made:
        return []
    room = look.room(record["env"])
    released = _released(room, record)
    columns = [Column("Table"), Column("Rows", is_number=True), Column("Size", is_number=True, is_lesser=True)]
    columns.append(Column("Snapshot", is_number=True))
    rows = [_table_row(name, one, released) for name, one in made.items()]
    sub = wording.count(len(rows), "table", "tables")
    return [card("Tables", sub, [table("Tables of the run", columns, rows, cards=True)])]


def _released(room: Workspace, record: Record) -> Workspace | None:
    """The data as the run has released them."""
    return room.at(str(record["release"])) if record["release"] is not None else None


def _table_row(name: str, made: Mapping[str, Any], released: Workspace | None) -> list[Cell]:
    pin = released.pins.get(name) if released is not None else None
    size = released.release.sizes.get(name) if released is not None else None
    return [
        name,
        told_rows(made["rows"]),
        size_text(size.bytes) if size is not None and made["rows"] is not None else wording.NONE,
        str(pin.snapshot) if pin is not None and pin.snapshot is not None else "Not released",
    ]


def sources_card(look: Look, record: Record) -> list[Component]:
    """How many records of each source were read, loaded and quarantined, where that is told."""
    sources: Mapping[str, Mapping[str, Any]] = record.get("sources") or {}
    if not sources:
        return []
    names = ("read", "loaded", "quarantined")
    columns = [Column("Source"), *(Column(name.capitalize(), is_number=True) for name in names)]
    rows = [[name, *(told_rows(counts[one]) for one in names)] for name, counts in sources.items()]
    is_told = all(counts["read"] is not None for counts in sources.values())
    sub = "Rows read are rows loaded and rows quarantined" if is_told else NOT_COUNTED
    return [card("Sources", sub, [table("Sources", columns, rows)])]


def quarantine_card(look: Look, record: Record) -> list[Component]:
    """The rows that were put aside, as far as they were released and may be seen."""
    if not record.get("rows_quarantined"):
        return []
    counted = wording.count(record["rows_quarantined"], "row was put aside", "rows were put aside")
    released = _released(look.room(record["env"]), record)
    if released is None or QUARANTINE not in released.tables():
        text = "Rows that were put aside can be looked at here once they are released, by whoever may see them."
        return [card("Quarantine", counted, [html.P(text, className="lp-muted")])]
    answer = if_readable(lambda: released.sample(QUARANTINE, SAMPLE_ROWS))
    if answer is None:
        return [card("Quarantine", counted, [html.P("Their files cannot be read now.", className="lp-muted")])]
    shown = table("Quarantined rows", values.columns(answer.table), values.cells(answer.table))
    address = f"{look.base}/_runs/{record['run']}/quarantine.csv"
    file = html.A("Download CSV", href=address, className="lp-button", download="")
    note = f"All that are aside in release {record['release']}, the first {SAMPLE_ROWS} shown"
    return [card("Quarantine", f"{counted}. {note}", [shown], extra=[html.Div([file], className="lp-buttons")])]


def log_card(look: Look, record: Record, progress: Progress) -> Component:
    """What the run has said, what its tools have printed, and its files."""
    room = look.room(record["env"])
    body = [said_log(progress, look.settings.zone, is_long=True)]
    control = RunControl(room)
    if not control.may_read_log:
        return card("Log", "", [*body, withheld("What its tools have printed, and its files, are")])
    printed = control.log(record["run"], LOG_LINES).splitlines()
    if printed:
        said = f"What its tools have printed, the last {len(printed)} lines"
        body += [html.H3(said, className="lp-note"), printed_log(printed, f"{record['run']}, tools")]
    files = [
        html.A(ARTEFACTS[name].words, href=f"{look.base}/_runs/{record['run']}/files/{name}", className="lp-button")
        for name in artefacts(room, record)
    ]
    return card("Log and files", "", body, extra=[html.Div(files, className="lp-buttons")] if files else [])
