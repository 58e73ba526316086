"""Sessions: who is logged in, by a token that only his browser knows.

One rule: the store holds a token's hash alone, and role and disabling are read with it each time, so they act at once.
"""

import hashlib
import secrets
from dataclasses import fields
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, or_, select, update

from lakehouse.access.identity import User
from lakehouse.errors import RequestWrong
from lakehouse.settings import AccessSettings
from lakehouse.state.schema import sessions, stamp, users
from lakehouse.state.store import State

USER_COLUMNS = tuple(users.c[field.name] for field in fields(User))
"""What a `User` is made of, in its order; never the password."""

SEEN_SECONDS = 60.0
"""How long a request is not worth a write, since reading is all that a request needs."""


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
        stale = or_(
            sessions.c.seen < stamp(moment - self._idle),
            sessions.c.created < stamp(moment - self._absolute),
        )
        active = select(users.c.name).where(users.c.name == name, users.c.disabled.is_(False))
        with self._state.write() as connection:
            if connection.execute(active).first() is None:
                raise RequestWrong("This user can no longer log in. Ask an admin.")
            connection.execute(delete(sessions).where(stale))
            row = {"id": _id(token), "user": name, "created": stamp(moment), "seen": stamp(moment)}
            connection.execute(sessions.insert().values(row))
        return token

    def find(self, token: str, *, touch: bool = True) -> User | None:
        """The user whose session this is; None when it is unknown or over, or the user is disabled.

        Without `touch` the session is not prolonged: for what a page asks in the background.
        """
        moment = datetime.now(UTC)
        mine = sessions.c.id == _id(token)
        found = select(sessions.c.created.label("began"), sessions.c.seen, *USER_COLUMNS).join_from(sessions, users)
        with self._state.read() as connection:
            row = connection.execute(found.where(mine)).first()
        if row is None or row.disabled:
            return None
        if row.seen < stamp(moment - self._idle) or row.began < stamp(moment - self._absolute):
            return None
        if touch and row.seen < stamp(moment - self._unwritten):
            with self._state.write() as connection:
                connection.execute(update(sessions).where(mine).values(seen=stamp(moment)))
        return User(*row[2:])

    def close(self, token: str) -> None:
        """End a session; one that is over already stays so."""
        with self._state.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.id == _id(token)))

    @property
    def _unwritten(self) -> timedelta:
        """How old `seen` may get: a minute, and less where a session is idle after a few."""
        return min(timedelta(seconds=SEEN_SECONDS), self._idle / 4)


def end_sessions(connection: Connection, name: str, keep: str | None = None) -> None:
    """End all sessions of a user inside somebody's transaction, but for the one whose token is to be kept."""
    ended = delete(sessions).where(sessions.c.user == name)
    connection.execute(ended if keep is None else ended.where(sessions.c.id != _id(keep)))


def _id(token: str) -> str:
    # A token is 256 random bits, so its hash needs neither salt nor slowness; what a stranger sends may be no Unicode.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
