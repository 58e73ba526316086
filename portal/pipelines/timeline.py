"""The steps of a run along its time: one row per step, and under it its sources, models and tests.

One rule: every bar has its words beside it: when it began after the start, and how long it took.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dash.development.base_component import Component

from pipelines.progress import Progress
from pipelines.steps import Part
from portal import html, wording
from portal.components.attributes import HIDDEN, aria
from portal.components.table import Column, table_fold
from portal.pipelines.look import Look
from portal.pipelines.words import Record, length, moment

NAMES = {"load": "Load", "build": "Build and test", "release": "Publish"}
TESTED = ("pass", "warn", "fail")
"""What only a test ends with: a model succeeds, fails with an error, or is skipped."""
FAILED = ("fail", "error", "refused")
MOST_PARTS = 60
TICKS = 4


@dataclass(frozen=True)
class Stretch:
    """A row: from and to in seconds after the start of the run."""

    name: str
    begin: float
    end: float
    state: str = "done"
    is_inner: bool = False

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.begin


def timeline(look: Look, record: Record, progress: Progress) -> list[Component]:
    """The drawing and its table; nothing where the run has said nothing of its steps."""
    found = stretches(record, progress, look.now)
    if not found:
        return []
    whole = max(max(one.end for one in found), 1.0)
    rows = [_row(one, whole) for one in found]
    drawing = html.Ol([*rows, _axis(whole)], className="lp-gantt", **aria(label="Steps along the time"))
    columns = [Column("Step"), Column("Began after", is_number=True), Column("Took", is_number=True), Column("State")]
    told = [[one.name, length(one.begin), _took(one), one.state] for one in found]
    return [drawing, table_fold("Steps and their times", columns, told)]


def stretches(record: Record, progress: Progress, now: datetime) -> list[Stretch]:
    """The steps in their order, each followed by its parts."""
    start, end = moment(record["started"]), moment(record["ended"]) if record["ended"] else now
    found = []
    for step in progress.steps:
        name = NAMES.get(step.step, step.step.capitalize())
        found.append(_stretch(name, (step.started, step.ended), (start, end), record))
        parts = [part for part in progress.parts if part.step == step.step]
        tests = [part for part in parts if part.status in TESTED]
        alone = [part for part in parts if part not in tests or part.status in FAILED]
        found += [_inner(part, (start, end), record) for part in alone[: MOST_PARTS - len(found)]]
        found += _tests(tests, start)
    return found


def _tests(tests: Sequence[Part], start: datetime) -> list[Stretch]:
    """All tests in one row: there are many, and each is short."""
    if not tests:
        return []
    begin, end = min(part.started for part in tests), max(part.ended or part.started for part in tests)
    name = wording.count(len(tests), "test", "tests")
    times = [(moment(text) - start).total_seconds() for text in (begin, end)]
    return [Stretch(name, times[0], times[1], is_inner=True)]


def _inner(part: Part, within: tuple[datetime, datetime], record: Record) -> Stretch:
    one = _stretch(part.name, (part.started, part.ended), within, record)
    return Stretch(one.name, one.begin, one.end, "failed" if part.status in FAILED else one.state, is_inner=True)


def _stretch(name: str, times: tuple[str, str | None], within: tuple[datetime, datetime], record: Record) -> Stretch:
    start, end = within
    began, ended = moment(times[0]), moment(times[1]) if times[1] else end
    state = "done" if times[1] else "running" if record["ended"] is None else "broken off"
    return Stretch(name, (began - start).total_seconds(), (ended - start).total_seconds(), state)


def _row(one: Stretch, whole: float) -> Component:
    left, width = 100 * one.begin / whole, 100 * one.seconds / whole
    bar = html.Span(className="lp-bar", style={"left": f"{left:.2f}%", "width": f"{width:.2f}%"})
    track = html.Span(bar, className="lp-track", **HIDDEN)
    kinds = [kind for kind, is_so in (("is-inner", one.is_inner), (_mood(one.state), True)) if is_so and kind]
    title = f"{one.name}: began after {length(one.begin)}, took {_took(one)}, {one.state}"
    return html.Li([html.Span(one.name), track, html.Span(_took(one))], className=" ".join(kinds) or None, title=title)


def _mood(state: str) -> str:
    return {"running": "is-now", "failed": "is-failed", "broken off": "is-failed"}.get(state, "")


def _axis(whole: float) -> Component:
    ticks = [html.Span(length(whole * number / TICKS)) for number in range(TICKS + 1)]
    return html.Li([html.Span(), html.Span(ticks, className="lp-ticks"), html.Span()], className="lp-axis", **HIDDEN)


def _took(one: Stretch) -> str:
    """Short steps in tenths of a second: most parts take less than one."""
    return f"{one.seconds:.1f} s" if one.seconds < 10 else length(one.seconds)
