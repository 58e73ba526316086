"""Where worker processes come from, what they are given, and that none is left behind."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from query_lake import Lake, OpenPool, rows
from worker_processes import alive, busy_worker, workers_of

from lakehouse.errors import Unavailable
from lakehouse.query.pool import QueryPool
from lakehouse.settings import QuerySettings

ROOT = Path(__file__).parents[3]
ENDLESS = "select count(*) from range(1000000000000) t(i) where hash(i) % 7 = 1"

# No `if __name__ == "__main__"`: a worker must not run its parent's script again.
PARENT = textwrap.dedent("""
    import sys, threading
    from lakehouse.query.pool import QueryPool, Question
    from lakehouse.settings import QuerySettings

    pool = QueryPool(QuerySettings(workers=2), [])
    if sys.argv[1] == "busy":
        threading.Thread(target=pool.ask, args=(Question(sys.argv[2], {}),)).start()
    print(pool.ask(Question("select 42 as x", {})).table.to_pylist(), flush=True)
    if sys.argv[1] != "exit":
        sys.stdin.read()
""")


def parent(what: str, **environ: str) -> "subprocess.Popen[str]":
    """A script of its own with a pool, which has printed its answer."""
    return subprocess.Popen(
        [sys.executable, "-c", PARENT, what, ENDLESS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environ},
    )


def gone(pids: set[int], within_seconds: float) -> bool:
    deadline = time.monotonic() + within_seconds
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(alive(pid) for pid in pids)


def test_workers_start_when_they_are_needed_and_close_leaves_none(lake: Lake) -> None:
    pool = QueryPool(QuerySettings(workers=2), [str(lake.folder)])
    assert workers_of(os.getpid()) == set()
    rows(pool, "select 1")
    rows(pool, "select 2")
    started = workers_of(os.getpid())

    pool.close()
    pool.close()

    assert len(started) == 1
    assert not any(Path(f"/proc/{pid}").exists() for pid in started)
    with pytest.raises(Unavailable, match="shutting down"):
        rows(pool, "select 3")


def test_close_answers_those_who_wait_and_those_who_run(open_pool: OpenPool) -> None:
    pool, said = open_pool(workers=1), []

    def ask(sql: str) -> None:
        with pytest.raises(Unavailable) as caught:
            rows(pool, sql)
        said.append(str(caught.value))

    threads = [threading.Thread(target=ask, args=(sql,)) for sql in (ENDLESS, "select 1", "select 1", "select 2")]
    threads[0].start()
    worker = busy_worker()
    for thread in threads[1:]:
        thread.start()
    time.sleep(0.2)

    pool.close()
    for thread in threads:
        thread.join(5)

    assert said == ["Lakeport is shutting down; ask again in a moment."] * 4
    assert not Path(f"/proc/{worker}").exists()


def test_a_pool_that_nobody_closes_takes_its_workers_with_it() -> None:
    pool = QueryPool(QuerySettings(workers=1), [])
    rows(pool, "select 1")
    started = workers_of(os.getpid())

    del pool

    assert gone(started, 5)


@pytest.mark.parametrize("what", ["idle", "busy"])
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_its_parent(what: str, sign: signal.Signals) -> None:
    with parent(what) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "[{'x': 42}]\n"
        if what == "busy":
            busy_worker(process.pid)
        workers = workers_of(process.pid)

        process.send_signal(sign)
        process.wait(5)

        assert workers
        assert gone(workers, 3)


def test_a_script_that_ends_without_closing_ends() -> None:
    with parent("exit") as process:
        assert process.communicate(timeout=20)[0] == "[{'x': 42}]\n"
    assert process.returncode == 0


def test_an_interrupt_at_the_terminal_is_the_parents_to_decide(open_pool: OpenPool) -> None:
    pool = open_pool(workers=1)
    rows(pool, "select 1")
    (worker,) = workers_of(os.getpid())

    os.kill(worker, signal.SIGINT)

    assert os.getsid(worker) != os.getsid(0)
    assert rows(pool, "select 2 as x") == [{"x": 2}]
    assert workers_of(os.getpid()) == {worker}


def test_a_worker_inherits_no_secret(open_pool: OpenPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEPORT_ACCESS__SECRET_KEY", "s3cret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    pool = open_pool(workers=1)
    rows(pool, "select 1")

    environ = Path(f"/proc/{workers_of(os.getpid()).pop()}/environ").read_bytes()

    assert b"PATH=" in environ
    assert b"s3cret" not in environ


def test_a_worker_may_not_grow_beyond_its_address_space_nor_leave_a_core(open_pool: OpenPool) -> None:
    pool = open_pool(workers=1, address_space_mb=2048)
    rows(pool, "select 1")

    limits = Path(f"/proc/{workers_of(os.getpid()).pop()}/limits").read_text().splitlines()

    found = {line[:26].strip(): line[26:].split()[:2] for line in limits[1:]}
    assert found["Max address space"] == [str(2048 << 20)] * 2
    assert found["Max core file size"] == ["0", "0"]


def test_a_forked_child_is_told_to_open_a_pool_of_its_own(open_pool: OpenPool) -> None:
    pool = open_pool(workers=1)
    rows(pool, "select 1")
    child = os.fork()
    if child == 0:
        try:
            rows(pool, "select 2")
        except Unavailable as error:
            os._exit(7 if "fork" in str(error) else 8)
        os._exit(9)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert rows(pool, "select 3 as x") == [{"x": 3}]


def test_answers_do_not_depend_on_the_machines_time_zone_or_language(
    open_pool: OpenPool, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = """select timestamptz '2024-07-01 00:30:00+02' as at, timestamptz '2024-07-01 00:30:00+02'::date as day,
        strftime(date '2024-03-01', '%A %B') as words, max(region) as last, 1234.5::varchar as number,
        'ä' > 'z' as order, epoch(timestamp '2024-07-01 00:00:00') as epoch from raw.sales"""
    tables = []
    for zone, language in (("UTC", "C"), ("America/New_York", "de_DE.UTF-8"), ("Asia/Kolkata", "tr_TR.UTF-8")):
        monkeypatch.setenv("TZ", zone)
        monkeypatch.setenv("LANG", language)
        monkeypatch.setenv("LC_ALL", language)
        tables.append(rows(open_pool(workers=1), sql, pins={"raw.sales": lake.january}))

    assert tables[0] == tables[1] == tables[2]
    assert str(tables[0][0]["day"]) == "2024-06-30"
