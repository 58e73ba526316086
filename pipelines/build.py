"""Builds and tests the models with dbt, into candidates.

One rule: what is unchanged is not done again. A model or test whose code and inputs are those of the current release
keeps the table or the verdict that it has there.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.errors import RequestWrong, WorkFailed
from lakehouse.quality import Ran, Verdicts, about_test, read_verdicts
from lakehouse.query.pins import Pin
from lakehouse.releases import Release
from lakehouse.settings import Settings
from lakehouse.state.schema import now
from lakehouse.tables.catalog import TableCatalog
from lakehouse.tables.write import Staged
from pipelines.build_plan import BuildPlan, plan_build, plan_tests
from pipelines.build_progress import BuildProgress
from pipelines.context import RunContext
from pipelines.graph import Graph, source_table
from pipelines.inputs import parsed_folder, project_fingerprint, project_folder

if TYPE_CHECKING:
    from pipelines.failing import FailingRows

ARTEFACTS = ("manifest.json", "run_results.json", "semantic_manifest.json")
GOOD = ("success", "pass", "warn")


@dataclass
class Built:
    """What a build has made after its plan: candidates, and the verdicts of the tests."""

    plan: BuildPlan
    staged: Mapping[str, Staged] = field(default_factory=dict)
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)  # the same as documents; see `_failure`
    ran: dict[str, Ran] = field(default_factory=dict)  # test -> how it went, of those that ran and did not fail
    tests: Verdicts = field(default_factory=dict)
    semantics: dict[str, Any] = field(default_factory=dict)  # dbt's semantic manifest
    manifest: dict[str, Any] = field(default_factory=dict)  # dbt's manifest


@dataclass(frozen=True)
class Builder:
    """Builds for one run, which keeps dbt's artefacts in its folder."""

    context: RunContext
    catalog: TableCatalog

    def build(self, raw: Mapping[str, Pin], before: Release | None) -> Built:
        """Build and test what changed since the release `before`, on raw tables at the given pins.

        Raises `RequestWrong` when the project cannot be read or reads a raw table that no source fills, `UnknownName`
        for a model that is not there. Tests that failed stand in the result: nothing of it may be released then.
        """
        project, manifest = self._parsed()
        _check_sources(manifest, raw)
        graph = Graph(manifest, project.fingerprint)
        return self._done(project, manifest, plan_build(graph, raw, before, self.context.order.select), before)

    def test(self, release: Release) -> Built:
        """Run the tests on what a release has, and build nothing. Raises as `build` does."""
        project, manifest = self._parsed()
        plan = plan_tests(Graph(manifest, project.fingerprint), release, self.context.order.select)
        return self._done(project, manifest, plan, release)

    def _parsed(self) -> tuple["_Project", Any]:
        project = _Project(self.context)
        manifest = project.parse()
        self.context.events.mark("build", "parsed")
        return project, manifest

    def _done(self, project: "_Project", manifest: Any, plan: BuildPlan, before: Release | None) -> Built:
        """Carry out a plan."""
        from pipelines.dbt_plugin import BuildContext, Plugin

        context = self.context
        built = Built(plan, passed=plan.stands)
        Plugin.context = BuildContext(
            self.catalog, context.events, context.run, {**plan.raw, **plan.keeps}, project.spill
        )
        if plan.todo:
            project.build(manifest, plan.todo, built)
        built.staged = Plugin.context.staged
        built.semantics, built.manifest = project.keep_artefacts()
        for failure in built.failures:
            failure |= about_test(built.manifest, failure.pop("node"))
        verdicts = (before.tests or {}) if before is not None else {}
        built.tests = read_verdicts(built.manifest, built.ran, verdicts)
        return built


class _Project:
    """The dbt project, and how dbt is called: once per process, since a second build would see the first one's pins."""

    def __init__(self, context: RunContext) -> None:
        os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
        settings, folder = context.settings, context.folder
        self._folder, self._events, self._run = folder, context.events, context.run
        self._target = _target(settings, context.env)
        self.spill = str(folder / "spill")
        self.fingerprint = project_fingerprint(settings)
        profiles = folder / "dbt"
        profiles.mkdir(parents=True, exist_ok=True)
        (profiles / "profiles.yml").write_text(json.dumps(_profile(settings)))  # JSON is YAML
        places = {
            "--project-dir": project_folder(settings),
            "--profiles-dir": profiles,
            "--target-path": self._target,
            "--log-path": folder / "dbt",
        }
        self._options = [text for option, value in places.items() for text in (option, str(value))]
        self._options += ["--profile", "lakeport", "--quiet", "--no-use-colors"]

    def parse(self) -> Any:
        from dbt.cli.main import dbtRunner

        result = dbtRunner().invoke(["parse", *self._options])
        if not result.success:
            raise RequestWrong(f"The dbt project cannot be read: {_message(result.exception)}")
        return result.result

    def build(self, manifest: Any, todo: Sequence[str], built: Built) -> None:
        from dbt.cli.main import dbtRunner

        from pipelines.dbt_plugin import Plugin
        from pipelines.failing import FailingRows

        names = [manifest.nodes[node].name for node in todo]
        listen = BuildProgress(self._events, (manifest.nodes[node].resource_type for node in todo))
        chosen = ["--select", *names, "--indirect-selection", "empty"]
        result = dbtRunner(manifest=manifest, callbacks=[listen]).invoke(["build", *chosen, *self._options])
        if result.exception is not None:
            raise WorkFailed(f"dbt ended with an error: {_message(result.exception)}") from result.exception
        connection = Plugin.context.connection
        rows = FailingRows(self._folder, connection) if connection is not None else None
        for node in result.result:
            if str(node.status) not in GOOD:
                built.failed.append(f"{node.node.name}: {node.status}: {_first_lines(node.message)}")
                built.failures.append(_failure(node, rows))
            elif node.node.resource_type == "test":
                built.passed += 1
                built.ran[node.node.unique_id] = Ran(str(node.status), node.failures or 0, self._run, now())

    def keep_artefacts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Keep dbt's artefacts in the run's folder; returns the semantic manifest and the manifest."""
        for name in ARTEFACTS:
            if (self._target / name).exists():
                shutil.copy(self._target / name, self._folder / name)
        semantics, manifest = (
            json.loads((self._folder / name).read_text(encoding="utf-8"))
            for name in ("semantic_manifest.json", "manifest.json")
        )
        return semantics, manifest


def _failure(result: Any, rows: "FailingRows | None") -> dict[str, Any]:
    """What a run tells of a test that failed, and of what could not be computed; `file` has the failing rows."""
    from pipelines.failing import failing_sql

    failed = str(result.status) == "fail"
    return {
        "test": result.node.name,
        "node": result.node.unique_id,
        "status": str(result.status),
        "message": _first_lines(result.message),
        "failures": result.failures if failed else None,
        "file": rows.keep(result.node.name, failing_sql(result.node)) if failed and rows is not None else None,
    }


def _target(settings: Settings, env: str) -> Path:
    """Where dbt works: a folder of this very project, from where it takes what it has parsed; others are removed."""
    target = parsed_folder(settings, env)
    if not target.exists():
        shutil.rmtree(target.parent, ignore_errors=True)
    return target


def _profile(settings: Settings) -> dict[str, Any]:
    # The same for every run: dbt parses the whole project again when anything of its profile changes.
    # preserve_insertion_order: without it a model's ORDER BY is lost on the way into its files.
    duckdb = {"memory_limit": settings.dbt.memory, "preserve_insertion_order": "true"}
    output = {
        "type": "duckdb",
        "path": ":memory:",
        "schema": "main",
        "threads": settings.dbt.threads,
        "settings": duckdb,
        "plugins": [{"module": "pipelines.dbt_plugin", "alias": "lake"}],
    }
    return {"lakeport": {"target": "lake", "outputs": {"lake": output}}}


def _check_sources(manifest: Any, raw: Mapping[str, Pin]) -> None:
    for source in manifest.sources.values():
        if source_table(source) not in raw:
            raise RequestWrong(
                f"The dbt project reads {source_table(source)}, but no source fills it. "
                f'Add a source with table = "{source.identifier}" to lakeport.toml. '
                f"Filled are: {', '.join(sorted(raw))}."
            )


def _message(error: BaseException | None) -> str:
    return _first_lines(str(error)) if error is not None else "see the run's log"


def _first_lines(text: str | None) -> str:
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    return " ".join(lines[:4])
