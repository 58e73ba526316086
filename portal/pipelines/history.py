"""The history of runs: a table, newest first, filtered by what the address says.

One rule: a page of it begins where the one before has ended (`before`), so that runs which begin meanwhile neither
push a row out of sight nor show one twice.
"""

from collections.abc import Iterator, Sequence
from heapq import merge
from typing import Any

from dash.development.base_component import Component

from lakehouse.core import Workspace
from lakehouse.errors import RequestWrong
from lakehouse.state.schema import ACTIVE
from portal import html, wording
from portal.components.attributes import HIDDEN, aria
from portal.components.card import card, segments
from portal.components.link import link
from portal.components.popover import choice, popover
from portal.components.table import Cell, Column, table
from portal.pipelines.look import Look
from portal.pipelines.words import (
    STATES,
    Record,
    exact_time,
    job_text,
    length,
    result_text,
    seconds_of,
    state_sign,
    time_cell,
    who,
)

STATE, JOB, ENV, BY, BEFORE = "state", "job", "env", "by", "before"
MINE = "me"
SHOWN = 20
BATCH = 50
MOST_LOOKED_AT = 500
"""Runs of an environment that are looked at for a page of the history; older ones are found by `lakeport run list`."""

JOBS = ("refresh", "load", "build", "publish")
GROUPS: dict[str, tuple[str, ...]] = {
    **{state: (state,) for state in STATES},
    "active": ACTIVE,
    "failed": ("failed", "lost"),
    "waiting": ("awaiting_publish",),
}
"""What the address may ask for -> the states that it means."""
OFFERED = (("", "All"), ("failed", "Failed"), ("success", "Done"), ("cancelled", "Cancelled"))

COLUMNS = (
    Column("Run"),
    Column("Environment"),
    Column("Job"),
    Column("Started"),
    Column("By", is_lesser=True),
    Column("Rows read", is_number=True, is_lesser=True),
    Column("Duration", is_number=True, is_lesser=True),
    Column("Result", is_lesser=True),
    Column("State"),
)


def history_card(look: Look) -> Component:
    """A page of the runs, and links to filter them and to go on to older ones."""
    found = _found(look)
    shown, more = found[:SHOWN], len(found) > SHOWN
    if not shown:
        body: list[Component] = [html.P(_nothing(look), className="lp-muted")]
    else:
        body = [table("Runs, newest first", COLUMNS, _rows(shown, look), cards=True), *_foot(look, shown, more)]
    return card("History", _sub(look), body, "lp-12 lp-runs", [html.Div(_filters(look), className="lp-buttons")])


def _found(look: Look) -> list[Record]:
    """The runs of a page, and one more where there is one."""
    wanted = look.visit.one(ENV)
    rooms = [room for room in look.rooms if wanted in ("", room.env)]
    if not rooms:
        raise RequestWrong(f"No environment named {wanted!r}. Known: {', '.join(room.env for room in look.rooms)}.")
    newest_first = merge(*(_matching(room, look) for room in rooms), key=lambda record: record["started"], reverse=True)
    return [record for record, _ in zip(newest_first, range(SHOWN + 1), strict=False)]


def _matching(room: Workspace, look: Look) -> Iterator[Record]:
    states, job, by = _states(look), look.visit.one(JOB), look.visit.one(BY)
    before, name = look.visit.one(BEFORE), look.workspace.principal.name
    for _ in range(MOST_LOOKED_AT // BATCH):
        batch = room.runs().list(room.env, BATCH, states=states, before=before)
        for record in batch:
            asked = (record.get("order") or {}).get("job") or record["job"]
            if job in ("", asked) and (by != MINE or record["starter"] == name):
                yield record
        if len(batch) < BATCH:
            return
        before = batch[-1]["started"]


def _states(look: Look) -> tuple[str, ...]:
    asked = look.visit.one(STATE)
    if asked and asked not in GROUPS:
        raise RequestWrong(f"No state named {asked!r}. Known: {', '.join(GROUPS)}.")
    return GROUPS.get(asked, ())


def _rows(records: Sequence[Record], look: Look) -> list[list[Cell]]:
    longest = max(seconds_of(record, look.now) for record in records) or 1.0
    return [_row(record, look, longest) for record in records]


def _row(record: Record, look: Look, longest: float) -> list[Cell]:
    seconds = seconds_of(record, look.now)
    track = html.Span(html.Span(style={"width": f"{100 * seconds / longest:.0f}%"}), className="lp-duration", **HIDDEN)
    rows = record.get("rows_read") or 0
    return [
        link(record["run"], look.run_href(record["run"])),
        record["env"],
        job_text(record),
        time_cell(record["started"], look.now),
        who(record["starter"]),
        wording.exact(rows) if rows else "",
        html.Span([length(seconds), track]),
        result_text(record),
        state_sign(record),
    ]


def _filters(look: Look) -> list[Component]:
    """Links that say which runs are shown."""
    visit = look.visit.without(BEFORE)
    state, by, job = visit.one(STATE), visit.one(BY), visit.one(JOB)
    shown = [(words, visit.href(state=value, by=None), state == value and not by) for value, words in OFFERED]
    shown.append(("Mine", visit.href(state=None, by=MINE), by == MINE))
    jobs = [choice("All jobs", visit.href(job=None), not job)]
    jobs += [choice(name.capitalize(), visit.href(job=name), job == name) for name in JOBS]
    menus: list[Component] = [popover(f"Job: {job or 'all'}", jobs)]
    if len(look.rooms) > 1:
        env = visit.one(ENV)
        rooms = [choice("All environments", visit.href(env=None), not env)]
        rooms += [choice(room.env, visit.href(env=room.env), env == room.env) for room in look.rooms]
        menus.append(popover(f"Environment: {env or 'all'}", rooms))
    return [*menus, segments("Show", shown)]


def _sub(look: Look) -> str:
    older = look.visit.one(BEFORE)
    return f"Newest first, before {exact_time(older, look.now)}" if older else "Newest first"


def _nothing(look: Look) -> str:
    keys: Any = (STATE, JOB, ENV, BY, BEFORE)
    if any(look.visit.one(key) for key in keys):
        return "No run matches. Choose other filters."
    return "Runs appear here with the first refresh."


def _foot(look: Look, shown: Sequence[Record], more: bool) -> list[Component]:
    older = [link("Older", look.visit.href(before=shown[-1]["started"]), "lp-button")] if more else []
    newest = [link("Newest", look.visit.href(before=None), "lp-button")] if look.visit.one(BEFORE) else []
    if not older and not newest:
        return []
    said = wording.count(len(shown), "run", "runs")
    pages = html.Nav([*newest, *older], className="lp-pages", **aria(label="Pages of the history"))
    return [html.Div([html.Span(said, className="lp-num"), pages], className="lp-pager")]
