"""What a run is and how it ended, as its row and as scripts see it.

One rule: how an early end is told depends on nothing but who has asked for it, so that the run itself, whoever has
killed it, and whoever finds it dead say the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Row

TIME_LIMIT = "runs.timeout_minutes"
"""Stands for whoever has cancelled a run where nobody has: the run took too long."""

RELEASE = "release"
"""The step with which a run begins to publish; once it stands in the row, it is too late to cancel."""


class Outcomes(NamedTuple):
    """How many tests of a run passed, and how many failed."""

    passed: int
    failed: int


@dataclass(frozen=True)
class Ending:
    """How a run ended: `state` is success, unchanged, awaiting_publish, failed, cancelled or lost."""

    state: str
    result: Mapping[str, Any] | None = None
    error: str | None = None
    release: int | None = None
    steps: Sequence[Mapping[str, Any]] = ()


def cut_short(cancelled_by: str) -> tuple[str, str]:
    """State and sentence of a run that ended because somebody has asked for it, or because it took too long."""
    if cancelled_by == TIME_LIMIT:
        return "failed", f"The run took longer than {TIME_LIMIT} allows, and was ended. Nothing was released."
    return "cancelled", f"The run was cancelled by {cancelled_by}. Nothing was released."


def publishes(row: Row[Any]) -> bool:
    """Whether a run has begun to publish, so that nobody can cancel it any more."""
    return any(step["step"] == RELEASE for step in row.steps or ())


def record(row: Row[Any]) -> dict[str, Any]:
    """A run as scripts see it: the result's JSON, with state, order, steps and times of the run around it."""
    named = {"run": row.id, "state": row.state, "env": row.env, "job": row.job, "order": row.order}
    people = {"starter": row.starter, "cancelled_by": row.cancelled_by}
    times = {"started": row.started, "heartbeat": row.heartbeat, "ended": row.ended}
    ending = {"steps": row.steps or [], "release": row.release, "error": row.error}
    return {**(row.result or {}), **named, **people, **times, **ending}
