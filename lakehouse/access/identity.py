"""Who is asking."""

import getpass
from dataclasses import dataclass
from typing import Literal

Role = Literal["viewer", "analyst", "engineer", "admin"]


@dataclass(frozen=True)
class Principal:
    """Somebody on whose behalf something is done: a user, or the operator of the machine."""

    name: str
    role: Role


def operator() -> Principal:
    """Whoever sits at this machine's command line; they can read the lake's files anyway, so they may do everything."""
    try:
        login = getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        login = "unknown"
    return Principal(f"operator:{login}", "admin")
