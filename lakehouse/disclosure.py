"""Runs as somebody may know of them: their records without what the own rules keep from whoever asks.

One rule: nobody learns from a run what could not be learned by asking its tables. What counts rows is told to whoever
sees these tables and has no row rules; what quotes data, or may quote them, to whoever sees everything. Names, orders,
states, steps and times are told to all who may diagnose runs; to whoever may only watch, how each run went. What is not
told is None, and so is whatever is new in a record, until it is named here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakehouse.access import policy
from lakehouse.publish_queue import visible_differences
from lakehouse.quality import failed_verdict, visible_verdicts
from lakehouse.query.scope import QUARANTINE, Scope
from lakehouse.run_records import TIME_LIMIT, Outcomes, cut_short
from lakehouse.runs import Runs

if TYPE_CHECKING:
    from lakehouse.core import Workspace

Record = Mapping[str, Any]

WATCHED = ("run", "state", "env", "job", "started", "heartbeat", "ended", "release", "tests")
WATCHED_OF_ORDER = ("job", "tests_only")
NAMED = ("order", "starter", "cancelled_by", "repaired", "written_elsewhere", "published", "awaiting", "tested")
TOTALS = ("rows_read", "rows_loaded", "rows_quarantined")
OF_FILES = ("files", "ignored_columns", "vanished")
"""What is told of a load beside its counts of rows."""

NOT_TOLD = "The run failed. What it has said of that may quote data, and is for whoever sees every row and column."
PLAIN_ENDS = ("cancelled", "lost")
"""States whose error is a sentence about the run itself."""


@dataclass(frozen=True)
class Disclosure:
    """What somebody with this scope is told of runs; `tables` is source -> the table that it fills."""

    scope: Scope
    may_diagnose: bool
    tables: Mapping[str, str]

    @classmethod
    def to(cls, workspace: "Workspace") -> "Disclosure":
        """What the owner of a workspace is told."""
        sources = workspace.lakehouse.settings.sources
        tables = {name: f"raw.{source.table or name}" for name, source in sources.items()}
        return cls(workspace.scope, policy.allows(workspace.principal, "diagnose"), tables)

    @property
    def is_whole(self) -> bool:
        """Whether logs, files and messages of runs are told, which may quote any row of any table."""
        return self.may_diagnose and self.scope == Scope()

    def counts(self, *tables: str) -> bool:
        """Whether it is told how many rows these tables have, or have got."""
        return self.may_diagnose and not self.scope.rows and all(map(self.scope.sees, tables))

    def counts_source(self, source: str) -> bool:
        """Whether it is told how many records of a source were read: those of its table, and those put aside."""
        return self.counts(QUARANTINE, self.tables.get(source, ""))

    def record(self, record: Record) -> dict[str, Any]:
        """A run's record, with every key that it has."""
        if self.is_whole:
            return dict(record)
        told = {**dict.fromkeys(record), **_only(record, WATCHED), "steps": []}
        if not self.may_diagnose:
            return {**told, "order": _only(record["order"] or {}, WATCHED_OF_ORDER) or None}
        told |= {**_only(record, NAMED), "error": self._error(record), "steps": [*map(self.step, record["steps"])]}
        return {**told, **self._counted(record), **self._failed(record)}

    def step(self, step: Record) -> dict[str, Any]:
        """A step of a run, as its record or its progress has it."""
        if self.is_whole:
            return dict(step)
        counted = step["step"] != "load" or all(map(self.counts_source, self.tables))
        withheld: dict[str, Any] = {} if counted else {"done": None, "total": None}
        # Until it has ended, its message is about one source, model or test.
        return {**step, **withheld, "message": step["message"] if step["ended"] else ""}

    def _counted(self, record: Record) -> dict[str, Any]:
        """What counts rows, as far as the record has it."""
        sources: Mapping[str, Record] = record.get("sources") or {}
        tables: Mapping[str, Record] = record.get("tables") or {}
        found = {
            "sources": {name: self._source(name, counts) for name, counts in sources.items()},
            "tables": {
                name: {**made, "rows": made["rows"] if self.counts(name) else None}
                for name, made in tables.items()
                if self.scope.sees(name)
            },
            "differences": visible_differences(record.get("differences") or [], self.scope),
            "left": self._left(record.get("left") or {}),
            **(_only(record, TOTALS) if all(map(self.counts_source, sources)) and self.counts(QUARANTINE) else {}),
        }
        return _only(found, record)

    def _left(self, left: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
        """The tables that were left as they were, with those because of which, by name."""
        seen = self.scope.sees
        return {table: [one for one in held if seen(one)] for table, held in left.items() if seen(table)}

    def _source(self, name: str, counts: Record) -> dict[str, Any]:
        told = {one: value for one, value in counts.items() if one in OF_FILES}
        if self.counts_source(name):
            told |= {one: value for one, value in counts.items() if isinstance(value, int)}
        return {**dict.fromkeys(counts), **told}

    def _failed(self, record: Record) -> dict[str, Any]:
        """The tests that failed and read nothing that may not be seen; under rules by their kinds alone."""
        if "failures" not in record:
            return {}
        told, in_full = [], not self.scope.rows and not self.scope.columns
        for failure in record["failures"] or ():
            verdict = failed_verdict(failure, record["run"], record["ended"] or "")
            seen = filter(self.scope.sees, verdict.reads)
            for shown in visible_verdicts([verdict], seen, self.scope.hidden, in_full=in_full):
                about = _only(shown.to_json(), ("kind", "table", "column", "reads", "status"))
                told.append(dict(failure) if in_full else {**dict.fromkeys(failure), "test": shown.name, **about})
        return {"failures": told}

    def _error(self, record: Record) -> str | None:
        error: str | None = record["error"]
        is_plain = record["state"] in PLAIN_ENDS or error == cut_short(TIME_LIMIT)[1]
        return error if error is None or is_plain else NOT_TOLD


class ToldRuns:
    """The runs of a lake as somebody may know of them."""

    def __init__(self, runs: Runs, disclosure: Disclosure) -> None:
        self._runs, self._disclosure = runs, disclosure

    @classmethod
    def to(cls, workspace: "Workspace") -> "ToldRuns":
        """The runs as the owner of a workspace may know of them."""
        return cls(Runs(workspace.lakehouse.state), Disclosure.to(workspace))

    def show(self, run: str) -> dict[str, Any]:
        """One run. Raises `UnknownName` with the newest ids."""
        return self._disclosure.record(self._runs.show(run))

    def tests(self, run: str) -> Outcomes | None:
        """How the tests of a run went; None where it was interrupted before it could say so."""
        return self._runs.tests(run)

    def active(self, env: str) -> list[dict[str, Any]]:
        """The runs of an environment that are queued or running."""
        return [self._disclosure.record(record) for record in self._runs.active(env)]

    def list(
        self, env: str, limit: int = 50, *, states: Collection[str] = (), before: str = ""
    ) -> list[dict[str, Any]]:
        """The newest runs of an environment, newest first: those in some states, those that began before a time."""
        return [self._disclosure.record(one) for one in self._runs.list(env, limit, states=states, before=before)]


def _only(record: Record, names: Collection[str]) -> dict[str, Any]:
    return {name: record[name] for name in names if name in record}
