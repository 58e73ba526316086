"""What one run works with, and what it is asked to do."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

from lakehouse.errors import NoRelease, RequestWrong, UnknownName
from lakehouse.publish_queue import LONGEST_REASON, given_reason
from lakehouse.run_records import RELEASE
from lakehouse.runs import Runs
from lakehouse.settings import Settings
from lakehouse.state.schema import now
from lakehouse.state.store import State
from pipelines import stop
from pipelines.events import Events
from pipelines.selection import check_selection, read_selection
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


class Asked(TypedDict, total=False):
    """What somebody may say who starts a job; what is left out is as always."""

    source: str | None
    select: Sequence[str]
    full: bool
    tests_only: bool
    reason: str


@dataclass(frozen=True)
class Order:
    """What a run is asked to do, and why."""

    env: str
    load: bool = True
    build: bool = True
    source: str | None = None  # load this one only
    select: tuple[str, ...] = ()  # build these models only; see pipelines/selection.py
    full: bool = False  # load everything again, whatever was loaded before
    tests_only: bool = False  # test what is released, and build nothing
    reason: str = ""
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
        flags = {"--full": self.full, "--tests-only": self.tests_only}
        texts = {"--source": self.source, "--select": ",".join(self.select), "--reason": self.reason}
        return [f"{name}={text}" for name, text in texts.items() if text] + [name for name, on in flags.items() if on]

    def to_json(self) -> Mapping[str, Any]:
        """The same as the table of runs keeps it; what was not asked for is left out, but for source and full."""
        asked = {"job": self.job, "source": self.source, "full": self.full, **self.facts}
        decided = self.decided
        return asked if decided is None else {**asked, "release_of": decided.run, "reason": decided.reason}

    @property
    def facts(self) -> dict[str, Any]:
        """What was asked for beside the job, as far as it is not as always."""
        names = ("source", "select", "full", "tests_only", "reason")
        asked = {name: getattr(self, name) for name in names}
        return {name: list(value) if name == "select" else value for name, value in asked.items() if value}

    def check_release(self, has_release: bool) -> None:
        """Raise `NoRelease` where the order needs one and there is none."""
        if not has_release and self.tests_only:
            raise NoRelease(f"Nothing has been released in {self.env} yet, so there is nothing to test. Refresh first.")
        if not has_release and self.select:
            raise NoRelease(
                f"Nothing has been released in {self.env} yet, so the models that are not selected have no tables to "
                "keep. Refresh without a selection first."
            )


def checked_order(settings: Settings, env: str, job: str, **asked: Unpack[Asked]) -> Order:
    """An order that can be carried out. Raises `UnknownName` with the choices, and `RequestWrong`."""
    if env not in settings.environments:
        raise UnknownName("environment", env, list(settings.environments))
    if job not in JOBS:
        raise UnknownName("job", job, list(JOBS))
    load, build = JOBS[job]
    order = Order(
        env,
        load,
        build,
        source=asked.get("source"),
        select=read_selection(asked.get("select", ())),
        full=asked.get("full", False),
        tests_only=asked.get("tests_only", False),
        reason=one_line(asked.get("reason", "")),
    )
    _check_fit(order)
    if order.source is not None and order.source not in settings.sources:
        raise UnknownName("source", order.source, list(settings.sources))
    if load and not settings.sources:
        raise RequestWrong("lakeport.toml has no sources. Add a section [sources.NAME] with path and columns.")
    check_selection(settings, env, order.select)
    return order


def _check_fit(order: Order) -> None:
    """Raise `RequestWrong` for what a job does not take."""
    if not order.load and (order.source is not None or order.full):
        raise RequestWrong("A build loads nothing, so it takes neither a source nor full. Start a refresh instead.")
    if not order.build and order.select:
        raise RequestWrong("A load builds nothing, so it takes no models. Start a refresh instead.")
    if order.tests_only and order.load:
        raise RequestWrong(f"A {order.job} does more than testing. Start a build of tests only instead.")


def one_line(reason: str) -> str:
    """Why somebody starts a run, as one line. Raises `RequestWrong` for a very long one."""
    shown = "".join(sign if sign.isprintable() else " " for sign in reason)
    said = " ".join(shown.split())
    if len(said) > LONGEST_REASON:
        raise RequestWrong(f"The reason has {len(said):,} characters; at most {LONGEST_REASON} are kept. Shorten it.")
    return said


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
