"""What a portal takes before anybody asks for a figure: bytes and requests of a first load, time to start, memory.

One rule: it is served in processes of its own, but for the bytes, which are counted as a browser finds them.
"""

from pathlib import Path

import pytest

from lakehouse.core import Lakehouse
from portal.app import create_app
from tests.bench.browser import Client, text_of
from tests.bench.browsing import Town
from tests.bench.family import memory_of
from tests.bench.measured import percentile, show
from tests.bench.served import NAME, Served
from tests.bench.states import COMMON
from tests.portal.signing_in import inside
from tests.portal.test_first_load import Browser

# Who compresses a file that is sent leaves closing it to Python, which says so when warnings are errors.
pytestmark = [
    pytest.mark.bench,
    pytest.mark.filterwarnings("ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"),
]

STARTS = 5
SESSIONS = 50
STATES = 4
"""How many each session looks at."""


def test_the_bytes_and_requests_of_a_first_load(million: Path) -> None:
    with Lakehouse.open(million) as lakehouse:
        browser = Browser(inside(create_app(lakehouse).server, NAME))
        for address in ("/revenue", "/_dash-layout", "/_dash-dependencies"):
            browser.fetch(address)
        browser.draw("/revenue")

    largest = sorted(browser.sizes.items(), key=lambda item: -item[1])[:5]
    lines = [(path.partition("?")[0], f"{size:,}") for path, size in largest]
    whole = [("all", f"{sum(browser.sizes.values()):,}"), ("requests", len(browser.sizes))]
    show("First load of the revenue page, compressed (goal: 1,200,000 bytes, 25 requests)", ("what", "bytes"), whole)
    show("Its largest answers", ("what", "bytes"), lines)


def test_the_time_until_it_is_ready_and_the_memory_it_takes(million: Path) -> None:
    starts, cpu = [], []
    for _ in range(STARTS - 1):
        with Served(million) as served:
            starts.append(served.start_seconds)
            cpu.append(served.used.everything)
    with Lakehouse.open(million) as lakehouse, Served(million) as served:
        starts.append(served.start_seconds)
        cpu.append(served.used.everything)
        memory = [("ready, nobody there", *memory_of(served.first))]
        with served.client() as client:
            text_of(client.page(""))
            memory.append(("one page drawn", *memory_of(served.first)))
        _look_around(Town(lakehouse, served))
        memory.append((f"{SESSIONS} sessions, {STATES} states each", *memory_of(served.first)))

    shown = [(f"{percentile(starts, 0.5):.2f}", f"{max(starts):.2f}", f"{percentile(cpu, 0.5):.2f}")]
    show(f"`lakeport serve` until /health says 200, {STARTS} times (goal: 5 s)", ("p50 s", "most s", "CPU s"), shown)
    lines = [(what, f"{megabytes:.0f}", processes) for what, megabytes, processes in memory]
    show("Memory of all its processes, what they share counted once (PSS)", ("when", "MB", "processes"), lines)


def _look_around(town: Town) -> None:
    """Let every session look at a few states, some of them its own."""
    for number, (cookie, token) in enumerate(town.users(SESSIONS)):
        client = Client(town.served.port)
        client.cookies = dict(part.split("=", 1) for part in cookie.split("; ")) | {"_csrf_token": token}
        states = [COMMON[(number + place) % len(COMMON)] for place in range(STATES - 1)]
        for search in (*states, town.new_state()):
            text_of(client.page(search))
        client.close()
