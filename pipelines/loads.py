"""The table of loads: what each source's raw table holds, file by file, and what was about to be committed.

One rule: a load stands here as an intent before it is committed, so that a crash leaves either no load or a whole one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from lakehouse.runs import Runs
from lakehouse.state.schema import loads, now
from lakehouse.state.store import State

if TYPE_CHECKING:
    from lakehouse.tables.catalog import TableCatalog


@dataclass(frozen=True)
class Load:
    """A load of one source. `files` is file -> SHA-256, everything that the raw table holds after it."""

    id: str
    source: str
    table: str
    config: str
    files: Mapping[str, str]
    counts: Mapping[str, Any]


class Loads:
    """The loads of one environment."""

    def __init__(self, state: State, env: str) -> None:
        self._state, self._env = state, env
        self._runs = Runs(state)

    def last(self) -> dict[str, Load]:
        """The last committed load of every source."""
        where = (loads.c.env == self._env, loads.c.state == "committed")
        with self._state.read() as connection:
            rows = connection.execute(select(loads).where(*where)).all()
        return {row.source: Load(row.id, row.source, row.raw_table, row.config, row.files, row.counts) for row in rows}

    def open(self) -> bool:
        """Whether a load was begun of which nobody knows yet whether it was committed."""
        where = (loads.c.env == self._env, loads.c.state == "committing")
        with self._state.read() as connection:
            return connection.execute(select(loads.c.id).where(*where).limit(1)).first() is not None

    def intend(self, run: str, load: Load, intent: Mapping[str, Any]) -> None:
        """Write down what is about to be committed; only the active run may."""
        values = {"env": self._env, "run": run, "state": "committing", "created": now(), "intent": dict(intent)}
        named = {"id": load.id, "source": load.source, "raw_table": load.table, "config": load.config}
        with self._state.write() as connection:
            self._runs.own(connection, run)
            row = {**values, **named, "files": dict(load.files), "counts": dict(load.counts)}
            connection.execute(loads.insert().values(**row))

    def settle(self, run: str, load_id: str, state: str) -> None:
        """Write down what became of an intent: committed or discarded. A settled load needs its intent no more.

        Only the active `run` may: one that was taken over would discard what its successor has completed.
        """
        with self._state.write() as connection:
            self._runs.own(connection, run)
            if state == "committed":
                this = connection.execute(select(loads).where(loads.c.id == load_id)).one()
                # A source that was renamed leaves its table to the new name.
                same = or_(loads.c.source == this.source, loads.c.raw_table == this.raw_table)
                earlier = (loads.c.env == self._env, loads.c.state == "committed", same)
                connection.execute(loads.update().where(*earlier).values(state="superseded", files={}))
            connection.execute(loads.update().where(loads.c.id == load_id).values(state=state, intent={}))

    def repair(self, run: str, catalog: "TableCatalog") -> list[str]:
        """Bring the intents of runs that have died to an end, as the active `run`; says what was done."""
        from lakehouse.tables.commit import Outcome, finish

        where = (loads.c.env == self._env, loads.c.state == "committing")
        with self._state.read() as connection:
            rows = connection.execute(select(loads).where(*where)).all()
        done = []
        for row in rows:
            discarded = finish(catalog, row.intent) is Outcome.DISCARDED
            self.settle(run, row.id, "discarded" if discarded else "committed")
            ended = "was overtaken and discarded" if discarded else "was completed"
            done.append(f"The unfinished load of {row.source} by run {row.run} {ended}.")
        return done
