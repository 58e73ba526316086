"""Runs: one row per execution of a job, and at most one active run per environment and job.

One rule: whoever is about to change something shared first proves, in the same transaction where it can, that the run
is still his (`Runs.own`). A run that stopped beating was taken over, and must not finish what it began.
"""

import json
import os
import re
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select
from sqlalchemy.exc import IntegrityError

from lakehouse.errors import Busy, Lost, RequestWrong, Unavailable, UnknownName
from lakehouse.state.schema import ACTIVE, now, releases, runs, stamp
from lakehouse.state.store import State

BEAT_SECONDS = 5.0
STALE_SECONDS = 60.0
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Outcomes(NamedTuple):
    """How many tests of a run passed, and how many failed."""

    passed: int
    failed: int


@dataclass(frozen=True)
class Ending:
    """How a run ended: `state` is success, unchanged, failed, cancelled or lost."""

    state: str
    result: Mapping[str, Any] | None = None
    error: str | None = None
    release: int | None = None


class Runs:
    """The table of runs of one state store."""

    def __init__(self, state: State) -> None:
        self._state = state

    def begin(self, run: str, env: str, job: str, starter: str) -> None:
        """Make `run` the active run of its environment and job, owned by this process.

        Raises `Busy` naming the run that is active, `RequestWrong` for an id that was used before.
        """
        if not RUN_ID.fullmatch(run):
            raise RequestWrong(f"{run!r} cannot name a run. Use letters, digits, '.', '_' and '-', at most 64.")
        self.bury(env, job)
        at = now()
        row = {"id": run, "env": env, "job": job, "state": "running", "starter": starter, "owner": owner()}
        try:
            with self._state.write() as connection:
                connection.execute(runs.insert().values(**row, started=at, heartbeat=at))
        except IntegrityError as error:
            raise self._refusal(run, env, job) from error

    def _refusal(self, run: str, env: str, job: str) -> Exception:
        with self._state.read() as connection:
            if connection.execute(select(runs.c.id).where(runs.c.id == run)).first():
                return RequestWrong(f"There is a run {run!r} already. Choose another id.")
            active = connection.execute(select(runs).where(*_active(env, job))).first()
        if active is None:
            return Busy(f"Another {job} of {env} ended just now. Start again.")
        return Busy(f"Run {active.id} has been doing the {job} of {env} since {active.started}. Wait for it to end.")

    def own(self, connection: Connection, run: str) -> None:
        """Raise `Lost` unless this process still owns the run; inside a write transaction nobody can take it over."""
        row = connection.execute(select(runs.c.state, runs.c.owner).where(runs.c.id == run)).first()
        if row is None or row.state != "running" or row.owner != owner():
            raise Lost(f"Run {run} was taken over, because its heartbeat had stopped. Nothing more is changed by it.")

    @contextmanager
    def beating(self, run: str) -> Iterator[None]:
        """Keep the run's heartbeat fresh while the block runs."""
        done = threading.Event()

        def beat() -> None:
            while not done.wait(BEAT_SECONDS):
                with suppress(Unavailable), self._state.write() as connection:  # a missed beat is made up by the next
                    mine = (runs.c.id == run, runs.c.owner == owner(), runs.c.state.in_(ACTIVE))
                    connection.execute(runs.update().where(*mine).values(heartbeat=now()))

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def note(self, run: str, **values: Any) -> None:
        """Store facts about an active run, such as its fingerprint of inputs."""
        with self._state.write() as connection:
            self.own(connection, run)
            connection.execute(runs.update().where(runs.c.id == run).values(**values))

    def end(self, run: str, ending: Ending) -> None:
        """Close the run; one that was taken over meanwhile stays as it is."""
        values = {"state": ending.state, "error": ending.error, "release": ending.release, "ended": now()}
        result = None if ending.result is None else json.loads(json.dumps(ending.result))
        with self._state.write() as connection:
            mine = (runs.c.id == run, runs.c.owner == owner(), runs.c.state.in_(ACTIVE))
            connection.execute(runs.update().where(*mine).values(**values, result=result))

    def bury(self, env: str, job: str) -> None:
        """Close active runs whose process has gone or has stopped beating: success when they released, else lost."""
        with self._state.read() as connection:
            active = connection.execute(select(runs).where(*_active(env, job))).all()
        for row in filter(_dead, active):
            with self._state.write() as connection:
                released = connection.execute(
                    select(releases.c.number).where(releases.c.run == row.id, releases.c.number.is_not(None))
                ).scalar()
                error = None if released else "The process ended without a word."
                still = (runs.c.id == row.id, runs.c.state.in_(ACTIVE), runs.c.heartbeat == row.heartbeat)
                state = "success" if released else "lost"
                connection.execute(
                    runs.update().where(*still).values(state=state, release=released, error=error, ended=now())
                )

    def list(self, env: str, limit: int = 50) -> list[dict[str, Any]]:
        """The newest runs of an environment, newest first."""
        with self._state.read() as connection:
            rows = connection.execute(
                select(runs).where(runs.c.env == env).order_by(runs.c.started.desc(), runs.c.id).limit(limit)
            ).all()
        return [_record(row) for row in rows]

    def show(self, run: str) -> dict[str, Any]:
        """One run; raises `UnknownName` with the newest ids."""
        with self._state.read() as connection:
            row = connection.execute(select(runs).where(runs.c.id == run)).first()
            newest: Sequence[str] = (
                connection.execute(select(runs.c.id).order_by(runs.c.started.desc()).limit(5)).scalars().all()
            )
        if row is None:
            raise UnknownName("run", run, list(newest))
        return _record(row)

    def tests(self, run: str) -> Outcomes | None:
        """How the tests of a run went; None where it was interrupted before it could say so."""
        found = self.show(run).get("tests")
        return Outcomes(found["passed"], found["failed"]) if found else None


def owner() -> str:
    """This process, so that nobody else is taken for it: host, boot, process id and its start time."""
    pid = os.getpid()
    return f"{_here()}/{pid}/{_born(pid)}"


def _active(env: str, job: str) -> tuple[Any, ...]:
    return runs.c.env == env, runs.c.job == job, runs.c.state.in_(ACTIVE)


def _dead(row: Row[Any]) -> bool:
    """Whether the run's process has certainly gone, or has not beaten for long (on another host nothing else tells)."""
    here, _, process = (row.owner or "").partition("/")
    if here == _here():
        pid, _, born = process.partition("/")
        if _born(int(pid)) != born:
            return True
    return bool(row.heartbeat < stamp(datetime.now(UTC) - timedelta(seconds=STALE_SECONDS)))


def _here() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id")
    return f"{socket.gethostname()}:{boot.read_text().strip()[:8] if boot.exists() else ''}"


def _born(pid: int) -> str | None:
    """Start time of a living process in clock ticks since boot; a pid alone may be someone else's by now.

    A zombie answers to signal 0 but does no more work, so it counts as gone (proc(5), fields 3 and 22).
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


def _record(row: Row[Any]) -> dict[str, Any]:
    """A run as scripts see it: the result's JSON, with state and times of the run around it."""
    record = {"run": row.id, "state": row.state, "env": row.env, "job": row.job, "starter": row.starter}
    times = {"started": row.started, "heartbeat": row.heartbeat, "ended": row.ended}
    return {**(row.result or {}), **record, **times, "release": row.release, "error": row.error}
