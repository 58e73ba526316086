"""Sessions: who is logged in, by a token that only his browser knows.

One rule: the store holds a token's hash alone, and role and disabling are read with it each time, so they act at once.
A session that was ended stays in the store until it would have ended by itself: who still uses it has a name.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, not_, or_, select, update

from lakehouse.access.identity import User
from lakehouse.access.rights import row_rule
from lakehouse.errors import RequestWrong
from lakehouse.settings import AccessSettings
from lakehouse.state.schema import now, sessions, stamp, users
from lakehouse.state.store import State

USER_COLUMNS = tuple(users.c[field.name] for field in fields(User))
"""What a `User` is made of, in its order; never the password."""

SEEN_SECONDS = 60.0
"""How long a request is not worth a write, since reading is all that a request needs."""

_FOUND = (
    select(sessions.c.created.label("began"), sessions.c.seen, sessions.c.ended, *USER_COLUMNS)
    .join_from(sessions, users)
    .where(sessions.c.id == bindparam("session"))
)
"""Asked with every request, so it is put together once: three times of a session, then its user."""
TIMES = 3

_end = update(sessions).where(sessions.c.ended.is_(None))


class Sessions:
    """The sessions of one state store."""

    def __init__(self, state: State, access: AccessSettings) -> None:
        self._state = state
        self._idle = timedelta(minutes=access.idle_minutes)
        self._absolute = timedelta(hours=access.absolute_hours)

    def open(self, name: str) -> str:
        """Begin a session of a user who has just proved who he is, and return its token.

        Raises `RequestWrong` when the user was removed or disabled in the meantime.
        """
        token, moment = secrets.token_urlsafe(32), datetime.now(UTC)
        active = select(users.c.name).where(users.c.name == name, users.c.disabled.is_(False))
        with self._state.write() as connection:
            if connection.execute(active).first() is None:
                raise RequestWrong("This user can no longer log in. Ask an admin.")
            connection.execute(delete(sessions).where(self._stale(moment)))
            row = {"id": _id(token), "user": name, "created": stamp(moment), "seen": stamp(moment)}
            connection.execute(sessions.insert().values(row))
        return token

    def find(self, token: str, *, touch: bool = True) -> User | None:
        """The user whose session this is; None when it is unknown or over, or the user is disabled.

        Without `touch` the session is not prolonged: for what a page asks in the background.
        """
        moment = datetime.now(UTC)
        with self._state.read() as connection:
            row = connection.execute(_FOUND, {"session": _id(token)}).first()
        if row is None or row.disabled or row.ended is not None:
            return None
        if row.seen < stamp(moment - self._idle) or row.began < stamp(moment - self._absolute):
            return None
        if touch and row.seen < stamp(moment - self._unwritten):
            with self._state.write() as connection:
                mine = update(sessions).where(sessions.c.id == _id(token))
                connection.execute(mine.values(seen=stamp(moment)))
        return read_user(row[TIMES:])

    def ended_by(self, token: str) -> str | None:
        """The user whose session this was, when it was ended: by a logout, a new password, or disabling the user.

        None for a session that goes on, for one that has ended by itself, and for a token that is none.
        """
        mine = select(sessions.c.user).join_from(sessions, users).where(sessions.c.id == _id(token))
        ended = mine.where(or_(sessions.c.ended.is_not(None), users.c.disabled))
        with self._state.read() as connection:
            name: str | None = connection.execute(ended.where(not_(self._stale(datetime.now(UTC))))).scalar()
        return name

    def close(self, token: str) -> None:
        """End a session; one that is over already stays so."""
        with self._state.write() as connection:
            connection.execute(_end.where(sessions.c.id == _id(token)).values(ended=now()))

    def _stale(self, moment: datetime) -> ColumnElement[bool]:
        """Whether a session has ended by itself."""
        idle, absolute = stamp(moment - self._idle), stamp(moment - self._absolute)
        return or_(sessions.c.seen < idle, sessions.c.created < absolute)

    @property
    def _unwritten(self) -> timedelta:
        """How old `seen` may get: a minute, and less where a session is idle after a few."""
        return min(timedelta(seconds=SEEN_SECONDS), self._idle / 4)


def read_user(row: Sequence[Any]) -> User:
    """The user of a row of `USER_COLUMNS`."""
    values: dict[str, Any] = {column.name: value for column, value in zip(USER_COLUMNS, row, strict=True)}
    return User(**{**values, "rules": tuple(map(row_rule, values["rules"] or ()))})


def end_sessions(connection: Connection, name: str, keep: str | None = None) -> None:
    """End all sessions of a user inside somebody's transaction, but for the one whose token is to be kept."""
    ended = _end.where(sessions.c.user == name).values(ended=now())
    connection.execute(ended if keep is None else ended.where(sessions.c.id != _id(keep)))


def _id(token: str) -> str:
    # A token is 256 random bits, so its hash needs neither salt nor slowness; what a stranger sends may be no Unicode.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
