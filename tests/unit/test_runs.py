"""Runs: one active run per environment and job, taken over when its process has gone or stopped beating."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import Busy, Lost, RequestWrong, Stopped, TooLate, UnknownName
from lakehouse.run_owner import birth
from lakehouse.runs import STALE_SECONDS, Ending, Runs, owner
from lakehouse.settings import Settings
from lakehouse.state.schema import now, releases, runs, stamp
from lakehouse.state.store import State, open_state


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    opened = open_state(Settings(home=tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def table(state: State) -> Runs:
    return Runs(state)


def begin(table: Runs, run: str, env: str = "dev", job: str = "refresh") -> None:
    table.begin(run, env, job, "operator:ana")


def alter(store: State, run: str, **values: Any) -> None:
    """Change a run's row behind its back."""
    with store.write() as connection:
        connection.execute(runs.update().where(runs.c.id == run).values(**values))


def ago(seconds: float) -> str:
    return stamp(datetime.now(UTC) - timedelta(seconds=seconds))


def gone_process() -> str:
    """The owner that a process was which has ended."""
    program = "from lakehouse.runs import owner; print(owner())"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def release_of(state: State, run: str, number: int | None = 7, current: str = "current") -> None:
    made = {"env": "dev", "run": run, "number": number, "state": current, "created": now(), "published": now()}
    with state.write() as connection:
        connection.execute(releases.insert().values(**made, pins={}, intent={}, nodes={}))


def test_a_run_begins_as_running_and_owned_by_this_process(table: Runs) -> None:
    begin(table, "r1")

    shown = table.show("r1")

    assert (shown["run"], shown["state"], shown["env"], shown["job"]) == ("r1", "running", "dev", "refresh")
    assert (shown["starter"], shown["ended"], shown["error"]) == ("operator:ana", None, None)


def test_a_second_run_is_told_which_one_is_active(table: Runs) -> None:
    begin(table, "r1")

    with pytest.raises(Busy, match=r"Run r1 has been doing the refresh of dev since 20.*Wait for it to end"):
        begin(table, "r2")

    assert [run["run"] for run in table.list("dev")] == ["r1"]


@pytest.mark.parametrize(("env", "job"), [("prod", "refresh"), ("dev", "maintain")])
def test_another_environment_or_job_does_not_wait(table: Runs, env: str, job: str) -> None:
    begin(table, "r1")
    begin(table, "r2", env, job)

    assert table.show("r2")["state"] == "running"


def test_an_id_is_used_once(table: Runs) -> None:
    begin(table, "r1")
    table.end("r1", Ending("success"))

    with pytest.raises(RequestWrong, match="There is a run 'r1' already"):
        begin(table, "r1")


@pytest.mark.parametrize("run", ["", ".hidden", "a/b", "../up", "a b", "x" * 65, "r\n", "é"])
def test_an_id_that_cannot_name_a_folder_is_refused(table: Runs, run: str) -> None:
    with pytest.raises(RequestWrong, match="cannot name a run"):
        begin(table, run)


def test_a_run_that_has_ended_lets_the_next_one_begin_and_keeps_its_result(table: Runs) -> None:
    begin(table, "r1")
    table.end("r1", Ending("success", {"rows_read": 3, "tests": {"passed": 2}}, None, 4))
    begin(table, "r2")

    shown = table.show("r1")

    assert (shown["state"], shown["release"], shown["rows_read"], shown["tests"]) == ("success", 4, 3, {"passed": 2})
    assert shown["ended"] >= shown["started"]


def test_a_run_whose_process_has_gone_is_lost_at_once(state: State, table: Runs) -> None:
    begin(table, "r1")
    alter(state, "r1", owner=gone_process())

    begin(table, "r2")

    assert (table.show("r1")["state"], table.show("r1")["error"]) == ("lost", "The process ended without a word.")
    assert table.show("r2")["state"] == "running"


def test_a_number_that_another_process_has_by_now_does_not_keep_a_run_alive(state: State, table: Runs) -> None:
    begin(table, "r1")
    host, pid, born = owner().rsplit("/", 2)
    alter(state, "r1", owner=f"{host}/{pid}/{int(born) - 1}")

    begin(table, "r2")

    assert table.show("r1")["state"] == "lost"


def test_a_zombie_counts_as_gone(state: State, table: Runs) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    born = birth(child.pid)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has taken note yet
    begin(table, "r1")
    alter(state, "r1", owner=f"{owner().split('/')[0]}/{child.pid}/{born}")

    begin(table, "r2")
    child.wait()

    assert table.show("r1")["state"] == "lost"


@pytest.mark.parametrize("host", ["here", "elsewhere:12345678"])
def test_only_silence_tells_that_a_living_or_distant_run_is_lost(state: State, table: Runs, host: str) -> None:
    begin(table, "r1")
    if host != "here":
        alter(state, "r1", owner=f"{host}/1/1")
    alter(state, "r1", heartbeat=ago(STALE_SECONDS - 5))
    with pytest.raises(Busy):
        begin(table, "r2")
    alter(state, "r1", heartbeat=ago(STALE_SECONDS + 5))

    begin(table, "r2")

    assert table.show("r1")["state"] == "lost"


def test_a_run_that_died_after_its_release_has_succeeded(state: State, table: Runs) -> None:
    begin(table, "r1")
    release_of(state, "r1")
    alter(state, "r1", owner=gone_process())

    table.bury("dev", "refresh")

    assert (table.show("r1")["state"], table.show("r1")["release"], table.show("r1")["error"]) == ("success", 7, None)


def test_a_run_that_died_before_its_release_was_current_is_lost(state: State, table: Runs) -> None:
    begin(table, "r1")
    release_of(state, "r1", number=None, current="publishing")
    alter(state, "r1", owner=gone_process())

    table.bury("dev", "refresh")

    assert (table.show("r1")["state"], table.show("r1")["release"]) == ("lost", None)


def test_who_was_taken_over_owns_nothing_and_cannot_end_the_run(state: State, table: Runs) -> None:
    begin(table, "r1")
    alter(state, "r1", heartbeat=ago(STALE_SECONDS + 5))
    begin(table, "r2")

    with pytest.raises(Lost, match="Run r1 was taken over"):
        table.note("r1", inputs="x")
    table.end("r1", Ending("success", {}, None, 9))

    assert (table.show("r1")["state"], table.show("r1")["release"]) == ("lost", None)
    table.note("r2", inputs="y")


def test_a_run_of_another_process_is_not_ones_own(state: State, table: Runs) -> None:
    begin(table, "r1")
    alter(state, "r1", owner="elsewhere:12345678/1/1")

    with pytest.raises(Lost):
        table.note("r1", inputs="x")


def test_the_heart_beats_while_the_block_runs(table: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.runs.BEAT_SECONDS", 0.01)
    begin(table, "r1")
    first = table.show("r1")["heartbeat"]

    with table.beating("r1"):
        deadline = time.monotonic() + 10
        while table.show("r1")["heartbeat"] == first and time.monotonic() < deadline:
            time.sleep(0.01)
    last = table.show("r1")["heartbeat"]
    time.sleep(0.05)

    assert last > first
    assert table.show("r1")["heartbeat"] == last


def test_the_heart_of_a_run_that_was_taken_over_beats_no_more(
    state: State, table: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakehouse.runs.BEAT_SECONDS", 0.01)
    begin(table, "r1")
    alter(state, "r1", state="lost", heartbeat=ago(100))
    silent = table.show("r1")["heartbeat"]

    with table.beating("r1"):
        time.sleep(0.2)

    assert table.show("r1")["heartbeat"] == silent


def test_runs_are_listed_newest_first_and_by_environment(state: State, table: Runs) -> None:
    for number in range(3):
        begin(table, f"r{number}")
        alter(state, f"r{number}", started=ago(10 - number))
        table.end(f"r{number}", Ending("unchanged"))
    begin(table, "p1", env="prod")

    assert [run["run"] for run in table.list("dev")] == ["r2", "r1", "r0"]
    assert [run["run"] for run in table.list("dev", limit=2)] == ["r2", "r1"]


def test_an_unknown_run_is_answered_with_the_newest_ones(table: Runs) -> None:
    begin(table, "r1")

    with pytest.raises(UnknownName, match=r"No run named 'r9'. Known runs: r1\."):
        table.show("r9")


def test_the_owner_is_this_process_and_no_other() -> None:
    assert f"/{os.getpid()}/" in owner()
    assert owner() == owner() != gone_process()


ORDER = {"job": "load", "source": None, "full": False}
RELEASE = {"step": "release", "started": "2026-03-31T00:00:00.000000Z", "ended": None}


def queue(table: Runs, run: str) -> None:
    table.queue(run, "dev", "refresh", "ana", ORDER)


def test_a_queued_run_is_active_before_its_process_is_there_and_keeps_its_order(table: Runs) -> None:
    queue(table, "r1")
    with pytest.raises(Busy) as refused:
        queue(table, "r2")

    assert refused.value.run == "r1"
    assert [(run["run"], run["state"], run["order"]) for run in table.active("dev")] == [("r1", "queued", ORDER)]


def test_the_process_of_a_queued_run_takes_it_over_once(table: Runs) -> None:
    queue(table, "r1")

    begin(table, "r1")

    assert (table.show("r1")["state"], table.show("r1")["starter"]) == ("running", "ana")
    with pytest.raises(RequestWrong, match="There is a run 'r1' already"):
        begin(table, "r1")


def test_a_queued_run_whose_process_died_before_it_began_is_lost_at_the_next_look(table: Runs) -> None:
    queue(table, "r1")
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    table.hand_over("r1", child.pid)
    assert table.show("r1")["state"] == "queued"

    child.communicate(b"\n")

    assert table.show("r1")["state"] == "lost"
    queue(table, "r2")


def test_a_queued_run_that_nobody_begins_is_lost_after_a_while(state: State, table: Runs) -> None:
    queue(table, "r1")
    alter(state, "r1", heartbeat=ago(STALE_SECONDS + 5))

    assert table.active("dev") == []
    assert table.show("r1")["state"] == "lost"


def test_nobody_is_told_that_a_run_runs_whose_process_has_gone(state: State, table: Runs) -> None:
    begin(table, "r1")
    alter(state, "r1", owner=gone_process())

    assert [run["state"] for run in table.list("dev")] == ["lost"]


def test_a_run_that_died_after_it_has_left_a_release_for_a_decision_waits(state: State, table: Runs) -> None:
    begin(table, "r1")
    release_of(state, "r1", number=None, current="waiting")
    alter(state, "r1", owner=gone_process())

    assert (table.show("r1")["state"], table.show("r1")["error"]) == ("awaiting_publish", None)


def test_a_cancelled_run_does_not_publish(table: Runs) -> None:
    begin(table, "r1")

    asked = table.cancel("r1", "ana")
    table.cancel("r1", "ben")

    assert asked == owner()
    assert (table.show("r1")["state"], table.show("r1")["cancelled_by"]) == ("running", "ana")
    with pytest.raises(Stopped, match="cancelled by ana"):
        table.last_call("r1", [RELEASE])


def test_it_is_too_late_to_cancel_what_publishes_or_has_ended(table: Runs) -> None:
    begin(table, "r1")
    table.last_call("r1", [RELEASE])
    with pytest.raises(TooLate, match="Run r1 publishes already"):
        table.cancel("r1", "ana")
    table.end("r1", Ending("awaiting_publish"))

    with pytest.raises(TooLate, match="Run r1 has ended already: awaiting publish"):
        table.cancel("r1", "ana")

    assert table.show("r1")["cancelled_by"] is None


def test_a_run_that_is_cancelled_before_it_has_begun_never_begins(table: Runs) -> None:
    queue(table, "r1")
    table.cancel("r1", "ana")

    with pytest.raises(Stopped, match="cancelled by ana"):
        begin(table, "r1")

    assert (table.show("r1")["state"], table.show("r1")["ended"] is not None) == ("cancelled", True)


def test_a_cancelled_run_that_was_killed_is_cancelled_and_not_lost(state: State, table: Runs) -> None:
    begin(table, "r1")
    table.cancel("r1", "ana")
    alter(state, "r1", owner=gone_process())

    assert (table.show("r1")["state"], table.show("r1")["error"]) == (
        "cancelled",
        "The run was cancelled by ana. Nothing was released.",
    )


def test_at_each_beat_a_run_hears_who_has_asked_it_to_end(table: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.runs.BEAT_SECONDS", 0.01)
    begin(table, "r1")
    heard: list[str] = []

    with table.beating("r1", heard.append):
        time.sleep(0.1)
        assert heard == []
        table.cancel("r1", "ana")
        deadline = time.monotonic() + 10
        while not heard and time.monotonic() < deadline:
            time.sleep(0.01)

    assert set(heard) == {"ana"}


def test_runs_are_found_by_state_and_before_a_time(state: State, table: Runs) -> None:
    for number, ending in enumerate(["success", "failed", "success"]):
        begin(table, f"r{number}")
        alter(state, f"r{number}", started=ago(10 - number))
        table.end(f"r{number}", Ending(ending))
    third = table.show("r2")["started"]

    assert [run["run"] for run in table.list("dev", states=("success",))] == ["r2", "r0"]
    assert [run["run"] for run in table.list("dev", 1, before=third)] == ["r1"]
