"""Time, memory and crashes: one query is stopped, everything else goes on."""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from query_lake import Lake, OpenPool, rows, write_lake
from worker_processes import busy_worker, workers_of

from lakehouse.errors import LakeportError, Stopped, Unavailable
from lakehouse.query.pool import QueryPool, Question
from lakehouse.settings import QuerySettings

ENDLESS = "select count(*) from range(1000000000000) t(i) where hash(i) % 7 = 1"


def seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    with pytest.raises(Stopped, match=r"after \d"):
        work()
    return time.monotonic() - started


@pytest.mark.parametrize("sql", [ENDLESS, "select list(i) from range(1000000000000) t(i) where hash(i) % 997 = 1"])
def test_a_late_query_is_interrupted_and_its_worker_goes_on(open_pool: OpenPool, sql: str) -> None:
    pool = open_pool(workers=1, threads=1)
    rows(pool, "select 1")
    before = workers_of(os.getpid())

    took = seconds(lambda: rows(pool, sql, timeout_seconds=1))

    assert took >= 1
    assert rows(pool, "select 2 as x") == [{"x": 2}]
    assert workers_of(os.getpid()) == before  # it would have been killed two seconds later


def test_a_query_that_hears_no_interrupt_is_killed_two_seconds_later(open_pool: OpenPool) -> None:
    pool = open_pool(workers=1)
    rows(pool, "select 1")
    worker = workers_of(os.getpid()).pop()
    # A stopped process hears nothing at all, not even its own clock.
    os.kill(worker, signal.SIGSTOP)

    took = seconds(lambda: rows(pool, "select 3", timeout_seconds=1))

    assert 3 <= took < 20
    assert rows(pool, "select 2 as x") == [{"x": 2}]
    assert worker not in workers_of(os.getpid())


def test_waiting_for_a_free_worker_counts_towards_the_timeout(open_pool: OpenPool) -> None:
    pool = open_pool(workers=1)
    with ThreadPoolExecutor() as threads:
        first = threads.submit(rows, pool, ENDLESS)
        busy_worker()

        with pytest.raises(Stopped, match=r"No query worker was free before"):
            rows(pool, "select 1", timeout_seconds=0.5)

        pool.close()
        with pytest.raises(Unavailable):
            first.result()


def test_the_settings_timeout_cannot_be_widened(open_pool: OpenPool) -> None:
    pool = open_pool(workers=1, timeout_seconds=1)

    assert seconds(lambda: rows(pool, ENDLESS, timeout_seconds=60)) < 20


@pytest.mark.parametrize(
    "bomb",
    [
        "select string_agg(repeat('x', 1000000), '') from range(100000)",
        pytest.param("select list(i) from range(10000000000) t(i)", marks=pytest.mark.slow),
        pytest.param("select array_agg(repeat('y', 100000)) from range(1000000)", marks=pytest.mark.slow),
    ],
)
def test_a_memory_bomb_is_stopped_while_another_query_answers(open_pool: OpenPool, bomb: str) -> None:
    pool = open_pool(workers=2, threads=1, memory_mb=256, address_space_mb=1536, timeout_seconds=20)
    with ThreadPoolExecutor() as threads:
        bombed = threads.submit(rows, pool, bomb)
        answers = [rows(pool, f"select {i} as x") for i in range(20)]

        with pytest.raises(Stopped, match="memory"):
            bombed.result()

    assert answers == [[{"x": i}] for i in range(20)]
    assert rows(pool, "select 'fine' as x") == [{"x": "fine"}]


def test_an_answer_that_is_too_large_to_hold_is_cut_and_says_so(open_pool: OpenPool) -> None:
    pool = open_pool(workers=1, memory_mb=128)

    answer = pool.ask(Question("select i, repeat('x', 10000) from range(20000) t(i)", {}, trusted=True))

    assert not answer.complete
    assert 100 << 20 < answer.table.nbytes <= 128 << 20
    assert answer.table.column(0).to_pylist() == list(range(answer.table.num_rows))


def test_a_single_row_that_is_too_large_to_hold_is_stopped(open_pool: OpenPool) -> None:
    pool = open_pool(workers=1, memory_mb=128)

    with pytest.raises(Stopped, match="single row"):
        pool.ask(Question("select repeat('x', 50000000) as a, repeat('y', 90000000) as b", {}, trusted=True))


@pytest.mark.parametrize(
    ("sign", "error"), [(signal.SIGKILL, Stopped), (signal.SIGABRT, Unavailable), (signal.SIGSEGV, Unavailable)]
)
def test_a_worker_that_dies_in_mid_query_fails_that_query_alone(
    open_pool: OpenPool, sign: signal.Signals, error: type[LakeportError]
) -> None:
    pool = open_pool(workers=1)
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(rows, pool, ENDLESS)
        os.kill(busy_worker(), sign)

        with pytest.raises(error, match=sign.name):
            asked.result()

    assert rows(pool, "select 1 as x") == [{"x": 1}]


def test_a_worker_that_dies_before_it_reads_the_question_is_replaced_silently(open_pool: OpenPool) -> None:
    pool = open_pool(workers=1)
    rows(pool, "select 1")
    worker = workers_of(os.getpid()).pop()
    os.kill(worker, signal.SIGSTOP)
    killer = threading.Timer(0.5, os.kill, (worker, signal.SIGKILL))
    killer.start()

    answer = pool.ask(Question("select 2 as x", {}))

    killer.join()
    assert answer.table.to_pylist() == [{"x": 2}]
    assert answer.seconds > 0.5


@pytest.mark.parametrize("damage", ["gone", "garbage"])
def test_a_damaged_manifest_fails_only_questions_about_its_table(lake: Lake, tmp_path: Path, damage: str) -> None:
    broken = write_lake(tmp_path / "lake")
    for file in broken.folder.rglob("*-m0.avro"):
        file.unlink() if damage == "gone" else file.write_bytes(b"garbage" * 20)
    pins = {"raw.sales": lake.january, "raw.broken": broken.january}
    with QueryPool(QuerySettings(workers=1), [str(lake.folder), str(broken.folder)]) as pool:
        assert rows(pool, "select count(*) c from raw.sales", pins=pins) == [{"c": 20}]

        with pytest.raises(Unavailable, match="damaged data file"):
            rows(pool, "from raw.broken", pins=pins)

        assert rows(pool, "select count(*) d from raw.sales", pins=pins) == [{"d": 20}]
