"""The life of a lake with a dbt project and three sources of its own: what is released, what is not, and why.

One rule: the runs follow one another once, for all tests; each test looks at one of them.
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lakehouse.quality import Verdict
from tests.pipelines.lake import Lake, Ran, lines, rows, source

RAW = "sources: [{name: raw, schema: raw, tables: [{name: sales}, {name: stock}, {name: steady}]}]"
MODELS = {
    "sums": "select sum(n) as total from {{ source('raw', 'sales') }}",
    "stocks": "select id, n from {{ source('raw', 'stock') }} order by id",
    "steadies": "select id, n from {{ source('raw', 'steady') }} order by id",
    "passing": "select 1 as one",
}


WARNS = "{{ config(severity='warn') }} select * from {{ ref('steadies') }}"
STEADIES = "models: [{name: steadies, columns: [{name: id, data_tests: [unique]}]}]"


@dataclass
class Story:
    """The lake after its last run, and what was true after each of them."""

    lake: Lake
    runs: dict[str, Ran] = field(default_factory=dict)
    seen: dict[str, dict[str, Any]] = field(default_factory=dict)
    copies: dict[str, list[str]] = field(default_factory=dict)
    """Tables of the hot copies that were there, once for each copy."""

    def write(self, file: str, text: str) -> None:
        """Write a file of the project."""
        self.lake.write(f"dbt_project/{file}", text)

    def run(self, name: str, job: str = "refresh") -> None:
        """The next run, and what the lake's readers see after it."""
        self.runs[name] = self.lake.start(job)
        self.copies[name] = sorted(file.name.rsplit(".", 2)[0] for file in self.lake.settings.folder.glob("hot/*"))
        tables = ["marts.sums", "marts.stocks", "marts.steadies", "raw.steady"]
        with self.lake.open() as workspace:
            self.seen[name] = {
                "releases": self.lake.releases(),
                "tables": workspace.tables(),
                "total": rows(workspace, "select total from marts.sums"),
                "stock": rows(workspace, "select n from marts.stocks"),
                "raw stock": rows(workspace, "select n from raw.stock"),
                "loaded stock": self.lake.rows("raw.stock", "n"),
                "snapshots": {table: self.lake.snapshots(table) for table in tables},
            }


def begin(home: Path) -> Story:
    """A lake with a project and three sources."""
    story = Story(Lake(home))
    story.lake.configure(source(), source("stock"), source("steady"))
    story.lake.make_project()
    story.write("models/sources.yml", RAW)
    for name, sql in MODELS.items():
        story.write(f"models/{name}.sql", sql)
    for name in ("sales", "stock", "steady"):
        story.lake.write(f"{name}.csv", lines("a,1"))
    return story


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    story = begin(tmp_path_factory.mktemp("story"))
    story.write("tests/totals_are_positive.sql", "select * from {{ ref('sums') }} where total < 0")
    story.write("tests/steady_is_empty.sql", WARNS)
    story.write("models/steadies.yml", STEADIES)
    story.run("first")

    story.lake.write("sales.csv", lines("a,1", header="id,number"))
    story.lake.write("stock.csv", lines("a,2"))
    story.run("refused")

    story.lake.write("sales.csv", lines("a,-10"))
    story.write("models/stocks.sql", "select id, cast(id as integer) as n from {{ source('raw', 'stock') }}")
    story.run("failed")

    story.lake.write("sales.csv", lines("a,10"))
    story.write("models/stocks.sql", "select id, n + 100 as n from {{ source('raw', 'stock') }} order by id")
    (story.lake.home / "dbt_project/models/passing.sql").unlink()
    story.run("mended")

    shutil.rmtree(story.lake.settings.folder / "hot")
    story.run("again")

    shutil.rmtree(story.lake.settings.folder / "hot")
    (story.lake.settings.folder / "hot").touch()
    story.write("tests/steady_is_empty.sql", f"{WARNS} where n < 0")
    story.run("retested")

    story.lake.configure(source(), source("stock"))
    story.run("unfilled", "build")
    return story


def test_the_lakes_own_project_takes_the_place_of_the_packaged_one(story: Story) -> None:
    ran = story.runs["first"]

    assert ran.ending == ("success", 0)
    assert (ran.result["release"], ran.result["tests"]) == (1, {"passed": 3, "failed": 0})
    assert story.seen["first"]["tables"] == [
        "marts.passing",
        "marts.steadies",
        "marts.stocks",
        "marts.sums",
        "raw.quarantine",
        "raw.sales",
        "raw.steady",
        "raw.stock",
    ]


def test_a_refused_file_keeps_every_source_from_being_released(story: Story) -> None:
    ran, seen = story.runs["refused"], story.seen["refused"]

    assert ran.ending == ("failed", 2)
    assert ran.error == (
        "sales.csv, line 1: the header has no column 'n'; it has 'id', 'number'. "
        "Set from to the name that column n has in the file, or correct the header."
    )
    assert ran.result["tables"] == {"raw.stock": {"rows": 1}}
    assert (seen["releases"], seen["loaded stock"]) == (1, [(2,)])
    assert seen["total"] == seen["stock"] == seen["raw stock"] == [(1,)]


def test_a_failing_test_and_a_failing_model_are_named_and_nothing_is_released(story: Story) -> None:
    ran, seen = story.runs["failed"], story.seen["failed"]

    assert ran.ending == ("failed", 1)
    first, *failures = ran.error.split("\n")
    assert first == "Nothing was released, because tests or models failed."
    assert sorted(failures) == [
        "stocks: error: Conversion Error: Could not convert string 'a' to INT32 when casting from source column id "
        'LINE 1: select id, cast(id as integer) as n from "memory"."raw"."stock" ^',
        "totals_are_positive: fail: Got 1 result, configured to fail if != 0",
    ]
    assert ran.result["tests"] == {"passed": 2, "failed": 2}
    assert ran.result["release"] is None
    assert seen["releases"] == 1
    assert seen["total"] == seen["stock"] == [(1,)]
    assert seen["snapshots"]["marts.sums"] == 1


def test_once_mended_the_next_run_releases_all_sources_together(story: Story) -> None:
    ran, seen = story.runs["mended"], story.seen["mended"]

    assert ran.ending == ("success", 0)
    assert (ran.result["release"], ran.result["tests"]) == (2, {"passed": 3, "failed": 0})
    assert (seen["releases"], seen["total"], seen["raw stock"], seen["stock"]) == (2, [(10,)], [(2,)], [(102,)])


def test_the_old_release_still_shows_what_it_showed(story: Story) -> None:
    with story.lake.open("1") as workspace:
        assert rows(workspace, "select total from marts.sums") == [(1,)]
        assert rows(workspace, "select n from marts.stocks") == rows(workspace, "select n from raw.stock") == [(1,)]
        assert workspace.tables() == story.seen["first"]["tables"]


def test_a_model_that_is_unchanged_is_not_built_again(story: Story) -> None:
    snapshots = story.seen["mended"]["snapshots"]

    assert snapshots == {"marts.sums": 2, "marts.stocks": 2, "marts.steadies": 1, "raw.steady": 1}
    assert sorted(story.runs["mended"].result["tables"]) == ["marts.stocks", "marts.sums", "raw.sales"]


def test_a_model_that_was_taken_away_leaves_the_release(story: Story) -> None:
    assert sorted(set(story.seen["first"]["tables"]) - set(story.seen["mended"]["tables"])) == ["marts.passing"]


def test_a_run_without_news_says_so_and_adds_neither_snapshot_nor_release(story: Story) -> None:
    ran = story.runs["again"]

    assert ran.ending == ("unchanged", 0)
    assert (ran.result["release"], ran.result["tables"], ran.result["sources"]) == (2, {}, {})
    assert story.seen["again"] == story.seen["mended"]
    assert not (ran.folder / "dbt").exists()


def verdicts(story: Story, version: str) -> dict[str, Verdict]:
    """The verdicts of a release, by name of the test."""
    with story.lake.open(version) as workspace:
        return {one.name: one for one in (workspace.release.tests or {}).values()}


def test_a_release_knows_how_its_tests_went_and_what_they_are_about(story: Story) -> None:
    found = verdicts(story, "1")

    assert {name: (one.table, one.column, one.status, one.failures, one.run) for name, one in found.items()} == {
        "totals_are_positive": ("", "", "pass", 0, "run-1"),
        "steady_is_empty": ("", "", "warn", 1, "run-1"),
        "unique_steadies_id": ("marts.steadies", "id", "pass", 0, "run-1"),
    }


def test_a_test_that_is_not_run_again_keeps_its_verdict_and_its_run(story: Story) -> None:
    before, after = verdicts(story, "1"), verdicts(story, "2")

    assert {name: one.run for name, one in after.items()} == {
        "totals_are_positive": "run-4",
        "steady_is_empty": "run-1",
        "unique_steadies_id": "run-1",
    }
    assert after["steady_is_empty"] == before["steady_is_empty"]


def test_another_verdict_on_the_same_tables_is_a_release_of_its_own(story: Story) -> None:
    ran, found = story.runs["retested"], verdicts(story, "3")

    assert (ran.ending, ran.result["release"]) == (("success", 0), 3)
    assert (found["steady_is_empty"].status, found["steady_is_empty"].run) == ("pass", "run-6")
    assert found["unique_steadies_id"].run == "run-1"
    assert story.seen["retested"]["snapshots"] == story.seen["mended"]["snapshots"]


def test_a_release_knows_its_lineage_and_its_sizes(story: Story) -> None:
    with story.lake.open() as workspace:
        facts = {table: workspace.facts(table) for table in ("marts.sums", "raw.steady")}

    assert (facts["marts.sums"].built_from, facts["raw.steady"].feeds) == (("raw.sales",), ("marts.steadies",))
    assert [facts[table].size.rows for table in facts if facts[table].size] == [1, 1]
    assert [found.changed.number for found in facts.values() if found.changed] == [2, 1]


def test_a_project_that_reads_a_table_that_no_source_fills_is_refused(story: Story) -> None:
    ran = story.runs["unfilled"]

    assert ran.ending == ("failed", 2)
    assert ran.error == (
        "The dbt project reads raw.steady, but no source fills it. "
        'Add a source with table = "steady" to lakeport.toml. '
        "Filled are: raw.quarantine, raw.sales, raw.stock."
    )
    assert story.seen["unfilled"] == story.seen["retested"]


def test_a_project_that_dbt_cannot_read_is_refused(tmp_path: Path) -> None:
    story = begin(tmp_path)
    story.write("models/sums.sql", "select * from {{ ref('nowhere') }}")

    ran = story.lake.start()

    assert ran.ending == ("failed", 2)
    assert ran.error == (
        "The dbt project cannot be read: Compilation Error Model 'model.own.sums' (models/sums.sql) "
        "depends on a node named 'nowhere' which was not found"
    )
    assert story.lake.releases() == 0


def test_each_release_has_hot_copies_of_its_marts_and_what_fails_has_none(story: Story) -> None:
    marts = ["marts.passing", "marts.steadies", "marts.stocks", "marts.sums"]

    assert story.copies["first"] == marts
    assert story.copies["refused"] == story.copies["failed"] == marts
    assert story.copies["mended"] == sorted([*marts, "marts.stocks", "marts.sums"])


def test_an_unchanged_run_writes_copies_again_that_are_gone(story: Story) -> None:
    assert story.runs["again"].result["state"] == "unchanged"
    assert story.copies["again"] == ["marts.steadies", "marts.stocks", "marts.sums"]


def test_a_run_whose_copies_cannot_be_written_succeeds_and_says_so(story: Story) -> None:
    ran = story.runs["retested"]

    assert ran.ending == ("success", 0)
    assert story.copies["retested"] == []
    assert "no hot copy of marts.sums" in (ran.folder / "events.jsonl").read_text(encoding="utf-8")
    assert "marts.sums has no hot copy" in (ran.folder / "output.log").read_text(encoding="utf-8")
