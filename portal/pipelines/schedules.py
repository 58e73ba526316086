"""The schedules of the lake: what starts by itself, when, what has become of the last start, and buttons to pause it.

One rule: a time stands here as the lake's clocks show it; those of a schedule with a zone of its own name that zone.
"""

from typing import Any

from dash.development.base_component import Component

from lakehouse.core import Workspace
from pipelines.schedule_control import ScheduleControl
from portal import html, wording
from portal.components.card import card
from portal.components.link import link
from portal.components.states import empty
from portal.components.table import Cell, Column, table
from portal.pipelines.cron_words import cron_words
from portal.pipelines.forms import order
from portal.pipelines.look import Look
from portal.pipelines.words import Record, column_time, job_text, moment, state_sign, time, who

NOTHING = "Runs start by themselves as soon as lakeport.toml has a section [schedules.NAME] with env, job and cron."

COLUMNS = (
    Column("Schedule"),
    Column("Environment"),
    Column("Job", is_lesser=True),
    Column("When"),
    Column("Next start"),
    Column("Last run"),
    Column("Pause or resume"),
)


def schedule_cards(look: Look) -> list[Component]:
    """The schedules of all environments."""
    control = ScheduleControl(look.workspace)
    records = control.records(look.now)
    if not records:
        return [empty("Nothing is scheduled", NOTHING)]
    rows = [_row(look, control, record) for record in records]
    sub = f"{wording.count(len(rows), 'schedule', 'schedules')}, started by this portal while it is served"
    return [card("Schedules", sub, [table("Schedules", COLUMNS, rows, cards=True)], "lp-12 lp-schedules")]


def next_start(look: Look, room: Workspace) -> str:
    """When the next run of an environment starts by itself: "tomorrow, 06:10"; empty where nothing does."""
    following = ScheduleControl(room).next_start(look.now)
    return wording.coming(following, look.now) if following is not None else ""


def begun(words: str) -> str:
    """Words as they stand at the beginning: "Tomorrow, 06:10"."""
    return words[:1].upper() + words[1:]


def _row(look: Look, control: ScheduleControl, record: Record) -> list[Cell]:
    asked = {"job": record["job"], "order": record}
    return [
        record["name"],
        record["env"],
        job_text(asked),
        _when(look, record),
        _next(look, record),
        _last(look, record),
        _button(look, record) if control.may_operate(record["env"]) else "",
    ]


def _when(look: Look, record: Record) -> Component:
    zone = "" if record["timezone"] == look.settings.lake.timezone else f", {record['timezone']}"
    words = cron_words(record["cron"])
    return _lines(f"{words}{zone}" if words else "", [html.Code(record["cron"]), "" if words else zone])


def _next(look: Look, record: Record) -> Component | str:
    if not record["paused"]:
        return begun(wording.coming(moment(record["next"]), look.now))
    by: list[Any] = [f"By {who(record['paused_by'])}, ", time(record["paused"], look.now)]
    return _lines("Paused", by, record["reason"] or "")


def _last(look: Look, record: Record) -> Component | str:
    run, skipped = record["last_run"], ""
    if record["why"]:
        skipped = f"Skipped at {column_time(record['skipped'], look.now)}: {record['why']}"
    if not run:
        return _lines("None yet", skipped)
    named = [link(run, look.run_href(run)), ", ", column_time(record["last_started"], look.now)]
    shown = {"state": record["last_state"], "release": record["last_release"]}
    state = [" ", state_sign(shown)] if record["last_state"] else []
    return _lines(html.Span([*named, *state]), skipped)


def _lines(first: Component | str, *more: Any) -> Component:
    """A cell of several lines, of which the later ones are smaller."""
    small = [html.Div(line, className="lp-small lp-muted") for line in more if line]
    return html.Div([*([html.Div(first)] if first else []), *small])


def _button(look: Look, record: Record) -> Component:
    verb = "resume" if record["paused"] else "pause"
    words = [verb.capitalize(), html.Span(f" {record['name']}", className="lp-hidden")]
    address = f"{look.base}/_schedules/{record['name']}/{verb}"
    return order(address, [html.Button(words, type="submit", className="lp-button")])
