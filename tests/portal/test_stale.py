"""Readers ask a served portal while releases land: every answer is whole, of the release that it names, and never old.

One rule: what is read is kept as it came and compared afterwards, each page and file with what its own release must
give, so that the readers are as fast as the portal lets them be.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import pytest

from lakehouse.core import Lakehouse
from tests.pipelines.lake import Lake
from tests.portal.caller import Answered, Caller
from tests.portal.landing import Landing, figures_of, landing
from tests.portal.test_serve import Served
from tests.portal.visitor import PASSWORD
from tests.portal.whole_answers import ALL, FILES, Read, Seen, oracles_of, wrong

READERS = 6
COPIED_EACH = 3
"""Some releases have hot copies and some have none: both are read, one after the other."""

PAST = "{past}"
"""Stands for the number of an earlier release."""
PAGES = (ALL, "/revenue", "/revenue?region=North&compare=off&grain=week", f"/revenue?at={PAST}")
TURN = (PAGES[0], PAGES[1], FILES[0], PAGES[2], PAGES[0], PAGES[3], FILES[1], PAGES[0], FILES[2], PAGES[1], FILES[3])
"""What a reader asks, one after the other, again and again."""


def ask(caller: Caller, what: str) -> tuple[Answered, str]:
    """The answer to one of `PAGES` or `FILES`, and of it what does not depend on who asks and when."""
    if what in FILES:
        answer = caller.ask(f"/export/revenue/{what}.csv?raw=1&period=all")
        assert answer.status == 200, answer.body
        return answer, answer.body.decode()
    answer = caller.show(what)
    return answer, answer.shown


def read_on(caller: Caller, landed: Landing, turns: Iterator[int], seen: Seen) -> None:
    """Ask in turn until nobody needs an answer any more."""
    for number in turns:
        what, current = TURN[number % len(TURN)], landed.number
        wanted = number % current + 1 if PAST in what else 0
        what = what.replace(PAST, str(wanted))
        answer, content = ask(caller, what)
        seen.add(Read(what, current, wanted, answer.release, content), answer.body)


def wait_until(check: Callable[[], bool]) -> None:
    while not check():
        time.sleep(0.005)


def is_near(landed: Landing, release: int, over: threading.Event) -> bool:
    """Whether a release has landed, or no other will."""
    return over.is_set() or landed.number >= release


def read_while_landing(landed: Landing, port: int, reads: int, releases: int) -> Seen:
    """So many reads by several readers, over which the releases are spread."""
    seen, numbers, lock, over = Seen(), iter(range(reads)), threading.Lock(), threading.Event()

    def turns() -> Iterator[int]:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            # Readers are never more than one release ahead: of the one that lands while they read.
            wait_until(partial(is_near, landed, number * releases // reads, over))
            yield number

    def reader(number: int) -> None:
        with closing(Caller(port)) as caller:
            caller.log_in(f"reader-{number}")
            read_on(caller, landed, turns(), seen)

    with ThreadPoolExecutor(READERS) as pool:
        waiting = [pool.submit(reader, number) for number in range(READERS)]
        try:
            for _ in range(1, releases):
                wait_until(
                    lambda: len(seen.reads) >= landed.number * reads // releases or any(one.done() for one in waiting)
                )
                landed.land()
        finally:
            over.set()
        for one in waiting:
            one.result()
    return seen


def check(lake: Lake, sample_lake: Lake, reads: int, releases: int, *words: str) -> None:
    """Serve the lake, read while releases land, and look at every answer."""
    lake.configure("")
    with Lakehouse.open(lake.home) as lakehouse:
        for number in range(READERS):
            lakehouse.users.add(f"reader-{number}", PASSWORD, "viewer")
    with landing(lake, sample_lake, COPIED_EACH) as landed, Served(lake.home, *words) as served:
        landed.land()
        seen = read_while_landing(landed, served.port, reads, releases)
    with Lakehouse.open(lake.home) as lakehouse:
        oracles = oracles_of(lakehouse, seen)

    assert len(seen.reads) == reads
    for number, oracle in oracles.items():
        assert tuple(oracle.totals(oracle.bounds, {})[:2]) == figures_of(number)
    assert wrong(oracles, seen) == []
    assert [one for one in seen.reads if one.release != (one.wanted or one.release)] == []
    assert [one for one in seen.reads if not one.wanted and one.release < one.current] == []
    assert len({one.release for one in seen.reads}) > releases * 3 // 4  # they read while releases landed


def test_no_answer_is_stale_while_releases_land(lake: Lake, sample_lake: Lake) -> None:
    check(lake, sample_lake, 200, 6)


@pytest.mark.parametrize(
    ("processes", "reads", "releases"),
    [
        *(pytest.param(*asked, marks=pytest.mark.slow) for asked in (("1", 2_000, 20), ("2", 1_000, 10))),
        *(pytest.param(*asked, marks=pytest.mark.fuzz) for asked in (("1", 10_000, 60), ("2", 3_000, 20))),
    ],
)
def test_of_thousands_of_answers_none_is_stale_while_releases_land(
    lake: Lake, sample_lake: Lake, processes: str, reads: int, releases: int
) -> None:
    """Two thousand and one thousand; `make fuzz` asks for ten thousand and three thousand."""
    check(lake, sample_lake, reads, releases, "--workers", processes)
