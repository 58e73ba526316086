"""What the events of a run come to: its steps, the parts of each, and how much of what is done.

One rule: the run itself and whoever looks at it from outside fold the same events in the same way.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

STEPS = ("load", "build", "release")
"""The steps of a run, in their order; other events are about the run as a whole."""

MOST_PARTS = 2_000
BEGUN, ENDED = re.compile(r"(.+) started"), re.compile(r"(.+) (settled|refused: .*)", re.DOTALL)


@dataclass
class Step:
    """One step of a run; `done` of `total` counts what `unit` says, where somebody counts."""

    step: str
    started: str
    ended: str | None = None
    done: int | None = None
    total: int | None = None
    unit: str | None = None
    message: str = ""


@dataclass
class Part:
    """A source that is loaded, or a model or test that is built: when, and what became of it."""

    step: str
    name: str
    started: str
    ended: str | None = None
    status: str = ""
    unit: str = ""  # models or tests; empty for a source, and until it has ended


@dataclass
class Count:
    """So many are done; `total` is None where nobody can know."""

    done: int
    total: int | None = None


@dataclass
class Folded:
    """Everything that some events of a run say."""

    steps: dict[str, Step] = field(default_factory=dict)
    parts: dict[tuple[str, str], Part] = field(default_factory=dict)
    counts: dict[tuple[str, str], Count] = field(default_factory=dict)  # (unit, source or "") -> count
    last: str = ""

    def add(self, event: Mapping[str, Any]) -> None:
        """One event more."""
        self.last = event["at"]
        if event["step"] not in STEPS:
            return
        step = self.steps.setdefault(event["step"], Step(event["step"], event["at"]))
        kind = event["event"]
        if kind == "end":
            step.ended, step.message = event["at"], event["message"]
        elif kind == "progress":
            self._progress(step, event)
        elif kind == "mark":
            self._mark(event)

    def _progress(self, step: Step, event: Mapping[str, Any]) -> None:
        done, total, unit, message = event["done"], event["total"], event["unit"], event["message"]
        step.message = message
        name = message if step.step == "load" else ""
        self.counts[unit, name] = Count(done, total)
        if step.step == "build":
            step.done, step.total, step.unit = done, total, unit
            node, _, status = message.rpartition(" ")
            self._end(step.step, node, event["at"], status, "" if unit == "nodes" else unit)
        elif unit == "records":
            step.done = sum(count.done for (of, _), count in self.counts.items() if of == unit)
            step.unit = unit

    def _mark(self, event: Mapping[str, Any]) -> None:
        step, message = event["step"], event["message"]
        if found := BEGUN.fullmatch(message):
            if len(self.parts) < MOST_PARTS:
                self.parts.setdefault((step, found[1]), Part(step, found[1], event["at"]))
        elif step == "load" and (found := ENDED.fullmatch(message)):
            self._end(step, found[1], event["at"], "refused" if found[2].startswith("refused") else "loaded")

    def _end(self, step: str, name: str, at: str, status: str, unit: str = "") -> None:
        part = self.parts.get((step, name))
        if part is not None:
            part.ended, part.status, part.unit = at, status, unit or part.unit

    def told(self) -> list[dict[str, Any]]:
        """The steps, as the table of runs keeps them."""
        return [asdict(step) for step in self.steps.values()]


def fold(events: Iterable[Mapping[str, Any]]) -> Folded:
    """What some events, in their order, come to."""
    folded = Folded()
    for event in events:
        folded.add(event)
    return folded
