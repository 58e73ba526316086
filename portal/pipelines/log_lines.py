"""What a run has said, line by line, as somebody reads it who follows it.

One rule: lines are only ever added at the end, each with its number, so that a reader further up keeps their place.
"""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import NamedTuple

from dash.development.base_component import Component

from pipelines.progress import Progress
from portal import html, wording
from portal.components.attributes import aria, heard
from portal.pipelines.words import moment

MOST_LINES = 200
STEP_WIDTH, NAME_WIDTH = 9, 46
BAD = ("fail", "error", "refused", "runtime error")


class Line(NamedTuple):
    """When it was said, in which step, about what, and what."""

    at: str
    step: str
    about: str
    words: str

    @property
    def is_bad(self) -> bool:
        """Whether something has failed."""
        return self.words in BAD


def lines_of(progress: Progress) -> list[Line]:
    """Everything that was said, in its order."""
    return sorted(_lines(progress), key=lambda line: line.at)


def _lines(progress: Progress) -> Iterator[Line]:
    for step in progress.steps:
        yield Line(step.started, step.step, "", "started")
        if step.ended is not None:
            yield Line(step.ended, step.step, "", step.message or "ended")
    for part in progress.parts:
        if part.ended is not None:
            yield Line(part.ended, part.step, part.name, _words(progress, part.name, part.status))


def _words(progress: Progress, name: str, status: str) -> str:
    count = progress.sources.get(name)
    return wording.count(count.done, "row", "rows") if status == "loaded" and count is not None else status


def said_log(progress: Progress, zone: tzinfo, *, is_long: bool = False) -> Component:
    """The last lines, as text in a field that scrolls."""
    lines = list(enumerate(lines_of(progress)))[-MOST_LINES:]
    shown = [
        html.Span(_row(line, zone), className="is-bad" if line.is_bad else None, **heard("line", str(number)))
        for number, line in lines
    ]
    return log_field(shown, progress.run, is_long=is_long)


def printed_log(lines: Sequence[str], run: str) -> Component:
    """What the tools of a run have printed."""
    return log_field([html.Span(line) for line in lines], run, is_long=True)


def log_field(lines: Sequence[Component], run: str, *, is_long: bool) -> Component:
    """Lines in a field that scrolls, by the keyboard too."""
    named = aria(label=f"Log of run {run}")
    kind = "lp-log is-long" if is_long else "lp-log"
    return html.Pre(list(lines), className=kind, tabIndex="0", role="region", **named)


def _row(line: Line, zone: tzinfo) -> list[Component | str]:
    at = f"{moment(line.at).astimezone(zone):%H:%M:%S}"
    about = f"{line.about:<{NAME_WIDTH}}  " if line.about else ""
    return [html.Span(f"{at}  {line.step:<{STEP_WIDTH}}", className="lp-muted"), about, line.words]
