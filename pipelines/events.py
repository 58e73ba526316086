"""What a run says while it works: one JSON object per line, to standard output and to the run's own file.

One rule: the lines follow the contract `{"at", "run", "step", "event", "done", "total", "unit", "message"}`, and a
reader that has gone away or a full disk never stops the run here.
"""

import json
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from lakehouse.state.schema import now
from pipelines.steps import Folded

QUIET_SECONDS = 0.2
"""Progress of the same thing is said at most this often,"""

PATIENT_SECONDS, LATER_SECONDS = 60.0, 1.0
"""and after a minute at most every second, so that the events of a long run stay few."""


class Events:
    """Writes the events of one run."""

    def __init__(self, run: str, file: Path, out: TextIO | None = None) -> None:
        self._run, self._out = run, out
        self._file = file.open("ab", buffering=0)  # a buffer would try again, and fail again, when it is closed
        self._last: dict[str, float] = {}
        self._began = time.monotonic()
        self._lock = threading.RLock()  # tools call from threads of their own, and a signal may interrupt the main one
        self.said = Folded()
        """What the events so far come to."""

    def start(self, step: str, message: str = "") -> None:
        """A step begins."""
        self._write(step, "start", message=message)

    def mark(self, step: str, message: str) -> None:
        """Something has happened within a step that a restart would have to know."""
        self._write(step, "mark", message=message)

    def progress(self, step: str, message: str, done: int, total: int | None, unit: str) -> None:
        """So much is done; said now and then only."""
        key, moment = f"{step} {message} {unit}", time.monotonic()
        quiet = QUIET_SECONDS if moment - self._began < PATIENT_SECONDS else LATER_SECONDS
        if moment - self._last.get(key, 0.0) >= quiet or done == total:
            self._last[key] = moment
            self._write(step, "progress", done=done, total=total, unit=unit, message=message)

    def end(self, step: str, message: str = "") -> None:
        """A step has ended."""
        self._write(step, "end", message=message)

    def fail(self, step: str, message: str) -> None:
        """The run ends here, without a result."""
        self._write(step, "error", message=message)

    def _write(self, step: str, event: str, **facts: Any) -> None:
        told = {"done": None, "total": None, "unit": None, "message": "", **facts}
        said = {"at": now(), "run": self._run, "step": step, "event": event, **told}
        line = json.dumps(said, ensure_ascii=False)
        with self._lock:
            self.said.add(said)
            with suppress(OSError):  # the work itself will say that the disk is full
                self._file.write(f"{line}\n".encode())
            if self._out is not None:
                try:
                    self._out.write(line + "\n")
                    self._out.flush()
                except (BrokenPipeError, ValueError):
                    self._out = None  # whoever listened has gone; the run goes on

    def close(self) -> None:
        """Close the run's file."""
        self._file.close()
