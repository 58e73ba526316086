"""A portal under many sessions for a long time: nothing grows, nothing is left, and lost workers cost sentences only.

One rule: it fails for what is wrong and for what grows, never for how long something took. `SOAK_MINUTES=30 make bench`
takes its time.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest

from lakehouse.core import Lakehouse
from tests.bench.family import family
from tests.bench.measured import show
from tests.bench.served import PORTAL, Served
from tests.bench.soak import HEADING, Session, Told, Watch, by_minute, sample, workers
from tests.pipelines.lake import Lake
from tests.portal.caller import Caller
from tests.portal.landing import Landing, landing
from tests.portal.test_serve import left_of
from tests.portal.visitor import PASSWORD

MINUTES = float(os.environ.get("SOAK_MINUTES", "2"))
CACHE_MB = 16
SETTINGS = f"[query]\ncache_mb = {CACHE_MB}\n"
GROWTH_MB, GROWTH = 2 * CACHE_MB, 0.1
"""Answers and drawn pages may fill their caches after the warm-up; besides, what allocators keep back is no leak."""

FILES = 8
"""So many files more may be open at a moment: exports on their way."""


@dataclass
class Soaked:
    """A served lake, releases of which land, with sessions that look at it."""

    served: Served
    landed: Landing
    watch: Watch
    sessions: list[Session]

    @property
    def told(self) -> list[Told]:
        """What all sessions were told."""
        return [one for session in self.sessions for one in session.told]


@contextmanager
def soaked(lake: Lake, sample_lake: Lake, sessions: int) -> Iterator[Soaked]:
    """So many sessions that are in and look at pages; afterwards no process and no file of theirs is left."""
    lake.configure(SETTINGS)
    names = [f"soak-{number}" for number in range(sessions)]
    with Lakehouse.open(lake.home) as lakehouse:
        for name in names:
            lakehouse.users.add(name, PASSWORD, "viewer")
    until, folder = threading.Event(), lake.home / "temporary"
    folder.mkdir()
    with landing(lake, sample_lake, copied_each=2) as landed:
        for _ in range(3):
            landed.land()
        with Served(lake.home, PORTAL, TMPDIR=str(folder)) as served:
            started = [Session(served.port, name, lambda: landed.number, until) for name in names]
            try:
                for session in started:
                    session.start()
                while not all(session.told for session in started):
                    time.sleep(0.1)
                yield Soaked(served, landed, Watch(served.first, 2.0 if sessions < 20 else 10.0), started)
            finally:
                until.set()
                for session in started:
                    session.join()
                processes = family(served.first)
    assert left_of(processes) == []
    assert list(folder.iterdir()) == []


def kill_one(first: int, chance: random.Random) -> None:
    """Kill a query worker, whichever it is and whatever it does."""
    found = workers(first)
    if found:
        with suppress(ProcessLookupError):
            os.kill(chance.choice(found), signal.SIGKILL)


def while_workers_die(soak: Soaked, seconds: float) -> None:
    """A worker is killed each second; all is well again afterwards."""
    chance = random.Random(7)  # noqa: S311  # which of them die is not the same anyway
    soak.watch.during(seconds, lambda: kill_one(soak.served.first, chance), 1.0)
    soak.watch.during(5.0, lambda: None, 60.0)


def wrong(soak: Soaked) -> list[str]:
    return [f"{one.what}: {one.wrong}" for one in soak.told if one.wrong]


def check_well(soak: Soaked) -> None:
    """Everything is answered again, at the first time of asking, and nobody who has died is left unburied."""
    caller = Caller(soak.served.port)
    caller.log_in(soak.sessions[0].name)
    addresses = ("/", "/revenue", "/revenue?period=all&grain=day", "/revenue?region=West&at=1", "/data")
    answers = [caller.show(address) for address in addresses]
    answers += [caller.ask(f"/export/revenue.{kind}?period=all") for kind in ("csv", "parquet", "xlsx")]
    caller.close()
    assert [answer.status for answer in answers] == [200] * len(answers)
    assert [answer.body[:500] for answer in answers if b"cannot be shown" in answer.body] == []
    assert sample(soak.served.first).zombies == 0


def check_flat(watch: Watch) -> None:
    """What is held at the end is what was held after the warm-up."""
    before, after = watch.ends(lambda one: one.memory_mb)
    assert after <= before * (1 + GROWTH) + GROWTH_MB, f"memory: {before:.0f} MB, then {after:.0f} MB"
    files = watch.ends(lambda one: one.files)
    assert files[1] <= files[0] + FILES, f"open files: {files}"
    assert watch.ends(lambda one: one.threads)[1] <= watch.ends(lambda one: one.threads)[0] + FILES
    assert watch.ends(lambda one: one.processes)[1] <= watch.ends(lambda one: one.processes)[0]
    assert [one.zombies for one in watch.samples if one.zombies] == []


@pytest.mark.bench
def test_fifty_sessions_for_a_long_time(lake: Lake, sample_lake: Lake) -> None:
    with soaked(lake, sample_lake, sessions=50) as soak:
        began = time.monotonic()
        soak.watch.during(MINUTES * 60 / 2, soak.landed.land, 30.0)
        calm, told = soak.watch, soak.told
        show(f"50 sessions, {MINUTES / 2:g} minutes", HEADING, by_minute(told, calm.samples, began))
        found, refused = wrong(soak), [one.what for one in told if one.refused]

        began, soak.watch = time.monotonic(), Watch(soak.served.first, 10.0)
        while_workers_die(soak, MINUTES * 60 / 2)
        late = [one for one in soak.told if one.at >= began]
        show("the same while a query worker is killed each second", HEADING, by_minute(late, soak.watch.samples, began))
        check_well(soak)
        found += wrong(soak)

    assert (found, refused) == ([], [])
    check_flat(calm)


@pytest.mark.slow
def test_sessions_go_on_while_query_workers_are_killed(lake: Lake, sample_lake: Lake) -> None:
    with soaked(lake, sample_lake, sessions=8) as soak:
        while_workers_die(soak, 10.0)
        check_well(soak)
        before = sample(soak.served.first).files
        while_workers_die(soak, 10.0)
        check_well(soak)
        after = sample(soak.served.first).files
        found = wrong(soak)

    assert found == []
    assert len(soak.told) > 50
    assert after <= before + FILES
