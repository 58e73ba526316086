"""What people order on the page Pipelines, as the page sends it, and what the lake knows of it afterwards.

One rule: an order is a form with the token of its session, and nothing else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from lakehouse.core import Lakehouse
from lakehouse.runs import Runs
from tests.pipelines.lake import Lake, source
from tests.portal.visitor import PASSWORD, Visitor

STAFF = {"vera": "viewer", "anna": "analyst", "erik": "engineer", "adam": "admin"}
"""Somebody of each role."""

DIFFERENCES: list[dict[str, Any]] = [
    {"table": "marts.orders", "column": None, "kind": "rows", "before": 262, "after": 104, "limit": -0.2, "over": True},
    {
        "table": "marts.orders",
        "column": "city",
        "kind": "nulls",
        "before": 0,
        "after": 0.01,
        "limit": 0.05,
        "over": False,
    },
]
"""How a release that waits differs from the one before."""


@contextmanager
def staffed(folder: Path, settings: str) -> Iterator[Lakehouse]:
    """A lake of one source, in which nothing has run, with somebody of each role."""
    lake = Lake(folder)
    lake.configure(settings, source())
    with Lakehouse.open(lake.home) as lakehouse:
        for name, role in STAFF.items():
            lakehouse.users.add(name, PASSWORD, role)
        yield lakehouse


def order(visitor: Visitor, address: str, **fields: str) -> TestResponse:
    """Send a form as the page does."""
    return visitor.post(address, data=fields, headers={"X-CSRFToken": visitor.token, "Accept": "application/json"})


def state_of(lakehouse: Lakehouse, run: str) -> str:
    """What has become of a run so far."""
    return str(Runs(lakehouse.state).show(run)["state"])


def recorded(lakehouse: Lakehouse, action: str) -> list[tuple[str, str]]:
    """Who has done something, and what was said of it, the newest first."""
    found = lakehouse.audit.records(60)
    return [(record["principal"], record["verdict"]) for record in found if record["action"] == action]
