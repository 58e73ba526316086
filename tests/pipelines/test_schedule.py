"""What the settings schedule is started: once, in time, with a record; or it is said why it was not.

One rule: the present is an argument, so no test waits for a minute to pass; a run that stands in the way is written
down by hand, as its process would.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lakehouse.core import Lakehouse
from lakehouse.runs import Ending, Runs
from lakehouse.schedules import Schedules
from lakehouse.state.schema import stamp
from pipelines.schedule import Ticker, start_due
from tests.pipelines.lake import Lake, source
from tests.pipelines.started_runs import until

HOURLY = '[schedules.hourly]\nenv = "dev"\njob = "load"\ncron = "10 * * * *"\n'
SINCE = datetime(2026, 3, 31, 6, 0, tzinfo=UTC)
DUE = datetime(2026, 3, 31, 6, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FAST = 3600
"""Seconds that pass for a ticker in one of ours."""


@pytest.fixture
def lakehouse(lake: Lake) -> Iterator[Lakehouse]:
    """A lake that loads every hour, where somebody has looked at 06:00."""
    lake.configure(source(), HOURLY)
    with Lakehouse.open(lake.home) as opened:
        start_due(opened.settings, opened.state, SINCE)
        yield opened


def look(lakehouse: Lakehouse, at: datetime) -> dict[str, Any]:
    """Start what is due; what is known of the schedule then."""
    start_due(lakehouse.settings, lakehouse.state, at)
    return dict(Schedules(lakehouse.state).known()["hourly"])


def stands_in_the_way(lakehouse: Lakehouse, run: str = "r1", env: str = "dev") -> None:
    """A run of this process, which goes on."""
    Runs(lakehouse.state).begin(run, env, "refresh", "erik")


def logged(caplog: pytest.LogCaptureFixture, words: str) -> int:
    return sum(words in record.getMessage() for record in caplog.records)


@pytest.fixture
def ticking() -> Iterator[Callable[..., Ticker]]:
    """Makes tickers for which an hour passes in a second, and stops them."""
    made: list[Ticker] = []

    def start(lakehouse: Lakehouse) -> Ticker:
        began = time.monotonic()

        def clock() -> datetime:
            return SINCE + timedelta(seconds=FAST * (time.monotonic() - began))

        made.append(Ticker(lakehouse.settings, lakehouse.state, clock, look_seconds=0.02))
        made[-1].start()
        return made[-1]

    yield start
    for ticker in made:
        ticker.stop()


def test_nothing_is_started_before_it_is_due(lakehouse: Lakehouse) -> None:
    known = look(lakehouse, DUE - timedelta(seconds=1))

    assert (known["due"], known["run"]) == (stamp(SINCE), None)
    assert Runs(lakehouse.state).list("dev") == []


def test_what_is_due_is_started_once_in_the_schedules_name_and_recorded(lakehouse: Lakehouse) -> None:
    first, again = look(lakehouse, DUE + MINUTE), look(lakehouse, DUE + 2 * MINUTE)

    (run,) = Runs(lakehouse.state).list("dev")
    assert (run["run"], run["starter"], run["order"]["job"]) == (first["run"], "schedule hourly", "load")
    assert (first["started"], first["why"]) == (stamp(DUE), None)
    assert again == first
    records = lakehouse.audit.records(5, action="run start")
    assert [(one["principal"], one["door"], one["env"], one["verdict"]) for one in records] == [
        ("schedule hourly", "schedule", "dev", verdict) for verdict in ("allowed", "begun")
    ]
    assert run["run"] in records[0]["detail"]
    until(lambda: Runs(lakehouse.state).show(run["run"])["ended"], "the end of the run")  # it finds no file


def test_while_a_run_goes_on_a_start_is_skipped_and_the_next_one_is_tried_again(lakehouse: Lakehouse) -> None:
    stands_in_the_way(lakehouse)

    first = look(lakehouse, DUE)
    again = look(lakehouse, DUE + 30 * MINUTE)
    Runs(lakehouse.state).end("r1", Ending("unchanged"))
    stands_in_the_way(lakehouse, "r2")
    second = look(lakehouse, DUE + 60 * MINUTE)

    assert (first["due"], first["why"], first["run"]) == (stamp(DUE), "Run r1 was still running.", None)
    assert again == first
    assert (second["due"], second["why"]) == (stamp(DUE + 60 * MINUTE), "Run r2 was still running.")
    assert [one["verdict"] for one in lakehouse.audit.records(4, action="run start")] == ["failed", "begun"] * 2


def test_a_run_of_another_environment_stands_in_nobodys_way(lake: Lake) -> None:
    lake.configure("[environments.dev]\n[environments.prod]\n", source(), HOURLY.replace("dev", "prod"))
    with Lakehouse.open(lake.home) as lakehouse:
        look(lakehouse, SINCE)
        stands_in_the_way(lakehouse, env="dev")
        stands_in_the_way(lakehouse, "r2", env="prod")

        assert look(lakehouse, DUE)["why"] == "Run r2 was still running."


def test_of_what_was_missed_the_newest_is_made_up_for_if_it_is_not_too_old(lakehouse: Lakehouse) -> None:
    late = timedelta(days=3, minutes=60)
    stands_in_the_way(lakehouse)

    known = look(lakehouse, SINCE + late + 20 * MINUTE)

    assert (known["due"], known["why"]) == (stamp(DUE + late), "Run r1 was still running.")  # so it was tried
    assert len(lakehouse.audit.records(9, action="run start")) == 2


def test_what_was_missed_for_too_long_is_skipped_and_says_so(lake: Lake) -> None:
    lake.configure(source(), HOURLY, "late_minutes = 5")
    with Lakehouse.open(lake.home) as lakehouse:
        look(lakehouse, SINCE)

        known = look(lakehouse, DUE + timedelta(days=3, minutes=6))

        assert (known["due"], known["run"]) == (stamp(DUE + timedelta(days=3)), None)
        assert known["why"] == "No portal could start it in time."
        assert lakehouse.audit.records(9, action="run start") == []
        assert Runs(lakehouse.state).list("dev") == []


def test_a_new_schedule_makes_up_for_nothing(lake: Lake) -> None:
    lake.configure(source(), HOURLY)
    with Lakehouse.open(lake.home) as lakehouse:
        known = look(lakehouse, DUE + MINUTE)

        assert (known["due"], known["why"], known["run"]) == (stamp(DUE + MINUTE), None, None)


def test_a_paused_schedule_starts_nothing(lakehouse: Lakehouse) -> None:
    Schedules(lakehouse.state).pause("hourly", "erik")

    known = look(lakehouse, DUE)

    assert (known["due"], known["run"]) == (stamp(SINCE), None)
    assert Runs(lakehouse.state).list("dev") == []


def test_a_clock_that_is_put_back_starts_nothing_again(lakehouse: Lakehouse) -> None:
    stands_in_the_way(lakehouse)
    first = look(lakehouse, DUE + 60 * MINUTE)

    assert look(lakehouse, DUE) == first


def test_the_ticker_looks_again_and_again_and_stops_at_once(
    lakehouse: Lakehouse, ticking: Callable[..., Ticker]
) -> None:
    stands_in_the_way(lakehouse)
    ticker = ticking(lakehouse)

    until(lambda: Schedules(lakehouse.state).known()["hourly"]["due"] >= stamp(DUE + 120 * MINUTE), "three hours")
    ticker.stop()
    last = Schedules(lakehouse.state).known()["hourly"]
    time.sleep(1.1)

    assert last["why"] == "Run r1 was still running."
    assert Schedules(lakehouse.state).known()["hourly"] == last


def test_several_tickers_start_each_time_once(lakehouse: Lakehouse, ticking: Callable[..., Ticker]) -> None:
    stands_in_the_way(lakehouse)
    for _ in range(4):
        ticking(lakehouse)

    until(lambda: Schedules(lakehouse.state).known()["hourly"]["due"] >= stamp(DUE + 60 * MINUTE), "two hours")

    begun = [one["detail"] for one in lakehouse.audit.records(50, action="run start") if one["verdict"] == "begun"]
    assert len(begun) == len(set(begun)) >= 2


def test_a_ticker_outlives_the_store_and_says_once_that_it_is_away(
    lakehouse: Lakehouse, ticking: Callable[..., Ticker], caplog: pytest.LogCaptureFixture
) -> None:
    stands_in_the_way(lakehouse)
    caplog.set_level(logging.WARNING)
    store = lakehouse.settings.folder / "state.db"
    aside = store.with_name("aside.db")

    ticking(lakehouse)
    until(lambda: Schedules(lakehouse.state).known()["hourly"]["due"] >= stamp(DUE), "the first hour")
    store.rename(aside)
    until(lambda: logged(caplog, "while the state store is away"), "the word that it is away")
    time.sleep(0.3)
    aside.rename(store)
    until(lambda: logged(caplog, "start runs again"), "the word that it is back")
    due = Schedules(lakehouse.state).known()["hourly"]["due"]
    until(lambda: Schedules(lakehouse.state).known()["hourly"]["due"] > due, "the next hour")

    assert (logged(caplog, "while the state store is away"), logged(caplog, "start runs again")) == (1, 1)


def test_without_schedules_there_is_no_thread(lake: Lake) -> None:
    lake.configure(source())
    before = threading.active_count()
    with Lakehouse.open(lake.home) as lakehouse:
        ticker = Ticker(lakehouse.settings, lakehouse.state)
        ticker.start()

        assert threading.active_count() == before
        ticker.stop()
