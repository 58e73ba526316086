"""Decides whether a refresh has anything to do, before dlt, dbt and PyIceberg are imported.

One rule: `unchanged` is said only when it is certain. A run that did not end well, or anything half-done, rules it out.
"""

from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import select

from lakehouse.errors import RequestWrong
from lakehouse.publish_queue import awaited
from lakehouse.releases import current_row
from lakehouse.settings import Settings
from lakehouse.state.schema import ACTIVE, AWAITING, releases, runs
from lakehouse.state.store import State
from pipelines.context import JOB, Order
from pipelines.inputs import code_fingerprint, read_source
from pipelines.load_plan import plan_load
from pipelines.loads import Loads
from pipelines.selection import known_models


@dataclass(frozen=True)
class Settled:
    """Where everything stands that is there: in the current release, or in what the run `awaiting` has built.

    What waits holds it, and is not built again, until somebody decides; `release` is what readers see meanwhile.
    """

    release: int | None
    awaiting: str | None = None


def unchanged(settings: Settings, state: State, order: Order) -> Settled | None:
    """Where everything that is there certainly stands already; None when something may be to do."""
    if order.full or order.tests_only or (order.load and _to_load(settings, state, order)):
        return None
    if order.select and known_models(settings, order.env) is None:
        return None  # whether these models exist is found out by the build
    return _settled(settings, state, order.env)


def _to_load(settings: Settings, state: State, order: Order) -> bool:
    """Whether a source has something that its table does not hold, or something to be refused."""
    last = Loads(state, order.env).last()
    names = [order.source] if order.source else sorted(settings.sources)
    try:
        return any(plan_load(read_source(settings, state, name), last.get(name)) is not None for name in names)
    except RequestWrong:
        return True  # the load says it, after it has looked at the other sources


def _settled(settings: Settings, state: State, env: str) -> Settled | None:
    """A release of these very inputs, current or waiting, when the last run ended well and nothing is half-done."""
    with state.read() as connection:
        ended = (runs.c.env == env, runs.c.job == JOB, runs.c.state.not_in(ACTIVE))
        newest_first = select(runs.c.state, runs.c.order).where(*ended).order_by(runs.c.started.desc())
        rows = connection.execute(newest_first)
        # Tests of a release say nothing of what the run before them has left.
        newest = next((row for row in rows if not (row.order or {}).get("tests_only")), None)
        rows.close()
        publishing = (releases.c.env == env, releases.c.state == "publishing")
        half_done = connection.execute(select(releases.c.id).where(*publishing)).first()
        current, waiting = current_row(connection, env), awaited(connection, env)
    ended_well = newest is not None and newest.state in ("success", "unchanged", AWAITING)
    if not ended_well or half_done is not None or Loads(state, env).open():
        return None
    inputs = inputs_fingerprint(settings, state, env)
    number = current.number if current is not None else None
    if waiting is not None and waiting.inputs == inputs:
        return Settled(number, waiting.run)
    return Settled(number) if current is not None and current.inputs == inputs else None


def inputs_fingerprint(settings: Settings, state: State, env: str) -> str:
    """Changes when the code does, or what any source's raw table holds."""
    last = Loads(state, env).last()
    held = [f"{name} {last[name].id if name in last else ''}" for name in sorted(settings.sources)]
    return sha256("\n".join([code_fingerprint(settings, env), *held]).encode()).hexdigest()
