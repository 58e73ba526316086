"""Runs: one row per execution of a job, and at most one active run per environment and job.

One rule: whoever is about to change something shared first proves, in the same transaction where it can, that the run
is still his (`Runs.own`). A run that stopped beating was taken over, and must not finish what it began.
"""

import json
import re
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.exc import IntegrityError

from lakehouse.errors import Busy, Lost, RequestWrong, Stopped, TooLate, Unavailable, UnknownName
from lakehouse.run_owner import is_here, owner, process_of
from lakehouse.run_records import Ending, Outcomes, cut_short, publishes, record
from lakehouse.state.schema import ACTIVE, AWAITING, WAITING, now, releases, runs, stamp
from lakehouse.state.store import State

__all__ = ["BEAT_SECONDS", "STALE_SECONDS", "Ending", "Outcomes", "Runs", "owner"]

BEAT_SECONDS = 5.0
STALE_SECONDS = 60.0
"""A run that has not beaten for so long is lost, and one that was queued for so long was never begun."""

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Runs:
    """The table of runs of one state store."""

    def __init__(self, state: State) -> None:
        self._state = state

    def queue(self, run: str, env: str, job: str, starter: str, order: Mapping[str, Any]) -> None:
        """Make `run` the active run before its own process is there; `hand_over` says which one that is.

        Raises `Busy` naming the run that is active: of several that ask at once, one gets its run.
        """
        self._enter(run, {"env": env, "job": job, "starter": starter, "order": dict(order), "state": "queued"})

    def hand_over(self, run: str, pid: int) -> None:
        """Say which process is to begin a queued run; when it ends before that, the run ends too."""
        with self._state.write() as connection:
            queued = (runs.c.id == run, runs.c.state == "queued")
            connection.execute(runs.update().where(*queued).values(owner=owner(pid)))

    def begin(self, run: str, env: str, job: str, starter: str, order: Mapping[str, Any] | None = None) -> None:
        """Make `run` the active run of its environment and job, owned by this process; it may have been queued.

        Raises `Busy` naming the run that is active, `RequestWrong` for an id that was used before, `Stopped` for a
        queued run that was cancelled.
        """
        asked = None if order is None else dict(order)
        self._enter(run, {"env": env, "job": job, "starter": starter, "order": asked, "state": "running"})

    def _enter(self, run: str, values: dict[str, Any]) -> None:
        if not RUN_ID.fullmatch(run):
            raise RequestWrong(f"{run!r} cannot name a run. Use letters, digits, '.', '_' and '-', at most 64.")
        env, job, at = values["env"], values["job"], now()
        queued = (runs.c.id == run, runs.c.env == env, runs.c.job == job, runs.c.state == "queued")
        with self._state.read() as connection:
            is_queued = connection.execute(select(runs.c.id).where(*queued)).first() is not None
        if not is_queued:
            self.bury(env, job)
        try:
            with self._state.write() as connection:
                taken = {"state": values["state"], "owner": owner(), "heartbeat": at}
                if not connection.execute(runs.update().where(*queued).values(**taken)).rowcount:
                    connection.execute(runs.insert().values(id=run, owner=owner(), started=at, heartbeat=at, **values))
        except IntegrityError as error:
            raise self._refusal(run, env, job) from error

    def _refusal(self, run: str, env: str, job: str) -> Exception:
        with self._state.read() as connection:
            known = connection.execute(select(runs).where(runs.c.id == run)).first()
            active = connection.execute(select(runs).where(*_active(env, job))).first()
        if known is not None:
            if known.cancelled_by and known.result is None:
                return Stopped(cut_short(known.cancelled_by)[1])
            return RequestWrong(f"There is a run {run!r} already. Choose another id.")
        if active is None:
            return Busy(f"Another {job} of {env} ended just now. Start again.")
        sentence = f"Run {active.id} has been doing the {job} of {env} since {active.started}. Wait for it to end."
        return Busy(sentence, active.id)

    def own(self, connection: Connection, run: str) -> Row[Any]:
        """Raise `Lost` unless this process still owns the run; inside a write transaction nobody can take it over."""
        row = connection.execute(select(runs).where(runs.c.id == run).with_for_update()).first()
        if row is None or row.state != "running" or row.owner != owner():
            raise Lost(f"Run {run} was taken over, because its heartbeat had stopped. Nothing more is changed by it.")
        return row

    @contextmanager
    def beating(self, run: str, heard: Callable[[str], None] = lambda by: None) -> Iterator[None]:
        """Keep the run's heartbeat fresh while the block runs; `heard` is told at each beat who has asked it to end."""
        done = threading.Event()

        def beat() -> None:
            while not done.wait(BEAT_SECONDS):
                with suppress(Unavailable):  # a missed beat is made up by the next
                    asked = self._beat(run)
                    if asked is not None:
                        heard(asked)

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _beat(self, run: str) -> str | None:
        with self._state.write() as connection:
            beaten = runs.update().where(*_mine(run)).values(heartbeat=now()).returning(runs.c.cancelled_by)
            return connection.execute(beaten).scalar()

    def note(self, run: str, **values: Any) -> None:
        """Store facts about an active run, such as its fingerprint of inputs."""
        with self._state.write() as connection:
            self.own(connection, run)
            connection.execute(runs.update().where(runs.c.id == run).values(**values))

    def last_call(self, run: str, steps: Sequence[Mapping[str, Any]]) -> None:
        """Go past the point from which the run cannot be cancelled; `steps` are those begun, with that of the release.

        Raises `Stopped` when somebody has asked the run to end: one transaction decides who was first.
        """
        with self._state.write() as connection:
            row = self.own(connection, run)
            if row.cancelled_by is not None:
                raise Stopped(cut_short(row.cancelled_by)[1])
            connection.execute(runs.update().where(runs.c.id == run).values(steps=list(steps)))

    def cancel(self, run: str, by: str) -> str | None:
        """Ask an active run to end; returns its owner. One that has not begun yet is over with that.

        Raises `TooLate` when it has ended or begun to publish, `UnknownName`.
        """
        self.show(run)
        with self._state.write() as connection:
            row = connection.execute(select(runs).where(runs.c.id == run).with_for_update()).one()
            if row.state not in ACTIVE:
                raise TooLate(f"Run {run} has ended already: {row.state.replace('_', ' ')}.")
            if publishes(row):
                raise TooLate(f"Run {run} publishes already. Wait for it to end.")
            asked = row.cancelled_by or by
            values: dict[str, Any] = {"cancelled_by": asked}
            if row.state == "queued":
                state, error = cut_short(asked)
                values |= {"state": state, "error": error, "ended": now()}
            connection.execute(runs.update().where(runs.c.id == run).values(**values))
        return str(row.owner) if row.owner else None

    def end(self, run: str, ending: Ending) -> None:
        """Close the run; one that was taken over meanwhile stays as it is."""
        values = {"state": ending.state, "error": ending.error, "release": ending.release, "ended": now()}
        result = None if ending.result is None else json.loads(json.dumps(ending.result))
        with self._state.write() as connection:
            kept = {"result": result, "steps": [dict(step) for step in ending.steps]}
            connection.execute(runs.update().where(*_mine(run)).values(**values, **kept))

    def bury(self, env: str, job: str) -> None:
        """Close active runs whose process has gone or has stopped beating, as what they have come to."""
        with self._state.read() as connection:
            active = connection.execute(select(runs).where(*_active(env, job))).all()
        for row in filter(_dead, active):
            self._close(row)

    def _close(self, row: Row[Any]) -> None:
        with self._state.write() as connection:
            asked = (row.order or {}).get("release_of")  # a run that publishes what another one has built
            made = select(releases.c.number, releases.c.state).where(releases.c.run == (asked or row.id))
            found = connection.execute(made.order_by(releases.c.id.desc())).first()
            state: str = "lost"
            error: str | None = "The process ended without a word."
            if found is not None and found.number is not None:
                state, error = "success", None
            elif found is not None and found.state == WAITING and not asked:
                state, error = AWAITING, None
            elif row.cancelled_by is not None:
                state, error = cut_short(row.cancelled_by)
            # It ended at its last sign of life, whenever somebody looks.
            values = {"state": state, "error": error, "release": found and found.number, "ended": row.heartbeat}
            still = (runs.c.id == row.id, runs.c.state.in_(ACTIVE), runs.c.heartbeat == row.heartbeat)
            connection.execute(runs.update().where(*still).values(**values))

    def standing(self, env: str) -> Sequence[Row[Any]]:
        """The rows of active runs as they stand, also of those whose process has gone."""
        with self._state.read() as connection:
            return connection.execute(select(runs).where(runs.c.env == env, runs.c.state.in_(ACTIVE))).all()

    def active(self, env: str) -> list[dict[str, Any]]:
        """The runs of an environment that are queued or running."""
        return self.list(env, states=ACTIVE)

    def list(
        self, env: str, limit: int = 50, *, states: Collection[str] = (), before: str = ""
    ) -> list[dict[str, Any]]:
        """The newest runs of an environment, newest first: those in some states, those that began before a time."""
        wanted = select(runs).where(runs.c.env == env).order_by(runs.c.started.desc(), runs.c.id).limit(limit)
        if before:
            wanted = wanted.where(runs.c.started < before)
        if states:
            wanted = wanted.where(runs.c.state.in_(states))
        return [record(row) for row in self._as_they_are(wanted)]

    def show(self, run: str) -> dict[str, Any]:
        """One run; raises `UnknownName` with the newest ids."""
        found = self._as_they_are(select(runs).where(runs.c.id == run))
        if not found:
            with self._state.read() as connection:
                newest = select(runs.c.id).order_by(runs.c.started.desc()).limit(5)
                raise UnknownName("run", run, list(connection.execute(newest).scalars()))
        return record(found[0])

    def _as_they_are(self, wanted: Any) -> Sequence[Row[Any]]:
        """The rows of a question; those that died are closed before anybody is told that they run."""
        with self._state.read() as connection:
            found = connection.execute(wanted).all()
        dead = [row for row in found if row.state in ACTIVE and _dead(row)]
        if not dead:
            return found
        with suppress(Unavailable):  # what cannot be written down now is seen again at the next look
            for row in dead:
                self._close(row)
        with self._state.read() as connection:
            return connection.execute(wanted).all()

    def tests(self, run: str) -> Outcomes | None:
        """How the tests of a run went; None where it was interrupted before it could say so."""
        found = self.show(run).get("tests")
        return Outcomes(found["passed"], found["failed"]) if found else None


def _active(env: str, job: str) -> tuple[Any, ...]:
    return runs.c.env == env, runs.c.job == job, runs.c.state.in_(ACTIVE)


def _mine(run: str) -> tuple[Any, ...]:
    return runs.c.id == run, runs.c.owner == owner(), runs.c.state.in_(ACTIVE)


def _dead(row: Row[Any]) -> bool:
    """Whether the run's process has certainly gone, or has not beaten for long (on another host nothing else tells)."""
    if is_here(row.owner) and process_of(row.owner) is None:
        return True
    return bool(row.heartbeat < stamp(datetime.now(UTC) - timedelta(seconds=STALE_SECONDS)))
