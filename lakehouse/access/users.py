"""Users: who can log in, with which role.

One rule: a password is kept as its hash and leaves this module in no other form; what takes somebody's access away ends
his sessions in the same transaction.
"""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import IntegrityError

from lakehouse.access.identity import ROLES, User
from lakehouse.access.passwords import check_password, hash_password, is_outdated, verify
from lakehouse.access.sessions import USER_COLUMNS, end_sessions, read_user
from lakehouse.errors import RequestWrong, UnknownName
from lakehouse.query.scope import RowRule
from lakehouse.state.schema import now, users
from lakehouse.state.store import State

__all__ = ["User", "Users"]

NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,99}")
"""No colon, so that nobody is called like an operator."""


class Users:
    """The users of one state store. Names are the same in capitals and small letters."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self) -> list[User]:
        """All users, by name."""
        with self._state.read() as connection:
            return [read_user(row) for row in connection.execute(select(*USER_COLUMNS).order_by(users.c.name))]

    def get(self, name: str) -> User:
        """The user of that name. Raises `UnknownName`, which lists the users."""
        with self._state.read() as connection:
            return _user(connection, name)

    def check_new(self, name: str, role: str) -> None:
        """Raise what `add` would raise for this name and role, before anybody is asked for a password.

        `RequestWrong` for a name that cannot be used or is taken, `UnknownName` for a role that there is not.
        """
        if _valid(name) is None:
            raise RequestWrong(
                f"{name!r} cannot name a user. Use at most 100 letters without accents, digits and '.', '_', '@', '-', "
                "beginning with a letter or digit."
            )
        _check_role(role)
        with self._state.read() as connection:
            if connection.execute(select(users.c.name).where(users.c.name == _valid(name))).first() is not None:
                raise _taken(name)

    def add(self, name: str, password: str, role: str, rules: Sequence[RowRule] = ()) -> User:
        """Make a user, with row rules of his own.

        Raises `RequestWrong` and `UnknownName` as `check_new` does, and for a password that is bad.
        """
        self.check_new(name, role)
        name = name.lower()
        check_password(password, name)
        hashed, at = hash_password(password), now()  # hashed before the transaction, since it takes a while
        row = {"name": name, "role": role, "disabled": False, "created": at, "changed": at, "rules": written(rules)}
        try:
            with self._state.write() as connection:
                connection.execute(users.insert().values(**row, password=hashed))
                return _user(connection, name)
        except IntegrityError:  # somebody else was first; the error is not kept, since it quotes the row
            raise _taken(name) from None

    def set(
        self,
        name: str,
        role: str | None = None,
        disabled: bool | None = None,
        rules: Sequence[RowRule] | None = None,
    ) -> User:
        """Change a user's role, whether he can log in, or his row rules; None leaves it as it is.

        Disabling ends his sessions; everything else acts at the next request of the sessions that are there.
        """
        if role is not None:
            _check_role(role)
        given = {"role": role, "disabled": disabled, "rules": None if rules is None else written(rules)}
        changes = {key: value for key, value in given.items() if value is not None}
        with self._state.write() as connection:
            name = _user(connection, name).name
            if changes:
                connection.execute(update(users).where(users.c.name == name).values(**changes))
            if disabled:
                end_sessions(connection, name)
            return _user(connection, name)

    def remove(self, name: str) -> None:
        """Remove a user and end his sessions. Raises `UnknownName`."""
        with self._state.write() as connection:
            name = _user(connection, name).name
            end_sessions(connection, name)
            connection.execute(delete(users).where(users.c.name == name))

    def set_password(self, name: str, password: str, keep: str | None = None) -> None:
        """Give a user a new password and end his sessions, but for the one whose token is `keep`."""
        name = self.get(name).name
        check_password(password, name)
        hashed = hash_password(password)
        with self._state.write() as connection:
            name = _user(connection, name).name
            connection.execute(update(users).where(users.c.name == name).values(password=hashed, changed=now()))
            end_sessions(connection, name, keep)

    def authenticate(self, name: str, password: str) -> User | None:
        """The user who has this name and password; None for a wrong one of them, and for a user who is disabled.

        It costs the same work for names that are known and for those that are not.
        """
        row = self._with_password(_valid(name) or "")
        if not verify(None if row is None else row.password, password) or row is None or row.disabled:
            return None
        if is_outdated(row.password):
            mine, hashed = (users.c.name == row.name, users.c.password == row.password), hash_password(password)
            with self._state.write() as connection:
                connection.execute(update(users).where(*mine).values(password=hashed))
        return read_user(row[1:])

    def _with_password(self, name: str) -> Any:
        # An unusable name is asked for too, as the empty one, so that it takes the same way as a usable one.
        with self._state.read() as connection:
            return connection.execute(select(users.c.password, *USER_COLUMNS).where(users.c.name == name)).first()


def _valid(name: str) -> str | None:
    """The name as it is kept; None when it cannot be one."""
    return name.lower() if NAME.fullmatch(name.lower()) else None


def _user(connection: Connection, name: str) -> User:
    row = connection.execute(select(*USER_COLUMNS).where(users.c.name == (_valid(name) or ""))).first()
    if row is None:
        raise UnknownName("user", name, list(connection.execute(select(users.c.name)).scalars()))
    return read_user(row)


def written(rules: Sequence[RowRule]) -> list[list[Any]]:
    """Row rules as the store keeps them."""
    return [[rule.column, rule.operator, list(rule.values)] for rule in rules]


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise UnknownName("role", role, list(ROLES))


def _taken(name: str) -> RequestWrong:
    return RequestWrong(f"There is a user {name.lower()!r} already. Choose another name.")
