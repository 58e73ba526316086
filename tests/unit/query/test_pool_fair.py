"""Many askers: they take turns, one cannot keep all workers, a question can be cancelled, what is lost is replaced."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
from query_lake import OpenPool
from worker_processes import busy_worker, workers_of

from lakehouse.errors import LakeportError, Stopped
from lakehouse.query.pool import QueryPool, Question
from lakehouse.query.turns import Ticket, Turns

ENDLESS = "select count(*) from range(1000000000000) t(i) where hash(i) % 7 = 1"
DEAF = "select levenshtein(repeat('a', 300000), repeat('b', 300000)) as far"
"""One scalar of many seconds, which hears no interrupt."""


BUSY_SECONDS = 1
"""How much longer anything may take on a machine that does other things too, as other tests."""


def question(sql: str, asker: str = "", token: str = "", timeout_seconds: float | None = None) -> Question:
    return Question(sql, {}, trusted=True, asker=asker, cancel_token=token, timeout_seconds=timeout_seconds)


def seconds(pool: QueryPool, asker: str, number: int) -> float:
    """How long a small question of the asker takes."""
    answer = pool.ask(question(f"select {number} as x", asker))
    assert answer.table.to_pylist() == [{"x": number}]
    return answer.seconds


@contextmanager
def flood(pool: QueryPool, asker: str, sql: str, count: int, timeout_seconds: float = 20) -> Iterator[None]:
    """So many slow questions of one asker, all cancelled at the end."""

    def ask(number: int) -> None:
        with suppress(LakeportError):
            pool.ask(question(f"{sql} -- {number}", asker, f"flood of {asker}", timeout_seconds))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    busy_worker()
    try:
        yield
    finally:
        while any(thread.is_alive() for thread in threads):
            pool.cancel(f"flood of {asker}")
            time.sleep(0.02)


@pytest.mark.parametrize("sql", [DEAF, pytest.param(ENDLESS, marks=pytest.mark.slow)])
def test_a_flood_of_one_user_slows_nobody_elses_question_for_a_second(open_pool: OpenPool, sql: str) -> None:
    pool = open_pool(workers=2, threads=1)
    seconds(pool, "bea", -1)
    with flood(pool, "ann", sql, 6):
        took = [seconds(pool, "bea", number) for number in range(10)]

    assert max(took) < 1 + BUSY_SECONDS


def test_one_user_keeps_no_more_workers_busy_than_the_setting_says(open_pool: OpenPool) -> None:
    pool = open_pool(workers=3, per_user=1, threads=1)
    with (
        flood(pool, "ann", ENDLESS, 3),
        pytest.raises(Stopped, match="Your other queries were still running"),
    ):
        pool.ask(question("select 1", "ann", timeout_seconds=0.5))


def test_who_waits_takes_turns_by_asker() -> None:
    turns = Turns(most=1)
    tickets = [Ticket(asker) for asker in ("ann", "ann", "ann", "bea", "bea", "", "")]
    for ticket in tickets:
        turns.join(ticket)
    order = []

    while (first := turns.next()) is not None:
        turns.start(first)
        order.append(first.asker)
        turns.end(first)

    assert order == ["ann", "bea", "", "ann", "bea", "", "ann"]


def test_who_runs_as_much_as_it_may_is_passed_over_and_nobody_is_forgotten() -> None:
    turns = Turns(most=1)
    first, second, other, left = Ticket("ann"), Ticket("ann"), Ticket("bea"), Ticket("bea")
    for ticket in (first, second, other, left):
        turns.join(ticket)
    turns.start(first)
    turns.leave(left)

    assert turns.next() is other
    turns.start(other)
    assert turns.next() is None
    turns.end(first)
    assert turns.next() is second


@pytest.mark.parametrize("sql", [DEAF, pytest.param(ENDLESS, marks=pytest.mark.slow)])
def test_a_running_question_is_cancelled_at_once(open_pool: OpenPool, sql: str) -> None:
    pool = open_pool(workers=1)
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(pool.ask, question(sql, "ann", "token"))
        busy_worker()
        started = time.monotonic()

        assert pool.cancel("token")
        with pytest.raises(Stopped, match=r"^The query was cancelled\.$"):
            asked.result()

    assert time.monotonic() - started < 2
    assert seconds(pool, "ann", 1) < 3
    assert not pool.cancel("token")
    assert not pool.cancel("")


def test_a_waiting_question_is_cancelled_and_no_other_one(open_pool: OpenPool) -> None:
    pool = open_pool(workers=1)
    with ThreadPoolExecutor() as threads, flood(pool, "ann", ENDLESS, 1):
        waiting = threads.submit(pool.ask, question("select 1", "bea", "one"))
        other = threads.submit(pool.ask, question("select 1", "bea", "two"))
        time.sleep(0.2)

        assert pool.cancel("one")
        with pytest.raises(Stopped, match="cancelled"):
            waiting.result(2)
        assert not other.done()
        pool.cancel("two")
        assert isinstance(other.exception(2), Stopped)


def test_nobody_gets_the_error_of_an_equal_question_of_somebody_else(open_pool: OpenPool) -> None:
    pool = open_pool(workers=2, threads=1)
    slow = "select count(*) as c from range(200000000) t(i) where hash(i) % 7 = 1"
    seconds(pool, "ann", -1)
    with ThreadPoolExecutor() as threads:
        first = threads.submit(pool.ask, question(slow, "ann", "token"))
        time.sleep(0.2)
        second = threads.submit(pool.ask, question(slow, "bea"))
        time.sleep(0.2)
        assert pool.cancel("token")

        assert second.result().table.num_rows == 1
        assert isinstance(first.exception(), Stopped)


def test_a_worker_that_was_killed_is_replaced_before_anybody_asks(open_pool: OpenPool) -> None:
    pool = open_pool(workers=1)
    seconds(pool, "", 1)
    killed = workers_of(os.getpid())
    with pytest.raises(Stopped):
        pool.ask(question(DEAF, timeout_seconds=0.2))

    time.sleep(2)
    present = workers_of(os.getpid())

    assert len(present) == 1
    assert present != killed
    assert seconds(pool, "", 2) < 1 + BUSY_SECONDS


def test_a_deaf_question_is_stopped_two_seconds_after_its_time_while_others_answer(open_pool: OpenPool) -> None:
    pool = open_pool(workers=2, threads=1)
    seconds(pool, "bea", -1)
    started = time.monotonic()
    with ThreadPoolExecutor() as threads:
        bomb = threads.submit(pool.ask, question(DEAF, "ann", timeout_seconds=1))
        took = [seconds(pool, "bea", number) for number in range(20)]

        with pytest.raises(Stopped, match="after 1 s"):
            bomb.result()

    assert time.monotonic() - started < 4.5
    assert max(took) < 1.5
