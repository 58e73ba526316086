"""Decisions of the portal: checked first, in the audit before they act, and at once."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lakehouse.access.identity import Principal
from lakehouse.access.request import Request
from lakehouse.core import Lakehouse, Workspace
from lakehouse.errors import Busy, LakeportError, NotAllowed, RequestWrong, UnknownName
from lakehouse.runs import Ending, Runs
from lakehouse.state.schema import now, releases
from pipelines.create import create_lake
from pipelines.decisions import discard, publish

ADMIN, ENGINEER = Principal("ada", "admin"), Principal("eva", "engineer")
Decide = Callable[[Workspace, str, str], dict[str, Any]]


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lakehouse]:
    """A lake with prod, where what run r1 has built waits."""
    home = create_lake(tmp_path / "lake", "empty", appendix="\n[environments.dev]\n[environments.prod]\n")
    with closing(Lakehouse.open(home)) as opened:
        Runs(opened.state).begin("r1", "prod", "refresh", "operator:ana")
        waiting = {"env": "prod", "run": "r1", "state": "waiting", "created": now()}
        with opened.state.write() as connection:
            connection.execute(releases.insert().values(**waiting, pins={}, intent={}, nodes={}))
        Runs(opened.state).end("r1", Ending("awaiting_publish"))
        yield opened


def asks(lake: Lakehouse, principal: Principal) -> Workspace:
    return lake.as_user(principal, "prod", Request(door="portal", principal=principal.name, env="prod"))


def audited(lake: Lakehouse) -> list[tuple[str, str, str, str]]:
    return [(row["principal"], row["action"], row["target"], row["verdict"]) for row in lake.audit.records()]


def test_a_release_is_discarded_at_once_and_the_audit_knew_before(lake: Lakehouse) -> None:
    workspace = asks(lake, ADMIN)

    record = discard(workspace, "r1", "The file was cut.")

    assert (record["state"], record["decided_by"], record["reason"]) == ("discarded", "ada", "The file was cut.")
    assert workspace.queue().waiting() == []
    assert audited(lake) == [("ada", "release discard", "r1", "begun")]
    assert (workspace.request.action, workspace.request.target) == ("release discard", "r1")


@pytest.mark.parametrize("decide", [publish, discard])
@pytest.mark.parametrize(
    ("principal", "run", "reason", "error"),
    [
        (ENGINEER, "r1", "I would.", NotAllowed),
        (ADMIN, "r1", " ", RequestWrong),
        (ADMIN, "r9", "Why not.", UnknownName),
    ],
)
def test_what_is_refused_changes_nothing_and_has_begun_nothing(
    lake: Lakehouse, decide: Decide, principal: Principal, run: str, reason: str, error: type[LakeportError]
) -> None:
    workspace = asks(lake, principal)

    with pytest.raises(error):
        decide(workspace, run, reason)

    assert [record["run"] for record in workspace.queue().waiting()] == ["r1"]
    assert audited(lake) == []
    assert [record["run"] for record in workspace.runs().list("prod")] == ["r1"]


def test_nobody_publishes_while_a_run_is_active(lake: Lakehouse) -> None:
    Runs(lake.state).begin("r2", "prod", "refresh", "operator:ana")

    with pytest.raises(Busy) as caught:
        publish(asks(lake, ADMIN), "r1", "It is right so.")

    assert caught.value.run == "r2"
    assert [record["run"] for record in asks(lake, ADMIN).queue().waiting()] == ["r1"]
