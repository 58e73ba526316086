"""`lakeport release`: what waits is listed and discarded, with a reason, by whoever may."""

from contextlib import closing
from pathlib import Path

import pytest

from lakehouse.access.users import Users
from lakehouse.runs import Ending, Runs
from lakehouse.settings import read_settings
from lakehouse.state.schema import now, releases
from lakehouse.state.store import open_state
from pipelines.create import create_lake
from tests.portal.command_line import Said, lakeport

DIFFERENCES = [
    {"table": "marts.a", "column": None, "kind": "rows", "before": 1000, "after": 397, "limit": -0.2, "over": True},
    {"table": "raw.a", "column": None, "kind": "rows", "before": 10, "after": 9, "limit": -0.2, "over": False},
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A lake with prod, where what run r1 has built waits."""
    home = create_lake(tmp_path / "lake", "empty", appendix="\n[environments.dev]\n[environments.prod]\n")
    with closing(open_state(read_settings(home))) as state:
        Runs(state).begin("r1", "prod", "refresh", "operator:ana")
        waiting = {"env": "prod", "run": "r1", "state": "waiting", "created": now(), "differences": DIFFERENCES}
        with state.write() as connection:
            connection.execute(releases.insert().values(**waiting, pins={}, intent={}, nodes={}))
        Runs(state).end("r1", Ending("awaiting_publish", {"tests": {"passed": 3, "failed": 0}}))
    return home


def release(home: Path, *words: str) -> Said:
    return lakeport("release", *words, "--env", "prod", home=home)


def test_the_list_says_what_waits_and_why(home: Path) -> None:
    shown, told = release(home, "list"), release(home, "list", "--json").document

    assert "marts.a: rows fell by 60.3 %, from 1,000 to 397" in shown.out
    assert "raw.a" not in shown.out
    assert [(one["run"], one["state"], one["number"], one["differences"]) for one in told] == [
        ("r1", "waiting", None, DIFFERENCES)
    ]


def test_what_is_discarded_leaves_the_queue_with_its_reason(home: Path) -> None:
    said = release(home, "discard", "r1", "--reason", " The file was cut. ", "--json")
    (left,) = release(home, "list", "--json").document

    assert said.code == 0
    assert said.document == left
    assert (left["state"], left["reason"]) == ("discarded", "The file was cut.")
    assert lakeport("run", "show", "r1", "--env", "prod", "--json", home=home).document["state"] == "cancelled"


@pytest.mark.parametrize("command", ["publish", "discard"])
@pytest.mark.parametrize("reason", [(), ("--reason", "  ")], ids=["without a reason", "with a blank one"])
def test_a_decision_is_refused(home: Path, command: str, reason: tuple[str, ...]) -> None:
    said = release(home, command, "r1", *reason)

    assert said.code == 2
    assert "reason" in said.err
    assert release(home, "list", "--json").document[0]["state"] == "waiting"


@pytest.mark.parametrize("command", ["publish", "discard"])
def test_an_engineer_decides_nothing_in_prod(home: Path, command: str) -> None:
    with closing(open_state(read_settings(home))) as state:
        Users(state).add("eva", "correct horse battery", "engineer")

    said = release(home, command, "r1", "--reason", "I would.", "--as", "eva", "--json")

    assert (said.code, said.error["kind"]) == (3, "NotAllowed")
    assert release(home, "list", "--json", "--as", "eva").document[0]["state"] == "waiting"


@pytest.mark.parametrize("command", ["publish", "discard"])
def test_a_run_that_does_not_wait_is_refused_with_those_that_do(home: Path, command: str) -> None:
    said = release(home, command, "r9", "--reason", "Why not.", "--json")

    assert (said.code, said.error["text"]) == (2, "No waiting run named 'r9'. Known waiting runs: r1.")
