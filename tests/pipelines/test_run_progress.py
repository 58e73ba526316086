"""How far a run is, from what it has said so far and from how long the runs before took."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lakehouse.settings import Settings
from lakehouse.state.schema import now, stamp
from pipelines.context import run_folder
from pipelines.events import Events
from pipelines.progress import HEAD_BYTES, TAIL_BYTES, Progress, read_progress
from pipelines.steps import Count

RUN = "r1"


def record(state: str = "running", **more: Any) -> dict[str, Any]:
    ended = None if state in ("queued", "running") else now()
    known = {"run": RUN, "state": state, "started": now(), "ended": ended, "steps": [], "order": {"job": "refresh"}}
    return {**known, **more}


def step(name: str, seconds: float) -> dict[str, Any]:
    begun = datetime(2026, 3, 31, tzinfo=UTC)
    facts = {"done": None, "total": None, "unit": None, "message": ""}
    return {"step": name, "started": stamp(begun), "ended": stamp(begun + timedelta(seconds=seconds)), **facts}


def past(load: float, build: float, release: float, job: str = "refresh") -> dict[str, Any]:
    steps = [step("load", load), step("build", build), step("release", release)]
    return record("success", run="earlier", order={"job": job}, steps=steps)


Say = Callable[[Events], None]


@pytest.fixture
def seen(tmp_path: Path) -> Callable[..., Progress]:
    """The progress of a run after it has said something more."""
    settings = Settings(home=tmp_path)
    folder = run_folder(settings, RUN)
    folder.mkdir(parents=True)

    def look(*said: Say, **known: Any) -> Progress:
        with closing(Events(RUN, folder / "events.jsonl")) as events:
            for say in said:
                say(events)
        return read_progress(settings, known.pop("of", record()), known.pop("before", ()))

    return look


def reading(records: int, size: int, source: str = "sales") -> Say:
    def say(events: Events) -> None:
        events.start("load")
        events.mark("load", f"{source} started")
        events.progress("load", source, records, None, "records")
        events.progress("load", source, size, 1_000, "bytes")

    return say


def loaded(events: Events) -> None:
    events.mark("load", "sales settled")
    events.end("load", "1 of 1 sources loaded")


def built(models: int, tests: int) -> Say:
    def say(events: Events) -> None:
        events.start("build")
        events.mark("build", "order_lines started")
        events.progress("build", "order_lines success", models, 4, "models")
        events.progress("build", "order_lines success", tests, 6, "tests")
        events.progress("build", "order_lines success", models + tests, 10, "nodes")

    return say


def test_a_run_that_has_said_nothing_is_at_its_beginning(seen: Callable[..., Progress]) -> None:
    progress = seen(of=record("queued"))

    assert (progress.percent, progress.steps, progress.sources, progress.left_seconds) == (0, [], {}, None)


def test_rows_are_counted_by_source(seen: Callable[..., Progress]) -> None:
    progress = seen(reading(50, 500), reading(7, 10, "returns"))

    assert progress.sources == {"sales": Count(50), "returns": Count(7)}
    assert progress.bytes["sales"] == Count(500, 1_000)
    assert (progress.steps[0].step, progress.steps[0].done, progress.steps[0].unit) == ("load", 57, "records")


def test_models_and_tests_are_counted_apart_and_have_their_times(seen: Callable[..., Progress]) -> None:
    progress = seen(reading(50, 1_000), loaded, built(2, 1))

    assert (progress.models, progress.tests) == (Count(2, 4), Count(1, 6))
    assert [(part.step, part.name, part.status) for part in progress.parts] == [
        ("load", "sales", "loaded"),
        ("build", "order_lines", "success"),
    ]
    assert all(part.ended is not None and part.ended >= part.started for part in progress.parts)


def test_percent_only_grows_and_is_a_hundred_only_at_the_end(seen: Callable[..., Progress]) -> None:
    way: list[Say] = [reading(1, 200), reading(50, 990), loaded, built(1, 0), built(4, 6)]

    shown = [seen(say).percent for say in way]

    assert shown == sorted(shown)
    assert 0 < shown[0] < shown[-1] < 100
    assert seen(of=record("success")).percent == 100


def test_the_median_of_earlier_runs_says_how_long_the_rest_takes(seen: Callable[..., Progress]) -> None:
    before = [past(10, 20, 5), past(12, 20, 5), past(900, 20, 5), past(1, 1, 1, job="build")]

    progress = seen(reading(50, 1_000), loaded, built(3, 2), before=before)

    assert progress.left_seconds == 12  # 35 % of 20, for the way to the first count is 30, and 5
    assert progress.percent == 67  # of 12 + 20 + 5


def test_the_first_count_takes_nothing_back_of_what_time_has_promised(seen: Callable[..., Progress]) -> None:
    quick = [past(10, 1e-6, 5)]

    uncounted = seen(reading(50, 1_000), loaded, lambda events: events.start("build"), before=quick)
    counted = seen(built(0, 0), before=quick)

    assert counted.percent >= uncounted.percent


def test_a_step_that_takes_longer_than_ever_is_almost_done_and_no_more(seen: Callable[..., Progress]) -> None:
    progress = seen(lambda events: events.start("load"), before=[past(1e-6, 1, 1)])

    assert progress.percent < 50
    assert progress.left_seconds is not None


def test_of_a_run_that_has_ended_the_steps_are_those_that_it_has_written_down(seen: Callable[..., Progress]) -> None:
    progress = seen(reading(1, 10), of=record("success", steps=[step("load", 4), step("build", 2)]))

    assert [(found.step, found.ended) for found in progress.steps] == [
        ("load", "2026-03-31T00:00:04.000000Z"),
        ("build", "2026-03-31T00:00:02.000000Z"),
    ]


def test_of_a_long_file_the_beginning_and_the_end_are_read(seen: Callable[..., Progress], tmp_path: Path) -> None:
    def at_length(events: Events) -> None:
        for number in range(3_000):
            events.mark("load", f"{number} {'x' * 100}")

    progress = seen(reading(1, 10), at_length, loaded, built(1, 1))

    assert (run_folder(Settings(home=tmp_path), RUN) / "events.jsonl").stat().st_size > HEAD_BYTES + TAIL_BYTES
    assert [found.step for found in progress.steps] == ["load", "build"]
    assert progress.sources == {"sales": Count(1)}


def test_half_a_line_and_a_broken_one_are_passed_over(seen: Callable[..., Progress], tmp_path: Path) -> None:
    seen(reading(1, 10))
    with (run_folder(Settings(home=tmp_path), RUN) / "events.jsonl").open("ab") as file:
        file.write(b'\0\0}\n{"at": "2026')

    assert seen().sources == {"sales": Count(1)}


def test_tests_alone_have_one_step_and_are_measured_by_their_like(seen: Callable[..., Progress]) -> None:
    asked = {"job": "build", "tests_only": True}
    earlier = record("success", run="earlier", order=asked, steps=[step("build", 1000)])

    progress = seen(
        lambda events: events.start("build"), of=record(order=asked), before=[earlier, past(9, 9, 9, job="build")]
    )

    assert progress.left_seconds == pytest.approx(1000, abs=60)
