"""Pipelines: what runs, what has run, and what waits for a decision; and buttons to start, to stop and to decide."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dash.development.base_component import Component

from lakehouse.core import Workspace
from lakehouse.errors import UnknownName
from lakehouse.state.schema import ACTIVE, AWAITING
from portal import html
from portal.components.attributes import aria, heard
from portal.components.card import segments
from portal.components.stamp import stamp
from portal.page import REFRESHES, Page, Screen, Visit
from portal.pipelines.current import current_card
from portal.pipelines.environments import environment_cards, plain_card
from portal.pipelines.history import BY, ENV, JOB, STATE, history_card
from portal.pipelines.live import ADDRESS, drawn, shown_parts
from portal.pipelines.look import BENEATH, Look
from portal.pipelines.one_run import run_cards
from portal.pipelines.quarantine import quarantine_cards
from portal.pipelines.schedules import schedule_cards
from portal.pipelines.sources import source_cards
from portal.pipelines.verdicts import verdict_cards
from portal.pipelines.waiting import queue_card

PATH = REFRESHES
SECTION = "section"
SHAPE = ("filters", "table lp-4", "table lp-4", "table lp-4", "table lp-12")


def layout(workspace: Workspace, visit: Visit) -> Screen:
    """A run where the address names one, the runs for engineers, and how fresh the numbers are for everybody else."""
    look = Look.at_once(workspace, visit)
    above, _, run = visit.path.rpartition("/")
    if above.endswith(PATH + BENEATH):
        return run_screen(look, run)
    if not look.is_engineers:
        return Screen([plain_card(look), followed(look)])
    shown = visit.one(SECTION)
    if shown not in SECTIONS:
        raise UnknownName("section", shown, [name for name in SECTIONS if name])
    return Screen([*SECTIONS[shown].cards(look), followed(look)], section_bar(visit))


def run_screen(look: Look, run: str) -> Screen:
    """One run; it is followed as long as something can still become of it."""
    cards = run_cards(look, run)
    is_open = look.workspace.runs().show(run)["state"] in (*ACTIVE, AWAITING)
    return Screen([*cards, *([followed(look, run)] if is_open else [])])


def section_bar(visit: Visit) -> Component:
    """The sections of the page."""
    shown, plain = visit.one(SECTION), visit.only(["at"])
    choices = [(one.title, plain.href(section=name or None), name == shown) for name, one in SECTIONS.items()]
    return html.Section([segments("Section", choices)], className="lp-filters", **aria(label="Sections"))


def run_content(look: Look) -> list[Component]:
    """The environments, what runs, what waits, and the history."""
    active = shown_parts(look, "")
    current = [current_card(look, record) for record in active]
    waits = any(room.queue().waiting() for room in look.rooms)
    queue = [queue_card(look, "lp-4" if len(current) == 1 else "lp-12")] if current or waits else []
    return [*environment_cards(look), *current, *queue, history_card(look)]


@dataclass(frozen=True)
class Section:
    """A part of the page of its own: its title in the bar, and what draws its cards for whoever may diagnose runs."""

    title: str
    cards: Callable[[Look], list[Component]]


SECTIONS: Mapping[str, Section] = {
    "": Section("Runs", run_content),
    "sources": Section("Sources", source_cards),
    "schedules": Section("Schedules", schedule_cards),
    "tests": Section("Tests", verdict_cards),
    "quarantine": Section("Quarantine", quarantine_cards),
}
"""What `section` in the address says -> the section, in the order of the bar."""


def followed(look: Look, run: str = "") -> Component:
    """What `assets/pipelines.js` has to know: where to ask what has changed, and what is shown."""
    of = f"?of={run}" if run else ""
    said = "Follows the runs while it stands open" if look.is_engineers else "Says so as soon as a refresh has ended"
    mark = {**heard("live", f"{ADDRESS}{of}"), **heard("drawn", drawn(look, run))}
    return html.Div(stamp(said), **mark)


PAGE = Page(
    PATH,
    "Pipelines",
    "pipelines",
    needs="watch",
    layout=layout,
    below=BENEATH,
    recorded=(SECTION, STATE, JOB, ENV, BY),
    shape=SHAPE,
)
