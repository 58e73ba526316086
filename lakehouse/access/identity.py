"""Who is asking."""

import getpass
from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["viewer", "analyst", "engineer", "admin"]

ROLES: tuple[Role, ...] = get_args(Role)
"""All roles, the one that may least first."""


@dataclass(frozen=True)
class Principal:
    """Somebody on whose behalf something is done: a user, or the operator of the machine."""

    name: str
    role: Role


@dataclass(frozen=True)
class User:
    """Somebody who can log in; `changed` is when the password was set."""

    name: str
    role: Role
    disabled: bool
    created: str
    changed: str

    @property
    def principal(self) -> Principal:
        """The user as one on whose behalf something is done."""
        return Principal(self.name, self.role)


def operator() -> Principal:
    """Whoever sits at this machine's command line; they can read the lake's files anyway, so they may do everything."""
    try:
        login = getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        login = "unknown"
    return Principal(f"operator:{login}", "admin")
