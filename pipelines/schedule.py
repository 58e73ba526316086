"""Starts what the settings schedule: a thread that looks at the clock, in each process of a portal that is served.

One rule: whoever looks may be one of many, and may be killed at any moment: a start belongs to whoever has claimed it
in the state store (`lakehouse.schedules`), and the run needs nobody once it has begun. No error ends the thread.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from lakehouse.access.audit import Audit
from lakehouse.access.identity import SCHEDULE
from lakehouse.access.request import Request
from lakehouse.errors import Busy, LakeportError, Unavailable
from lakehouse.schedules import Schedules
from lakehouse.settings import Settings
from lakehouse.state.schema import stamp
from lakehouse.state.store import State
from pipelines.context import checked_order
from pipelines.runner import start_detached

log = logging.getLogger(__name__)

DOOR = "schedule"
LOOK_SECONDS = 60.0
"""The longest time between two looks: another process may have paused a schedule, and a clock may be put right."""
STOP_SECONDS = 2.0
"""A start that is just being made has this long to say that it was."""

Clock = Callable[[], datetime]


def _present() -> datetime:
    return datetime.now(UTC)


class Ticker:
    """Starts runs as they come due, until it is stopped; there is no thread where the settings schedule nothing."""

    def __init__(
        self, settings: Settings, state: State, clock: Clock = _present, look_seconds: float = LOOK_SECONDS
    ) -> None:
        self._settings, self._state, self._clock, self._look_seconds = settings, state, clock, look_seconds
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_away = False

    def start(self) -> None:
        """Begin to look."""
        if self._settings.schedules:
            self._thread = threading.Thread(target=self._go_on, name="schedules", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Look no more; what was started goes on."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def _go_on(self) -> None:
        while not self._stopped.is_set():
            self._stopped.wait(self._look())

    def _look(self) -> float:
        """Start what is due; returns how many seconds there are until the next look."""
        try:
            start_due(self._settings, self._state, self._clock())
            if self._is_away:
                log.warning("Schedules start runs again.")
            self._is_away = False
            return self._pause()
        except Unavailable as error:
            if not self._is_away:
                log.warning("Schedules start nothing while the state store is away: %s", error)
            self._is_away = True
        except Exception:  # the one border of this door
            log.exception("Schedules could not be looked at. They are looked at again in a minute.")
        return self._look_seconds

    def _pause(self) -> float:
        now = self._clock()
        following = min(self._settings.times(name).following(now) for name in self._settings.schedules)
        return min(self._look_seconds, (following - now).total_seconds())


def start_due(settings: Settings, state: State, now: datetime) -> None:
    """Start what has come due and nobody has started yet. Raises `Unavailable` when the state store is away."""
    schedules = Schedules(state)
    known = schedules.known()
    for name in settings.schedules:
        due = settings.times(name).latest(now)
        if name not in known:
            schedules.watch(name, now)
        elif known[name]["paused"] is None and known[name]["due"] < stamp(due):
            _decide(settings, state, name, due, late=now - due)


def _decide(settings: Settings, state: State, name: str, due: datetime, late: timedelta) -> None:
    """Start the run of a due time, unless somebody else does, or it is too late for it."""
    schedules = Schedules(state)
    if late > timedelta(minutes=settings.schedules[name].late_minutes):
        schedules.claim(name, due, "No portal could start it in time.")
    elif schedules.claim(name, due):
        try:
            _start(settings, state, name, due)
        except Busy as busy:
            schedules.skipped(name, due, f"Run {busy.run} was still running." if busy.run else str(busy))
        except LakeportError as error:
            log.warning("Schedule %s has started nothing: %s", name, error)
            schedules.skipped(name, due, str(error))


def _start(settings: Settings, state: State, name: str, due: datetime) -> None:
    """Start a schedule's run, with a record in the audit before and after."""
    wanted, starter = settings.schedules[name], f"{SCHEDULE}{name}"
    request = Request(door=DOOR, principal=starter, env=wanted.env, action="run start", target=wanted.job)
    request.note(due=stamp(due))
    with Audit(state, settings.retention).recorded(request, changes=True):
        order = checked_order(settings, wanted.env, wanted.job, source=wanted.source, full=wanted.full)
        run = start_detached(settings, state, order, starter)
        request.note(run=run)
        with suppress(Unavailable):  # the run has begun, and its own record says who has started it
            Schedules(state).started(name, due, run)
