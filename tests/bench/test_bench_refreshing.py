"""What somebody who browses notices of refreshes that the portal runs meanwhile.

One rule: the same states are asked idle and beside refreshes, in turns. A wrong answer fails it, a late one never does.
"""

import os
from pathlib import Path
from statistics import median

import pytest

from tests.bench.measured import percentile, show
from tests.bench.refreshing import Asked, changing
from tests.bench.states import COMMON
from tests.portal.whole_answers import oracles_of, wrong

pytestmark = pytest.mark.bench

TURNS = 5
BESIDE = int(os.environ.get("REFRESHING_CALLBACKS", "10000")) // TURNS
IDLE = BESIDE // 2
GOAL = 2.0


def test_ten_thousand_pages_beside_refreshes(tmp_path: Path) -> None:
    idle: list[Asked] = []
    beside: list[Asked] = []
    with changing(tmp_path / "lake") as served:
        reader, refreshes = served.reader, served.refreshes
        reader.read(len(COMMON))
        for _ in range(TURNS):
            idle += reader.read(IDLE)
            with refreshes.going_on():
                beside += reader.read(BESIDE)
        oracles = oracles_of(served.lakehouse, reader.seen)

    heading = ("callbacks", "idle", "p50 ms", "p95 ms", "beside refreshes", "p50 ms", "p95 ms", "p95 / idle")
    title = f"{BESIDE * TURNS:,} callbacks beside refreshes in {TURNS} turns; at most {GOAL:g} is good, of all of them"
    show(title, heading, [_line(name, idle, beside, firsts) for name, firsts in KINDS.items()])
    seconds, nice = median(one.seconds for one in refreshes.done), sorted({one.nice for one in refreshes.done})
    print(f"\n{len(refreshes.done)} refreshes, {seconds:.1f} s (median), nice {nice}; pages of {len(oracles)} releases")
    assert wrong(oracles, reader.seen) == []
    assert [one.release for one in refreshes.done] == list(range(2, len(refreshes.done) + 2))


KINDS = {"all": (False, True), "asked before": (False,), "first of a release": (True,)}


def _line(name: str, idle: list[Asked], beside: list[Asked], firsts: tuple[bool, ...]) -> tuple[str, ...]:
    """The times of one kind of callbacks."""
    both = [[one.ms for one in asked if one.is_first in firsts] for asked in (idle, beside)]
    cells = [name]
    for spent in both:
        cells += [str(len(spent)), *(f"{percentile(spent, share):.1f}" for share in (0.5, 0.95))]
    return (*cells, f"{percentile(both[1], 0.95) / percentile(both[0], 0.95):.2f}")
