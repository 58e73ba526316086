"""Runs that are started and left alone: equal clicks, cancelling to the last grandchild, limits, rights, the audit."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.access.identity import Principal, Role
from lakehouse.errors import Busy, NotAllowed, RequestWrong, TooLate, Unavailable, UnknownName
from lakehouse.run_owner import birth
from lakehouse.runs import BEAT_SECONDS, STALE_SECONDS, Runs
from lakehouse.settings import FILE_NAME
from lakehouse.state.schema import runs
from pipelines.context import run_folder
from pipelines.control import RunControl, reconcile
from pipelines.processes import of_run
from tests.pipelines.lake import ROOT, Lake
from tests.pipelines.started_runs import DEAF, GRANDCHILD, beside, controlled, ended, small, until, working

CLICK = """
import sys
from pathlib import Path
from lakehouse.access.identity import Principal
from lakehouse.core import Lakehouse
from lakehouse.errors import Busy
from pipelines.control import RunControl
with Lakehouse.open(Path(sys.argv[1])) as lakehouse:
    control = RunControl(lakehouse.as_user(Principal(sys.argv[2], "engineer")))
    print("ready", flush=True)
    input()
    try:
        print("started", control.start("load")["run"])
    except Busy as error:
        print("busy", error.run)
"""


@pytest.fixture
def control(lake: Lake) -> Iterator[RunControl]:
    """A lake of three rows in its operator's hands."""
    with controlled(small(lake)) as opened:
        yield opened


@pytest.fixture
def large(lake: Lake) -> Iterator[RunControl]:
    """A lake whose load takes long enough to be cancelled."""
    with controlled(small(lake, 600_000)) as opened:
        yield opened


def table_of(control: RunControl) -> Runs:
    """The table of runs, to write into as a run does; no workspace gives that away."""
    return Runs(control.workspace.lakehouse.state)


def test_equal_clicks_in_several_processes_start_one_run_which_outlives_them(lake: Lake) -> None:
    small(lake)
    with controlled(lake) as control:
        command = [sys.executable, "-c", CLICK, str(lake.home)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        clicks = [
            subprocess.Popen([*command, name], cwd=ROOT, text=True, **pipes) for name in ("ann", "ann", "ben", "ben")
        ]  # type: ignore[call-overload]
        assert [click.stdout.readline() for click in clicks] == ["ready\n"] * 4

        for click in clicks:
            click.stdin.write("\n")
            click.stdin.flush()
        said = [click.communicate()[0].split() for click in clicks]

        assert sorted(word for word, _ in said) == ["busy", "busy", "busy", "started"]
        assert len({run for _, run in said}) == 1
        shown = ended(control, said[0][1])
        assert (shown["state"], shown["rows_loaded"], shown["order"]["job"]) == ("success", 3, "load")
        assert [step["step"] for step in shown["steps"]] == ["load"]
        assert len(control.workspace.runs().list("dev")) == 1


def test_a_run_is_followed_from_outside_and_leaves_no_zombie(control: RunControl) -> None:
    run = control.start("load")["run"]
    pid = int(owner_of(control, run).split("/")[1])

    shown = ended(control, run)
    progress = control.progress(run)

    assert (progress.state, progress.percent, progress.sources["sales"].done) == ("success", 100, 3)
    assert [(part.name, part.status) for part in progress.parts] == [("sales", "loaded")]
    assert json.loads((run_folder(control.workspace.lakehouse.settings, run) / "result.json").read_text())["run"] == run
    assert shown["starter"].startswith("operator:")
    until(lambda: not Path(f"/proc/{pid}").exists(), "the end of the process, also as a zombie")


def owner_of(control: RunControl, run: str) -> str:
    state = control.workspace.lakehouse.state
    with state.read() as connection:
        return str(connection.execute(runs.select().where(runs.c.id == run)).one().owner)


def test_a_cancel_reaches_grandchildren_that_do_not_listen(
    large: RunControl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.processes.GRACE_SECONDS", 2.0)
    file = tmp_path / "pid"
    for name, value in beside(tmp_path / "site", GRANDCHILD.format(file=str(file))).items():
        monkeypatch.setenv(name, value)
    run = large.start("load")["run"]
    working(large, run)
    grandchild = int(file.read_text())
    assert birth(grandchild) is not None

    large.cancel(run, wait=True)

    shown = large.workspace.runs().show(run)
    assert (shown["state"], shown["cancelled_by"]) == ("cancelled", large.workspace.principal.name)
    assert shown["error"] == f"The run was cancelled by {large.workspace.principal.name}. Nothing was released."
    assert birth(grandchild) is None
    with pytest.raises(TooLate):
        large.cancel(run)


@pytest.mark.slow
def test_a_run_that_does_not_listen_is_killed_and_the_next_one_starts(
    large: RunControl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.processes.GRACE_SECONDS", 0.2)
    for name, value in beside(tmp_path / "site", DEAF).items():
        monkeypatch.setenv(name, value)
    run = large.start("load")["run"]
    working(large, run)

    large.cancel(run, wait=True)
    shown, following = large.workspace.runs().show(run), large.start("load")["run"]
    large.cancel(following, wait=True)

    assert (shown["state"], "rows_read" in shown) == ("cancelled", False)  # it had no time for a result
    assert following != run


@pytest.mark.slow
def test_a_run_on_another_host_ends_because_the_store_says_so(large: RunControl) -> None:
    run = large.start("load")["run"]
    working(large, run)
    (process,) = of_run(owner_of(large, run), run_folder(large.workspace.lakehouse.settings, run))

    process.send(signal.SIGSTOP)  # a fast machine would have loaded all before the next beat
    table_of(large).cancel(run, "ana")  # no signal that ends it reaches it from here
    time.sleep(BEAT_SECONDS)
    process.send(signal.SIGCONT)

    assert (ended(large, run)["state"], ended(large, run)["error"]) == (
        "cancelled",
        "The run was cancelled by ana. Nothing was released.",
    )


def test_a_run_that_takes_too_long_fails_with_the_setting_that_says_so(lake: Lake) -> None:
    small(lake, 600_000)
    with (lake.home / FILE_NAME).open("a", encoding="utf-8") as file:
        file.write("\n[runs]\ntimeout_minutes = 0.001\n")
    with controlled(lake) as control:
        shown = ended(control, control.start("load")["run"])

    assert (shown["state"], shown["cancelled_by"]) == ("failed", "runs.timeout_minutes")
    assert (
        shown["error"] == "The run took longer than runs.timeout_minutes allows, and was ended. Nothing was released."
    )


def test_a_process_that_is_killed_before_it_begins_leaves_a_lost_run_and_room_for_the_next(control: RunControl) -> None:
    run = control.start("load")["run"]

    os.kill(int(owner_of(control, run).split("/")[1]), signal.SIGKILL)

    assert ended(control, run)["state"] == "lost"
    control.cancel(control.start("load")["run"], wait=True)


def test_what_cannot_be_started_is_no_active_run(control: RunControl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    with pytest.raises(Unavailable, match="The run could not be started: No such file or directory"):
        control.start("load")

    assert [run["state"] for run in control.workspace.runs().list("dev")] == ["failed"]


def test_a_wrong_order_is_no_run(control: RunControl) -> None:
    for job, source, full in (("wash", None, False), ("load", "seals", False), ("build", "sales", False)):
        with pytest.raises((UnknownName, RequestWrong)):
            control.start(job, source=source, full=full)

    assert control.workspace.runs().list("dev") == []


@pytest.mark.slow
def test_a_run_that_stands_still_after_a_cancel_is_killed_by_whoever_reconciles(large: RunControl) -> None:
    lakehouse = large.workspace.lakehouse
    run = large.start("load")["run"]
    working(large, run)
    (process,) = of_run(owner_of(large, run), run_folder(lakehouse.settings, run))
    process.send(signal.SIGSTOP)
    table_of(large).cancel(run, "ana")
    with lakehouse.state.write() as connection:
        long_ago = f"2020-01-01T00:00:{STALE_SECONDS - 1:02.0f}.000000Z"
        connection.execute(runs.update().where(runs.c.id == run).values(heartbeat=long_ago))

    reconcile(lakehouse.settings, lakehouse.state)

    assert not process.lives
    assert large.workspace.runs().show(run)["state"] == "cancelled"


@pytest.mark.parametrize(
    ("role", "env", "may_operate", "may_follow"),
    [
        ("viewer", "dev", False, False),
        ("analyst", "staging", False, False),
        ("engineer", "staging", True, True),
        ("engineer", "prod", False, True),
        ("admin", "prod", True, True),
    ],
)
def test_who_may_operate_and_who_may_follow(
    lake: Lake, role: Role, env: str, may_operate: bool, may_follow: bool
) -> None:
    lake.configure("[environments.dev]\n[environments.staging]\n[environments.prod]")
    with controlled(lake, env, Principal("ann", role)) as control:
        table_of(control).begin("r1", env, "refresh", "ann")

        assert (control.may_operate, control.may_follow) == (may_operate, may_follow)
        for asked in (control.start, lambda: control.cancel("r9")):
            with pytest.raises(RequestWrong if may_operate else NotAllowed):
                asked()
        for looked in (control.progress, control.log):
            if may_follow:
                looked("r1")
            else:
                with pytest.raises(NotAllowed):
                    looked("r1")


def test_a_run_of_another_environment_is_none_of_this_one(lake: Lake) -> None:
    lake.configure("[environments.dev]\n[environments.prod]")
    with controlled(lake) as control:
        table_of(control).begin("p1", "prod", "refresh", "ann")

        for asked in (control.cancel, control.progress, control.log):
            with pytest.raises(UnknownName):
                asked("p1")


def test_the_audit_knows_of_a_start_before_it_happens(control: RunControl) -> None:
    table_of(control).begin("r1", "dev", "refresh", "ann")
    with pytest.raises(Busy):
        control.start("load")

    (row,) = control.workspace.audit().records()
    assert (row["action"], row["target"], row["verdict"]) == ("run start", "load", "begun")
