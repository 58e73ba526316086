"""A refresh: repair, load, build and test, release. Read this to see the way of the data.

One rule: no reader sees anything before the release flips, and what a killed run has left is finished or discarded by
the next one.
"""

import errno
import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakehouse.drift import Difference
from lakehouse.errors import DiskFull, LakeportError, Lost, RequestWrong, Unavailable, WorkFailed
from lakehouse.quality import say_the_same
from lakehouse.query.pins import Pin
from lakehouse.releases import Release, Releases, check_place
from lakehouse.runs import Runs
from lakehouse.state.schema import AWAITING, releases
from lakehouse.tables.catalog import RUN_PROPERTY, TableCatalog, snapshot_property
from lakehouse.tables.publish import Build, Publisher
from pipelines.context import RunContext
from pipelines.copies import Copies
from pipelines.definitions import release_definitions
from pipelines.gate import inputs_fingerprint
from pipelines.inputs import read_source
from pipelines.load_plan import LoadPlan, plan_load
from pipelines.loads import Load, Loads
from pipelines.rejected import QUARANTINE_TABLE
from pipelines.sources.csv_file import QUARANTINE

if TYPE_CHECKING:
    from pipelines.build import Built


@dataclass
class Outcome:
    """What a refresh has done."""

    repaired: list[str] = field(default_factory=list)
    loads: dict[str, Load] = field(default_factory=dict)
    refused: dict[str, LakeportError] = field(default_factory=dict)  # source -> why nothing of it was loaded
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)  # the tests and models that failed, as documents
    differences: list[dict[str, Any]] | None = None  # None unless what was built waits for a decision
    published: str | None = None  # the run whose release waited and was published by this one
    release: int | None = None
    tested: int | None = None  # the release that was tested, where nothing else was asked for
    left: Mapping[str, Sequence[str]] = field(default_factory=dict)  # see `BuildPlan.left`
    foreign: list[str] = field(default_factory=list)  # raw tables that another program has written
    rows: dict[str, int] = field(default_factory=dict)  # table -> rows, of what was loaded or built

    @property
    def state(self) -> str:
        """The run's state: failed, awaiting_publish, unchanged or success."""
        if self.refused or self.failed:
            return "failed"
        if self.differences is not None:
            return AWAITING
        return "success" if self.release or self.loads or self.tested else "unchanged"

    @property
    def error(self) -> str | None:
        """Why nothing was released, one line for each reason."""
        if self.refused:
            return "\n".join(str(error) for error in self.refused.values())
        if self.failed:
            said = "Nothing was released, because tests or models failed."
            tested = f"Tests failed on what release {self.tested} holds. Readers see it as before."
            return "\n".join([tested if self.tested else said, *self.failed])
        return None

    @property
    def exit_code(self) -> int:
        """0, or what the first reason says: the input is wrong (2) before the work failed (1)."""
        if self.refused:
            return max(error.exit_code for error in self.refused.values())
        return 1 if self.failed else 0


class Refresh:
    """The work of one run."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._loads = Loads(context.state, context.env)
        self._releases = Releases(context.state, context.env, context.settings.zone)
        self._copies = Copies(context)
        self._outcome = Outcome()

    def work(self) -> Outcome:
        """Do everything that is due."""
        order = self._context.order
        before = self._releases.current()
        order.check_release(before is not None)
        if before is not None:
            check_place(before, self._context.settings.warehouse)
        with closing(TableCatalog(self._context.settings, order.env)) as catalog:
            if before is not None and order.tests_only:
                self._test(catalog, before)
                return self._outcome
            self._repair(catalog)
            if order.load:
                self._load(catalog)
            if order.build and not self._outcome.refused:
                self._build(catalog)
        return self._outcome

    def _repair(self, catalog: TableCatalog) -> None:
        context = self._context
        self._outcome.repaired = self._loads.repair(context.run, catalog)
        released = Publisher(context.state, catalog, context.env, self._copies.write).repair(context.run)
        if released is not None:
            self._outcome.release = released.number
            self._outcome.repaired.append(released.sentence)
        if self._outcome.repaired:
            context.events.mark("repair", " ".join(self._outcome.repaired))

    def _load(self, catalog: TableCatalog) -> None:
        """Load what changed. Where a source is refused the others are loaded too, but nothing is released."""
        context, outcome = self._context, self._outcome
        context.events.start("load")
        last = self._loads.last()
        for name in context.sources:
            try:
                plan = self._plan(catalog, name, last.get(name))
                if plan is not None:
                    outcome.loads[name] = self._loader(catalog).load(plan)
                    outcome.rows[plan.source.table] = _rows(catalog, plan.source.table)
            except (Lost, Unavailable):
                raise
            except (RequestWrong, WorkFailed) as error:
                outcome.refused[name] = error
                context.events.mark("load", f"{name} refused: {error}")
        context.events.end("load", f"{len(outcome.loads)} of {len(context.sources)} sources loaded")

    def _plan(self, catalog: TableCatalog, name: str, last: Load | None) -> LoadPlan | None:
        source = read_source(self._context.settings, self._context.state, name)
        held = last if catalog.head(source.table) is not None else None  # a table that is gone is loaded again
        return plan_load(source, held, full=self._context.order.full)

    def _loader(self, catalog: TableCatalog) -> Any:
        from pipelines.load import Loader  # brings dlt, which a run that only builds does not need

        return Loader(catalog, self._loads, self._context.events, self._context.run, self._context.folder)

    def _build(self, catalog: TableCatalog) -> None:
        from pipelines.build import Builder

        context, outcome = self._context, self._outcome
        context.events.start("build")
        before, raw = self._releases.current(), self._raw(catalog)
        # Before the build: what is changed while it runs must look changed to the next run.
        inputs = inputs_fingerprint(context.settings, context.state, context.env)
        built = Builder(context, catalog).build(raw, before)
        self._count(built)
        outcome.foreign = [table for table in outcome.foreign if table not in outcome.left]
        if not built.failed:
            self._publish(catalog, built, before, inputs)

    def _test(self, catalog: TableCatalog, release: Release) -> None:
        """Run the tests on what readers see."""
        from pipelines.build import Builder

        context, outcome = self._context, self._outcome
        context.events.start("build")
        self._count(Builder(context, catalog).test(release))
        outcome.tested = release.number

    def _count(self, built: "Built") -> None:
        """Take down how the tests went, and what was left out."""
        context, outcome = self._context, self._outcome
        outcome.passed, outcome.failed, outcome.failures = built.passed, built.failed, built.failures
        outcome.left = built.plan.left
        context.events.end("build", f"{built.passed} tests passed, {len(built.failed)} failed")
        if any(os.strerror(errno.ENOSPC) in line for line in built.failed):  # of dbt's errors only the text is left
            raise DiskFull

    def _raw(self, catalog: TableCatalog) -> dict[str, Pin]:
        """The raw tables as they are now; build and release keep to these snapshots whoever writes meanwhile."""
        catalog.ensure(QUARANTINE_TABLE, QUARANTINE)
        tables = [f"raw.{source.table or name}" for name, source in self._context.settings.sources.items()]
        heads = {table: catalog.head(table) for table in (*tables, QUARANTINE_TABLE)}
        pins = {}
        for table, head in heads.items():
            if head is not None:
                snapshot = head.current_snapshot()
                pins[table] = Pin(head.metadata_location, snapshot.snapshot_id if snapshot else None)
                if snapshot is not None and snapshot_property(head, RUN_PROPERTY) is None:
                    self._outcome.foreign.append(table)
                    self._context.events.mark("build", f"{table} was written by another program")
        return pins

    def _publish(self, catalog: TableCatalog, built: "Built", before: Release | None, inputs: str) -> None:
        context = self._context
        build = _build(built, before, inputs)
        if before is not None and _same(build, before):
            with context.state.write() as connection:  # so that the next run knows it without a build
                Runs(context.state).own(connection, context.run)
                current = (releases.c.env == context.env, releases.c.number == before.number)
                connection.execute(releases.update().where(*current).values(inputs=build.inputs, nodes=build.nodes))
            self._copies.restore()
            return
        differences = self._differences(catalog, built, before)
        context.last_call()
        publisher = Publisher(context.state, catalog, context.env, self._copies.write)
        if self._must_wait(differences):
            self._wait(publisher, build, differences)
        else:
            self._release(publisher, build)
            self._outcome.rows.update({table: _rows(catalog, table) for table in built.staged})

    def _differences(self, catalog: TableCatalog, built: "Built", before: Release | None) -> list[Difference]:
        """How what was built differs from the last release; nothing where no decision depends on it."""
        settings = self._context.settings
        limits = settings.publishing(self._context.env)
        if before is None or limits.wait == "never":
            return []
        from pipelines.comparison import Comparison

        return Comparison(catalog, before, limits, settings.dbt).differences(
            self._context.run, built.staged, built.plan.raw
        )

    def _must_wait(self, differences: list[Difference]) -> bool:
        wait = self._context.settings.publishing(self._context.env).wait
        return wait == "always" or any(found.over for found in differences)

    def _wait(self, publisher: Publisher, build: Build, differences: list[Difference]) -> None:
        context = self._context
        self._outcome.differences = [found.to_json() for found in differences]
        publisher.wait(context.run, build, self._outcome.differences)
        over = sum(found.over for found in differences)
        context.events.end("release", f"waits for a decision, {over} changes are beyond their limits")

    def _release(self, publisher: Publisher, build: Build) -> None:
        context, outcome = self._context, self._outcome
        outcome.release = publisher.publish(context.run, build, lambda step: context.events.mark("release", step))
        self._copies.sweep()
        context.events.end("release", f"release {outcome.release}")


def _build(built: "Built", before: Release | None, inputs: str) -> Build:
    plan = built.plan
    return Build(
        changes={table: staged.change for table, staged in built.staged.items()},
        read={**plan.raw, **plan.keeps},
        nodes=plan.nodes,
        definitions=release_definitions(built, before),
        inputs=inputs if plan.is_whole else None,  # what a selection has left is found by the next run
        tests=built.tests,
    )


def _same(build: Build, before: Release) -> bool:
    """Whether readers would see exactly what they see already."""
    if build.changes or build.definitions != before.definitions or set(build.read) != set(before.pins):
        return False
    if before.tests is None or not say_the_same(build.tests or {}, before.tests):
        return False
    return all(pin.snapshot == before.pins[table].snapshot for table, pin in build.read.items())


def _rows(catalog: TableCatalog, table: str) -> int:
    head = catalog.head(table)
    snapshot = head.current_snapshot() if head is not None else None
    summary: Any = snapshot.summary if snapshot is not None else None
    return int(summary.additional_properties.get("total-records", 0)) if summary is not None else 0
