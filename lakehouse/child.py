"""What a process that Lakeport starts for itself begins with.

One rule: it gets no secret that it was not given by name, and it takes no time from whoever waits for a page.
"""

import os
import time
from pathlib import Path

NICE = 10
"""How much others go before a process that nobody waits for at a page."""

TRIES = 5

_KEPT_VARIABLES = ("PATH", "LANG", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")


def bare_environment() -> dict[str, str]:
    """What Python needs to find Lakeport again, and no secret.

    Few memory arenas: each one reserves 64 MiB of the address space that a process may be limited to.
    """
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    source = str(Path(__file__).resolve().parents[1])
    inherited = [str(Path(entry).absolute()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    path = os.pathsep.join([source, *inherited])
    return {**kept, "PYTHONPATH": path, "MALLOC_ARENA_MAX": "2", "ARROW_DEFAULT_MEMORY_POOL": "system", "TZ": "UTC"}


def go_behind(process: int) -> None:
    """Let others go before a process that has just been started in a session of its own.

    Its threads, which begin later, inherit that. Where Linux shares the processor among sessions first (autogroups, see
    sched(7)), what is nice is only so to its own session, so the session has to go behind too.
    """
    os.setpriority(os.PRIO_PROCESS, process, NICE)
    if os.getsid(process) == process:
        _put_session_behind(Path(f"/proc/{process}/autogroup"))


def _put_session_behind(group: Path) -> None:
    for _ in range(TRIES):
        try:
            group.write_text(str(NICE))
        except BlockingIOError:  # Linux allows one such change in a tenth of a second
            time.sleep(0.1)
        except OSError:  # there are no autogroups here
            return
        else:
            return
