"""Who may do what, and see what.

One rule: an action that is not listed here is refused.
"""

import os
import threading
from pathlib import Path

from lakehouse.access.identity import Principal, Role
from lakehouse.access.rights import Policy
from lakehouse.errors import NotAllowed, SettingsWrong
from lakehouse.query.scope import Scope
from lakehouse.settings import PRODUCTION, read_section

FILE_NAME = "policy.toml"
MOST_SCOPES = 10_000
"""How many scopes are kept before all of them are computed anew."""

RANK: dict[Role, int] = {"viewer": 0, "analyst": 1, "engineer": 2, "admin": 3}

NEEDS: dict[str, Role] = {
    "read": "viewer",  # open the pages that everybody has
    "measure": "viewer",
    "describe": "viewer",
    "query": "analyst",
    "watch": "viewer",
    "diagnose": "engineer",  # follow runs, and read what they have said
    "operate": "engineer",  # start and cancel runs, publish and discard what they have built
    "admin": "admin",  # users and settings
}

NEEDS_IN_PRODUCTION: dict[str, Role] = {**NEEDS, "operate": "admin"}


def allows(principal: Principal, action: str, env: str = "") -> bool:
    """Whether the principal's role reaches what the action needs, in an environment where that makes a difference."""
    needs = NEEDS_IN_PRODUCTION if env == PRODUCTION else NEEDS
    return action in needs and RANK[principal.role] >= RANK[needs[action]]


def check(principal: Principal, action: str, target: str, env: str = "") -> None:
    """Raise `NotAllowed` unless the principal may take the action on the target."""
    if not allows(principal, action, env):
        raise NotAllowed(principal.name, action, target)


class PolicyFile:
    """`policy.toml` of one lake, read again when it has changed; scopes are computed once per person and version."""

    def __init__(self, home: Path) -> None:
        self.file = home / FILE_NAME
        self._lock = threading.Lock()
        self._version: tuple[int, ...] | None = None
        self._policy = Policy()
        self._scopes: dict[Principal, Scope] = {}

    def policy(self) -> Policy:
        """The policy as the file says it now. Raises `SettingsWrong`: a broken file lets nobody see anything."""
        with self._lock:
            self._refresh()
            return self._policy

    def scope(self, principal: Principal) -> Scope:
        """What somebody may see; the operator of the machine reads the lake's files anyway, and sees everything."""
        if principal.is_operator:
            return Scope()
        with self._lock:
            self._refresh()
            found = self._scopes.get(principal)
            if found is None:
                if len(self._scopes) >= MOST_SCOPES:
                    self._scopes.clear()
                found = self._policy.scope(principal.name, principal.role, principal.rules)
                self._scopes[principal] = found
            return found

    def _refresh(self) -> None:
        version = _version(self.file)
        if version != self._version:
            self._version = None  # a file that cannot be read is tried again at the next question
            self._policy = read_section(self.file, Policy)
            self._scopes.clear()
            self._version = version


def _version(file: Path) -> tuple[int, ...]:
    """What changes whenever the file is written; empty where there is none."""
    try:
        found = os.stat(file)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise SettingsWrong(f"{file.name} cannot be read: {error.strerror}.") from error
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
