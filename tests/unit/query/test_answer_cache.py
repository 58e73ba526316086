"""Answers are kept only when they are determined by data, in bounded memory, and equal questions run once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from query_lake import Lake, OpenPool

from lakehouse.errors import StatementWrong, Stopped
from lakehouse.query.answer import Answer
from lakehouse.query.cache import OVERHEAD_BYTES, Cache, SingleFlight
from lakehouse.query.engine import connect
from lakehouse.query.pool import QueryPool, Question
from lakehouse.query.scope import Scope
from lakehouse.query.statement import trusted, volatile_functions

SLOW = "select count(*) as c from range(30000000) t(i) where hash(i) % 7 = 1"


def together(pool: QueryPool, *questions: Question) -> list[Answer]:
    """Answers to questions that are asked at the same moment."""
    gate = threading.Barrier(len(questions))

    def ask(question: Question) -> Answer:
        gate.wait()
        return pool.ask(question)

    with ThreadPoolExecutor(len(questions)) as threads:
        return list(threads.map(ask, questions))


def test_an_equal_question_is_answered_from_memory(open_pool: OpenPool, lake: Lake) -> None:
    pool = open_pool(workers=1)
    first = pool.ask(Question("from raw.sales", {"raw.sales": lake.january}))
    second = pool.ask(Question("from raw.sales", {"raw.sales": lake.january}))

    assert (first.cached, second.cached) == (False, True)
    assert second.table is first.table
    assert second.complete


def test_whatever_an_answer_depends_on_is_in_the_key(open_pool: OpenPool, lake: Lake) -> None:
    pool = open_pool(workers=1)
    january, february = {"raw.sales": lake.january}, {"raw.sales": lake.february}
    questions = [
        Question("from raw.sales", january),
        Question("from raw.sales", february),
        Question("from raw.sales", january, max_rows=3),
        Question("from raw.sales", january, Scope(frozenset({"raw.sales"}))),
        Question("from  raw.sales", january),
    ]

    answers = [pool.ask(question) for question in questions]
    again = [pool.ask(question) for question in questions]

    assert [answer.cached for answer in answers] == [False] * 5
    assert [answer.cached for answer in again] == [True] * 5
    assert [answer.table.num_rows for answer in again] == [20, 21, 3, 20, 20]
    assert not again[2].complete


@pytest.mark.parametrize(
    "sql",
    [
        "select random()",
        'select "now"()',
        "select Current_Timestamp",
        "select current_date",
        "select uuid()",
        "select age(timestamp '2020-01-01')",
        "select ago(interval 1 day)",
        "from range(100) using sample 3",
    ],
)
def test_an_answer_that_data_does_not_determine_is_not_kept(open_pool: OpenPool, sql: str) -> None:
    pool = open_pool(workers=1)

    assert [pool.ask(Question(sql, {})).cached for _ in range(2)] == [False, False]


def test_every_function_and_macro_that_may_change_its_mind_is_known() -> None:
    with connect("256MB", 1) as connection:
        volatile = volatile_functions(connection)
        macros = connection.execute(
            "SELECT DISTINCT function_name, macro_definition FROM duckdb_functions() WHERE macro_definition IS NOT NULL"
        ).fetchall()

        def is_stable(expression: str) -> bool:
            return trusted(connection, f"select {expression}", ()).stable

        changing = [
            name for name, text in macros if not text.lower().startswith(("select", "with")) and not is_stable(text)
        ]
        kept = {name for name in changing if is_stable(f"{name}()")}
        assert is_stable("sum(amount) from marts.daily_revenue where region = 'North'")

    assert {"random", "now", "today", "uuid", "nextval", "get_current_timestamp"} <= volatile
    # These only look as if: they raise errors, or have a word such as `sample` in a string.
    assert kept <= {"format_type", "get_block_size", "histogram", "histogram_values", "json_group_object", "user"}


def test_no_cache_is_kept_when_it_is_switched_off(open_pool: OpenPool) -> None:
    pool = open_pool(workers=1, cache_mb=0)

    assert [pool.ask(Question("select 1", {})).cached for _ in range(2)] == [False, False]


def test_the_answer_that_was_not_used_for_longest_is_forgotten_first(open_pool: OpenPool) -> None:
    pool = open_pool(workers=1, cache_mb=1)

    def cached(number: int) -> bool:
        return pool.ask(Question(f"select i + {number} from range(50000) t(i)", {})).cached

    assert [cached(1), cached(2), cached(1)] == [False, False, True]
    assert cached(3) is False  # 3 x 400 kB: 2 has to go
    assert [cached(1), cached(2)] == [True, False]


def test_a_cache_counts_bytes_also_when_a_key_is_written_again() -> None:
    cache: Cache[str] = Cache(3 * OVERHEAD_BYTES)
    for _ in range(10):
        cache.put("a", "A", 0)
    cache.put("b", "B", 0)
    cache.put("c", "C", 0)
    cache.put("huge", "H", 3 * OVERHEAD_BYTES)
    kept = [cache.get(key) for key in ("a", "b", "c", "huge")]
    cache.put("d", "D", 1)

    assert kept == ["A", "B", "C", None]
    assert [cache.get(key) for key in ("a", "b", "c", "d")] == [None, None, "C", "D"]


def test_equal_questions_at_the_same_time_run_once(open_pool: OpenPool) -> None:
    pool = open_pool(workers=2, cache_mb=0)

    answers = together(pool, *[Question(SLOW, {})] * 6)

    assert sorted(answer.cached for answer in answers) == [False] + [True] * 5
    assert all(answer.table is answers[0].table for answer in answers)


def test_the_error_of_whoever_came_first_goes_to_all_and_is_not_kept(open_pool: OpenPool) -> None:
    pool = open_pool(workers=1)
    sql = f"select error('no') where ({SLOW}) > 0"
    errors: list[Any] = []

    def ask() -> None:
        with pytest.raises(StatementWrong, match="no") as caught:
            pool.ask(Question(sql, {}))
        errors.append(caught.value)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({id(error) for error in errors}) == 3
    assert sum(isinstance(error.__cause__, StatementWrong) for error in errors) == 2
    with pytest.raises(StatementWrong) as caught:
        pool.ask(Question(sql, {}))
    assert not isinstance(caught.value.__cause__, StatementWrong)


def test_whoever_joins_keeps_a_timeout_of_their_own(open_pool: OpenPool) -> None:
    pool = open_pool(workers=1, threads=1)
    endless = "select count(*) from range(1000000000000) t(i) where hash(i) % 7 = 1"
    with ThreadPoolExecutor() as threads:
        first = threads.submit(pool.ask, Question(endless, {}, timeout_seconds=2))
        time.sleep(0.5)
        started = time.monotonic()

        with pytest.raises(Stopped, match=r"after 0.5 s"):
            pool.ask(Question(endless, {}, timeout_seconds=0.5))
        took = time.monotonic() - started
        with pytest.raises(Stopped, match=r"after 3 s"):
            pool.ask(Question(endless, {}, timeout_seconds=3))
        with pytest.raises(Stopped, match=r"after 2 s"):
            first.result()

    assert 0.5 <= took < 3


def test_a_flight_whose_leader_is_interrupted_lets_its_followers_go() -> None:
    flight: SingleFlight[int] = SingleFlight()
    joined = threading.Event()

    def interrupted() -> int:
        joined.wait(5)
        time.sleep(0.1)
        raise KeyboardInterrupt

    with ThreadPoolExecutor() as threads:
        leader = threads.submit(flight.run, "key", interrupted, 5)
        time.sleep(0.1)
        follower = threads.submit(flight.run, "key", lambda: 1, 5)
        joined.set()

        assert "interrupted" in str(follower.exception(5))
        assert isinstance(leader.exception(5), KeyboardInterrupt)
    assert flight.run("key", lambda: 2, 5) == (2, True)
