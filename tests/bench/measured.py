"""What a process cost, and how a table of figures is printed."""

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


def cost_of(arguments: Sequence[str], cwd: Path) -> Cost:
    """Run `python -m ...` to its end, which must be a good one."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-P", "-m", *arguments], cwd=cwd, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"{arguments} ended with status {status}"
    process.returncode = 0  # it was waited for here, since Popen does not tell what a process has used
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, usage.ru_maxrss // 1024)


def show(title: str, heading: Sequence[str], lines: Sequence[Sequence[object]]) -> None:
    """Print figures as a Markdown table."""
    print(f"\n{title}\n")
    for cells in (heading, ["---"] * len(heading), *lines):
        print("| " + " | ".join(str(cell) for cell in cells) + " |")


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def cpu_of_tree(process: int) -> tuple[float, float]:
    """CPU seconds that a served portal has used until now: its web processes, and these with their query workers."""
    parents, used, web = {}, {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended meanwhile
        number = int(folder.name)
        parents[number] = int(fields[1])
        used[number] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        web[number] = b"tile_server" in command
    tree = [number for number in used if number == process or _descends(number, process, parents)]
    return sum(used[number] for number in tree if web[number]), sum(used[number] for number in tree)


def _descends(number: int, ancestor: int, parents: dict[int, int]) -> bool:
    while number in parents:
        number = parents[number]
        if number == ancestor:
            return True
    return False
