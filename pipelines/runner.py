"""Starts a run as a process of its own and follows what it says.

One rule: the run does not need whoever started it. It is in a session of its own, so that neither a closed terminal
nor a restarted portal ends it; who wants it to end says so (`Running.stop`).
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse.errors import Busy, LakeportError, RequestWrong, Stopped, Unavailable, WorkFailed
from lakehouse.settings import Settings
from pipelines.context import run_folder
from pipelines.result import FILE_NAME
from pipelines.run import new_run_id


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


def start(settings: Settings, job: str, env: str, starter: str, *options: str) -> Running:
    """Start a run of a job; `options` are those of `python -m pipelines.run`."""
    run = new_run_id()
    # -P keeps a folder called `pipelines` in the current directory from being taken for ours.
    command = [sys.executable, "-P", "-m", "pipelines.run", job, "--home", str(settings.home), "--env", env]
    process = subprocess.Popen(  # noqa: S603  # no shell, and every argument is ours or checked by the run
        [*command, "--run-id", run, "--starter", starter, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
        env=os.environ | {"PYTHONUTF8": "1"},
    )
    return Running(run, run_folder(settings, run), process)
