"""Schedules: when each was last due, what it has started, and which of them are paused.

One rule: a time that is due belongs to whoever moves `due` on to it first, in one transaction. So it starts one run at
most, however many processes look; and what keeps it from starting one is written down before anybody tries.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from lakehouse.state.schema import now, schedules, stamp
from lakehouse.state.store import State, upsert

UNTOLD = "The portal ended while it started the run."
"""Why a due time has started nothing, as long as nobody has said how its start went."""

Known = Mapping[str, Any]
"""A schedule's row: name, due, why, run, started, paused, paused_by, reason."""


class Schedules:
    """The table of schedules of one state store."""

    def __init__(self, state: State) -> None:
        self._state = state

    def known(self) -> dict[str, Known]:
        """What is known of each schedule that was watched or paused before, by its name."""
        with self._state.read() as connection:
            return {row["name"]: dict(row) for row in connection.execute(select(schedules)).mappings()}

    def watch(self, name: str, since: datetime) -> None:
        """Begin to watch a schedule: what was due before is nobody's business."""
        with self._state.write() as connection:
            added = upsert(connection, schedules).values(name=name, due=stamp(since))
            connection.execute(added.on_conflict_do_nothing(index_elements=["name"]))

    def claim(self, name: str, due: datetime, why: str = UNTOLD) -> bool:
        """Take a due time of a schedule that is not paused; False where somebody else has taken it, or a later one.

        `why` is what keeps it from starting a run, unless `started` or `skipped` says otherwise.
        """
        at = stamp(due)
        free = (schedules.c.name == name, schedules.c.due < at, schedules.c.paused.is_(None))
        with self._state.write() as connection:
            taken = connection.execute(schedules.update().where(*free).values(due=at, why=why))
            return bool(taken.rowcount)

    def started(self, name: str, due: datetime, run: str) -> None:
        """Say which run a due time has started."""
        self._said(name, due, run=run, started=stamp(due), why=None)

    def skipped(self, name: str, due: datetime, why: str) -> None:
        """Say why a due time that was claimed has started none."""
        self._said(name, due, why=why)

    def _said(self, name: str, due: datetime, **values: Any) -> None:
        untold = (schedules.c.name == name, schedules.c.due == stamp(due), schedules.c.why == UNTOLD)
        with self._state.write() as connection:
            connection.execute(schedules.update().where(*untold).values(**values))

    def pause(self, name: str, by: str, reason: str = "") -> None:
        """Let a schedule start nothing until it is resumed; one that is paused stays as it is."""
        paused = {"paused": now(), "paused_by": by, "reason": reason or None}
        with self._state.write() as connection:
            added = upsert(connection, schedules).values(name=name, due=now(), **paused)
            still = schedules.c.paused.is_(None)
            connection.execute(added.on_conflict_do_update(index_elements=["name"], set_=paused, where=still))

    def resume(self, name: str) -> None:
        """Let a schedule start runs again, from its next time on: what was due meanwhile is not made up for."""
        again = {"due": now(), "why": None, "paused": None, "paused_by": None, "reason": None}
        paused = (schedules.c.name == name, schedules.c.paused.is_not(None))
        with self._state.write() as connection:
            connection.execute(schedules.update().where(*paused).values(**again))
