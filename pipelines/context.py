"""What one run works with, and what it is asked to do."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lakehouse.errors import RequestWrong, UnknownName
from lakehouse.publish_queue import given_reason
from lakehouse.run_records import RELEASE
from lakehouse.runs import Runs
from lakehouse.settings import Settings
from lakehouse.state.schema import now
from lakehouse.state.store import State
from pipelines import stop
from pipelines.events import Events
from pipelines.steps import Step

JOB = "refresh"
"""Loading and building are parts of one job: two of them at once would build side by side."""

JOBS = {"refresh": (True, True), "load": (True, False), "build": (False, True)}
"""What may be started, and whether it loads and whether it builds."""


PUBLISH = "publish"
"""What a run is called that publishes what an earlier one has left for a decision; it takes the same place."""


@dataclass(frozen=True)
class Decided:
    """That what an earlier run has built is to be published: the run, who has decided so, and why."""

    run: str
    by: str
    reason: str


@dataclass(frozen=True)
class Order:
    """What a run is asked to do."""

    env: str
    load: bool = True
    build: bool = True
    source: str | None = None  # load this one only
    full: bool = False  # load everything again, whatever was loaded before
    decided: Decided | None = None  # publish this, and nothing else

    @property
    def job(self) -> str:
        """What it is called where it is started: refresh, load, build or publish."""
        if self.decided is not None:
            return PUBLISH
        return next(job for job, does in JOBS.items() if does == (self.load, self.build))

    @property
    def options(self) -> list[str]:
        """The same as the options of `python -m pipelines.run`."""
        if self.decided is not None:
            return [f"--release-of={self.decided.run}", f"--reason={self.decided.reason}"]
        return [*(["--source", self.source] if self.source else []), *(["--full"] if self.full else [])]

    def to_json(self) -> Mapping[str, Any]:
        """The same as the table of runs keeps it."""
        asked = {"job": self.job, "source": self.source, "full": self.full}
        decided = self.decided
        return asked if decided is None else {**asked, "release_of": decided.run, "reason": decided.reason}


def checked_order(settings: Settings, env: str, job: str, source: str | None = None, full: bool = False) -> Order:
    """An order that can be carried out. Raises `UnknownName` with the choices, and `RequestWrong`."""
    if env not in settings.environments:
        raise UnknownName("environment", env, list(settings.environments))
    if job not in JOBS:
        raise UnknownName("job", job, list(JOBS))
    if source is not None and source not in settings.sources:
        raise UnknownName("source", source, list(settings.sources))
    load, build = JOBS[job]
    if not load and (source is not None or full):
        raise RequestWrong("A build loads nothing, so it takes neither a source nor full. Start a refresh instead.")
    if load and not settings.sources:
        raise RequestWrong("lakeport.toml has no sources. Add a section [sources.NAME] with path and columns.")
    return Order(env, load, build, source, full)


def publish_order(settings: Settings, env: str, decided: Decided) -> Order:
    """An order to publish what waits. Raises `UnknownName` with the choices, and `RequestWrong` without a reason."""
    if env not in settings.environments:
        raise UnknownName("environment", env, list(settings.environments))
    given_reason(decided.reason)
    return Order(env, load=False, build=False, decided=decided)


@dataclass(frozen=True)
class RunContext:
    """One execution: its id, its folder, and everything it needs."""

    settings: Settings
    state: State
    order: Order
    run: str
    folder: Path
    events: Events

    @property
    def env(self) -> str:
        """The environment that is refreshed."""
        return self.order.env

    @property
    def sources(self) -> list[str]:
        """Names of the sources that are looked at."""
        return [self.order.source] if self.order.source else sorted(self.settings.sources)

    def last_call(self) -> None:
        """Begin the step of the release; from here on it is too late to stop the run.

        Raises `Stopped` when somebody has asked for it before: then nothing may be released any more.
        """
        stop.last_call()
        Runs(self.state).last_call(self.run, [*self.events.said.told(), asdict(Step(RELEASE, now()))])
        self.events.start(RELEASE)


def run_folder(settings: Settings, run: str) -> Path:
    """Where a run keeps its events, its result and its artefacts."""
    return settings.run_folder(run)
