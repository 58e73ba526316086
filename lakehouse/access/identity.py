"""Who is asking."""

import getpass
from dataclasses import dataclass
from typing import Literal, get_args

from lakehouse.query.scope import RowRule

Role = Literal["viewer", "analyst", "engineer", "admin"]

ROLES: tuple[Role, ...] = get_args(Role)
"""All roles, the one that may least first."""


OPERATOR = "operator:"
"""How the names of operators begin; no user can be called so."""

SCHEDULE = "schedule "
"""How the names of schedules begin where they stand for whoever has started something; no user can be called so."""


@dataclass(frozen=True)
class Principal:
    """Somebody on whose behalf something is done: a user with his own row rules, or the operator of the machine."""

    name: str
    role: Role
    rules: frozenset[RowRule] = frozenset()

    @property
    def is_operator(self) -> bool:
        """Whether this is whoever sits at the machine."""
        return self.name.startswith(OPERATOR)


@dataclass(frozen=True)
class User:
    """Somebody who can log in; `changed` is when the password was set, `rules` are row rules of his own."""

    name: str
    role: Role
    disabled: bool
    created: str
    changed: str
    rules: tuple[RowRule, ...] = ()

    @property
    def principal(self) -> Principal:
        """The user as one on whose behalf something is done."""
        return Principal(self.name, self.role, frozenset(self.rules))


def operator() -> Principal:
    """Whoever sits at this machine's command line; they can read the lake's files anyway, so they may do everything."""
    try:
        login = getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        login = "unknown"
    return Principal(f"{OPERATOR}{login}", "admin")
