"""Bombs of one user: each ends in time, somebody else gets right answers meanwhile, and nothing of it is left.

One rule: all go through one pool, one after the other, so that what one of them leaves behind harms the next.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from bombs import COSTLY, REFUSED
from query_lake import Lake
from worker_processes import set_others_apart, workers_of

from lakehouse.errors import StatementWrong, Stopped, Unavailable
from lakehouse.query.pool import QueryPool, Question
from lakehouse.query.process import GRACE_SECONDS
from lakehouse.settings import QuerySettings

TIMEOUT_SECONDS = 2
BUSY_SECONDS = 2
"""How much longer anything may take on a machine that does other things too."""

MORE_SECONDS = 1
"""How much longer somebody else's small question may take than it takes alone."""

MORE_MB, RETURN_SECONDS = 64, 15
"""How much more memory a process may use after a bomb than before, and when at the latest no more than that.

Python keeps some of what the tree of a long statement took; it is used again by the next one.
"""

WORKERS = 2
SOON = (
    *("longest IN", "brackets"),
    *("long text", "distance of texts", "correlated subquery", "JSON that ends the process"),
)
"""One of each kind: too long, too deep, too large, deaf to interrupts, one that leaves much memory, and a crash."""

SMALL, LONGER = "select {} as x", "select {} as x, count(*) as c from range(2000000) t(i) where hash(i) % 7 = 1"


@dataclass(frozen=True)
class Arena:
    """A pool, and how to ask it."""

    pool: QueryPool
    _numbers: Iterator[int] = field(default_factory=count)

    def ask(self, asker: str, sql: str = SMALL) -> float:
        """The seconds of a question that nobody asked before; its answer is right."""
        number = next(self._numbers)
        answer = self.pool.ask(Question(sql.format(number), {}, asker=asker))
        assert answer.table.column("x").to_pylist() == [number]
        return answer.seconds

    def all_answer(self) -> None:
        """Every worker gives a right answer: each of these keeps one busy for a while."""
        with ThreadPoolExecutor(WORKERS) as threads:
            list(threads.map(lambda asker: self.ask(asker, LONGER), ("ana", "mallory")))

    def asked_during(self, bomb: "Future[tuple[str, float]]") -> list[float]:
        """The seconds of ana's questions until the bomb is over."""
        took = [self.ask("ana")]
        while not bomb.done():
            took.append(self.ask("ana"))
            time.sleep(0.02)
        return took

    def ending(self, sql: str) -> tuple[str, float]:
        """How a question of mallory's ends, and after how many seconds."""
        started = time.monotonic()
        try:
            answer = self.pool.ask(Question(sql, {}, asker="mallory", timeout_seconds=TIMEOUT_SECONDS))
            how = "answered" if answer.complete else "cut"
        except StatementWrong:
            how = "refused"
        except (Stopped, Unavailable):
            how = "stopped"
        return how, time.monotonic() - started


@dataclass(frozen=True)
class Before:
    """How it was before the first bomb: a small question alone, and the memory of the workers and of this process."""

    seconds: float
    workers_mb: float
    own_mb: float


def memory_mb(processes: set[int]) -> float:
    """What processes use, each shared page split among those that share it."""
    return sum(_memory_kb(process) for process in processes) / 1024


def _memory_kb(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


@pytest.fixture(scope="module", autouse=True)
def _own_workers() -> None:
    """The pool of all tests here is opened after this."""
    set_others_apart()


@pytest.fixture(scope="module")
def arena(lake: Lake, _own_workers: None) -> Iterator[Arena]:
    limits = QuerySettings(workers=WORKERS, threads=1, memory_mb=256, address_space_mb=2048, cache_mb=0)
    with QueryPool(limits, [str(lake.folder)]) as pool:
        opened = Arena(pool)
        opened.ask("mallory")
        opened.ask("ana")
        yield opened


@pytest.fixture(scope="module")
def before(arena: Arena) -> Before:
    arena.all_answer()
    seconds = max(arena.ask("ana") for _ in range(20))
    return Before(seconds, memory_mb(workers_of(os.getpid())), memory_mb({os.getpid()}))


def survived(arena: Arena, before: Before, sql: str) -> str:
    """How a bomb ended, after everything around it was found in order."""
    arena.all_answer()
    with ThreadPoolExecutor(1) as threads:
        bomb = threads.submit(arena.ending, sql)
        took = arena.asked_during(bomb)
    ending, seconds = bomb.result()

    assert seconds < TIMEOUT_SECONDS + GRACE_SECONDS + BUSY_SECONDS
    assert max(took) < before.seconds + MORE_SECONDS + BUSY_SECONDS
    arena.all_answer()
    assert len(workers_of(os.getpid())) == WORKERS
    assert within(RETURN_SECONDS, lambda: memory_mb(workers_of(os.getpid())) < before.workers_mb + WORKERS * MORE_MB)
    assert within(RETURN_SECONDS, lambda: memory_mb({os.getpid()}) < before.own_mb + MORE_MB)
    return ending


def within(seconds: float, happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def soon_or_slow(bombs: Mapping[str, str]) -> list[Any]:
    """The bombs as parameters, those that are not among the first behind the mark `slow`."""
    return [pytest.param(sql, id=name, marks=() if name in SOON else pytest.mark.slow) for name, sql in bombs.items()]


@pytest.mark.parametrize("sql", soon_or_slow(REFUSED))
def test_a_bomb_that_is_too_long_or_too_deep_is_refused(arena: Arena, before: Before, sql: str) -> None:
    assert survived(arena, before, sql) == "refused"


@pytest.mark.parametrize("sql", soon_or_slow(COSTLY))
def test_a_bomb_that_is_only_costly_is_stopped(arena: Arena, before: Before, sql: str) -> None:
    assert survived(arena, before, sql) in ("stopped", "cut")
