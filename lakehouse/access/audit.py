"""The audit: who has asked for what, through which door, and what came of it.

One rule: records are only ever added, one transaction each, to a chain of hashes (lakehouse/access/chain.py). Whoever
answers writes the record first, and gives no answer when it cannot be written.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, delete, or_, select, update

from lakehouse.access.address import network, plain
from lakehouse.access.chain import Chain, Link, Verified, record_hash
from lakehouse.access.request import Request, storable
from lakehouse.errors import LakeportError, RequestWrong, Stopped, Unavailable
from lakehouse.settings import RetentionSettings
from lakehouse.state.schema import audit, audit_head, audit_refusals, stamp, users
from lakehouse.state.store import State, upsert

Verdict = Literal["begun", "allowed", "refused", "failed"]

SWEEP_RECORDS = 5_000
"""Old records that one writer removes at most; the next one goes on, so that none of them waits for long."""

_HEAD = select(audit_head).where(audit_head.c.id == 1).with_for_update()
_MOVE_HEAD = update(audit_head).where(audit_head.c.id == 1)
_ADD = audit.insert()


class Audit:
    """The audit of one state store."""

    def __init__(self, state: State, retention: RetentionSettings) -> None:
        self._state = state
        self._kept = timedelta(days=retention.audit_days)

    def write(self, request: Request, verdict: Verdict, status: int) -> None:
        """Add one record, with what the request has collected since its last one. Raises `Unavailable`."""
        record = _record(request, verdict, status)
        # A power cut may cost the last records, as it costs the answers they belong to; a killed process costs none.
        # What changes the lake or its users is committed with a flush of its own, which takes these records along.
        with self._state.write(flush=False) as connection:
            self._append(connection, record)

    @contextmanager
    def recorded(self, request: Request, *, changes: bool = False) -> Iterator[Request]:
        """Write a record when the block is left, however that happens; with `changes` also one before it begins."""
        if changes:
            self.write(request, "begun", 0)
        try:
            yield request
        except BaseException as error:
            self.write(request, *outcome(error))
            raise
        failure, request.failure = request.failure, 0
        self.write(request, "failed" if failure else "allowed", failure or 200)

    def count(self, address: str, kind: str) -> None:
        """Count a refusal to somebody who is nobody we know, by address, minute and kind."""
        with self._state.write(flush=False) as connection:
            _count(connection, address, kind)

    def sign_in_failed(self, request: Request, name: str) -> None:
        """Record that this user was not let in. What names no user is only counted, since it may be a password."""
        with self._state.write(flush=False) as connection:
            found = connection.execute(select(users.c.name).where(users.c.name == storable(name))).scalar()
            if found is None:
                _count(connection, request.address, f"{request.action} 401")
            else:
                request.principal = found
                self._append(connection, _record(request, "refused", 401))

    def records(
        self, limit: int = 50, principal: str | None = None, action: str | None = None, since: str | None = None
    ) -> list[dict[str, Any]]:
        """The newest records, newest first; those of a principal are also those of an operator with its rights."""
        wanted = select(audit).order_by(audit.c.number.desc()).limit(limit)
        if principal is not None:
            wanted = wanted.where(or_(audit.c.principal == principal, audit.c.operator == principal))
        if action is not None:
            wanted = wanted.where(audit.c.action == action)
        if since is not None:
            wanted = wanted.where(audit.c.at >= _moment(since))
        with self._state.read() as connection:
            return [dict(row) for row in connection.execute(wanted).mappings()]

    def own(self, principal: str, action: str, limit: int) -> list[dict[str, Any]]:
        """The newest records of what somebody did by themselves, newest first; an index finds them."""
        theirs = audit.c.principal == principal, audit.c.action == action, audit.c.operator == ""
        wanted = select(audit).where(*theirs).order_by(audit.c.number.desc()).limit(limit)
        with self._state.read() as connection:
            return [dict(row) for row in connection.execute(wanted).mappings()]

    def refusals(self, limit: int = 50) -> list[dict[str, Any]]:
        """Refusals without a known user, the newest minute first."""
        newest = audit_refusals.c.minute.desc(), audit_refusals.c.count.desc(), audit_refusals.c.address
        with self._state.read() as connection:
            found = connection.execute(select(audit_refusals).order_by(*newest).limit(limit)).mappings()
            return [dict(row) for row in found]

    def verify(self, noted: str | None = None) -> Verified:
        """Check the whole chain, and that it still leads through a head that was noted. Raises `RequestWrong`."""
        link = None if noted is None else Link.parse(noted)
        with self._state.read() as connection:
            head = connection.execute(select(audit_head)).first()
            if head is None:
                return Verified(0, "", 1, "The head of the audit is missing.")
            start, end = Link(head.first - 1, head.anchor), Link(head.last, head.hash)
            if link is not None and link.number < start.number:
                raise RequestWrong(f"Record {link.number} is no longer kept; the first one is {head.first}.")
            chain = Chain(start, end, link)
            # By position in the store, not by memory: an audit may be larger than that.
            rows = connection.execution_options(yield_per=1_000).execute(select(audit).order_by(audit.c.number))
            bad, sentence = chain.trouble(dict(row) for row in rows.mappings()) or (None, "")
        return Verified(chain.records, str(end), bad, sentence)

    def _append(self, connection: Connection, record: dict[str, Any]) -> None:
        head = connection.execute(_HEAD).first()
        if head is None:
            raise Unavailable("The audit has lost its head, so nothing can be recorded. Restore the state store.")
        moment = datetime.now(UTC)
        last, swept = Link(head.last, head.hash), head.swept
        moved: dict[str, Any] = {}
        if swept < (today := stamp(moment)[:10]):
            last, moved = self._sweep(connection, last, moment, today)
        last = _add(connection, last, moment, record)
        connection.execute(_MOVE_HEAD, {"last": last.number, "hash": last.hash, **moved})

    def _sweep(self, connection: Connection, last: Link, moment: datetime, today: str) -> tuple[Link, dict[str, Any]]:
        """Remove records that are too old, a number of them at a time, and say so in a record."""
        before = stamp(moment - self._kept)
        connection.execute(delete(audit_refusals).where(audit_refusals.c.minute < before[:16]))
        oldest = select(audit.c.number, audit.c.at, audit.c.hash).order_by(audit.c.number).limit(SWEEP_RECORDS)
        gone: Link | None = None
        looked = connection.execute(oldest).all()
        for row in looked:  # not by time alone: a clock may have been put back, and the chain must stay whole
            if row.at >= before:
                break
            gone = Link(row.number, row.hash)
        done = {"swept": today}
        if gone is None:
            return last, done
        connection.execute(delete(audit).where(audit.c.number <= gone.number))
        request = Request(door="audit", principal="lakeport", action="retention", target=str(gone))
        last = _add(connection, last, moment, _record(request, "allowed", 200))
        moved = {"first": gone.number + 1, "anchor": gone.hash}
        more = len(looked) == SWEEP_RECORDS and gone.number == looked[-1].number
        return last, moved if more else {**moved, **done}


def outcome(error: BaseException) -> tuple[Verdict, int]:
    """The verdict and the status that an error stands for."""
    if isinstance(error, LakeportError):
        return "refused" if error.is_refusal else "failed", error.status
    return "failed", Stopped.status if isinstance(error, KeyboardInterrupt) else 500


def _record(request: Request, verdict: Verdict, status: int) -> dict[str, Any]:
    """What a request has collected, as the columns that it fills."""
    return {
        "request": storable(request.id, 64),
        "principal": storable(request.principal),
        "operator": storable(request.operator),
        "door": storable(request.door, 20),
        "address": plain(request.address),
        "action": storable(request.action),
        "target": storable(request.target),
        "verdict": verdict,
        "status": status,
        "env": storable(request.env, 63),
        "release": request.release,
        "detail": request.taken(),
    }


def _add(connection: Connection, last: Link, moment: datetime, record: dict[str, Any]) -> Link:
    linked = {"number": last.number + 1, "at": stamp(moment), **record, "previous": last.hash}
    linked["hash"] = record_hash(linked)
    connection.execute(_ADD, linked)
    return Link(linked["number"], linked["hash"])


def _count(connection: Connection, address: str, kind: str) -> None:
    row = {"minute": stamp(datetime.now(UTC))[:16], "address": network(address), "kind": storable(kind, 40), "count": 1}
    added = upsert(connection, audit_refusals).values(row)
    more = {"count": audit_refusals.c.count + 1}
    connection.execute(added.on_conflict_do_update(index_elements=["minute", "address", "kind"], set_=more))


def _moment(text: str) -> str:
    """A time as it is stored: a date begins at midnight UTC, a time needs its zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RequestWrong(f"{text!r} is no time. Use a date such as 2026-03-31, or 2026-03-31T12:00:00Z.") from None
    if len(text) == len("2026-03-31"):
        moment = moment.replace(tzinfo=UTC)
    if moment.tzinfo is None:
        raise RequestWrong(f"{text!r} has no time zone. Write {text}Z or {text}+02:00.")
    return stamp(moment)
