"""Watches over a run from within its own process: its time limit, requests to end that came through the store, its log.

One rule: a run that was asked to end does so by itself, or is ended here after a grace; either way its state is written
down before its process goes.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from lakehouse.errors import LakeportError, Unavailable
from lakehouse.run_owner import owner
from lakehouse.run_records import TIME_LIMIT
from lakehouse.runs import Runs
from pipelines import stop
from pipelines.context import RunContext
from pipelines.processes import GRACE_SECONDS, kill
from pipelines.run_log import LOG_NAME, trim

TICK_SECONDS = 0.5
UNTIL_TIDY_SECONDS = 2.0
"""The grace that whoever has asked gives is a little shorter, so that it is seldom both who kill."""


class Watch:
    """Watches while the block runs; `closing` is taken by whoever writes down how the run ends, once."""

    def __init__(self, context: RunContext, give_up: Callable[[str], None]) -> None:
        self.closing = threading.Lock()
        self._context, self._give_up = context, give_up
        self._deadline: float | None = time.monotonic() + 60 * context.settings.runs.timeout_minutes
        self._asked: tuple[float, str] | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)

    def hear(self, by: str) -> None:
        """Somebody has asked the run to end: in the store, whether or not a signal has come too."""
        if self._asked is None:
            self._asked = time.monotonic(), by
            stop.request()

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._done.set()

    def _look(self) -> None:
        log = self._context.folder / LOG_NAME
        while not self._done.wait(TICK_SECONDS):
            trim(log)
            moment = time.monotonic()
            if self._deadline is not None and moment > self._deadline:
                self._out_of_time()
            if self._asked is not None and moment > self._asked[0] + GRACE_SECONDS + UNTIL_TIDY_SECONDS:
                self._end()

    def _out_of_time(self) -> None:
        try:
            Runs(self._context.state).cancel(self._context.run, TIME_LIMIT)
        except Unavailable:
            return  # asked again at the next look
        except LakeportError:  # it publishes, and that is never broken off, or somebody has taken it over
            self._deadline = None
            return
        self._deadline = None
        self.hear(TIME_LIMIT)

    def _end(self) -> None:
        """End the run from here, since its own work does not come back."""
        if self._asked is None or not self.closing.acquire(blocking=False):
            return
        with suppress(LakeportError):  # then whoever looks next finds it dead, and says the same
            self._give_up(self._asked[1])
        kill(owner(), self._context.folder)
        os.kill(os.getpid(), signal.SIGKILL)
