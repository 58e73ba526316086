"""The request to end a run early, made by SIGTERM or SIGINT.

One rule: a request is obeyed until the release is about to be published. From then on it is too late and ignored, since
a run that has said "nothing was released" must be right.
"""

import signal
from types import FrameType

from lakehouse.errors import Stopped

SIGNALS = (signal.SIGTERM, signal.SIGINT)

_asked: list[int] = []


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


def _stop(number: int, _frame: FrameType | None) -> None:
    _asked.append(number)
    raise _stopped()


def _stopped() -> Stopped:
    return Stopped(f"The run was stopped ({signal.Signals(_asked[0]).name}). Nothing was released.")
