"""Two refreshes of one lake: one works, the other is told who does. One that stopped beating is taken over for good."""

import os
import signal
import subprocess
from collections.abc import Callable

import pytest
from fault_lake import ONE_MORE, Ended, FaultLake
from prepared_lakes import Prepared

pytestmark = pytest.mark.faults


def stopped(lake: FaultLake, point: str) -> "subprocess.Popen[str]":
    """A refresh that stands still at a point."""
    process = lake.start(f"stop:{point}")
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), f"{point} was not reached"
    return process


def resumed(lake: FaultLake, process: "subprocess.Popen[str]") -> Ended:
    process.send_signal(signal.SIGCONT)
    return lake.ended(process)


def test_of_two_that_start_together_one_works_and_the_other_names_it(full: Callable[[], Prepared]) -> None:
    lake = full().lake
    lake.put_back()

    first, second = (lake.start("", "--run-id", name) for name in ("left", "right"))
    codes = {"left": lake.ended(first), "right": lake.ended(second)}

    works, waits = sorted(codes, key=lambda name: codes[name].code)
    assert (codes[works].code, codes[waits].code) == (0, 1)
    assert f"Run {works} has been doing the refresh of dev since" in codes[waits].error
    assert lake.content() == full().content


def test_a_run_that_still_beats_is_not_taken_over(full: Callable[[], Prepared]) -> None:
    lake = full().lake
    lake.put_back()
    working = stopped(lake, "mark:sales extracted")

    other = lake.refresh()
    ended = resumed(lake, working)

    assert (other.code, ended.code) == (1, 0)
    assert ended.result["run"] in other.error
    assert lake.content() == full().content


@pytest.mark.parametrize(
    "point", ["mark:sales extracted", "mark:sales intended", "mark:parsed", "mark:intent", "mark:committed"]
)
def test_a_run_that_was_taken_over_changes_nothing_more(full: Callable[[], Prepared], point: str) -> None:
    lake = full().lake
    lake.put_back()
    late = stopped(lake, point)
    lake.ask_state("update runs set heartbeat = '2020-01-01T00:00:00.000000Z' where state = 'running'")

    other = lake.refresh()
    before = lake.content(), lake.snapshots(), state_of(lake)
    ended = resumed(lake, late)

    assert (other.code, ended.code) == (0, 1)
    assert "was taken over, because its heartbeat had stopped" in ended.error
    assert (lake.content(), lake.snapshots(), state_of(lake)) == before
    assert before[:2] == (full().content, full().snapshots)
    assert lake.half_done() == []
    assert lake.refresh().result["state"] == "unchanged"


def state_of(lake: FaultLake) -> list[tuple[object, ...]]:
    """How runs, loads and releases stand."""
    return lake.ask_state(
        "select id, state, release, error from runs union all "
        "select id, state, source, run from loads union all select id, state, number, run from releases"
    )


def test_a_run_whose_process_has_gone_is_taken_over_at_once(full: Callable[[], Prepared]) -> None:
    lake = full().lake
    lake.put_back()
    gone = stopped(lake, "mark:parsed")
    gone.kill()
    lake.ended(gone)
    lake.write("3.csv", ONE_MORE[:1])

    other = lake.refresh()

    assert (other.code, other.result["rows_loaded"]) == (0, 1)
    assert ("lost",) in lake.ask_state("select state from runs")
