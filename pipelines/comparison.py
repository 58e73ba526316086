"""Compares what a run is about to release with the release before, table by table.

One rule: counts come from Iceberg's metadata, and only what that does not say for certain is read from the tables.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import duckdb

from lakehouse.drift import Counts, Difference, differences, in_order
from lakehouse.query.engine import connect, table_function
from lakehouse.query.pins import Pin
from lakehouse.quoting import sql_name
from lakehouse.releases import Release
from lakehouse.settings import DbtSettings, PublishSettings
from lakehouse.tables.catalog import TableCatalog
from lakehouse.tables.counts import Known, counts_of_snapshot, counts_of_staged
from lakehouse.tables.write import Staged
from pipelines.rejected import QUARANTINE_TABLE

NOTHING = Known(None, {}, ())


@dataclass
class Comparison:
    """Candidates and raw tables of one run beside the release `before`."""

    catalog: TableCatalog
    before: Release
    limits: PublishSettings
    dbt: DbtSettings
    _stack: ExitStack = field(default_factory=ExitStack)
    _connection: duckdb.DuckDBPyConnection | None = None

    def differences(self, run: str, staged: Mapping[str, Staged], raw: Mapping[str, Pin]) -> list[Difference]:
        """How the tables that have changed differ; those that the release before does not have are not compared."""
        with self._stack:
            found = [*self._candidates(run, staged), *self._raw(raw)]
        return in_order(found)

    def _candidates(self, run: str, staged: Mapping[str, Staged]) -> Iterator[Difference]:
        for table in sorted(staged.keys() & self.before.pins):
            candidate = Pin(staged[table].candidate(run), None)
            after = self._counts(candidate, counts_of_staged(staged[table]))
            yield from differences(table, self._released(table), after, self.limits)

    def _raw(self, raw: Mapping[str, Pin]) -> Iterator[Difference]:
        # The quarantine has a limit of its own, max_rejected.
        for table in sorted(raw.keys() & (self.before.pins.keys() - {QUARANTINE_TABLE})):
            if raw[table].snapshot != self.before.pins[table].snapshot:
                yield from differences(table, self._released(table), self._pinned(table, raw[table]), self.limits)

    def _released(self, table: str) -> Counts:
        return self._pinned(table, self.before.pins[table])

    def _pinned(self, table: str, pin: Pin) -> Counts:
        if pin.snapshot is None:
            return Counts(0, {})
        head = self.catalog.head(table)
        known = None if head is None else counts_of_snapshot(head, pin.snapshot)
        return self._counts(pin, known or NOTHING)

    def _counts(self, pin: Pin, known: Known) -> Counts:
        """The counts that are known, and those that are not by asking the table."""
        if known.rows is not None and not known.unknown:
            return Counts(known.rows, known.nulls)
        if self._connection is None:
            self._connection = self._stack.enter_context(connect(self.dbt.memory, self.dbt.threads))
        nulls = "".join(f", count(*) - count({sql_name(name)})" for name in known.unknown)
        row = self._connection.execute(f"select count(*){nulls} from {table_function(pin)}").fetchone()
        assert row is not None  # noqa: S101  # an aggregate has one row
        return Counts(row[0], {**known.nulls, **dict(zip(known.unknown, row[1:], strict=True))})
