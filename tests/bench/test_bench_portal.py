"""What a tile and a page cost over HTTP, with session, policy and audit on, beside plain DuckDB in the same run.

One rule: everything takes turns, round by round, so that whatever else the machine does meets all of them; and what is
called new or asked before is so by the records of the audit.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse
from lakehouse.query.hot import HotCopies, hot_folder
from portal.page import Visit
from portal.sales import Sales
from tests.bench.browser import Client, text_of
from tests.bench.conftest import MakeLake
from tests.bench.family import Used
from tests.bench.measured import percentile, show
from tests.bench.served import HOT, NOT_HOT, WITH_TILE, Served
from tests.bench.statements import LAYER, Alone, Listener, plain_duckdb

pytestmark = pytest.mark.bench

WARM_UP = 3
ROUNDS, ROUNDS_OF_MANY, MANY = 40, 15, 5_000_000
BEFORE = "?period=all"
MODES = {"hot": HOT, "not hot": NOT_HOT}
SETTLE_SECONDS = 0.003
"""After an answer, a server has something left to do that belongs to it."""

HEADING = ("what", "p50 ms", "p95 ms", "web CPU-ms", "with query workers' CPU-ms")


@dataclass
class Turn:
    """One kind of thing that is measured: what it does at a round, and what that has cost so far."""

    name: str
    ask: Callable[[int], Any]
    used: Callable[[], Used]
    requests: Callable[[], str] = lambda: ""
    spent: list[float] = field(default_factory=list)
    web: float = 0.0
    everything: float = 0.0
    known: list[str] = field(default_factory=list)
    """Ids of its requests."""

    def take(self, number: int) -> Any:
        """One round; returns the answer."""
        before, began = self.used(), time.perf_counter()
        answer = self.ask(number)
        self.spent.append((time.perf_counter() - began) * 1000)
        time.sleep(SETTLE_SECONDS)
        used = self.used().since(before)
        self.web += used.web * 1000
        self.everything += used.everything * 1000
        self.known.append(self.requests())
        return answer

    def forget(self) -> None:
        """Begin anew, after the rounds that warm everything up."""
        self.spent.clear()
        self.web = self.everything = 0.0

    @property
    def p50(self) -> float:
        return percentile(self.spent, 0.5)

    @property
    def line(self) -> tuple[str, ...]:
        """The turn as a line of the table."""
        web, everything = (one / len(self.spent) for one in (self.web, self.everything))
        shown = f"{web:.1f}" if web else ""
        return self.name, f"{self.p50:.1f}", f"{percentile(self.spent, 0.95):.1f}", shown, f"{everything:.1f}"


@dataclass(frozen=True)
class Asked:
    """What is asked round by round: new addresses and their statements, new tiles' least amounts and theirs."""

    searches: list[str]
    page: list[list[str]]
    tile: list[list[str]]


def test_the_cost_of_tiles_and_pages_beside_plain_duckdb(size: int, make_lake: MakeLake, tmp_path: Path) -> None:
    rounds = ROUNDS if size < MANY else ROUNDS_OF_MANY
    with ExitStack() as open_:
        lakehouse = open_.enter_context(Lakehouse.open(make_lake(size)))
        _check_copies(lakehouse)
        asked = _asked(lakehouse, rounds + WARM_UP)
        iceberg, native = open_.enter_context(plain_duckdb(lakehouse, tmp_path))
        turns = {"iceberg": _alone("iceberg_scan", iceberg, asked), "native": _alone("native table", native, asked)}
        for mode, variables in MODES.items():
            served = open_.enter_context(Served(lakehouse.settings.home, WITH_TILE, **variables))
            turns[mode] = _served(mode, served, open_.enter_context(served.client()), asked)
        _take_turns(turns, rounds)
        _check(lakehouse, turns, asked)

    lines = [turn.line for place in (*MODES, "iceberg", "native") for turn in turns[place].values()]
    show(f"{size:,} lines, {rounds} rounds", HEADING, lines)
    show("Against the goals, by p50; at most 1 is good", ("goal", "ratio"), list(_ratios(turns)))


def _check_copies(lakehouse: Lakehouse) -> None:
    """Whether the lake has what a hot page reads."""
    copies, pins = HotCopies(hot_folder(lakehouse.settings.folder)), lakehouse.as_user(operator()).pins
    assert all(copies.has(table, pin) for table, pin in pins.items() if table.startswith(LAYER))


def _asked(lakehouse: Lakehouse, rounds: int) -> Asked:
    """Addresses of periods that nobody has asked for, and what they ask when the address without a period is known."""
    bounds = Sales(lakehouse.as_user(operator()), Visit("/revenue")).bounds
    assert bounds is not None
    searches = [f"?from={bounds.first + timedelta(days=1 + number)}&grain=week" for number in range(rounds)]
    listener = Listener(lakehouse)
    listener.of_page(BEFORE)
    pages = [listener.of_page(search) for search in searches]
    return Asked(searches, pages, [listener.of_tile(least + 1) for least in range(rounds)])


def _served(mode: str, served: Served, client: Client, asked: Asked) -> dict[str, Turn]:
    def turn(name: str, ask: Callable[[int], Any]) -> Turn:
        return Turn(f"{name}, {mode}", ask, lambda: served.used, lambda: client.request)

    return {
        "cached tile": turn("tile, asked before", lambda _: client.tile(0)),
        "cached page": turn("page, asked before", lambda _: client.page(BEFORE)),
        "tile": turn("tile, new", lambda number: client.tile(number + 1)),
        "page": turn("page, new", lambda number: client.page(asked.searches[number])),
    }


def _alone(name: str, plain: Alone, asked: Asked) -> dict[str, Turn]:
    def turn(what: str, ask: Callable[[int], Any]) -> Turn:
        return Turn(f"DuckDB alone on {name}: {what}", ask, lambda: Used(0.0, time.process_time()))

    return {
        "tile": turn("the new tile's statement", lambda number: plain.ask(asked.tile[number])),
        "page": turn(f"the new page's {len(asked.page[0])} statements", lambda number: plain.ask(asked.page[number])),
    }


def _take_turns(turns: dict[str, dict[str, Turn]], rounds: int) -> None:
    """Let all take their turns, in another order each round; what plain DuckDB says must be the same twice."""
    order = [(place, kind) for place, kinds in turns.items() for kind in kinds]
    shuffled = random.Random(42)  # noqa: S311  # no secret
    for number in range(rounds + WARM_UP):
        if number == WARM_UP:
            for place, kind in order:
                turns[place][kind].forget()
        shuffled.shuffle(order)
        answers = {(place, kind): turns[place][kind].take(number) for place, kind in order}
        assert answers["iceberg", "page"] == answers["native", "page"]
        for (_, kind), answer in answers.items():
            if isinstance(answer, bytes) and "page" in kind:
                text_of(answer)


def _check(lakehouse: Lakehouse, turns: dict[str, dict[str, Turn]], asked: Asked) -> None:
    """Whether the audit knows all requests, and says of each what had to be asked for it."""
    wanted = {"cached tile": 0, "cached page": 0, "tile": 1, "page": len(asked.page[0])}
    assert {len(statements) for statements in asked.page} == {wanted["page"]}
    found = {record["request"]: record for record in lakehouse.audit.records(limit=10_000)}
    for mode in MODES:
        for kind, turn in turns[mode].items():
            news = [_new(found[request]) for request in turn.known[1:]]  # the first of all may ask what is kept later
            assert set(news) == {wanted[kind]}, (mode, kind, news)


def _new(record: dict[str, Any]) -> int:
    """How many statements a query worker was asked for a request."""
    assert record["verdict"] == "allowed", record
    return sum(not question["cached"] for question in json.loads(record["detail"])["asked"])


def _ratios(turns: dict[str, dict[str, Turn]]) -> Iterator[tuple[str, str]]:
    for mode, beside, times in (("hot", "native", 2.0), ("not hot", "iceberg", 1.3)):
        goal = times * turns[beside]["page"].p50 + 15
        yield f"new page, {mode}: {times:g} x {beside} + 15 ms", f"{turns[mode]['page'].p50 / goal:.2f}"
    for kind, goal in (("cached tile", 6), ("cached page", 15)):
        for mode in MODES:
            turn = turns[mode][kind]
            yield f"{kind}, {mode}: {goal} CPU-ms", f"{turn.everything / len(turn.spent) / goal:.2f}"
