"""Who may do what, and see what. Pure functions: no state, no web, no SQL.

One rule: an action that is not listed here is refused.
"""

from lakehouse.access.identity import Principal, Role
from lakehouse.errors import NotAllowed
from lakehouse.query.pins import Scope
from lakehouse.settings import AccessSettings

RANK: dict[Role, int] = {"viewer": 0, "analyst": 1, "engineer": 2, "admin": 3}

NEEDS: dict[str, Role] = {
    "read": "viewer",  # open the pages that everybody has
    "measure": "viewer",
    "describe": "viewer",
    "query": "analyst",
    "watch": "viewer",
    "admin": "admin",  # users and settings
}


def allows(principal: Principal, action: str) -> bool:
    """Whether the principal's role reaches what the action needs."""
    return action in NEEDS and RANK[principal.role] >= RANK[NEEDS[action]]


def check(principal: Principal, action: str, target: str) -> None:
    """Raise `NotAllowed` unless the principal may take the action on the target."""
    if not allows(principal, action):
        raise NotAllowed(principal.name, action, target)


def scope(principal: Principal, access: AccessSettings) -> Scope:
    """What the principal may see: the tables that the settings give to the role, all of them when it is not named."""
    tables = access.tables.get(principal.role)
    return Scope(None if tables is None else frozenset(tables))
