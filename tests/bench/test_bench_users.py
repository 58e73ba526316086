"""How many users two cores serve, and what those who browse notice of others' exports.

One rule: users, exports and the portal are processes of their own, and what each uses is told apart.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lakehouse.access.identity import operator
from tests.bench.browsing import Browsed, Town, town
from tests.bench.measured import percentile, show
from tests.bench.served import ROOT

pytestmark = pytest.mark.bench

GOAL_MS = 300.0
STEPS = (20, 50, 100)
STEP_SECONDS = 25.0
MOST_STEPS = 6
"""Those above, and some that look for the largest number that holds."""
MANY_USERS = {"LAKEPORT_QUERY__THREADS": "1"}
"""What docs/operations.md advises for many users at the same time, beside a second web process."""
FINEST = 10
"""Users between a number that holds and one that does not, when there is no need to look closer."""

HEADING = (
    *("users", "changes", "p50 ms", "p95 ms", "p99 ms", "p95 asked before", "p95 new", "p95 check"),
    *("errors", "portal's CPU-ms a change, with its checks", "portal's share of the cores", "generator's"),
)


@pytest.mark.parametrize("web_processes", [1, 2])
def test_how_many_users_are_served_in_time(million: Path, web_processes: int) -> None:
    tuned = {} if web_processes == 1 else MANY_USERS
    with town(million, web_processes, **tuned) as served:
        steps = [_step(served, users) for users in STEPS]
        while len(steps) < MOST_STEPS and (users := _next_step(steps)) is not None:
            steps.append(_step(served, users))

    show(
        f"A change every 3 s, a third of them new, and a check every second, {STEP_SECONDS:g} s each, "
        f"{'as it is by default' if not tuned else 'set for many users'}",
        HEADING,
        [_line(step) for step in sorted(steps, key=lambda step: step.users)],
    )
    holding = [step.users for step in steps if step.p95 < GOAL_MS]
    print(f"\nLargest number of users with a p95 below {GOAL_MS:g} ms: {max(holding, default=0)}")


def _step(served: Town, users: int) -> Browsed:
    """So many users for a while. Who is too late to be served may be told so; that is no fault below the goal."""
    served.rest()
    step = served.browse(users, STEP_SECONDS)
    assert step.p95 >= GOAL_MS or not step.seen.errors, step.seen.errors
    return step


def _next_step(steps: list[Browsed]) -> int | None:
    """The number of users to try next: half as many more while all hold, else between the last two."""
    holding = max((step.users for step in steps if step.p95 < GOAL_MS), default=0)
    failing = min((step.users for step in steps if step.p95 >= GOAL_MS and step.users > holding), default=None)
    if failing is None:
        return holding + holding // 2
    return (holding + failing) // 2 if failing - holding > FINEST else None


def _line(step: Browsed) -> tuple[str, ...]:
    every, cores = step.spent(), os.cpu_count() or 1
    times = [percentile(every, share) for share in (0.5, 0.95, 0.99)]
    times += [percentile(step.spent(new=is_new), 0.95) for is_new in (False, True)]
    return (
        str(step.users),
        str(len(every)),
        *(f"{one:.0f}" for one in (*times, percentile(step.seen.checks, 0.95))),
        str(sum(step.seen.errors.values())),
        f"{1000 * step.used.everything / len(every):.0f} (web {1000 * step.used.web / len(every):.0f})",
        *(f"{100 * used / step.seconds / cores:.0f} %" for used in (step.used.everything, step.seen.cpu_seconds)),
    )


BROWSING = 20
HALVES = 5
HALF_SECONDS = 8.0
HALF_SETTLE_SECONDS = 2.0
KINDS = ("csv", "parquet", "xlsx")


def test_browsing_while_all_lines_are_exported_again_and_again(million: Path) -> None:
    alone: list[float] = []
    beside: dict[str, list[float]] = {kind: [] for kind in KINDS}
    files = dict.fromkeys(KINDS, 0)
    with town(million) as served:
        for _ in range(HALVES):
            for kind in KINDS:
                alone += _half(served)
                with _exporting(served, kind) as finished:
                    beside[kind] += _half(served)
                files[kind] += len(finished)
                served.rest()

    base = percentile(alone, 0.95)
    lines = [("alone", *_times(alone), "1.00", "")]
    for kind, spent in beside.items():
        ratio = f"{percentile(spent, 0.95) / base:.2f}"
        lines.append((f"while others export {kind}", *_times(spent), ratio, str(files[kind])))
    heading = ("browsing", "changes", "p50 ms", "p95 ms", "p95 / alone", "whole files")
    show(f"{BROWSING} users, halves of {HALF_SECONDS:g} s in turn; at most 1.5 is good", heading, lines)


def _half(served: Town) -> list[float]:
    browsed = served.browse(BROWSING, HALF_SECONDS, HALF_SETTLE_SECONDS)
    assert not browsed.seen.errors, browsed.seen.errors
    return browsed.spent()


def _times(spent: list[float]) -> tuple[str, str, str]:
    return str(len(spent)), f"{percentile(spent, 0.5):.0f}", f"{percentile(spent, 0.95):.0f}"


@contextmanager
def _exporting(served: Town, kind: str) -> Iterator[list[str]]:
    """Somebody exports all lines in a loop; afterwards the list has the seconds of each file that was taken whole."""
    rows = served.lakehouse.as_user(operator()).row_count("marts.order_lines")
    with served.served.client() as client:
        command = [sys.executable, "-m", "tests.bench.exporter", str(served.served.port), str(rows), kind]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as exporter:
            assert exporter.stdin is not None
            assert exporter.stdout is not None
            with exporter.stdin:
                exporter.stdin.write(f"{client.cookie}\n")
            finished = list[str]()
            yield finished
            assert exporter.poll() is None, "The exports have ended too early."
            exporter.send_signal(signal.SIGTERM)
            finished += exporter.stdout.read().split()
