"""Selections and tests alone in a real lake, by the command line: what is built, what stays, what the next run does.

One rule: the runs follow one another once, for all tests; each test looks at some of them.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from lakehouse.core import Lakehouse
from tests.pipelines.lake import Lake, lines, rows, source
from tests.portal.command_line import Said, lakeport

pytestmark = pytest.mark.slow  # six runs that build

SOURCES = "sources: [{name: raw, schema: raw, tables: [{name: sales}]}]"
CLEAN = "select id, n from {{ source('raw', 'sales') }} order by id"
SUMS = "select sum(n) as total from {{ ref('clean') }}"
HIGH = "select max(n) as high from {{ ref('clean') }}"
REASON = "check the “new” price list"


@dataclass
class Story:
    """The lake after its last command, and what came of each command and was true after it."""

    lake: Lake
    said: dict[str, Said] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)

    def write(self, name: str, sql: str, folder: str = "models") -> None:
        self.lake.write(f"dbt_project/{folder}/{name}", sql)

    def run(self, name: str, *words: str) -> None:
        """The next command, and what readers see after it."""
        self.said[name] = lakeport(*words, "--json", home=self.lake.home)
        with self.lake.open() as workspace:
            release = workspace.release
            found = {"release": release.number, "reads": rows(workspace, "select count(*) from raw.sales")[0][0]}
            for table, column in (("sums", "total"), ("high", "high")):
                found[table] = rows(workspace, f"select {column} from marts.{table}")[0][0]
            described = workspace.about("marts.high")["description"]
            self.seen[name] = {**found, "words": described, "tests": len(release.tests or {})}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    story = Story(Lake(tmp_path_factory.mktemp("select")))
    story.lake.configure(source())
    story.lake.make_project()
    story.write("sources.yml", SOURCES)
    for name, sql in {"clean.sql": CLEAN, "sums.sql": SUMS, "high.sql": HIGH}.items():
        story.write(name, sql)
    story.write("high.yml", "models: [{name: high, description: The old words.}]")
    story.write("agree.sql", "select * from {{ ref('sums') }}, {{ ref('high') }} where total < high", "tests")
    story.lake.write("sales.csv", lines("a,1", "b,2"))
    story.run("first", "refresh")

    story.write("sums.sql", SUMS.replace("sum(n)", "sum(n) + 100"))
    story.write("high.sql", HIGH.replace("max(n)", "max(n) + 50"))
    story.write("high.yml", "models: [{name: high, description: The new words.}]")
    story.lake.write("sales.csv", lines("a,1", "b,2", "c,7"))
    story.run("selected", "refresh", "--select", "sums", "--reason", REASON)
    story.run("everything", "refresh")
    story.run("again", "refresh", "--select", "+sums")
    story.run("unknown", "refresh", "--select", "summs")

    story.run("tested", "build", "--tests-only")
    story.write("agree.sql", "select * from {{ ref('sums') }}, {{ ref('high') }} where total > high", "tests")
    story.run("failed", "build", "--tests-only", "--reason", "after the call")
    return story


def test_a_selection_builds_its_models_on_the_rows_that_the_others_have_read(story: Story) -> None:
    result = story.said["selected"].document

    assert (result["state"], result["release"], sorted(result["tables"])) == ("success", 2, ["marts.sums", "raw.sales"])
    assert story.seen["selected"] == {
        "release": 2,
        "reads": 2,
        "sums": 103,
        "high": 2,
        "words": "The old words.",
        "tests": 1,
    }
    assert result["left"] == {
        "marts.clean": [],
        "marts.high": [],
        "marts.sums": [],
        "raw.sales": ["marts.clean", "marts.high"],
    }


def test_a_refresh_afterwards_does_what_was_left(story: Story) -> None:
    result = story.said["everything"].document

    assert (result["state"], result["release"], "left" in result) == ("success", 3, False)
    assert sorted(result["tables"]) == ["marts.clean", "marts.high", "marts.sums"]
    assert story.seen["everything"] == {
        "release": 3,
        "reads": 3,
        "sums": 110,
        "high": 57,
        "words": "The new words.",
        "tests": 1,
    }
    assert story.said["again"].document["state"] == "unchanged"


def test_an_unknown_model_is_refused_before_a_run_begins(story: Story) -> None:
    said = story.said["unknown"]

    assert (said.code, said.error["text"]) == (2, "No model named 'summs'. Known models: clean, high, sums.")
    with story.lake.open() as workspace:
        assert len(workspace.runs().list("dev")) == 6


def test_tests_alone_build_and_release_nothing(story: Story) -> None:
    result = story.said["tested"].document

    assert (story.said["tested"].code, result["state"], result["release"]) == (0, "success", None)
    assert (result["tests"], result["tables"], result["tested"]) == ({"passed": 1, "failed": 0}, {}, 3)


def test_a_test_that_fails_is_shown_as_of_a_refresh(story: Story) -> None:
    said = story.said["failed"]

    assert (said.code, said.document["state"], said.document["tests"]) == (1, "failed", {"passed": 0, "failed": 1})
    assert said.err.splitlines()[-2:] == [
        "Tests failed on what release 3 holds. Readers see it as before.",
        "agree: fail: Got 1 result, configured to fail if != 0",
    ]
    assert story.seen["failed"] == story.seen["everything"]
    with Lakehouse.open(story.lake.home) as lakehouse:
        assert lakehouse.settings.run_folder(said.document["run"]).joinpath("failures/01-agree.json").is_file()


def test_why_a_run_was_started_stands_in_it_and_in_the_audit(story: Story) -> None:
    run = story.said["selected"].document["run"]

    shown = lakeport("run", "show", run, "--json", home=story.lake.home).document

    assert shown["order"] == {"job": "refresh", "source": None, "full": False, "select": ["sums"], "reason": REASON}
    with Lakehouse.open(story.lake.home) as lakehouse:
        records = lakehouse.audit.records(100)
    begun = [json.loads(record["detail"]) for record in records if record["verdict"] == "begun"]
    noted = [(detail.get("select"), detail.get("reason")) for detail in begun]
    assert (["sums"], REASON) in noted
