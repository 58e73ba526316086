"""Wires the parts together. Read this file first.

`Lakehouse.open(home)` opens one lake; `lakehouse.as_user(somebody)` gives a `Workspace`: the lake as that person may
see it, at one version of its data. Doors (the command line, and later the pages) only ever hold a Workspace.

One rule: a Workspace decides by the policy before it acts, and everything asked of it reads one set of pins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from lakehouse.access import policy
from lakehouse.access.attempts import Attempts
from lakehouse.access.identity import Principal
from lakehouse.access.sessions import Sessions
from lakehouse.access.users import Users
from lakehouse.errors import NoRelease, NotAllowed, RequestWrong, UnknownName
from lakehouse.metrics.compile import Compiled, compile_plan
from lakehouse.metrics.dictionary import unknown_table
from lakehouse.metrics.model import Model
from lakehouse.metrics.plan import Plan, parse_plan
from lakehouse.query.answer import Answer
from lakehouse.query.pins import Pins, Scope
from lakehouse.query.pool import QueryPool, Question
from lakehouse.releases import Published, Release, Releases, check_place
from lakehouse.runs import Runs
from lakehouse.settings import FILE_NAME, Settings, read_settings
from lakehouse.state.store import State, open_state


@dataclass(frozen=True)
class Measured:
    """The answer to a plan: its rows, the plan in its normal form, and what was asked of the tables."""

    answer: Answer
    plan: Plan
    compiled: Compiled


class Lakehouse:
    """The parts of one lake, opened once per process."""

    def __init__(self, settings: Settings, state: State) -> None:
        self.settings = settings
        self.state = state
        self.pool = QueryPool(settings.query, [settings.warehouse])

    @classmethod
    def open(cls, home: Path) -> "Lakehouse":
        """The lake at `home`; its state is brought up to date. Raises `RequestWrong` where there is none."""
        settings = read_settings(home)
        if not (settings.home / FILE_NAME).exists() and not settings.folder.exists():
            raise RequestWrong(f"There is no lake in {settings.home}. Make one with `lakeport init {settings.home}`.")
        return cls(settings, open_state(settings))

    def as_user(self, principal: Principal, env: str = "dev") -> "Workspace":
        """The lake as this person may see it, at the current release of an environment."""
        if env not in self.settings.environments:
            raise UnknownName("environment", env, list(self.settings.environments))
        return Workspace(self, principal, env)

    @property
    def users(self) -> Users:
        """Who can log in. For doors that let somebody in; everybody else asks a Workspace."""
        return Users(self.state)

    @property
    def sessions(self) -> Sessions:
        """Who is logged in."""
        return Sessions(self.state, self.settings.access)

    @property
    def attempts(self) -> Attempts:
        """Failed attempts to log in."""
        return Attempts(self.state)

    def close(self) -> None:
        """End the workers and give back what is open."""
        self.pool.close()
        self.state.close()

    def __enter__(self) -> "Lakehouse":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class Workspace:
    """The lake as one person sees it, at one version of its data: the pins are found once and kept."""

    lakehouse: Lakehouse
    principal: Principal
    env: str
    version: str = "now"

    def at(self, version: str) -> "Workspace":
        """The same on another version: a release number, a date, a time with zone, TABLE@SNAPSHOT or `now`."""
        return replace(self, version=version)

    @cached_property
    def release(self) -> Release:
        """The release that everything here is read from. Raises `NoRelease` and `RequestWrong`."""
        release = self._releases.at(self.version)
        check_place(release, self.lakehouse.settings.warehouse)
        return release

    @cached_property
    def scope(self) -> Scope:
        """Which tables this person may see."""
        return policy.scope(self.principal, self.lakehouse.settings.access)

    @cached_property
    def pins(self) -> Pins:
        """What each table that may be seen is read at."""
        return {table: pin for table, pin in self.release.pins.items() if self.scope.sees(table)}

    @cached_property
    def model(self) -> Model:
        """Metrics and dimensions as the release defines them, as far as their tables may be seen."""
        if self.release.definitions is None:
            raise NoRelease(f"Release {self.release.number} defines no metrics.")
        model = Model.from_json(self.release.definitions["model"])
        visible = tuple(metric for metric in model.metrics if self.scope.sees(metric.table))
        if model.metrics and not visible:
            raise NotAllowed(self.principal.name, "see", "the tables that metrics stand on")
        return Model(tuple(table for table in model.tables if self.scope.sees(table.name)), visible)

    def measure(self, plan: Plan | Mapping[str, Any] | str) -> Measured:
        """The answer to a plan, given as JSON, as its document or parsed. Raises `PlanWrong` and `UnknownName`."""
        policy.check(self.principal, "measure", "metrics")
        parsed = plan if isinstance(plan, Plan) else parse_plan(plan, self.model)
        compiled = compile_plan(parsed, self.model)
        return Measured(self._ask(compiled.sql), parsed, compiled)

    def measure_all(self, plans: Sequence[Plan | Mapping[str, Any] | str]) -> list[Measured]:
        """The answers to several plans, in their order, all from one release."""
        return [self.measure(plan) for plan in plans]

    def sql(self, statement: str, max_rows: int | None = None, timeout_seconds: float | None = None) -> Answer:
        """The rows of one SELECT. Raises `StatementWrong` for what DuckDB does not accept."""
        policy.check(self.principal, "query", "the lake in SQL")
        return self._ask(statement, max_rows, timeout_seconds)

    def tables(self) -> list[str]:
        """Logical names of the tables that may be seen."""
        policy.check(self.principal, "describe", "tables")
        return sorted(self.pins)

    def about(self, table: str) -> Mapping[str, Any]:
        """What a table is: name, label, description, grain, layer."""
        known = self.tables()
        if table not in known:
            raise UnknownName("table", table, known)
        described = (self.release.definitions or {}).get("tables", {})
        return described.get(table) or unknown_table(table)

    def columns(self, table: str) -> list[dict[str, str]]:
        """A table's columns, in their order: name, label, description, type."""
        described = self.about(table)["columns"]
        layer, name = table.split(".")
        answer = self._ask(f'select column_name, column_type from (describe "{layer}"."{name}")')
        return [
            {"name": column, "label": column, "description": "", **described.get(column, {}), "type": kind}
            for column, kind in zip(*(found.to_pylist() for found in answer.table.columns), strict=True)
        ]

    def runs(self) -> Runs:
        """The runs of the lake, to look at."""
        policy.check(self.principal, "watch", "runs")
        return Runs(self.lakehouse.state)

    def releases(self, limit: int = 20) -> list[Published]:
        """The newest releases of the environment, newest first, whichever version is looked at."""
        policy.check(self.principal, "describe", "releases")
        return self._releases.newest(limit)

    def users(self) -> Users:
        """Who can log in, to look at and to change."""
        policy.check(self.principal, "admin", "users")
        return self.lakehouse.users

    @property
    def _releases(self) -> Releases:
        return Releases(self.lakehouse.state, self.env, self.lakehouse.settings.zone)

    def _ask(self, statement: str, max_rows: int | None = None, timeout_seconds: float | None = None) -> Answer:
        return self.lakehouse.pool.ask(Question(statement, self.pins, self.scope, max_rows, timeout_seconds))
