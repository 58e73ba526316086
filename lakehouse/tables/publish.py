"""Publishes what a run has built: intent, commit, flip; and repairs after a crash at any point of it.

1. intent   a row `publishing` that holds every table's change and the snapshots that the build has read
2. commit   all tables in the catalog (see `commit`)
3. flip     one database transaction: the current release becomes superseded, this one current, with all its pins

What needs a decision first is kept in a row `waiting`, with all that these steps take, and goes through them later.

One rule: readers follow the row that is current, so they see whole releases whatever the catalog is doing.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, func, select

from lakehouse.errors import RequestWrong, WorkFailed
from lakehouse.publish_queue import ITSELF, awaited, end_awaiting, give_up_others
from lakehouse.quality import Verdicts
from lakehouse.query.pins import Pin, Pins
from lakehouse.releases import Size, current_row
from lakehouse.runs import Runs
from lakehouse.state.schema import AWAITING, WAITING, definitions, now, releases, runs
from lakehouse.state.store import State
from lakehouse.tables.catalog import TableCatalog, snapshot_size
from lakehouse.tables.commit import Intent, Outcome, Overtaken, commit, finish

Mark = Callable[[str], None]
"""Called after each step, with its name."""

BeforeFlip = Callable[[Pins, dict[str, Size]], None]
"""Called with the pins of a release and how much its tables hold, before anybody reads it."""


@dataclass(frozen=True)
class Build:
    """What a run wants to publish."""

    changes: Mapping[str, Mapping[str, Any]]  # table -> change, of what was built
    read: Mapping[str, Pin]  # table -> pin, of what the build has read and what stays as it is
    nodes: Mapping[str, str] = field(default_factory=dict)  # table -> fingerprint of its model and inputs
    definitions: Mapping[str, Any] | None = None  # metrics, dimensions and the data dictionary
    inputs: str | None = None
    tests: Verdicts | None = None


@dataclass(frozen=True)
class Repaired:
    """What became of the half-published release of `run`: its number when it was completed, and the same in words."""

    run: str
    number: int | None
    sentence: str


@dataclass(frozen=True)
class Decision:
    """Who has decided that what waits is published, and why."""

    by: str
    reason: str


class Diverged(WorkFailed):
    """What waits was built on tables that somebody has changed since."""

    def __init__(self, run: str) -> None:
        super().__init__(
            f"What run {run} has built can no longer be published: another program has changed its tables since. "
            f"Discard it (`lakeport release discard {run} --reason ...`) or refresh, which builds on what is there now."
        )


class Publisher:
    """Makes the releases of one environment."""

    def __init__(self, state: State, catalog: TableCatalog, env: str, before_flip: BeforeFlip | None = None) -> None:
        """`before_flip` may prepare what readers will need; the release is committed by then, and it must not fail."""
        self._state, self._catalog, self._env, self._before_flip = state, catalog, env, before_flip
        self._runs = Runs(state)

    def publish(self, run: str, build: Build, mark: Mark) -> int:
        """Release what the run has built, together with what it has read; returns the release's number.

        Raises `Overtaken` when another program changed a table meanwhile: nothing was published.
        """
        with self._state.write() as connection:
            row_id = self._insert(connection, run, build, "publishing")
        try:
            return self._carry_out(run, row_id, build.changes, mark)
        except Overtaken:
            self._discard(row_id, run)
            raise

    def wait(self, run: str, build: Build, differences: Sequence[Mapping[str, Any]]) -> None:
        """Keep what the run has built for a decision. What waited before is discarded, since this is newer."""
        with self._state.write() as connection:
            row_id = self._insert(connection, run, build, WAITING, differences=[dict(found) for found in differences])
            give_up_others(connection, self._env, row_id, f"run {run} has built newer data, which waits.")

    def publish_waiting(self, run: str, waiting: str, decision: Decision, mark: Mark) -> int:
        """Release what the run `waiting` has built and left for a decision; `run` is the active one.

        Raises `RequestWrong` when it waits no more, `Diverged` when its tables were changed since: then it waits on,
        until somebody discards it.
        """
        decided = {"decided_by": decision.by, "reason": decision.reason}
        with self._state.write() as connection:
            self._runs.own(connection, run)
            row = awaited(connection, self._env)
            waits = releases.c.run == waiting, releases.c.state == WAITING, releases.c.env == self._env
            taken = connection.execute(releases.update().where(*waits).values(state="publishing", **decided))
            if row is None or row.run != waiting or not taken.rowcount:
                raise RequestWrong(f"Run {waiting} waits no more. `lakeport release list` says what became of it.")
        try:
            return self._carry_out(run, row.id, row.intent, mark)
        except Overtaken as error:
            with self._state.write() as connection:
                self._runs.own(connection, run)
                undone = {"state": WAITING, "decided_by": None, "reason": None}
                connection.execute(releases.update().where(releases.c.id == row.id).values(**undone))
            raise Diverged(waiting) from error

    def _carry_out(self, run: str, row_id: int, changes: Intent, mark: Mark) -> int:
        mark("intent")
        commit(self._catalog, changes)
        mark("committed")
        number = self._flip(row_id, run)
        mark("flipped")
        return number

    def _insert(self, connection: Connection, run: str, build: Build, state: str, **more: Any) -> int:
        """Write down everything that publishing takes; returns the row's id."""
        self._runs.own(connection, run)
        values = {
            "env": self._env,
            "run": run,
            "state": state,
            "created": now(),
            "definitions": _keep(connection, build.definitions),
            "inputs": build.inputs,
            "pins": {table: {"metadata": pin.metadata, "snapshot": pin.snapshot} for table, pin in build.read.items()},
            "intent": {table: dict(item) for table, item in build.changes.items()},
            "nodes": dict(build.nodes),
            "tests": None if build.tests is None else {name: found.to_json() for name, found in build.tests.items()},
            **more,
        }
        row_id: int = connection.execute(releases.insert().values(**values).returning(releases.c.id)).scalar_one()
        return row_id

    def repair(self, run: str) -> "Repaired | None":
        """Bring a half-published release of an earlier run to its end; None when there was none.

        `run` is the run that repairs; it must be the active one.
        """
        where = (releases.c.env == self._env, releases.c.state == "publishing")
        with self._state.read() as connection:
            row = connection.execute(select(releases).where(*where)).first()
        if row is None:
            return None
        if finish(self._catalog, row.intent) is Outcome.DISCARDED:
            self._discard(row.id, run)
            return Repaired(row.run, None, f"The unfinished release of run {row.run} was overtaken and discarded.")
        number = self._flip(row.id, run)
        return Repaired(row.run, number, f"The unfinished release of run {row.run} was completed as release {number}.")

    def _flip(self, row_id: int, run: str) -> int:
        """Make a committed release the current one; only the run that is active may."""
        with self._state.read() as connection:
            row = connection.execute(select(releases).where(releases.c.id == row_id)).one()
            before = current_row(connection, self._env)
        pins = dict(row.pins)
        for table, item in row.intent.items():
            head = self._catalog.catalog.load_table(self._catalog.identifier(table))
            pins[table] = {"metadata": head.metadata_location, "snapshot": item["snapshot"]}
        sizes = self._sizes(pins, before)
        if self._before_flip is not None:
            known = {table: Pin(pin["metadata"], pin["snapshot"]) for table, pin in pins.items()}
            self._before_flip(known, {table: Size(**size) for table, size in sizes.items()})
        with self._state.write() as connection:
            self._runs.own(connection, run)
            last = connection.execute(select(func.max(releases.c.number)).where(releases.c.env == self._env)).scalar()
            number = (last or 0) + 1
            current = current_row(connection, self._env)
            if current is not None:
                connection.execute(
                    releases.update().where(releases.c.id == current.id).values(state="superseded", nodes={})
                )
            values = {"state": "current", "number": number, "pins": pins, "sizes": sizes, "published": now()}
            values["intent"] = {}
            connection.execute(releases.update().where(releases.c.id == row_id).values(**values))
            open_ended = (runs.c.id == row.run, runs.c.state.in_(("lost", AWAITING)))
            connection.execute(runs.update().where(*open_ended).values(state="success", release=number, error=None))
            give_up_others(connection, self._env, row_id, f"release {number} of run {row.run} was published meanwhile.")
        return number

    def _sizes(self, pins: Mapping[str, Mapping[str, Any]], before: Row[Any] | None) -> dict[str, Any]:
        """How much each table holds: what the release before says of the same snapshot, or else the catalog."""
        old, known = ({}, {}) if before is None else (before.pins, before.sizes or {})
        same = (table for table in known.keys() & pins if pins[table]["snapshot"] == old[table]["snapshot"])
        sizes = {table: known[table] for table in same}
        for table in pins.keys() - sizes.keys():
            size = snapshot_size(self._catalog.head(table), pins[table]["snapshot"])
            if size is not None:
                sizes[table] = asdict(size)
        return sizes

    def _discard(self, row_id: int, run: str) -> None:
        """Give a release up; a run that was taken over may not: its successor may have completed it."""
        with self._state.write() as connection:
            self._runs.own(connection, run)
            connection.execute(releases.update().where(releases.c.id == row_id).values(state="discarded"))
            builder: str = connection.execute(select(releases.c.run).where(releases.c.id == row_id)).scalar_one()
            sentence = "What this run has built was discarded: another program had changed its tables."
            end_awaiting(connection, builder, ITSELF, sentence)


def _keep(connection: Connection, document: Mapping[str, Any] | None) -> str | None:
    """Store a document of definitions unless it is there; returns its id."""
    if document is None:
        return None
    key = sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    if connection.execute(select(definitions.c.id).where(definitions.c.id == key)).first() is None:
        connection.execute(definitions.insert().values(id=key, document=document))
    return key
