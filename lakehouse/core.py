"""Wires the parts together. Read this file first.

`Lakehouse.open(home)` opens one lake; `lakehouse.as_user(somebody)` gives a `Workspace`: the lake as that person may
see it, at one version of its data. Doors (the command line, and later the pages) only ever hold a Workspace.

One rule: a Workspace decides by the policy before it acts, and everything asked of it reads one set of pins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from lakehouse.access import policy
from lakehouse.access.attempts import Attempts
from lakehouse.access.audit import Audit
from lakehouse.access.history import MOST_RECORDS, STATEMENT_ACTION, Statement, newest, pending
from lakehouse.access.identity import Principal
from lakehouse.access.keys import own_key
from lakehouse.access.policy import PolicyFile
from lakehouse.access.request import Asked, Request
from lakehouse.access.sessions import Sessions
from lakehouse.access.users import Users
from lakehouse.access.visits import VIEW_ACTION, Visits, read_visits
from lakehouse.cancels import Cancels
from lakehouse.disclosure import ToldRuns
from lakehouse.errors import NoRelease, NotAllowed, RequestWrong, UnknownName
from lakehouse.facts import Facts, read_facts
from lakehouse.measured import Measured
from lakehouse.memory import Memory
from lakehouse.metrics.compile import Compiled, compile_plan
from lakehouse.metrics.dictionary import PUBLIC, unknown_table
from lakehouse.metrics.lines import ALL, Window, compile_count, compile_lines
from lakehouse.metrics.model import Metric, Model
from lakehouse.metrics.plan import Plan, parse_plan
from lakehouse.metrics.visible import visible
from lakehouse.publish_queue import PublishQueue
from lakehouse.query.answer import Answer
from lakehouse.query.columns import Shapes
from lakehouse.query.pins import Pin, Pins, pins_key
from lakehouse.query.pool import QueryPool, Question
from lakehouse.query.scope import Scope
from lakehouse.query.spool import Spooled
from lakehouse.quoting import sql_table
from lakehouse.releases import Published, Release, Releases, check_place
from lakehouse.settings import FILE_NAME, Settings, read_settings
from lakehouse.state.store import State, open_state

KEPT = 1024
"""How many models and lists of columns stay in memory."""


class Lakehouse:
    """The parts of one lake, opened once per process."""

    def __init__(self, settings: Settings, state: State) -> None:
        self.settings = settings
        self.state = state
        self.policy = PolicyFile(settings.home)
        mask_key = own_key(settings.folder / "mask_key")
        self.pool = QueryPool(settings.query, [settings.warehouse], mask_key, settings.folder)
        self.cancels = Cancels(state, self.pool.cancel)
        self.kept = Memory(KEPT)
        self._releases = {env: Releases(state, env, settings.zone) for env in settings.environments}

    @classmethod
    def open(cls, home: Path) -> "Lakehouse":
        """The lake at `home`; its state is brought up to date. Raises `RequestWrong` where there is none."""
        settings = read_settings(home)
        if not (settings.home / FILE_NAME).exists() and not settings.folder.exists():
            raise RequestWrong(f"There is no lake in {settings.home}. Make one with `lakeport init {settings.home}`.")
        return cls(settings, open_state(settings))

    def as_user(self, principal: Principal, env: str = "dev", request: Request | None = None) -> "Workspace":
        """The lake as this person may see it, at the current release of an environment.

        What is asked is collected in `request`, of which the door writes one row of the audit before it answers.
        """
        if env not in self.settings.environments:
            raise UnknownName("environment", env, list(self.settings.environments))
        return Workspace(self, principal, env, request=request or Request())

    def releases(self, env: str) -> Releases:
        """The releases of an environment. For doors that tell how it is; everybody else asks a Workspace."""
        return self._releases[env]

    @property
    def users(self) -> Users:
        """Who can log in. For doors that let somebody in; everybody else asks a Workspace."""
        return Users(self.state)

    @property
    def sessions(self) -> Sessions:
        """Who is logged in."""
        return Sessions(self.state, self.settings.access)

    @property
    def audit(self) -> Audit:
        """What was done, and by whom."""
        return Audit(self.state, self.settings.retention)

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

    def __exit__(self, *_error: object) -> None:
        self.close()


@dataclass(frozen=True)
class Workspace:
    """The lake as one person sees it, at one version of its data: the pins are found once and kept."""

    lakehouse: Lakehouse
    principal: Principal
    env: str
    version: str = "now"
    request: Request = field(default_factory=Request, compare=False, repr=False)

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
    def has_release(self) -> bool:
        """Whether the environment has a release; before the first one `release` raises."""
        return "release" in vars(self) or self._releases.current() is not None

    @cached_property
    def scope(self) -> Scope:
        """Which tables, rows and columns this person may see."""
        return self.lakehouse.policy.scope(self.principal)

    @cached_property
    def pins(self) -> Pins:
        """What each table that may be seen is read at."""
        named = {table: pin for table, pin in self.release.pins.items() if self.scope.sees(table)}
        if not self.scope.rows:
            return named
        return {table: pin for table, pin in named.items() if self._shapes.is_open(table, pin)}

    @cached_property
    def model(self) -> Model:
        """Metrics and dimensions as the release defines them, as far as their tables and columns may be seen."""
        if self.release.definitions is None:
            raise NoRelease(f"Release {self.release.number} defines no metrics.")
        if self.release.definitions["model"]["metrics"] and not self.metrics():
            raise NotAllowed(self.principal.name, "see", "the tables that metrics stand on")
        return self._visible

    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that this person may see: none where there are none, while `model` raises."""
        policy.check(self.principal, "describe", "metrics")
        return self._visible.metrics

    def measure(self, plan: Plan | Mapping[str, Any] | str) -> Measured:
        """The answer to a plan, given as JSON, as its document or parsed. Raises `PlanWrong` and `UnknownName`."""
        parsed, compiled, asked = self._compiled(plan)
        return Measured(self._ask(compiled.sql, asked, trusted=True), parsed, compiled)

    def export(self, plan: Plan | Mapping[str, Any] | str) -> Spooled:
        """The answer to a plan on disk, under the limits of exports; the caller closes it."""
        _, compiled, asked = self._compiled(plan)
        return self._export(compiled.sql, asked, trusted=True)

    def lines(self, plan: Plan | Mapping[str, Any] | str, window: Window = ALL) -> Answer:
        """The lines behind a plan: all columns of its table that may be seen, where and when the plan says.

        Raises `UnknownName` for a window that is sorted by a column which may not be seen, or is not there.
        """
        return self._ask(*self._lines(plan, window), trusted=True)

    def export_lines(self, plan: Plan | Mapping[str, Any] | str, window: Window = ALL) -> Spooled:
        """The same on disk, under the limits of exports; the caller closes it."""
        return self._export(*self._lines(plan, window), trusted=True)

    def line_count(self, plan: Plan | Mapping[str, Any] | str, window: Window = ALL) -> int:
        """How many lines are behind a plan and hold the words of a window, wherever it begins and ends."""
        parsed, table = self._of_lines(plan)
        statement = compile_count(parsed, self.model, self._columns(table, self.pins[table]), window)
        asked = Asked(plan={**parsed.to_json(), "counted": window.to_json() or True}, tables=(table,))
        return int(self._ask(statement, asked, trusted=True).table["lines"][0].as_py())

    def sql(
        self,
        statement: str,
        max_rows: int | None = None,
        timeout_seconds: float | None = None,
        cancel_token: str = "",
    ) -> Answer:
        """The rows of one SELECT. Raises `StatementWrong` for what DuckDB does not accept or the guard refuses.

        `cancel` stops what carries this token; its asker gets `Stopped`.
        """
        self._check_sql()
        token = self._own(cancel_token)
        with self.lakehouse.cancels.stoppable(token):
            limits = {"max_rows": max_rows, "timeout_seconds": timeout_seconds, "cancel_token": token}
            return self._ask(statement, Asked(sql=statement), **limits)

    def export_sql(self, statement: str) -> Spooled:
        """The rows of one SELECT on disk, under the limits of exports; the caller closes it."""
        self._check_sql()
        return self._export(statement, Asked(sql=statement))

    def cancel(self, token: str) -> None:
        """Stop the statements that this person runs under a token, here at once and elsewhere in half a second."""
        policy.check(self.principal, "query", "the lake in SQL")
        if not self.lakehouse.pool.cancel(self._own(token)):
            self.lakehouse.cancels.ask(self._own(token))

    def statements(self, limit: int = 20) -> list[Statement]:
        """What this person has asked on the SQL page in this environment, newest first, each text once."""
        policy.check(self.principal, "query", "the lake in SQL")
        records = self.lakehouse.audit.own(self.principal.name, STATEMENT_ACTION, MOST_RECORDS)
        recorded = [record for record in records if record["env"] == self.env]
        return newest([*pending(self.request), *recorded], limit)

    def row_count(self, table: str) -> int:
        """How many rows of a table this person may see."""
        asked = Asked(plan={"counted": table}, tables=(table,))
        answer = self._ask(f'select count(*) as "rows" from {self._written(table)}', asked, trusted=True)
        return int(answer.table["rows"][0].as_py())

    def sample(self, table: str, rows: int) -> Answer:
        """The first rows of a table as this person may see them, sorted by all columns from the left."""
        asked = Asked(plan={"sample": table, "rows": rows}, tables=(table,))
        return self._ask(f"select * from {self._written(table)} order by all limit {rows:d}", asked, trusted=True)

    def facts(self, table: str) -> Facts:
        """What the release knows of a table beyond its columns, as far as this person may know it."""
        self.about(table)
        changed = self._releases.changes(self.release.number).get(table)
        return read_facts(self.release, table, self.scope, self.pins.keys(), changed)

    def compiled(self, plan: Plan | Mapping[str, Any] | str) -> Compiled:
        """What would be asked of the tables for a plan; nothing is."""
        return self._compiled(plan)[1]

    def visits(self) -> Visits:
        """When this person was here before in this environment, and which pages they have looked at lately."""
        policy.check(self.principal, "read", "their own visits")
        name = self.principal.name
        return read_visits(lambda most: self.lakehouse.audit.own(name, VIEW_ACTION, most), self.env, datetime.now(UTC))

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
        return [
            {"name": column, "label": column, "description": "", **described.get(column, {}), "type": kind}
            for column, kind in self._columns(table, self.pins[table]).items()
        ]

    def closed(self) -> dict[str, str]:
        """Tables that the names in the scope let see but its row rules close, each with the reason."""
        named = {table: pin for table, pin in self.release.pins.items() if self.scope.sees(table)}
        missing = sorted(named.keys() - self.pins.keys())
        return {table: self._shapes.why_closed(table, named) for table in missing}

    def runs(self) -> ToldRuns:
        """The runs of the lake, to look at, as far as this person may know of them."""
        policy.check(self.principal, "watch", "runs")
        return ToldRuns.to(self)

    def may(self, action: str) -> bool:
        """Whether this person's role reaches an action in this environment."""
        return policy.allows(self.principal, action, self.env)

    def operate(self, what: str) -> None:
        """Raise `NotAllowed` unless this person may start and cancel runs in this environment."""
        policy.check(self.principal, "operate", f"{what} in {self.env}", self.env)

    def releases(self, limit: int = 20) -> list[Published]:
        """The newest releases of the environment, newest first, whichever version is looked at."""
        policy.check(self.principal, "describe", "releases")
        return self._releases.newest(limit)

    def queue(self) -> PublishQueue:
        """The releases that wait for a decision and those that were decided on; who may not decide may look."""
        policy.check(self.principal, "watch", "releases")
        return PublishQueue(self.lakehouse.state, self.env, self.principal, self.scope)

    def users(self) -> Users:
        """Who can log in, to look at and to change."""
        policy.check(self.principal, "admin", "users")
        return self.lakehouse.users

    def audit(self) -> Audit:
        """What was done, to look at and to verify."""
        policy.check(self.principal, "admin", "the audit")
        return self.lakehouse.audit

    @property
    def _releases(self) -> Releases:
        return self.lakehouse.releases(self.env)

    @cached_property
    def _visible(self) -> Model:
        definitions = self.release.definitions
        if definitions is None:
            return Model()
        key = "model", self.scope.key, pins_key(self.pins), self.release.definitions_id
        return self.lakehouse.kept.get(
            key, lambda: visible(Model.from_json(definitions["model"]), self.pins, self.scope.hidden)
        )

    @cached_property
    def _public(self) -> frozenset[str]:
        """Tables whose rows are for everybody, as their models say."""
        described: Mapping[str, Mapping[str, Any]] = (self.release.definitions or {}).get("tables", {})
        return frozenset(table for table, entry in described.items() if entry.get("rows") == PUBLIC)

    @cached_property
    def _shapes(self) -> Shapes:
        return Shapes(self.lakehouse.pool, self.lakehouse.kept, self.scope, self._public)

    def _columns(self, table: str, pin: Pin) -> Mapping[str, str]:
        """Column -> type."""
        return self._shapes.columns(table, pin)

    def _of_lines(self, plan: Plan | Mapping[str, Any] | str) -> tuple[Plan, str]:
        """A plan whose lines are asked for, and the table that they stand in."""
        policy.check(self.principal, "measure", "metrics")
        parsed = plan if isinstance(plan, Plan) else parse_plan(plan, self.model)
        return parsed, self.model.table_of(parsed.metrics).name

    def _written(self, table: str) -> str:
        """A table that may be seen, as a statement writes it. Raises `UnknownName`, which lists those."""
        return sql_table(self.about(table)["name"])

    def _own(self, token: str) -> str:
        """A token under its owner's name, which has no spaces: nobody cancels what somebody else has asked."""
        return f"{self.principal.name} {token}" if token else ""

    def _check_sql(self) -> None:
        policy.check(self.principal, "query", "the lake in SQL")
        if not self.lakehouse.settings.query.free_sql and not self.principal.is_operator:
            raise NotAllowed(self.principal.name, "query", "this lake in SQL: the setting query.free_sql is off")

    def _compiled(self, plan: Plan | Mapping[str, Any] | str) -> tuple[Plan, Compiled, Asked]:
        policy.check(self.principal, "measure", "metrics")
        parsed = plan if isinstance(plan, Plan) else parse_plan(plan, self.model)
        compiled = compile_plan(parsed, self.model)
        return parsed, compiled, Asked(plan=parsed.to_json(), tables=(compiled.table,))

    def _lines(self, plan: Plan | Mapping[str, Any] | str, window: Window) -> tuple[str, Asked]:
        parsed, table = self._of_lines(plan)
        statement = compile_lines(parsed, self.model, self._columns(table, self.pins[table]), window)
        return statement, Asked(plan={**parsed.to_json(), "lines": window.to_json() or True}, tables=(table,))

    def _ask(self, statement: str, asked: Asked, **limits: Any) -> Answer:
        question = self._question(statement, asked, **limits)
        with self.request.asked(asked):
            answer = self.lakehouse.pool.ask(question)
            asked.answered(answer.table.num_rows, answer.seconds, cached=answer.cached, complete=answer.complete)
        return answer

    def _export(self, statement: str, asked: Asked, *, trusted: bool = False) -> Spooled:
        question = self._question(statement, asked, trusted=trusted)
        with self.request.asked(asked):
            spooled = self.lakehouse.pool.export(question)
            asked.answered(spooled.rows, spooled.seconds, cached=False, complete=spooled.complete)
        return spooled

    def _question(self, statement: str, asked: Asked, **limits: Any) -> Question:
        asked.scope, asked.pins, asked.release = self.scope.key, pins_key(self.pins), self.release.number
        return Question(statement, self.pins, self.scope, self._public, asker=self.principal.name, **limits)
