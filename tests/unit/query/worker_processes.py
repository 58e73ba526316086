"""What /proc knows about the query workers of a process."""

import os
import time
from pathlib import Path

_others: set[int] = set()


def set_others_apart() -> None:
    """From now on the workers that live already, such as those of a lake that many tests share, count for nobody."""
    _others.clear()
    _others.update(workers_of(os.getpid()))


def workers_of(parent: int) -> set[int]:
    """Process ids of living workers that the process started, without those that were set apart."""
    found = {
        int(folder.name)
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and _is_worker(folder) and _field(folder, 1) == str(parent)
    }
    return found - _others


def alive(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    return _field(Path(f"/proc/{pid}"), 0) not in ("", "Z")


def busy_worker(parent: int | None = None, cpu_ticks: int = 120) -> int:
    """The first worker of a process (this one) that has worked for longer than starting takes."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for pid in workers_of(parent or os.getpid()):
            if int(_field(Path(f"/proc/{pid}"), 11) or 0) > cpu_ticks:
                return pid
        time.sleep(0.02)
    raise AssertionError("no worker became busy")


def _is_worker(folder: Path) -> bool:
    try:
        return b"lakehouse.query.worker" in (folder / "cmdline").read_bytes()
    except OSError:
        return False


def _field(folder: Path, number: int) -> str:
    """A field of /proc/PID/stat, counted from the state."""
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()[number]
    except OSError:
        return ""
