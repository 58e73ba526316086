"""Lakes that have something to refresh, and what an undisturbed refresh makes of them.

One rule: what a lake must look like is never written down, it is what the undisturbed refresh has made.
"""

import json
import signal
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from fault_lake import ONE_MORE, FaultLake, Figures

KILLED = -signal.SIGKILL

STATE_COMMITS = {"new": 9, "full": 8}
"""What a run stores: (migration,) run, hashes, the load's intent and end, the last call, the release's intent and flip,
the end."""

CATALOG_COMMITS = {"new": (1, 5, 6, 7, 8, 13), "full": (1, 2)}
"""On a new lake the catalog's own tables, namespaces, empty tables, the load and the release; later these two only."""


@dataclass(frozen=True)
class Prepared:
    """A lake that has something to refresh, and what an undisturbed refresh makes of it."""

    lake: FaultLake
    before: Figures | None
    after: Figures
    content: dict[str, list[str]]
    snapshots: dict[str, int]


def prepare(kind: str, folder: Path) -> Prepared:
    """`new`: nothing was ever loaded. `full`: a file joins the loaded one. `edited`: rows join the loaded file."""
    lake = FaultLake(folder / "lake", "append" if kind == "full" else "replace")
    if kind != "new":
        assert lake.ended(lake.start()).code == 0
        change = lake.write if kind == "full" else lake.append
        change("2.csv" if kind == "full" else "1.csv", ONE_MORE)
    before = lake.figures() if kind != "new" else None
    lake.keep()
    assert lake.refresh(f"count:{folder / 'count'}").code == 0
    lake.share_parsed()
    after = lake.figures()
    assert after is not None
    counted = Counter(json.loads((folder / "count").read_text()))
    if kind in STATE_COMMITS:
        told = STATE_COMMITS[kind], CATALOG_COMMITS[kind][-1]
        assert (counted["after-state-commit"], counted["after-catalog-commit"]) == told, "extend the points above"
    return Prepared(lake, before, after, lake.content(), lake.snapshots())
