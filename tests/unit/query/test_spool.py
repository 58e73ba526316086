"""Rows that go to disk: whole, in order, within limits, and gone when nobody wants them any more."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from query_lake import Lake, OpenPool
from worker_processes import busy_worker, workers_of

from lakehouse.child import NICE
from lakehouse.errors import Busy, StatementRefused, Stopped, Unavailable
from lakehouse.query import spool
from lakehouse.query.pool import QueryPool, Question
from lakehouse.settings import QuerySettings

TOKEN = "mine"  # noqa: S105  # names a question
SLOW = "select sum(hash(a.range)) from range(100000) a, range(1000000) b"
ENDLESS_ROWS = "select range as n, repeat('x', 100) as t from range(1000000000)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def spooling(folder: Path) -> Iterator[Any]:
    """Opens pools whose exports lie in `folder`; keywords are settings."""
    with ExitStack() as stack:

        def opened(**limits: Any) -> QueryPool:
            limits = {"workers": 1, **limits}
            return stack.enter_context(QueryPool(QuerySettings(**limits), [], own_folder=folder))

        yield opened


def ask(sql: str, **parts: Any) -> Question:
    return Question(sql, {}, **{"trusted": True, "asker": "ann", **parts})


def held(folder: Path) -> int:
    """How many files of the folder this process has open; the folder itself never shows one."""
    found = 0
    for one in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found += str(one.readlink()).startswith(f"{folder}/")
    assert list(folder.iterdir()) == []
    return found


def test_an_export_has_the_rows_of_the_answer_in_their_order_and_knows_their_number(spooling: Any) -> None:
    pool = spooling()
    sql = "select range as n, (range * 7919 % 100003)::varchar as t, null::date as d from range(200000) order by t, n"

    with pool.export(ask(sql)) as found:
        assert (found.rows, found.complete) == (200_000, True)
        assert found.stored.schema.names == ["n", "t", "d"]
        table = pa.Table.from_batches(found.stored.batches())
        assert table.equals(pool.ask(ask(sql)).table)
        assert pa.Table.from_batches(found.stored.batches()).equals(table)


def test_an_export_is_under_the_same_rights_as_an_answer(lake: Lake, open_pool: OpenPool) -> None:
    pool = open_pool()
    pins = {"raw.sales": lake.february}

    with pool.export(Question("select sum(amount) as a from raw.sales", pins)) as found:
        assert (
            next(found.stored.batches()).to_pylist()
            == pool.ask(Question("select sum(amount) as a from raw.sales", pins)).table.to_pylist()
        )
    with pytest.raises(StatementRefused):
        pool.export(Question("select * from read_csv('/etc/passwd')", pins))


def test_an_export_is_cut_at_its_own_limit_of_rows_and_says_so(spooling: Any) -> None:
    pool = spooling(export_rows=70_000, max_rows=10)

    with (
        pool.export(ask("select * from range(100000)")) as cut,
        pool.export(ask("select * from range(70000)")) as whole,
    ):
        assert (cut.rows, cut.complete) == (70_000, False)
        assert [row["range"] for batch in cut.stored.batches() for row in batch.to_pylist()] == list(range(70_000))
        assert (whole.rows, whole.complete) == (70_000, True)


def test_an_export_may_be_larger_than_the_memory_of_an_answer(spooling: Any) -> None:
    pool = spooling(memory_mb=128)
    sql = "select repeat('x', 1000) as t from range(200000)"

    with pool.export(ask(sql)) as found:
        assert (found.rows, found.complete) == (200_000, True)
        assert max(batch.nbytes for batch in found.stored.batches()) <= 8 << 20
    assert not pool.ask(ask(sql)).complete


def test_a_row_of_many_megabytes_is_refused(spooling: Any) -> None:
    with pytest.raises(Stopped, match="A single row has more than 64 MiB"):
        spooling().export(ask("select repeat('x', 70000000) as t"))


def test_exports_under_way_fill_no_more_disk_than_they_may(spooling: Any, folder: Path) -> None:
    pool = spooling(export_mb=8)
    small = ask("select repeat('x', 1000) as t from range(5000)")

    with pool.export(small):
        with pytest.raises(Stopped, match="fill the 8 MiB of disk"):
            pool.export(small)
        assert held(folder) == 1

    with pytest.raises(Stopped, match=r"raise query\.export_mb"):
        pool.export(ask(ENDLESS_ROWS))
    with pool.export(small) as again:
        assert again.rows == 5_000
    assert held(folder) == 0


def test_a_disk_without_room_is_said_and_leaves_the_pool_whole(
    spooling: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = spooling()
    with monkeypatch.context() as full:
        full.setattr(spool, "SPARED_BYTES", 1 << 60)
        with pytest.raises(Unavailable, match="disk has no room for this export"):
            pool.export(ask("select 1 as n"))

    assert held(folder) == 0
    with pool.export(ask("select 1 as n")) as found:
        assert found.rows == 1


def test_a_folder_that_is_away_is_said(tmp_path: Path) -> None:
    with QueryPool(QuerySettings(workers=1), [], own_folder=tmp_path / "gone") as pool:
        with pytest.raises(Unavailable, match="No file for this export could be made"):
            pool.export(ask("select 1"))
        with pytest.raises(Unavailable):  # and counts for nobody
            [pool.export(ask("select 1")) for _ in range(spool.MOST_OPEN + 1)]


def test_an_export_that_takes_too_long_is_stopped_and_leaves_nothing(spooling: Any, folder: Path) -> None:
    pool = spooling(export_seconds=0.5)

    with pytest.raises(Stopped, match=r"stopped after 0\.5 s.*query\.export_seconds"):
        pool.export(ask(SLOW))

    assert held(folder) == 0


def test_a_worker_that_is_killed_in_the_middle_leaves_no_half_export(spooling: Any, folder: Path) -> None:
    pool = spooling(export_rows=10**9)

    with ThreadPoolExecutor() as threads:
        asked = threads.submit(pool.export, ask(ENDLESS_ROWS))
        os.kill(busy_worker(), signal.SIGKILL)
        with pytest.raises(Stopped, match="own process was killed"):
            asked.result()

    assert held(folder) == 0
    with pool.export(ask("select 1 as n")) as found:
        assert found.rows == 1


def test_an_export_can_be_cancelled(spooling: Any, folder: Path) -> None:
    pool = spooling()

    with ThreadPoolExecutor() as threads:
        asked = threads.submit(pool.export, ask(SLOW, cancel_token=TOKEN))
        busy_worker()
        assert pool.cancel(TOKEN)
        with pytest.raises(Stopped, match="cancelled"):
            asked.result()

    assert held(folder) == 0


def test_a_worker_is_free_before_the_first_row_is_read(spooling: Any) -> None:
    pool = spooling(workers=1)

    with pool.export(ask("select * from range(500000)")) as unread:
        started = time.monotonic()
        with pool.export(ask("select 42 as n")) as other:
            assert other.rows == 1
        assert time.monotonic() - started < 5
        assert len(workers_of(os.getpid())) == 1
        assert sum(batch.num_rows for batch in unread.stored.batches()) == 500_000


def test_a_worker_of_exports_goes_behind_those_of_questions(spooling: Any) -> None:
    pool = spooling(workers=1)
    pool.ask(ask("select 42 as n"))
    [asked] = workers_of(os.getpid())

    pool.export(ask("select 42 as n")).close()
    [exporting] = set(workers_of(os.getpid())) - {asked}

    assert [os.getpriority(os.PRIO_PROCESS, one) for one in (asked, exporting)] == [0, NICE]


def test_one_asker_has_no_more_exports_than_a_few_and_others_are_not_touched(spooling: Any, folder: Path) -> None:
    pool = spooling()
    mine = [pool.export(ask("select 1 as n")) for _ in range(spool.MOST_OPEN)]

    with pytest.raises(Busy, match="of your exports are under way"):
        pool.export(ask("select 1 as n"))
    with pool.export(ask("select 1 as n", asker="bea")):
        assert held(folder) == spool.MOST_OPEN + 1
    mine.pop().close()
    mine.append(pool.export(ask("select 1 as n")))
    for one in mine:
        one.close()
        one.close()

    assert held(folder) == 0


def test_what_nobody_closes_is_gone_with_whoever_had_it(spooling: Any, folder: Path) -> None:
    pool = spooling()
    found = pool.export(ask("select 1 as n"))
    assert held(folder) == 1

    del found

    assert held(folder) == 0
    assert len([pool.export(ask("select 1 as n")) for _ in range(spool.MOST_OPEN)]) == spool.MOST_OPEN


def test_rows_that_are_missing_at_the_end_are_noticed(spooling: Any) -> None:
    with spooling().export(ask("select * from range(10)")) as found:
        less = spool.Spooled(found.spool, 11, True, 0)
        with pytest.raises(Unavailable, match="Of 11 rows 10 could be read"):
            list(less.stored.batches())


@pytest.mark.parametrize("workers", [1, 2])
def test_exports_of_two_users_leave_every_worker_to_questions(spooling: Any, workers: int) -> None:
    pool = spooling(workers=workers)
    with ThreadPoolExecutor() as threads:
        long = [threads.submit(pool.export, ask(SLOW, asker=name, cancel_token=name)) for name in ("ann", "bea")]
        busy_worker()
        started = time.monotonic()

        assert pool.ask(ask("select 42 as n", asker="cem")).table.to_pylist() == [{"n": 42}]
        took = time.monotonic() - started
        stopped = [pool.cancel(name) for name in ("ann", "bea")]
        errors = [one.exception() for one in long]

    assert took < 10
    assert stopped == [True, True]
    assert all(isinstance(error, Stopped) for error in errors)


@pytest.mark.parametrize("rows", [40_000, 400_000])
def test_memory_does_not_grow_with_the_rows(spooling: Any, rows: int) -> None:
    sql = f"select range as n, repeat('x', 100) as t, (range / 7)::decimal(18, 2) as d from range({rows}) order by t, n"
    pool = spooling()
    before = pa.total_allocated_bytes()
    most = 0

    with pool.export(ask(sql)) as found:
        kept_by_asking = pa.total_allocated_bytes() - before
        for _ in found.stored.batches():
            most = max(most, pa.total_allocated_bytes() - before)

    assert kept_by_asking < 1 << 20
    assert most < 24 << 20


def test_many_may_export_at_once(spooling: Any, folder: Path) -> None:
    pool = spooling(workers=2)
    wrong: list[object] = []

    def export(number: int) -> None:
        with pool.export(ask(f"select range + {number} as n from range(20000)", asker=str(number))) as found:
            first = next(found.stored.batches())["n"][0].as_py()
            if (found.rows, first) != (20_000, number):
                wrong.append((number, found.rows, first))

    threads = [threading.Thread(target=export, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
    assert held(folder) == 0
