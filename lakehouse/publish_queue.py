"""The publish queue: releases that were built and tested, and wait for somebody to publish or discard them.

One rule: one waits at most, in each environment. Whatever is newer, published or waiting too, takes its place, since
what was built on an older release must not follow a newer one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from lakehouse.access import policy
from lakehouse.access.identity import Principal
from lakehouse.errors import RequestWrong, UnknownName
from lakehouse.query.scope import Scope
from lakehouse.state.schema import AWAITING, WAITING, releases, runs
from lakehouse.state.store import State

ITSELF = "lakeport"
"""Who has decided where no person did."""

LONGEST_REASON = 500

_SHOWN = (releases.c.run, releases.c.state, releases.c.number, releases.c.created, releases.c.published)
_DECIDED = (releases.c.differences, releases.c.decided_by, releases.c.reason)


@dataclass(frozen=True)
class PublishQueue:
    """The queue of one environment, as somebody may see it and decide in it."""

    state: State
    env: str
    principal: Principal
    scope: Scope

    @property
    def may_decide(self) -> bool:
        """Whether this person may publish and discard here."""
        return policy.allows(self.principal, "operate", self.env)

    def waiting(self) -> list[dict[str, Any]]:
        """What waits, newest first; as `records` has it."""
        return self._records(releases.c.state == WAITING)

    def records(self, limit: int = 50) -> list[dict[str, Any]]:
        """The newest releases, published or not.

        Of each: run, state, number, created, published, differences, decided_by, reason. Differences are None for
        whoever has row rules, and learns no counts; to others they are those of the tables and columns that they see.
        """
        return self._records(limit=limit)

    def check(self, run: str) -> dict[str, Any]:
        """The release of a run that waits, and that this person may decide on.

        Raises `NotAllowed`, `UnknownName` where no such run has built a release, `RequestWrong` where it waits no more.
        """
        policy.check(self.principal, "operate", f"releases of {self.env}", self.env)
        with self.state.read() as connection:
            row = connection.execute(select(releases).where(*self._of(run)).order_by(releases.c.id.desc())).first()
            names = select(releases.c.run).where(releases.c.env == self.env, releases.c.state == WAITING)
            known: Sequence[str] = connection.execute(names).scalars().all()
            if row is None and run.isdecimal():
                numbered = (releases.c.env == self.env, releases.c.number == int(run))
                row = connection.execute(select(releases).where(*numbered)).first()
        if row is None:
            raise UnknownName("waiting run", run, list(known))
        if row.state != WAITING:
            raise RequestWrong(_settled(row))
        return self._record(row)

    def discard(self, run: str, reason: str) -> dict[str, Any]:
        """Give up the release of a run that waits. Raises what `check` raises, and `RequestWrong` without a reason."""
        said = given_reason(reason)
        self.check(run)
        with self.state.write() as connection:
            waits = (*self._of(run), releases.c.state == WAITING)
            row = connection.execute(select(releases).where(*waits).with_for_update()).first()
            if row is None:
                raise RequestWrong(f"Run {run} waits no more: somebody else has just decided on it.")
            give_up(connection, row, self.principal.name, said)
        return self._records(releases.c.id == row.id)[0]

    def _of(self, run: str) -> tuple[Any, ...]:
        return releases.c.env == self.env, releases.c.run == run

    def _records(self, *where: Any, limit: int = 50) -> list[dict[str, Any]]:
        found = select(*_SHOWN, *_DECIDED).where(releases.c.env == self.env, *where)
        with self.state.read() as connection:
            rows = connection.execute(found.order_by(releases.c.id.desc()).limit(limit)).all()
        return [self._record(row) for row in rows]

    def _record(self, row: Row[Any]) -> dict[str, Any]:
        shown = {column.name: row._mapping[column.name] for column in (*_SHOWN, *_DECIDED)}
        return {**shown, "differences": visible_differences(row.differences or [], self.scope)}


def visible_differences(found: list[Mapping[str, Any]], scope: Scope) -> list[Mapping[str, Any]] | None:
    """The differences of tables and columns that may be seen; None under row rules, since they count all rows."""
    if scope.rows:
        return None
    seen = (one for one in found if scope.sees(one["table"]))
    return [one for one in seen if one["column"] not in scope.hidden(one["table"])]


def given_reason(reason: str) -> str:
    """The reason without blanks around it. Raises `RequestWrong` where there is none, or a very long one."""
    said = reason.strip()
    if not said:
        raise RequestWrong("Say why: a decision about a release needs a reason.")
    if len(said) > LONGEST_REASON:
        raise RequestWrong(f"The reason has {len(said):,} characters; at most {LONGEST_REASON} are kept. Shorten it.")
    return said


def awaited(connection: Connection, env: str) -> Row[Any] | None:
    """The row of the release that waits, inside somebody's transaction."""
    where = (releases.c.env == env, releases.c.state == WAITING)
    return connection.execute(select(releases).where(*where).order_by(releases.c.id.desc())).first()


def give_up_others(connection: Connection, env: str, keep: int, reason: str) -> None:
    """Discard everything that waits but this one, because something newer has come."""
    others = (releases.c.env == env, releases.c.state == WAITING, releases.c.id != keep)
    for row in connection.execute(select(releases).where(*others)).all():
        give_up(connection, row, ITSELF, reason)


def give_up(connection: Connection, row: Row[Any], by: str, reason: str) -> None:
    """Discard a release that waits, and end the run that has built it as cancelled."""
    # The intent and the fingerprints are long, and nobody needs them any more.
    values = {"state": "discarded", "decided_by": by, "reason": reason, "intent": {}, "nodes": {}}
    connection.execute(releases.update().where(releases.c.id == row.id).values(**values))
    end_awaiting(connection, row.run, by, f"What this run has built was discarded by {by}: {reason}")


def end_awaiting(connection: Connection, run: str, by: str, sentence: str) -> None:
    """End a run whose release waited as cancelled."""
    waits = (runs.c.id == run, runs.c.state == AWAITING)
    connection.execute(runs.update().where(*waits).values(state="cancelled", error=sentence, cancelled_by=by))


def _settled(row: Row[Any]) -> str:
    if row.state == "discarded":
        decided = f" by {row.decided_by}: {row.reason}" if row.decided_by else ", since its tables had been changed"
        return f"What run {row.run} has built was discarded{decided.rstrip('.')}. Refresh to build anew."
    if row.state == "publishing":
        return f"What run {row.run} has built is being published. Look again in a moment."
    return f"What run {row.run} has built is published already, as release {row.number}."
