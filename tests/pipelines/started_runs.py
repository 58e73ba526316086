"""Runs that are started and left alone, for tests: real processes, with something beside them where a test needs it.

One rule: the product's own command is started. What is put beside it comes in as Python's `sitecustomize`.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lakehouse.access.identity import Principal, operator
from lakehouse.core import Lakehouse
from pipelines.control import RunControl
from tests.pipelines.lake import Lake, lines, source

PATIENCE_SECONDS = 180.0
"""Busy machines are slow; nothing is measured here."""

ONLY_RUNS = 'import sys\nif "pipelines.run" in " ".join(sys.orig_argv):\n'
GRANDCHILD = """
    import subprocess
    sleeper = subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 1000"])
    open({file!r}, "w").write(str(sleeper.pid))
    sleeper.returncode = 0  # so that nothing is said of it when the run ends
"""
DEAF = "    import signal\n    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n"


def small(lake: Lake, rows: int = 3) -> Lake:
    """The lake with one source of some rows."""
    lake.configure(source())
    lake.write("sales.csv", lines(*(f"a{number},{number}" for number in range(rows))))
    return lake


def beside(folder: Path, program: str) -> dict[str, str]:
    """The environment in which every run does something more when it starts."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(ONLY_RUNS + program, encoding="utf-8")
    return {"PYTHONPATH": str(folder)}


@contextmanager
def controlled(lake: Lake, env: str = "dev", who: Principal | None = None) -> Iterator[RunControl]:
    """The runs of a lake in somebody's hands."""
    with Lakehouse.open(lake.home) as lakehouse:
        yield RunControl(lakehouse.as_user(who or operator(), env))


def until(true: Callable[[], Any], what: str) -> Any:
    """Wait for something; returns it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := true():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {PATIENCE_SECONDS:.0f} s")


def ended(control: RunControl, run: str) -> dict[str, Any]:
    """A run once it has ended."""

    def look() -> dict[str, Any] | None:
        shown = control.workspace.runs().show(run)
        return shown if shown["ended"] else None

    found: dict[str, Any] = until(look, f"the end of run {run}")
    return found


def working(control: RunControl, run: str) -> None:
    """Wait until a run has read something."""
    until(lambda: control.progress(run).sources, f"the load of run {run}")
