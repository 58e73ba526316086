"""How far a run is, from what it has said: for whoever looks at it from outside, while it works and afterwards.

One rule: only the run's own files and its row are read, a bounded part of them, so that many may look many times.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from lakehouse.disclosure import Disclosure
from lakehouse.settings import Settings
from lakehouse.state.schema import ACTIVE
from pipelines.context import JOBS, PUBLISH, run_folder
from pipelines.steps import STEPS, Count, Folded, Part, Step, fold

HEAD_BYTES, TAIL_BYTES = 64_000, 256_000
"""Of a longer file of events the beginning and the end are read; counts and steps are in both."""

EXTRACTED = 0.7
"""How much of a load reading the file is; the rest is writing the table."""

USUAL_SECONDS = {"load": 3.0, "build": 10.0, "release": 2.0}
"""What the steps take in relation to each other, as long as no earlier run tells."""

UNCOUNTED = 0.3
"""How much of a load or a build is behind a run at most before it has counted anything of it."""

ALMOST = 0.95
"""A step that takes longer than it used to stays here until it ends."""


UNNAMED = {("build", "tests"): "test", ("build", ""): "model or test"}
"""Step and unit of a part -> what it is called to whoever must not know the names of tests."""


@dataclass(frozen=True)
class Progress:
    """How far a run is. `percent` is whole and reaches 100 only when the run has ended; `left_seconds` may be unknown.

    `sources` and `bytes` are records and bytes read by source, None where that is not told; `parts` are sources, models
    and tests with their times.
    """

    run: str
    state: str
    steps: list[Step]
    parts: list[Part]
    sources: dict[str, Count | None]
    bytes: dict[str, Count | None]
    models: Count | None
    tests: Count | None
    percent: int
    elapsed_seconds: float
    left_seconds: float | None

    def to_json(self) -> dict[str, Any]:
        """The same as a document."""
        return asdict(self)

    def told(self, disclosure: Disclosure) -> "Progress":
        """The same as far as somebody may know it; dbt writes values into names of tests, so these stand by kind."""
        if disclosure.is_whole:
            return self
        counted = {name for name in {*self.sources, *self.bytes} if disclosure.counts_source(name)}
        return replace(
            self,
            steps=[Step(**disclosure.step(asdict(step))) for step in self.steps],
            parts=[replace(part, name=UNNAMED.get((part.step, part.unit), part.name)) for part in self.parts],
            sources={name: count if name in counted else None for name, count in self.sources.items()},
            bytes={name: count if name in counted else None for name, count in self.bytes.items()},
        )


def read_progress(settings: Settings, record: Mapping[str, Any], past: Sequence[Mapping[str, Any]] = ()) -> Progress:
    """The progress of a run with this record; `past` are records of runs that ended well, the newest first."""
    folder = run_folder(settings, record["run"])
    said = fold(_events(folder / "events.jsonl"))
    for kept in record["steps"]:  # what a run has written down when it ended is complete
        if record["ended"] is not None:
            said.steps[kept["step"]] = Step(**kept)
    ended = datetime.fromisoformat(record["ended"]) if record["ended"] else datetime.now(UTC)
    percent, left = (100, None) if record["state"] not in ACTIVE else _Estimate(record, said, past, ended).made()
    counts: dict[str, dict[str, Count | None]] = {}
    for (unit, name), count in said.counts.items():
        counts.setdefault(unit, {})[name] = count
    return Progress(
        run=record["run"],
        state=record["state"],
        steps=list(said.steps.values()),
        parts=list(said.parts.values()),
        sources=counts.get("records", {}),
        bytes=counts.get("bytes", {}),
        models=said.counts.get(("models", "")),
        tests=said.counts.get(("tests", "")),
        percent=percent,
        elapsed_seconds=max(0.0, (ended - datetime.fromisoformat(record["started"])).total_seconds()),
        left_seconds=left,
    )


@dataclass(frozen=True)
class _Estimate:
    """What is done of a run that works, and how long the rest takes."""

    record: Mapping[str, Any]
    said: Folded
    past: Sequence[Mapping[str, Any]]
    now: datetime

    def made(self) -> tuple[int, float | None]:
        """Percent done, and seconds left where earlier runs of the same job tell."""
        steps, known = self._steps(), self._known()
        usual = {step: known.get(step, USUAL_SECONDS[step]) for step in steps}
        whole = sum(usual.values())
        rest = sum(seconds * (1 - self._share(step, seconds)) for step, seconds in usual.items())
        percent = min(99, int(100 * (whole - rest) / whole)) if whole else 0
        return percent, round(rest, 1) if known.keys() >= set(steps) else None

    def _steps(self) -> list[str]:
        """The steps that a run of this job has."""
        job, tests_only = _kind(self.record)
        if job == PUBLISH or tests_only:
            return ["build" if tests_only else "release"]
        load, build = JOBS.get(job, (True, True))
        return [step for step in STEPS if (load if step == "load" else build)]

    def _known(self) -> dict[str, float]:
        """Step -> seconds that it has taken, by the median of the runs before."""
        taken: dict[str, list[float]] = {}
        for run in self.past:
            if _kind(run) == _kind(self.record):
                for step in run["steps"]:
                    if step["ended"] is not None:
                        taken.setdefault(step["step"], []).append(_seconds(step["started"], step["ended"]))
        return {step: max(median(seconds), 0.1) for step, seconds in taken.items()}

    def _share(self, step: str, usual: float) -> float:
        """How much of a step is done, from 0 to 1."""
        found = self.said.steps.get(step)
        if found is None:
            return 0.0
        if found.ended is not None:
            return 1.0
        counted = {"load": self._loaded, "build": self._built}.get(step, lambda: None)()
        elapsed = max(0.0, (self.now - datetime.fromisoformat(found.started)).total_seconds()) / usual
        if step == "release":
            return min(elapsed, ALMOST)
        # The way to the first count has a part of its own, so that a count never takes back what time has promised.
        if counted is None:
            return min(elapsed, UNCOUNTED)
        return min(UNCOUNTED + (1 - UNCOUNTED) * max(counted, 0.0), ALMOST)

    def _loaded(self) -> float | None:
        """The share of all bytes that are known of which are read, less what it takes to write them."""
        sizes = [count for (unit, _), count in self.said.counts.items() if unit == "bytes" and count.total]
        if not sizes:
            return None
        read = sum(count.done for count in sizes) / sum(count.total or 0 for count in sizes)
        settled = sum(part.ended is not None for part in self.said.parts.values() if part.step == "load")
        return EXTRACTED * read + (1 - EXTRACTED) * min(1.0, settled / len(sizes))

    def _built(self) -> float | None:
        nodes = self.said.counts.get(("nodes", ""))
        return nodes.done / nodes.total if nodes is not None and nodes.total else None


def _kind(record: Mapping[str, Any]) -> tuple[str, bool]:
    """The job of a run, and whether it tests only: runs of one kind take about as long."""
    order = record["order"] or {}
    return str(order.get("job") or ""), bool(order.get("tests_only"))


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def _events(file: Path) -> Iterator[dict[str, Any]]:
    """The events of a file, of a long one those at its beginning and at its end; not a line that is half written."""
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(0)
            pieces = [stream.read(min(size, HEAD_BYTES + TAIL_BYTES))]
            if size > HEAD_BYTES + TAIL_BYTES:
                stream.seek(size - TAIL_BYTES)
                pieces = [pieces[0][:HEAD_BYTES].rpartition(b"\n")[0], stream.read(TAIL_BYTES).partition(b"\n")[2]]
    except OSError:
        return
    for piece in pieces:
        for line in piece.splitlines():
            if line.endswith(b"}"):
                try:
                    yield json.loads(line)
                except ValueError:  # a crash of the machine may leave anything
                    continue
