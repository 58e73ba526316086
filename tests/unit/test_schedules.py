"""Schedules in the state store: who gets a due time, what is said of it, and what pausing does."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lakehouse.schedules import UNTOLD, Schedules
from lakehouse.settings import Settings
from lakehouse.state.schema import stamp
from lakehouse.state.store import State, open_state
from tests.pipelines.lake import ROOT

SINCE = datetime(2026, 3, 31, 4, 0, tzinfo=UTC)
DUE = datetime(2026, 3, 31, 4, 10, tzinfo=UTC)
PROCESSES, TIMES = 3, 40
RACER = """
import sys
from datetime import datetime, timedelta
from lakehouse.schedules import Schedules
from lakehouse.state.store import State
schedules = Schedules(State(sys.argv[1]))
first = datetime.fromisoformat(sys.argv[2])
schedules.known()
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    if schedules.claim("nightly", first + timedelta(minutes=number)):
        print(number, flush=True)
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with closing(open_state(Settings(home=tmp_path))) as state:
        yield state


@pytest.fixture
def schedules(state: State) -> Schedules:
    """A schedule that is watched, and has not been due yet."""
    found = Schedules(state)
    found.watch("nightly", SINCE)
    return found


def test_a_due_time_is_claimed_once_and_no_older_one_after_it(schedules: Schedules) -> None:
    claims = [schedules.claim("nightly", at) for at in (DUE, DUE, DUE - timedelta(minutes=5), SINCE)]

    assert claims == [True, False, False, False]
    assert schedules.known()["nightly"]["due"] == stamp(DUE)


def test_what_was_never_watched_is_not_claimed_and_watching_twice_changes_nothing(schedules: Schedules) -> None:
    assert not schedules.claim("other", DUE)
    schedules.claim("nightly", DUE)

    schedules.watch("nightly", SINCE + timedelta(days=1))

    assert schedules.known()["nightly"]["due"] == stamp(DUE)


def test_of_many_threads_one_gets_a_due_time(schedules: Schedules) -> None:
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: schedules.claim("nightly", DUE), range(32)))

    assert claims.count(True) == 1


def test_of_many_processes_one_gets_each_due_time(schedules: Schedules, state: State) -> None:
    command = [sys.executable, "-c", RACER, state.url, DUE.isoformat(), str(TIMES)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    racers = [subprocess.Popen(command, cwd=ROOT, text=True, **pipes) for _ in range(PROCESSES)]  # type: ignore[call-overload]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"

    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    got = [int(word) for racer in racers for word in racer.communicate(timeout=120)[0].split()]

    assert [racer.returncode for racer in racers] == [0] * PROCESSES
    assert len(got) == len(set(got)) > 0
    assert max(got) == TIMES - 1
    assert schedules.known()["nightly"]["due"] == stamp(DUE + timedelta(minutes=TIMES - 1))


def test_a_claim_says_what_is_true_if_nobody_lives_to_say_more(schedules: Schedules) -> None:
    schedules.claim("nightly", DUE)

    known = schedules.known()["nightly"]

    assert (known["why"], known["run"], known["started"]) == (UNTOLD, None, None)


def test_what_was_started_is_told_until_the_next_time_is_skipped(schedules: Schedules) -> None:
    later = DUE + timedelta(days=1)
    schedules.claim("nightly", DUE)
    schedules.started("nightly", DUE, "r1")
    first = schedules.known()["nightly"]
    schedules.claim("nightly", later)
    schedules.skipped("nightly", later, "Run r1 was still running.")
    second = schedules.known()["nightly"]

    assert (first["why"], first["run"], first["started"]) == (None, "r1", stamp(DUE))
    assert (second["why"], second["run"], second["due"]) == ("Run r1 was still running.", "r1", stamp(later))


def test_a_start_that_was_told_is_not_unsaid(schedules: Schedules) -> None:
    schedules.claim("nightly", DUE)
    schedules.started("nightly", DUE, "r1")

    schedules.skipped("nightly", DUE, "The audit could not be written.")

    assert schedules.known()["nightly"]["why"] is None


def test_a_paused_schedule_is_not_claimed_and_makes_up_for_nothing_when_it_is_resumed(schedules: Schedules) -> None:
    before = datetime.now(UTC)
    schedules.pause("nightly", "erik", "The shop moves.")
    schedules.pause("nightly", "adam")
    paused = schedules.known()["nightly"]
    while_paused = schedules.claim("nightly", DUE)
    schedules.resume("nightly")
    missed, next_one = schedules.claim("nightly", before), schedules.claim("nightly", before + timedelta(hours=1))

    assert (paused["paused_by"], paused["reason"]) == ("erik", "The shop moves.")
    assert (while_paused, missed, next_one) == (False, False, True)
    assert schedules.known()["nightly"]["paused"] is None


def test_one_that_nobody_has_looked_at_yet_can_be_paused(state: State) -> None:
    schedules = Schedules(state)

    schedules.pause("weekly", "adam")
    schedules.watch("weekly", SINCE)

    assert schedules.known()["weekly"]["paused_by"] == "adam"
