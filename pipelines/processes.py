"""The processes of a run, found from outside and ended.

One rule: a process belongs to a run when it is the run's owner, is in the session that the owner was given, or carries
the run's mark in its environment, handed down from the owner through whatever stands between. No other one is touched.
"""

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from lakehouse.run_owner import PROCESSES, Process, all_processes, process_of

MARK = "RUN_OF_LAKEPORT"
"""Names the folder of the run in the environment of its processes."""

GRACE_SECONDS = 10.0
"""A run that was asked to end has this long before it is ended."""

TICK_SECONDS = 0.1
ROUNDS = 20


def of_run(owner: str | None, folder: Path) -> set[Process]:
    """The living processes of a run on this host, without the one that asks."""
    leader = process_of(owner)
    mark = f"{MARK}={folder}".encode()
    # Only a run that was started by the runner has a session of its own; in a terminal's there is everything else too.
    session = leader if leader is not None and _has_mark(leader, mark) else None
    found = {process for process in all_processes() if _has_mark(process, mark) or _in_session(process, session)}
    if leader is not None and leader.lives:
        found.add(leader)
    return {process for process in found if process.pid != os.getpid()}


def end_softly(owner: str | None, folder: Path) -> None:
    """Ask the processes of a run to end, wait, and kill those that are left; returns when none is."""
    asked = of_run(owner, folder)
    for process in asked:
        process.send(signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and any(process.lives for process in asked):
        time.sleep(TICK_SECONDS)
    kill(owner, folder, asked)


def kill(owner: str | None, folder: Path, known: Iterable[Process] = ()) -> None:
    """Kill the processes of a run, also those that they start meanwhile, and `known` ones of it."""
    left = {process for process in known if process.lives} | of_run(owner, folder)
    for _ in range(ROUNDS):
        if not left:
            return
        for process in left:
            process.send(signal.SIGKILL)
        time.sleep(TICK_SECONDS)
        left = {process for process in left if process.lives} | of_run(owner, folder)


def _has_mark(process: Process, mark: bytes) -> bool:
    try:
        return mark in (PROCESSES / str(process.pid) / "environ").read_bytes().split(b"\0") and process.lives
    except OSError:  # it has gone, or belongs to somebody else
        return False


def _in_session(process: Process, leader: Process | None) -> bool:
    if leader is None:
        return False
    try:
        return os.getsid(process.pid) == leader.pid and process.lives and leader.lives
    except OSError:
        return False
