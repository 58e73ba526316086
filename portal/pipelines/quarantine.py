"""The rows in quarantine of each environment: which runs have put rows aside, and what is wrong with each.

One rule: rows are those of the release that readers see, under the rights of whoever looks; a list that is cut says so.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from dash.development.base_component import Component

from lakehouse.core import Workspace
from lakehouse.query.scope import QUARANTINE
from portal import html, wording
from portal import rows as values
from portal.components.card import card
from portal.components.link import link
from portal.components.table import Cell, Column, table
from portal.pipelines.downloads import MOST_ROWS
from portal.pipelines.look import Look
from portal.pipelines.words import Record, is_active, time_cell, withheld
from portal.readable import if_readable

NEWEST = 50
"""Runs among which those are looked for that have put rows aside."""
SHOWN = 100
ADDED = 10

LOADS = (
    Column("Source"),
    Column("Run"),
    Column("Loaded", is_lesser=True),
    Column("Rows read", is_number=True, is_lesser=True),
    Column("Put aside", is_number=True),
)
ROWS = ("source", "file", "line", "column_name", "value", "reason")
"""Columns of the table; the whole record stands in the file."""
COLUMNS = (
    Column("Source"),
    Column("File"),
    Column("Line", is_number=True),
    Column("Column"),
    Column("Value", is_lesser=True),
    Column("Reason"),
)


def quarantine_cards(look: Look) -> list[Component]:
    """The quarantine of each environment that is shown."""
    return [_card(look, room) for room in look.rooms]


def _card(look: Look, room: Workspace) -> Component:
    ended = [record for record in room.runs().list(room.env, NEWEST) if not is_active(record)]
    loads = list(_loads(look, ended))[:ADDED]
    caption = f"Loads of {room.env} that have put rows aside"
    below = [html.H3("Put aside by"), table(caption, LOADS, loads, cards=True)] if loads else []
    sub, body = _aside(room)
    file = _file(look, room, ended) if sub else []
    return card(f"Quarantine of {room.env}", sub, [*body, *below], "lp-12 lp-aside", file)


def _aside(room: Workspace) -> tuple[str, list[Component]]:
    """How many rows are aside, and the first of them; no number where there are none, or it is not told."""
    if not room.has_release:
        return "", [_said("Rows that a load puts aside appear here once they are released.")]
    if QUARANTINE not in room.tables():
        return "", [withheld("Rows in quarantine are whole records as they came. They are")]
    count = if_readable(lambda: room.row_count(QUARANTINE))
    if count is None:
        return "", [_said("Their files cannot be read now.")]
    if not count:
        text = "Records that do not fit their source's columns appear here, with the file, the line and the reason."
        return "", [_said(f"Nothing is aside in release {room.release.number}. {text}")]
    sub = f"{wording.count(count, 'row is', 'rows are')} aside in release {room.release.number}"
    return sub, _rows(room, count)


def _loads(look: Look, ended: Sequence[Record]) -> Iterator[list[Cell]]:
    """Which runs have put rows aside, by source, the newest first; none where that is not told."""
    for record in ended:
        for source, counts in (record.get("sources") or {}).items():
            if counts["quarantined"]:
                run = link(record["run"], look.run_href(record["run"]))
                at = time_cell(record["ended"], look.now)
                yield [source, run, at, wording.exact(counts["read"]), wording.exact(counts["quarantined"])]


def _rows(room: Workspace, count: int) -> list[Component]:
    answer = if_readable(lambda: room.sample(QUARANTINE, SHOWN))
    if answer is None:
        return [_said("Their files cannot be read now.")]
    shown: Any = answer.table.select(ROWS)
    rows = table(f"Rows in quarantine of {room.env}", COLUMNS, values.cells(shown), cards=True)
    if count <= SHOWN:
        return [rows]
    most = f"the first {wording.exact(MOST_ROWS)}" if count > MOST_ROWS else "all of them"
    note = f"The first {SHOWN} of {wording.exact(count)} are shown; the file has {most}."
    return [rows, html.P(note, className="lp-small lp-muted lp-note")]


def _file(look: Look, room: Workspace, ended: Sequence[Record]) -> list[Component]:
    """All of them as a file, by a run that has come to the release."""
    run = next((record["run"] for record in ended if record["release"] == room.release.number), None)
    if run is None:
        return []
    address = f"{look.base}/_runs/{run}/quarantine.csv"
    file = html.A("Download CSV", href=address, className="lp-button", download="")
    return [html.Div([file], className="lp-buttons")]


def _said(text: str) -> Component:
    return html.P(text, className="lp-muted")
