"""What waits for a decision: a drop in rows in prod, a decision either way, and a failing test that publishes nothing.

One rule: the runs follow one another once, for all tests; each test looks at one of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from lakehouse.access.identity import Principal, operator
from lakehouse.core import Lakehouse, Workspace
from lakehouse.errors import NotAllowed, RequestWrong
from lakehouse.failures import failing_tests
from lakehouse.query.scope import RowRule
from tests.pipelines.lake import Lake, Ran, lines, rows, source
from tests.portal.command_line import Said, lakeport

pytestmark = pytest.mark.slow  # seven runs, four of which build

MODELS = """
sources: [{name: raw, schema: raw, tables: [{name: sales}]}]
models: [{name: ids, columns: [{name: n, data_tests: [not_null]}]}]
"""
ADMIN, ENGINEER = Principal("ada", "admin"), Principal("eva", "engineer")
RULED = Principal("rita", "admin", frozenset({RowRule("id", "=", ("1",))}))
REASON = "The shop was closed."


def file_of(count: int, empty: int = 0) -> str:
    """Rows with numbers, of which the first have none."""
    return lines(*(f"{number},{'' if number < empty else number}" for number in range(count)))


@dataclass
class Story:
    """The lake after its last run, and what came of each command and was true after it."""

    lake: Lake
    runs: dict[str, Ran] = field(default_factory=dict)
    said: dict[str, Said] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)
    queue: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def refresh(self, name: str, count: int, empty: int = 0) -> None:
        """The next refresh, of a file with so many rows."""
        self.lake.write("sales.csv", file_of(count, empty))
        self.runs[name] = self.lake.start("refresh", "--env", "prod")
        self.look(name)

    def decide(self, name: str, *words: str) -> None:
        """The next decision, by the command line."""
        self.said[name] = lakeport("release", *words, "--env", "prod", "--json", home=self.lake.home)
        self.look(name)

    def look(self, name: str) -> None:
        with self.open() as workspace:
            release = workspace.release.number
            self.seen[name] = release, rows(workspace, "select count(*) from marts.ids")[0][0]
            self.queue[name] = workspace.queue().waiting()

    @contextmanager
    def open(self, principal: Principal | None = None) -> Iterator[Workspace]:
        with Lakehouse.open(self.lake.home) as opened:
            yield opened.as_user(principal or operator(), "prod")

    def run_of(self, name: str) -> dict[str, Any]:
        with self.open() as workspace:
            return workspace.runs().show(self.runs[name].result["run"])


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    story = Story(Lake(tmp_path_factory.mktemp("publish")))
    optional = {"id": "text", "n": 'type = "integer", required = false'}
    story.lake.configure(source(columns=optional), "[environments.prod]")
    story.lake.make_project()
    story.lake.write("dbt_project/models/ids.sql", "select id, n from {{ source('raw', 'sales') }} order by id")
    story.lake.write("dbt_project/models/ids.yml", MODELS)
    story.refresh("first", 100)
    story.refresh("dropped", 40)
    story.refresh("again", 40)
    story.decide("discarded", "discard", "run-2", "--reason", "The file was cut.")
    story.refresh("offered again", 40)
    story.decide("published", "publish", "run-4", "--reason", REASON)
    story.refresh("settled", 40)
    story.refresh("failed", 41, empty=3)
    return story


def test_the_first_release_has_nothing_to_be_compared_with(story: Story) -> None:
    assert story.runs["first"].ending == ("success", 0)
    assert story.seen["first"] == (1, 100)


def test_a_drop_of_sixty_percent_in_prod_waits_and_readers_keep_the_old_release(story: Story) -> None:
    ran = story.runs["dropped"]

    assert ran.ending == ("awaiting_publish", 0)
    assert ran.result["release"] is None
    assert ran.result["tests"] == {"passed": 1, "failed": 0}
    assert story.seen["dropped"] == (1, 100)
    (waiting,) = story.queue["dropped"]
    assert (waiting["run"], waiting["state"], waiting["number"]) == ("run-2", "waiting", None)
    assert waiting["differences"] == ran.result["differences"]
    assert waiting["differences"] == [
        {"table": table, "column": None, "kind": "rows", "before": 100, "after": 40, "limit": -0.2, "over": True}
        for table in ("marts.ids", "raw.sales")
    ]


def test_the_same_inputs_are_not_built_again_while_they_wait(story: Story) -> None:
    ran = story.runs["again"]

    assert ran.ending == ("unchanged", 0)
    assert (ran.result["release"], ran.result["awaiting"]) == (1, "run-2")
    assert [record["run"] for record in story.queue["again"]] == ["run-2"]


def test_what_was_discarded_is_never_seen_and_its_run_says_why(story: Story) -> None:
    said, run = story.said["discarded"], story.run_of("dropped")

    assert (said.code, said.document["state"], said.document["reason"]) == (0, "discarded", "The file was cut.")
    assert story.seen["discarded"] == (1, 100)
    assert story.queue["discarded"] == []
    assert run["state"] == "cancelled"
    assert run["error"] == f"What this run has built was discarded by {operator().name}: The file was cut."


def test_the_same_data_wait_again_after_they_were_discarded(story: Story) -> None:
    ran = story.runs["offered again"]

    assert ran.ending == ("awaiting_publish", 0)
    assert ran.result["rows_loaded"] == 0
    assert ran.result["differences"] == story.runs["dropped"].result["differences"]
    assert [record["run"] for record in story.queue["offered again"]] == ["run-4"]


def test_what_waits_is_published_as_it_was_built_and_tested(story: Story) -> None:
    said = story.said["published"]

    assert said.code == 0, said.err
    assert (said.document["state"], said.document["release"], said.document["published"]) == ("success", 2, "run-4")
    assert story.seen["published"] == (2, 40)
    assert story.queue["published"] == []
    assert (story.run_of("offered again")["state"], story.run_of("offered again")["release"]) == ("success", 2)
    with story.open() as workspace:
        (record,) = (one for one in workspace.queue().records() if one["run"] == "run-4")
        assert workspace.at("2").release.run == "run-4"
    assert (record["state"], record["reason"], record["decided_by"]) == ("current", REASON, operator().name)


def test_after_it_was_published_there_is_nothing_more_to_do(story: Story) -> None:
    ran = story.runs["settled"]

    assert ran.ending == ("unchanged", 0)
    assert (ran.result["release"], ran.result["awaiting"]) == (2, None)


def test_a_failing_test_publishes_nothing_and_leaves_its_rows(story: Story) -> None:
    ran = story.runs["failed"]

    assert ran.ending == ("failed", 1)
    assert story.seen["failed"] == (2, 40)
    assert story.queue["failed"] == []
    (failure,) = ran.result["failures"]
    assert (failure["test"], failure["failures"], failure["reads"]) == ("not_null_ids_n", 3, ["marts.ids"])
    with story.open(ADMIN) as workspace:
        (test,) = failing_tests(workspace, "run-6")
    assert [column["name"] for column in test.columns or ()] == ["id", "n"]
    assert sorted(test.rows or ()) == [["0", None], ["1", None], ["2", None]]
    assert test.complete


@pytest.mark.parametrize(
    ("principal", "told"),
    [(ENGINEER, ("not_null_ids_n", 3)), (RULED, ("not_null", None))],
    ids=["who may not decide in prod", "who is under row rules, as is how many there are"],
)
def test_failing_rows_are_hidden_from(story: Story, principal: Principal, told: tuple[str, int | None]) -> None:
    with story.open(principal) as workspace:
        (test,) = failing_tests(workspace, "run-6")

    assert (test.test, test.failures, test.rows, test.columns) == (*told, None, None)


def test_decisions_stand_in_the_audit_before_and_after(story: Story) -> None:
    with story.open() as workspace:
        found = workspace.audit().records(action="release publish")

    assert [(record["verdict"], record["target"], record["env"]) for record in reversed(found)] == [
        ("begun", "run-4", "prod"),
        ("allowed", "run-4", "prod"),
    ]


def test_what_waits_no_more_is_refused_in_a_sentence(story: Story) -> None:
    with story.open(ADMIN) as workspace:
        with pytest.raises(RequestWrong, match="published already, as release 2"):
            workspace.queue().check("run-4")
        with pytest.raises(RequestWrong, match="published already, as release 2"):
            workspace.queue().check("2")
        with pytest.raises(RequestWrong, match=r"discarded by .*: The file was cut\. Refresh to build anew"):
            workspace.queue().check("run-2")


def test_engineers_look_at_the_queue_of_prod_and_decide_nothing(story: Story) -> None:
    with story.open(ENGINEER) as workspace:
        queue = workspace.queue()

        assert not queue.may_decide
        assert len(queue.records()) == 3
        with pytest.raises(NotAllowed):
            queue.discard("run-4", "I would.")


def test_whoever_has_row_rules_learns_no_counts(story: Story) -> None:
    with story.open(RULED) as workspace:
        assert [record["differences"] for record in workspace.queue().records()] == [None] * 3


def test_the_list_of_releases_names_what_became_of_each(story: Story) -> None:
    said = lakeport("release", "list", "--env", "prod", "--json", home=story.lake.home)

    assert [(one["run"], one["state"], one["number"]) for one in said.document] == [
        ("run-4", "current", 2),
        ("run-2", "discarded", None),
        ("run-1", "superseded", 1),
    ]
