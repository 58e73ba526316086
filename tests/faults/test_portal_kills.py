"""The portal, its run, or both are killed while the run works: what is told then is true, and the next run starts.

One rule: the portal's own way of starting a run is taken; the point at which the run stands still comes in as Python's
`sitecustomize`, which turns the run into `child.py` in the same process.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fault_lake import CHILD, ROOT, FaultLake
from prepared_lakes import Prepared

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse

pytestmark = pytest.mark.faults

PATIENCE_SECONDS = 300.0

PORTAL = """
import sys, time
from pathlib import Path
from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse
from pipelines.control import RunControl, reconcile
with Lakehouse.open(Path(sys.argv[1])) as lakehouse:
    reconcile(lakehouse.settings, lakehouse.state)
    print(RunControl(lakehouse.as_user(operator())).start()["run"], flush=True)
    time.sleep(10_000)
"""

INSTEAD = """
import os, sys
words = sys.orig_argv
if "pipelines.run" in words and os.environ.get("POINT"):
    rest = words[words.index("pipelines.run") + 1:]
    point = os.environ.pop("POINT")
    os.execv(sys.executable, [sys.executable, {child!r}, point, *rest])
"""


@contextmanager
def portal(lake: FaultLake, point: str = "") -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Something that has started a run as the portal does, and the run's id."""
    site = lake.home.with_name("site")
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(INSTEAD.format(child=str(CHILD)))
    variables = os.environ | {"PYTHONPATH": f"{site}:{ROOT}", "POINT": point, "BEAT_SECONDS": "5"}
    command = [sys.executable, "-c", PORTAL, str(lake.home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def owner_of(lake: FaultLake, run: str) -> int:
    """The process of a run."""
    ((owner,),) = lake.ask_state("select owner from runs where id = ?", run)
    return int(owner.split("/")[1])


def stands_still(pid: int) -> bool:
    """Whether a process was stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"


def until(true: Callable[[], bool]) -> None:
    """Wait for something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.2)


def state_of(lake: FaultLake, run: str) -> str:
    """What everybody is told of a run."""
    with Lakehouse.open(lake.home) as lakehouse:
        return str(lakehouse.as_user(operator()).runs().show(run)["state"])


@pytest.mark.parametrize(
    ("killed", "point", "told"),
    [
        ("portal", "batch:1", "success"),
        ("portal", "mark:parsed", "success"),
        ("portal", "mark:intent", "success"),
        ("child", "after-state-commit:1", "lost"),
        ("child", "mark:sales intended", "lost"),
        ("child", "mark:flipped", "success"),
        ("both", "mark:sales extracted", "lost"),
        ("both", "candidate:marts.order_lines", "lost"),
        ("both", "mark:committed", "lost"),
        ("both", "end:run", "success"),
    ],
)
def test_after_any_of_them_was_killed_the_state_is_true_and_the_next_run_starts(
    full: Callable[[], Prepared], killed: str, point: str, told: str
) -> None:
    lake = full().lake
    lake.put_back()
    with portal(lake, f"stop:{point}") as (process, run):
        until(lambda: stands_still(owner_of(lake, run)))
        if killed in ("portal", "both"):
            process.kill()
        pid = owner_of(lake, run)
        os.kill(pid, signal.SIGKILL if killed in ("child", "both") else signal.SIGCONT)
        until(lambda: state_of(lake, run) not in ("queued", "running"))

    assert state_of(lake, run) == told

    with portal(lake) as (_, following):  # the portal that was started again, and somebody who presses Refresh
        until(lambda: state_of(lake, following) not in ("queued", "running"))

    assert state_of(lake, following) in ("success", "unchanged")
    assert lake.content() == full().content
    assert lake.snapshots() == full().snapshots
    assert lake.half_done() == []
