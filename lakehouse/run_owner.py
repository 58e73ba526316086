"""Processes, told apart so that none is ever taken for another one.

One rule: a process is its host, its boot, its number and the time of its birth together. A number alone may be somebody
else's by now, so nothing is believed of a process, and no signal is sent to one, by its number.
"""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROCESSES = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process of this host: its number, and its birth in clock ticks since boot."""

    pid: int
    born: str

    @property
    def lives(self) -> bool:
        """Whether it still does; a zombie does no more."""
        return birth(self.pid) == self.born

    def send(self, number: int) -> bool:
        """Send it a signal; False where it has gone. Whoever has its number by now gets none."""
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return False
        try:
            if not self.lives:
                return False
            with suppress(OSError):
                signal.pidfd_send_signal(handle, number)
                return True
            return False
        finally:
            os.close(handle)


def owner(pid: int | None = None) -> str:
    """A process of this host as the table of runs names it: host, boot, number and birth; this one without a number."""
    pid = os.getpid() if pid is None else pid
    return f"{_here()}/{pid}/{birth(pid)}"


def is_here(owner: str | None) -> bool:
    """Whether an owner is, or was, a process of this host since it has started."""
    return (owner or "").partition("/")[0] == _here()


def process_of(owner: str | None) -> Process | None:
    """The living process of this host that an owner names."""
    if owner is None or not is_here(owner):
        return None
    pid, _, born = owner.partition("/")[2].partition("/")
    process = Process(int(pid), born)
    return process if process.lives else None


def all_processes() -> Iterator[Process]:
    """The processes of this host."""
    for entry in PROCESSES.iterdir():
        if entry.name.isdecimal() and (born := birth(int(entry.name))) is not None:
            yield Process(int(entry.name), born)


def birth(pid: int) -> str | None:
    """When a living process began, in clock ticks since boot; None where there is none.

    A zombie answers to signal 0 but does no more work, so it counts as gone (proc(5), fields 3 and 22).
    """
    try:
        fields = (PROCESSES / str(pid) / "stat").read_text(errors="replace").rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in ("Z", "X") else fields[19]


def _here() -> str:
    boot = PROCESSES / "sys" / "kernel" / "random" / "boot_id"
    return f"{socket.gethostname()}:{boot.read_text().strip()[:8] if boot.exists() else ''}"
