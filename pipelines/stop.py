"""The request to end a run early, made by SIGTERM or SIGINT.

One rule: a request is obeyed until the release is about to be published. From then on it is too late and ignored, since
a run that has said "nothing was released" must be right.
"""

import os
import signal
import time
from types import FrameType

from lakehouse.errors import Stopped

SIGNALS = (signal.SIGTERM, signal.SIGINT)

AT_ONCE_SECONDS = 1.0
"""Requests that follow each other so closely are one: the second would disturb who is tidying up for the first."""

_asked: list[tuple[int, float]] = []


def obey() -> None:
    """Raise `Stopped` in the main thread when a request comes."""
    _asked.clear()
    for number in SIGNALS:
        signal.signal(number, _stop)


def ignore() -> None:
    """Ignore requests from now on."""
    for number in SIGNALS:
        if signal.getsignal(number) is _stop:
            signal.signal(number, signal.SIG_IGN)


def last_call() -> None:
    """Ignore requests from now on, but raise `Stopped` for an earlier one that a tool has swallowed."""
    ignore()
    if _asked:
        raise _stopped()


def request() -> None:
    """Make a request from within the run, unless there was one."""
    if not _asked and signal.getsignal(signal.SIGTERM) is _stop:
        os.kill(os.getpid(), signal.SIGTERM)


def earlier() -> Stopped | None:
    """The request that was made, if any; whatever fails after it has failed because of it."""
    return _stopped() if _asked else None


def _stop(number: int, _frame: FrameType | None) -> None:
    before = _asked[-1][1] if _asked else None
    _asked.append((number, time.monotonic()))
    if before is None or _asked[-1][1] - before > AT_ONCE_SECONDS:
        raise _stopped()


def _stopped() -> Stopped:
    return Stopped(f"The run was stopped ({signal.Signals(_asked[0][0]).name}). Nothing was released.")
