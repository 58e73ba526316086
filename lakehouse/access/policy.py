"""Who may do what, and see what. Pure functions: no state, no web, no SQL.

One rule: an action that is not listed here is refused.
"""

from lakehouse.access.identity import Principal, Role
from lakehouse.errors import NotAllowed
from lakehouse.query.pins import Scope

RANK: dict[Role, int] = {"viewer": 0, "analyst": 1, "engineer": 2, "admin": 3}

NEEDS: dict[str, Role] = {
    "measure": "viewer",
    "describe": "viewer",
    "query": "analyst",
    "watch": "viewer",
}


def allows(principal: Principal, action: str) -> bool:
    """Whether the principal's role reaches what the action needs."""
    return action in NEEDS and RANK[principal.role] >= RANK[NEEDS[action]]


def check(principal: Principal, action: str, target: str) -> None:
    """Raise `NotAllowed` unless the principal may take the action on the target."""
    if not allows(principal, action):
        raise NotAllowed(principal.name, action, target)


def scope(_principal: Principal) -> Scope:
    """What the principal may see. Every table, until users and their rules are there."""
    return Scope()
