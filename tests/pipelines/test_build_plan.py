"""What a build has to do: with and without a selection, after releases that were whole and that were not.

One rule: no dbt. The project is written down as dbt's manifest has it, and the plan alone is looked at; that a real run
keeps to it is told by `test_select_story.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from lakehouse.errors import UnknownName
from lakehouse.quality import Verdict
from lakehouse.query.pins import Pin
from lakehouse.releases import Release
from pipelines.build_plan import BuildPlan, plan_build, plan_tests
from pipelines.definitions import joined_definitions
from pipelines.graph import Graph

READS = {
    "clean_a": ["raw.a"],  # ephemeral
    "stg_a": ["clean_a"],
    "stg_b": ["raw.b"],
    "by_day": ["stg_a"],
    "lines": ["stg_a", "days"],
    "stock": ["stg_b"],
    "days": [],  # a view
}
KINDS = {"clean_a": "ephemeral", "days": "view"}
TESTS = {
    "raw_a_is_unique": ["raw.a"],
    "by_day_agrees": ["by_day", "lines"],
    "stg_a_is_unique": ["stg_a"],
    "stock_is_positive": ["stock"],
}
TABLES = ["by_day", "lines", "stg_a", "stg_b", "stock"]


def node(name: str, kind: str, reads: Iterable[str], code: str) -> Any:
    ids = [f"source.own.{one}" if one.startswith("raw.") else f"model.own.{one}" for one in reads]
    config = SimpleNamespace(materialized=KINDS.get(name, "iceberg"), to_dict=dict)
    named = {"unique_id": f"{kind}.own.{name}", "resource_type": kind, "name": name, "schema": "marts", "alias": name}
    return SimpleNamespace(**named, raw_code=code, config=config, depends_on=SimpleNamespace(nodes=ids))


@dataclass(frozen=True)
class Project:
    """A project whose models are as `code` says, and raw tables at snapshots."""

    reads: Mapping[str, list[str]] = field(default_factory=lambda: READS)
    tests: Mapping[str, list[str]] = field(default_factory=lambda: TESTS)
    code: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, int] = field(default_factory=lambda: {"raw.a": 1, "raw.b": 1, "raw.quarantine": 1})

    def edited(self, **code: str) -> "Project":
        return replace(self, code={**self.code, **code})

    def loaded(self, **raw: int) -> "Project":
        return replace(self, raw={**self.raw, **{f"raw.{name}": snapshot for name, snapshot in raw.items()}})

    @property
    def graph(self) -> Graph:
        nodes = [node(name, "model", reads, self.code.get(name, "")) for name, reads in self.reads.items()]
        nodes += [node(name, "test", reads, self.code.get(name, "")) for name, reads in self.tests.items()]
        sources = [
            SimpleNamespace(unique_id=f"source.own.{table}", schema="raw", identifier=table.removeprefix("raw."))
            for table in self.raw
        ]
        return Graph(
            SimpleNamespace(
                nodes={one.unique_id: one for one in nodes}, sources={one.unique_id: one for one in sources}
            ),
            "project",
        )

    @property
    def pins(self) -> dict[str, Pin]:
        return {table: Pin(f"{table}/{snapshot}", snapshot) for table, snapshot in self.raw.items()}

    def plan(self, release: Release | None, *selection: str) -> BuildPlan:
        return plan_build(self.graph, self.pins, release, selection)

    def release(self, before: Release | None = None, *selection: str) -> Release:
        """The release that a build of this project makes; all its tests pass."""
        plan, number = self.plan(before, *selection), before.number + 1 if before else 1
        built = {table: Pin(f"{table}/{number}", number) for table in self.graph.tables if table in done(plan)}
        old = before.tests or {} if before else {}
        passed = {name: verdict(name, number) for name in plan.todo if name.startswith("test.")}
        lineage = {f"marts.{name}": sorted(self.graph.reads(f"model.own.{name}")) for name in self.reads}
        pins = {**plan.raw, **plan.keeps, **built}
        named = number, "dev", f"run-{number}", "", pins, plan.nodes
        return Release(*named, {"lineage": lineage}, None, {**old, **passed})


def verdict(name: str, number: int) -> Verdict:
    return Verdict(name, "", "", "", (), "pass", 0, f"run-{number}", "")


def done(plan: BuildPlan) -> list[str]:
    """The tables and views that a plan builds, and the tests that it runs, by name."""
    ephemeral = [f"model.own.{name}" for name, kind in KINDS.items() if kind == "ephemeral"]
    names = sorted(name for name in plan.todo if name not in ephemeral)
    return [name.replace("model.own.", "marts.").replace("test.own.", "") for name in names]


@pytest.fixture
def project() -> Project:
    return Project()


@pytest.fixture
def first(project: Project) -> Release:
    return project.release()


def test_the_first_build_does_everything_and_a_second_one_nothing(project: Project, first: Release) -> None:
    assert done(project.plan(None)) == [f"marts.{name}" for name in sorted([*TABLES, "days"])] + sorted(TESTS)
    again = project.plan(first)
    assert (done(again), again.stands, sorted(again.keeps)) == ([], 4, [f"marts.{name}" for name in TABLES])


def test_a_view_is_built_again_for_what_reads_it_and_for_nothing_else(project: Project, first: Release) -> None:
    assert done(project.edited(lines="new").plan(first)) == ["marts.days", "marts.lines", "by_day_agrees"]
    assert done(project.edited(stock="new").plan(first)) == ["marts.stock", "stock_is_positive"]


def test_only_what_is_selected_is_built_and_the_others_keep_their_tables(project: Project, first: Release) -> None:
    edited = project.edited(by_day="new", stock="new")

    plan = edited.plan(first, "by_day")

    assert done(plan) == ["marts.by_day", "by_day_agrees"]
    assert {table: plan.keeps[table] for table in plan.untouched} == {
        f"marts.{name}": first.pins[f"marts.{name}"] for name in ("lines", "stg_a", "stg_b", "stock")
    }
    assert (plan.left, plan.is_whole) == ({"marts.stock": []}, False)


def test_new_rows_stay_out_where_what_reads_them_is_not_all_selected(project: Project, first: Release) -> None:
    loaded = project.loaded(a=2, b=2).edited(by_day="new")

    plan = loaded.plan(first, "+by_day", "+stock")

    assert (plan.raw["raw.a"], plan.raw["raw.b"]) == (first.pins["raw.a"], loaded.pins["raw.b"])
    assert done(plan) == ["marts.by_day", "marts.stg_b", "marts.stock", "by_day_agrees", "stock_is_positive"]
    assert plan.left == {
        "marts.by_day": [],
        "marts.lines": [],
        "marts.stg_a": [],
        "raw.a": ["marts.lines"],
    }


@pytest.mark.parametrize("selection", [["clean_a+"], ["+by_day", "lines"], ["marts.stg_a+"], ["+lines+", "by_day"]])
def test_new_rows_come_in_where_all_that_reads_them_is_selected(
    project: Project, first: Release, selection: list[str]
) -> None:
    loaded = project.loaded(a=2)

    plan = loaded.plan(first, *selection)

    built = ["marts.by_day", "marts.days", "marts.lines", "marts.stg_a"]
    assert done(plan) == [*built, "by_day_agrees", "raw_a_is_unique", "stg_a_is_unique"]
    assert (plan.raw["raw.a"].snapshot, plan.left, plan.is_whole) == (2, {}, True)
    assert plan.nodes == loaded.plan(None).nodes


def test_all_tables_of_a_release_have_read_the_same_rows_whatever_is_selected(project: Project, first: Release) -> None:
    changed = project.loaded(a=2, b=3).edited(stg_a="new", lines="new", stock="new")
    words = [f"{before}{name}{after}" for name in READS for before in ("", "+") for after in ("", "+")]

    for word in words:
        plan = changed.plan(first, word)
        built, pins = {name for name in done(plan) if name.startswith("marts.")}, plan.raw
        for table in TABLES:
            raw = "raw.a" if table in ("by_day", "lines", "stg_a") else "raw.b"
            stays = f"marts.{table}" in plan.keeps
            assert stays != (f"marts.{table}" in built), (word, table)
            assert not stays or pins[raw] == first.pins[raw], (word, table)


def test_a_build_of_everything_afterwards_does_what_a_selection_has_left(project: Project, first: Release) -> None:
    changed = project.loaded(a=2).edited(stg_b="new", by_day="new")
    words = [f"{before}{name}{after}" for name in READS for before in ("", "+") for after in ("", "+")]

    for word in words:
        second = changed.release(first, word)
        rest = changed.plan(second)
        left = changed.plan(first, word).left
        assert {name for name in done(rest) if name.startswith("marts.")} - {"marts.days"} == {
            name for name in left if name.startswith("marts.")
        }
        assert changed.plan(changed.release(second)).todo == [], word
        assert (done(rest) == []) == changed.plan(first, word).is_whole, word


def test_what_the_release_does_not_have_is_built_with_what_reads_it(project: Project, first: Release) -> None:
    reads = {**READS, "fresh": ["stg_a"], "on_top": ["fresh"], "unasked": ["stg_b"]}
    larger = replace(project, reads=reads, tests={**TESTS, "unasked_is_small": ["unasked"]})

    plan = larger.plan(first, "on_top")

    assert done(plan) == ["marts.fresh", "marts.on_top"]
    assert plan.left == {"marts.unasked": []}
    assert not {"model.own.unasked", "test.own.unasked_is_small"} & plan.nodes.keys()


def test_a_model_that_was_taken_away_stays_until_everything_is_built(project: Project, first: Release) -> None:
    reads = {name: read for name, read in READS.items() if name != "stock"}
    tests = {name: read for name, read in TESTS.items() if name != "stock_is_positive"}
    smaller = replace(project, reads=reads, tests=tests).loaded(b=2)

    plan = smaller.plan(first, "+by_day")

    assert plan.keeps["marts.stock"] == first.pins["marts.stock"]
    assert plan.left == {"marts.stg_b": [], "marts.stock": [], "raw.b": ["marts.stg_b", "marts.stock"]}
    assert "marts.stock" not in smaller.plan(first).keeps


def test_a_word_that_means_no_model_lists_the_models(project: Project, first: Release) -> None:
    with pytest.raises(UnknownName, match=r"No model named 'by_week'\. Known models: by_day, clean_a, days, lines, "):
        project.plan(first, "lines", "by_week+")


def test_tests_alone_run_on_what_the_release_has(project: Project, first: Release) -> None:
    larger = replace(project, reads={**READS, "fresh": ["stg_a"]}, tests={**TESTS, "fresh_is_small": ["fresh"]})
    changed = larger.loaded(a=2).edited(by_day="new")

    plan, some = plan_tests(changed.graph, first), plan_tests(changed.graph, first, ["stg_a", "stock"])

    assert done(plan) == sorted(TESTS)
    assert {**plan.raw, **plan.keeps} == first.pins
    assert plan.left == {"marts.fresh": []}
    assert (done(some), some.left) == (["stg_a_is_unique", "stock_is_positive"], {})


def test_what_stays_as_it_is_keeps_what_was_said_of_it() -> None:
    def told(words: str, *tables: str) -> dict[str, Any]:
        metrics = [{"name": f"{table} {words}", "table": table} for table in tables]
        both = {"name": "revenue", "table": tables[0]}
        described = {table: {"description": words} for table in tables}
        model = {"tables": [{"name": table, "label": words} for table in tables], "metrics": [*metrics, both]}
        return {"model": model, "tables": described, "lineage": {table: [words] for table in tables}}

    new, old = told("new", "kept", "built", "absent"), told("old", "built", "kept", "gone")

    found = joined_definitions(new, old, {"kept", "gone"}, {"kept", "gone", "built"})

    assert {table: said["description"] for table, said in found["tables"].items()} == {
        "built": "new",
        "absent": "new",
        "kept": "old",
        "gone": "old",
    }
    assert (found["lineage"]["kept"], found["lineage"]["built"]) == (["old"], ["new"])
    assert [(one["name"], one["label"]) for one in found["model"]["tables"]] == [
        ("kept", "old"),
        ("built", "new"),
        ("gone", "old"),
    ]
    assert [one["name"] for one in found["model"]["metrics"]] == ["built new", "kept old", "gone old"]
