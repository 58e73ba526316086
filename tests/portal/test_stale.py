"""Readers ask a served portal while releases land: every answer is whole, of the release that it names, and never old.

One rule: what is read is kept as it came and compared afterwards, each page and file with what its own release must
give, so that the readers are as fast as the portal lets them be.
"""

import csv
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse
from tests.pipelines.lake import Lake
from tests.portal.caller import Answered, Caller
from tests.portal.expected_files import expected_file
from tests.portal.expected_page import expected_page
from tests.portal.landing import LINES, Landing, figures_of, landing
from tests.portal.markup import with_content
from tests.portal.page_numbers import read
from tests.portal.revenue_numbers import differences
from tests.portal.revenue_oracle import Oracle
from tests.portal.such import Such
from tests.portal.test_serve import Served
from tests.portal.visitor import PASSWORD, Shown

READERS = 6
COPIED_EACH = 3
"""Some releases have hot copies and some have none: both are read, one after the other."""

ALL = "/revenue?period=all"
PAGES = (ALL, "/revenue", "/revenue?region=North&compare=off&grain=week", "/revenue?at={past}")
FILES = ("key-figures", "region", "over-time", "lines")
TURN = (PAGES[0], PAGES[1], FILES[0], PAGES[2], PAGES[0], PAGES[3], FILES[1], PAGES[0], FILES[2], PAGES[1], FILES[3])
"""What a reader asks, one after the other, again and again."""


@dataclass(frozen=True)
class Read:
    """One answer: what was asked, the release that was current before, the one asked for (0: now), what came."""

    what: str
    current: int
    wanted: int
    release: int
    content: str


@dataclass
class Seen:
    """Everything that was read, and of equal answers one."""

    reads: list[Read] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)


def ask(caller: Caller, what: str, wanted: int) -> tuple[Answered, str]:
    """The answer to one of `PAGES` or `FILES`, and of it what does not depend on who asks and when."""
    if what in FILES:
        answer = caller.ask(f"/export/revenue/{what}.csv?raw=1&period=all")
        assert answer.status == 200, answer.body
        return answer, answer.body.decode()
    answer = caller.show(what.format(past=wanted))
    return answer, answer.shown


def read_on(caller: Caller, landed: Landing, turns: Iterator[int], seen: Seen) -> None:
    """Ask in turn until nobody needs an answer any more."""
    for number in turns:
        what, current = TURN[number % len(TURN)], landed.number
        wanted = number % current + 1 if "{past}" in what else 0
        answer, content = ask(caller, what, wanted)
        seen.kept.setdefault(content, answer.body)
        seen.reads.append(Read(what, current, wanted, answer.release, content))


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


def wrong(lakehouse: Lakehouse, seen: Seen) -> list[str]:
    """What any answer says that its release does not; each different answer is looked at once."""
    oracles = {
        number: Oracle(lakehouse.as_user(operator()).at(str(number)))
        for number in sorted({one.release for one in seen.reads})
    }
    for number, oracle in oracles.items():
        assert tuple(oracle.totals(oracle.bounds, {})[:2]) == figures_of(number)
    return [
        f"{one.what} of release {one.release}: {problem}"
        for one in {(one.what, one.release, one.content): one for one in seen.reads}.values()
        for problem in (
            wrong_file(oracles[one.release], one)
            if one.what in FILES
            else wrong_page(oracles[one.release], one, seen.kept[one.content])
        )
    ]


def wrong_file(oracle: Oracle, one: Read) -> Iterator[str]:
    rows = [tuple(row) for row in csv.reader(io.StringIO(one.content, newline=""))]
    if one.what != "lines":
        yield from differences(tuple(map(tuple, expected_file(oracle, ALL, one.what))), tuple(rows))
        return
    totals = [Decimal(row[rows[0].index("line_total")]) for row in rows[1:]]
    yield from differences(figures_of(one.release), (sum(totals), len(totals)))


def wrong_page(oracle: Oracle, one: Read, body: bytes) -> Iterator[str]:
    page = Shown(with_content(json.loads(body)["response"]["shell-page"]["children"]))
    expected = expected_page(oracle, one.what.format(past=one.wanted))
    # Between the flip and the end of its run nobody has said yet how the tests of a release went.
    untold = oracle.foot.rpartition(" · ")[0]
    foot: Any = Such("the foot of the release", lambda said: said in (oracle.foot, untold))
    yield from differences(replace(expected, foot=foot), read(page))
    if one.what == ALL and f"of {LINES + one.release:,} lines" not in page.one("lp-lines").text:
        yield "the lines are not those of the release"


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
        found = wrong(lakehouse, seen)

    assert len(seen.reads) == reads
    assert found == []
    assert [one for one in seen.reads if one.release != (one.wanted or one.release)] == []
    assert [one for one in seen.reads if not one.wanted and one.release < one.current] == []
    assert len({one.release for one in seen.reads}) > releases * 3 // 4  # they read while releases landed


def test_no_answer_is_stale_while_releases_land(lake: Lake, sample_lake: Lake) -> None:
    check(lake, sample_lake, 200, 6)


@pytest.mark.slow
@pytest.mark.parametrize(("processes", "reads", "releases"), [("1", 10_000, 60), ("2", 3_000, 20)])
def test_of_ten_thousand_answers_none_is_stale_while_releases_land(
    lake: Lake, sample_lake: Lake, processes: str, reads: int, releases: int
) -> None:
    check(lake, sample_lake, reads, releases, "--workers", processes)
