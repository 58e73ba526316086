"""What a served portal uses: the processor time and the memory of its first process and of all that come from it.

One rule: the kernel is asked, not the portal; query workers are told from web processes by what they were started as.
"""

import re
import time
from dataclasses import dataclass
from pathlib import Path

WORKERS = b"lakehouse.query."
"""Stands in the command line of a query worker, and of no web process."""


@dataclass(frozen=True)
class Used:
    """CPU seconds since the start: of the first process with the web processes, and of these with query workers."""

    web: float
    everything: float

    def since(self, earlier: "Used") -> "Used":
        """What was used since then. A worker that has ended in between took its time with it."""
        return Used(self.web - earlier.web, self.everything - earlier.everything)


def used_by(first: int) -> Used:
    """What a family of processes has used until now, to the microsecond."""
    web = everything = 0.0
    for process in family(first):
        try:
            is_worker = WORKERS in Path(f"/proc/{process}/cmdline").read_bytes()
            spent = time.clock_gettime(_clock(process))
        except OSError:
            continue  # it has ended meanwhile
        everything += spent
        web += 0 if is_worker else spent
    return Used(web, everything)


def memory_of(first: int) -> tuple[float, int]:
    """The memory of a family of processes in MB, what they share counted once (PSS), and how many they are."""
    found = [_shared_memory(process) for process in family(first)]
    return sum(found) / 1024, len(found)


def family(first: int) -> list[int]:
    """A process, its children, and theirs."""
    found = [first]
    for parent in found:
        found += _children(parent)
    return found


def _children(parent: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{parent}/task").iterdir())
        return [int(one) for task in tasks for one in (task / "children").read_text(encoding="ascii").split()]
    except OSError:  # it has ended in the meantime
        return []


def _clock(process: int) -> int:
    """The clock of another process's CPU time, as clock_getcpuclockid(3) would give it."""
    return (~process << 3) | 2


def _shared_memory(process: int) -> int:
    """In kB; the processes must belong to whoever asks."""
    found = re.search(r"^Pss: +(\d+) kB$", Path(f"/proc/{process}/smaps_rollup").read_text("ascii"), re.MULTILINE)
    assert found is not None, f"process {process} does not say what memory it uses"
    return int(found[1])
