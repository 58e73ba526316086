"""One card per environment: what became of its last refresh, how far its data go, and a button to refresh it.

One rule: it says of an environment what Home says of it, in the same words.
"""

from collections.abc import Mapping

from dash.development.base_component import Component

from lakehouse.core import Workspace
from pipelines.schedule_control import ScheduleControl
from portal import html, wording
from portal.components.attributes import aria
from portal.components.icon import icon
from portal.components.link import link
from portal.freshness import Freshness, freshness
from portal.headline import Headline
from portal.pipelines.forms import start_controls
from portal.pipelines.look import Look
from portal.pipelines.schedules import begun, next_start
from portal.pipelines.words import Record, is_active, result_text, state_word, tests_text, time
from portal.readable import if_readable

SIGNS = {"good": "check", "bad": "close", "warn": "warning", "accent": "run"}
GOOD = ("success", "unchanged")
WIDTHS = {1: "lp-12", 2: "lp-6", 4: "lp-6"}
"""Number of environments -> columns of each card; otherwise three stand side by side."""


def environment_cards(look: Look) -> list[Component]:
    """The cards of all environments that are shown."""
    width = WIDTHS.get(len(look.rooms), "lp-4")
    return [_card(look, room, width) for room in look.rooms]


def _card(look: Look, room: Workspace, width: str) -> Component:
    told = freshness(room, look.now)
    active = room.runs().active(room.env)
    controls = [start_controls(look, room.env, str(active[0]["run"]) if active else "")] if room.may("operate") else []
    facts: Mapping[str, Component | str] = {
        "Last result": _last_result(look, room),
        "Data to": _reach(room),
        "Next start": begun(next_start(look, room)) or _by_hand(room),
    }
    listed = html.Dl([part for term, said in facts.items() for part in (html.Dt(term), html.Dd(said))])
    body = [html.H2([html.Span(room.env), *chip(told)]), *controls, listed]
    return html.Section(body, className=f"lp-card lp-env {width}", **aria(label=f"Environment {room.env}"))


def _by_hand(room: Workspace) -> str:
    """Who starts runs where no schedule does."""
    why = "the schedule is paused" if ScheduleControl(room).has_schedules else "nothing is scheduled"
    return f"By {'hand' if room.may('operate') else 'an admin'}, {why}"


def plain_card(look: Look) -> Component:
    """How fresh the numbers are, for whoever only reads them."""
    told = freshness(look.workspace.at("now"), look.now)
    reach = _reach(look.room(look.workspace.env))
    said = [html.P(sentence) for sentence in told.sentences]
    said.append(html.P(f"The data go up to {reach}.") if reach != wording.NONE else html.P("There are no data yet."))
    following = next_start(look, look.room(look.workspace.env))
    said += [html.P(f"The next one starts by itself: {following}.")] if following else []
    about = "Engineers and admins start, stop and publish refreshes. Ask one of them for a newer one."
    body = html.Div([*said, html.P(about, className="lp-muted")], className="lp-plain")
    return html.Section([html.H2(["Refreshes", *chip(told)]), body], className="lp-card lp-env lp-12")


def chip(told: Freshness) -> list[Component]:
    """How fresh the numbers are, in short."""
    if not told.short:
        return []
    sign = [icon(SIGNS[told.mood], small=True)] if told.mood in SIGNS else []
    return [html.Span([*sign, told.short], className=f"lp-chip is-{told.mood}" if told.mood else "lp-chip")]


def _last_result(look: Look, room: Workspace) -> Component | str:
    ended = [record for record in room.runs().list(room.env, 20) if not is_active(record)]
    if not ended:
        return "No run has ended yet"
    record = ended[0]
    words = result_text(record) or state_word(record)
    shown = words if record["state"] in GOOD else f"Run {record['run']}: {words.lower()}"
    tests = f", {_tests(record)}" if _tests(record) else ""
    at = time(record["ended"] or record["started"], look.now)
    return html.Span([link(shown, look.run_href(record["run"])), f"{tests}, ", at])


def _tests(record: Record) -> str:
    return tests_text(record) if record["state"] in ("success", "awaiting_publish") else ""


def _reach(room: Workspace) -> str:
    """The last day in the data, as far as whoever asks may see them."""
    if not room.has_release:
        return wording.NONE
    bounds = if_readable(lambda: Headline(room).bounds)
    return wording.day(bounds.last) if bounds is not None else wording.NONE
