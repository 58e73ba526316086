"""Starting, following and cancelling runs, for doors: each holds a Workspace, and makes a `RunControl` of it.

One rule: whoever asks is checked here, and what changes something stands in the audit before it happens; the door's own
record of the request is the one after.
"""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Unpack

from lakehouse.access import policy
from lakehouse.core import Lakehouse, Workspace
from lakehouse.disclosure import Disclosure, ToldRuns
from lakehouse.errors import NotAllowed, UnknownName
from lakehouse.redaction import Redaction
from lakehouse.run_owner import is_here, process_of
from lakehouse.runs import Runs
from lakehouse.settings import Settings
from lakehouse.state.schema import ACTIVE, stamp
from lakehouse.state.store import State
from pipelines.context import JOB, Asked, checked_order, run_folder
from pipelines.processes import end_softly, kill
from pipelines.progress import Progress, read_progress
from pipelines.run_log import read_log, whole_log
from pipelines.runner import start_detached

SILENT_SECONDS = 30.0
"""A run beats much more often, and ends itself long before, when it can."""

PAST_RUNS = 10
"""So many runs that ended well say how long the next one takes."""


@dataclass(frozen=True)
class RunControl:
    """The runs of a workspace's environment, to be started, followed and cancelled by its owner."""

    workspace: Workspace

    @property
    def may_operate(self) -> bool:
        """Whether this person may start and cancel runs here."""
        return self.workspace.may("operate")

    @property
    def may_follow(self) -> bool:
        """Whether this person may see how a run goes, and what it has said."""
        return self.workspace.may("diagnose")

    @property
    def may_read_log(self) -> bool:
        """Whether this person may read what a run has printed, which may quote any row."""
        return self._told.is_whole

    def start(self, job: str = JOB, **asked: Unpack[Asked]) -> dict[str, Any]:
        """Start a run and return its record at once. Raises `Busy`, whose `run` is the one that is active."""
        self.workspace.operate(f"the {job}")
        lakehouse = self._lakehouse
        order = checked_order(lakehouse.settings, self.workspace.env, job, **asked)
        order.check_release(self.workspace.at("now").has_release)
        announce(self.workspace, "run start", job, **order.facts)
        run = start_detached(lakehouse.settings, lakehouse.state, order, self.workspace.principal.name)
        self.workspace.request.note(run=run)
        return self.workspace.runs().show(run)

    def cancel(self, run: str, *, wait: bool = False) -> str:
        """Ask a run to end; returns a sentence about it, with `wait` once none of its processes is left here.

        Nobody has to wait: what does not end is killed in any case. Raises `TooLate` when the run has ended or has
        begun to publish, and `UnknownName`.
        """
        self.workspace.operate("the runs")
        self._own(self.workspace.runs(), run)
        announce(self.workspace, "run cancel", run)
        owner = Runs(self._lakehouse.state).cancel(run, self.workspace.principal.name)
        folder = run_folder(self._lakehouse.settings, run)
        ending = threading.Thread(target=end_softly, args=(owner, folder), name=f"end {run}", daemon=True)
        ending.start()
        if wait:
            ending.join()
        return f"Run {run} was asked to end. Nothing of it is released."

    def progress(self, run: str) -> Progress:
        """How far a run is, or how it went, as far as this person may know."""
        runs = self._followed(run)
        shown = self._own(runs, run)
        past = [] if shown["state"] not in ACTIVE else runs.list(self.workspace.env, PAST_RUNS, states=("success",))
        return read_progress(self._lakehouse.settings, shown, past).told(self._told)

    def log(self, run: str, lines: int | None = None) -> str:
        """What the tools of a run have printed, without secrets: the last lines, or all that is kept.

        Raises `NotAllowed` for whoever does not see every row and column: it may quote any of them.
        """
        self._own(self._followed(run), run)
        if not self.may_read_log:
            target = f"the log of run {run}, which may quote rows and columns that rules keep from them"
            raise NotAllowed(self.workspace.principal.name, "read", target)
        settings = self._lakehouse.settings
        folder, redaction = run_folder(settings, run), Redaction(settings)
        return whole_log(folder, redaction) if lines is None else "\n".join(read_log(folder, redaction, lines))

    @property
    def _lakehouse(self) -> Lakehouse:
        return self.workspace.lakehouse

    @property
    def _told(self) -> Disclosure:
        return Disclosure.to(self.workspace)

    def _followed(self, run: str) -> ToldRuns:
        policy.check(self.workspace.principal, "diagnose", f"run {run}", self.workspace.env)
        return self.workspace.runs()

    def _own(self, runs: ToldRuns, run: str) -> dict[str, Any]:
        """A run of this environment; one of another has other rights."""
        shown = runs.show(run)
        if shown["env"] != self.workspace.env:
            raise UnknownName("run", run, [found["run"] for found in runs.list(self.workspace.env, 5)])
        return shown


def announce(workspace: Workspace, action: str, target: str, **facts: Any) -> None:
    """Write the record that something is about to be changed."""
    request = workspace.request
    request.action, request.target = action, target
    request.principal = request.principal or workspace.principal.name
    request.note(**facts)
    workspace.lakehouse.audit.write(request, "begun", 0)


def reconcile(settings: Settings, state: State) -> None:
    """Close the runs that died, and end those that should have ended and give no sign of life any more."""
    runs = Runs(state)
    for env in settings.environments:
        for row in runs.standing(env):
            if row.state == "running" and is_here(row.owner) and _is_over(settings, row):
                kill(row.owner, run_folder(settings, row.id))
        runs.active(env)


def _is_over(settings: Settings, row: Any) -> bool:
    """Whether a run's process has gone, or was asked to end and gives no sign of life any more."""
    if process_of(row.owner) is None:
        return True
    silent = _before(SILENT_SECONDS)
    late = row.cancelled_by is not None or row.started < _before(60 * settings.runs.timeout_minutes + SILENT_SECONDS)
    return bool(late and row.heartbeat < silent)


def _before(seconds: float) -> str:
    return stamp(datetime.now(UTC) - timedelta(seconds=seconds))
