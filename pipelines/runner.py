"""Starts a run as a process of its own, and follows what it says.

One rule: the run does not need whoever started it. It is in a session of its own, so that neither a closed terminal
nor a restarted portal ends it; who wants it to end says so (`Running.stop`, pipelines/control.py).
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse.child import go_behind
from lakehouse.errors import Busy, LakeportError, RequestWrong, Stopped, Unavailable, WorkFailed
from lakehouse.runs import Ending, Runs
from lakehouse.settings import Settings
from lakehouse.state.store import State
from pipelines.context import JOB, Order, run_folder
from pipelines.processes import MARK
from pipelines.result import FILE_NAME
from pipelines.run import new_run_id
from pipelines.run_log import LOG_NAME


@dataclass(frozen=True)
class Running:
    """A run that was started here; `folder` is the run's own."""

    run: str
    folder: Path
    process: "subprocess.Popen[str]"

    def events(self) -> Iterator[dict[str, Any]]:
        """What the run says, until it ends."""
        assert self.process.stdout is not None  # noqa: S101  # it was started with a pipe
        for line in self.process.stdout:
            yield json.loads(line)

    def stop(self) -> None:
        """Ask the run to end; it says `cancelled` and publishes nothing."""
        self.process.terminate()

    def wait(self) -> "Ended":
        """How the run ended; waits until it has."""
        _, trouble = self.process.communicate()
        file = self.folder / FILE_NAME
        result = json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
        code = self.process.returncode
        if code < 0:
            trouble = f"Run {self.run} was killed (signal {-code}). The next run repairs what it has left."
            return Ended(result, trouble, WorkFailed.exit_code, began=True)
        return Ended(result, trouble.strip(), code, began=result is not None)


@dataclass(frozen=True)
class Ended:
    """How a run ended: its result (None without one), why it did not succeed (else empty), and its exit code."""

    result: dict[str, Any] | None
    trouble: str
    exit_code: int
    began: bool

    def error(self) -> LakeportError:
        """Why a run has no result: what its exit code stands for, with its own words."""
        refusal = WorkFailed if self.began else Busy
        kinds = (Stopped, Unavailable, RequestWrong, refusal)
        kind = next((kind for kind in kinds if kind.exit_code == self.exit_code), WorkFailed)
        return kind(self.trouble)


def start(settings: Settings, order: Order, starter: str) -> Running:
    """Start a run and stay beside it."""
    run = new_run_id()
    folder = run_folder(settings, run)
    process = subprocess.Popen(  # noqa: S603  # no shell, and every argument is ours or checked by the run
        _command(settings, order, run, starter),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
        env=_environment(folder),
    )
    return Running(run, folder, process)


def start_detached(settings: Settings, state: State, order: Order, starter: str) -> str:
    """Start a run and go away; returns its id. It is queued when this returns, and begins by itself.

    Raises `Busy` with the id of the run that is active; of several who start at once, one gets a run of his own.
    """
    run = new_run_id()
    folder = run_folder(settings, run)
    Runs(state).queue(run, order.env, JOB, starter, order.to_json())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOG_NAME).open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  # no shell, and every argument is ours or was checked
                _command(settings, order, run, starter),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # what it says stands in its file of events
                stderr=log,
                start_new_session=True,
                env=_environment(folder),
            )
        go_behind(process.pid)  # readers must not wait for it
    except OSError as error:
        sentence = f"The run could not be started: {error.strerror}. Nothing was changed."
        Runs(state).end(run, Ending("failed", error=sentence))
        raise Unavailable(sentence) from error
    Runs(state).hand_over(run, process.pid)
    # Somebody has to take note of its end, or it would stay in the list of processes as long as this one lives.
    threading.Thread(target=process.wait, name=f"run {run}", daemon=True).start()
    return run


def _command(settings: Settings, order: Order, run: str, starter: str) -> list[str]:
    # -P keeps a folder called `pipelines` in the current directory from being taken for ours.
    program = [sys.executable, "-P", "-m", "pipelines.run", order.job]
    place = ["--home", str(settings.home), "--env", order.env]
    return [*program, *place, "--run-id", run, "--starter", starter, *order.options]


def _environment(folder: Path) -> dict[str, str]:
    return os.environ | {"PYTHONUTF8": "1", MARK: str(folder)}
