"""The publish queue: releases that were built and tested, and wait for somebody to publish or discard them.

One rule: it shows what differs as far as whoever looks may see it, and a decision needs a reason.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from dash.development.base_component import Component

from lakehouse.core import Workspace
from portal import html, wording
from portal.components.card import card
from portal.components.icon import icon
from portal.components.link import link
from portal.components.table import Cell, Column, table
from portal.pipelines.forms import order, reason_field
from portal.pipelines.look import Look
from portal.pipelines.words import tests_text, time

SHOWN_DIFFERENCES = 12

FIRST = "Nothing was released here before."

Difference = Mapping[str, Any]


def queue_card(look: Look, width: str) -> Component:
    """What waits in the environments that are shown."""
    waiting = [(room, record) for room in look.rooms for record in room.queue().waiting()]
    if not waiting:
        text = "A run whose numbers differ too much from the release before, or that shall be looked at, waits here."
        return card("Publish queue", "Nothing waits", [html.P(text, className="lp-small lp-muted")], width)
    sub = "1 run waits for a decision" if len(waiting) == 1 else f"{len(waiting)} runs wait for a decision"
    return card("Publish queue", sub, [_waiting(look, room, record) for room, record in waiting], width)


def _waiting(look: Look, room: Workspace, record: Mapping[str, Any]) -> Component:
    run = record["run"]
    named = link(f"Run {run}", look.run_href(run))
    head = html.P(
        [icon("warning"), html.Span([named, f", {room.env}, ", time(record["created"], look.now)])],
        className="lp-state is-warn",
    )
    return html.Div([head, *_why(look, room, record), *_decide(look, room, run)], className="lp-decision")


def _why(look: Look, room: Workspace, record: Mapping[str, Any]) -> list[Component]:
    tests = tests_text(room.runs().show(record["run"]))
    passed = f"{tests} passed. " if tests else ""
    differences: Sequence[Difference] | None = record["differences"]
    if differences is None:
        return [html.P(f"{passed}You see a part of the rows, so what differs is not told.")]
    over = [one for one in differences if one["over"]]
    if not differences:
        nothing = "Nothing differs from the release that readers see." if room.has_release else FIRST
        return [html.P(f"{passed}{nothing}")]
    moved = "It differs more than the limits allow" if over else f"In {room.env} every release waits for a decision"
    said = html.P(f"{passed}{moved}, so nothing was published.")
    shown = sorted(differences, key=lambda one: not one["over"])[:SHOWN_DIFFERENCES]
    hidden = len(differences) - len(shown)
    more = [html.P(f"and {wording.count(hidden, 'difference', 'differences')} more", className="lp-small lp-muted")]
    return [said, differences_table(room, shown), *(more if hidden else []), *_limits(over)]


def differences_table(room: Workspace, differences: Sequence[Difference]) -> Component:
    """What was and what is, table by table, with the change."""
    release = f"Against release {room.release.number}" if room.has_release else "Before the first release"
    columns = [Column(release), *(Column(name, is_number=True) for name in ("Was", "Is", "Change"))]
    return table("What differs", columns, [_difference(one) for one in differences])


def _difference(one: Difference) -> list[Cell]:
    was, now = one["before"], one["after"]
    if one["kind"] == "nulls":
        name = f"{one['table']}.{one['column']}, empty"
        cells = [_percent(was), _percent(now), _signed(_percent(now - was), now - was)]
    else:
        ratio = Decimal(now - was) / Decimal(was) if was else None
        change = wording.change(ratio)
        name = str(one["table"])
        cells = [wording.exact(was), wording.exact(now), change.signed if change is not None else "new"]
    worse = "lp-worse" if one["over"] else None
    return [name, *cells[:2], html.Span(cells[2], className=worse)]


def _percent(share: float) -> str:
    return wording.share(Decimal(str(abs(share))), 1) or wording.NONE


def _signed(text: str, value: float) -> str:
    return f"+{text}" if value > 0 else f"−{text}" if value < 0 else text


def _limits(over: Sequence[Difference]) -> list[Component]:
    """The limits that were passed, each once."""
    said = list(dict.fromkeys(limit_text(one) for one in over))
    return [html.P(" ".join(said), className="lp-small lp-muted")] if said else []


def limit_text(one: Difference) -> str:
    """What a difference may be, as a sentence."""
    percent = _percent(one["limit"])
    if one["kind"] == "nulls":
        return f"Empty values may differ by {percent} of all rows."
    return f"A table may lose {percent} of its rows." if one["limit"] < 0 else f"A table may grow by {percent}."


def _decide(look: Look, room: Workspace, run: str) -> list[Component]:
    """The form of whoever may decide; the others learn who may."""
    if not room.may("operate"):
        return [html.P(f"An admin decides in {room.env}.", className="lp-small lp-muted")]
    address = f"{look.base}/_waiting/{run}"
    buttons = [
        html.Button("Publish", type="submit", formAction=f"{address}/publish", className="lp-button is-main"),
        html.Button("Discard", type="submit", formAction=f"{address}/discard", className="lp-button"),
    ]
    return [order(f"{address}/publish", [reason_field(), html.Div(buttons, className="lp-buttons")])]
