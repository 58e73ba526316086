"""What a process cost, and how a table of figures is printed.

One rule: figures are printed as they were measured; nothing here says whether they are good.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """CPU and wall time in seconds and the peak memory in MB of one process and its children."""

    cpu_seconds: float
    wall_seconds: float
    peak_mb: int


def cost_of(arguments: Sequence[str], cwd: Path, **variables: str) -> Cost:
    """Run `python -m ...` to its end, which must be a good one, with some variables more than this process has."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", *arguments], cwd=cwd, env={**os.environ, **variables}, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"{arguments} ended with status {status}"
    process.returncode = 0  # it was waited for here, since Popen does not tell what a process has used
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, usage.ru_maxrss // 1024)


def show(title: str, heading: Sequence[str], lines: Sequence[Sequence[object]]) -> None:
    """Print figures as a Markdown table."""
    print(f"\n{title}\n")
    for cells in (heading, ["---"] * len(heading), *lines):
        print("| " + " | ".join(str(cell) for cell in cells) + " |")


def percentile(spent: Sequence[float], share: float) -> float:
    """The value that such a share of all is not above, by nearest rank; NaN of nothing."""
    ordered = sorted(spent)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
