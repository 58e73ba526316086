"""`kill -9` at every point of a refresh: the next one brings the lake to where it would have been without.

One rule: all expectations come from an undisturbed refresh of the same lake.
"""

from collections.abc import Callable

import pytest
from fault_lake import Reader
from prepared_lakes import CATALOG_COMMITS, KILLED, STATE_COMMITS, Prepared

pytestmark = pytest.mark.faults

ANYWHERE = (
    "batch:1",
    "before-normalize:1",
    "before-dlt-load:1",
    "mark:sales extracted",
    "data-file:1",
    "data-file:2",
    "pointer-moved:1",
    "mark:parsed",
    "candidate:staging.stg_sales",
    "candidate:marts.order_lines",
    "end:build",
    "pointer-moved:4",
    "before-rename:result.json.part",
    "mark:result written",
    "end:run",
)
POINTS = {
    kind: (
        *(f"before-state-commit:{number}" for number in range(STATE_COMMITS[kind] - 4, STATE_COMMITS[kind])),
        *(f"after-state-commit:{number + 1}" for number in range(STATE_COMMITS[kind])),
        *(f"before-catalog-commit:{number}" for number in CATALOG_COMMITS[kind][-2:]),
        *(f"after-catalog-commit:{number}" for number in CATALOG_COMMITS[kind]),
        *ANYWHERE,
    )
    for kind in STATE_COMMITS
}
POINTS["new"] += ("metadata:1", "metadata:8", "metadata:10", "release-changed:1")
POINTS["full"] += ("metadata:1", "metadata:4", "release-changed:1", "release-changed:2")


@pytest.mark.parametrize(("kind", "point"), [(kind, point) for kind in POINTS for point in POINTS[kind]])
def test_a_refresh_killed_anywhere_is_made_good_by_the_next_one(
    prepared: Callable[[str], Prepared], kind: str, point: str
) -> None:
    killed_then_refreshed(prepared(kind), point)


@pytest.mark.parametrize("point", ["mark:sales intended", "pointer-moved:1", "mark:sales committed", "mark:intent"])
def test_so_is_one_that_was_loading_an_edited_file(prepared: Callable[[str], Prepared], point: str) -> None:
    killed_then_refreshed(prepared("edited"), point)


@pytest.mark.parametrize(
    ("point", "then"),
    [
        ("mark:sales intended", "after-catalog-commit:1"),
        ("mark:sales committed", "after-state-commit:3"),
        ("mark:intent", "after-catalog-commit:1"),
        ("mark:committed", "before-state-commit:3"),
    ],
)
def test_so_is_one_whose_repair_was_killed_too(prepared: Callable[[str], Prepared], point: str, then: str) -> None:
    killed_then_refreshed(prepared("full"), point, then)


def killed_then_refreshed(prepared: Prepared, *points: str) -> None:
    """Kill a refresh at each point in turn, refresh to the end, and look at everything that must hold."""
    lake = prepared.lake
    lake.put_back()

    with Reader(lake) as reader:
        for point in points:
            assert lake.refresh(point).code == KILLED, f"{point} was not reached"
            reader.look()  # at what the killed one has left
        made_good = lake.refresh()
        again = lake.refresh()

    assert (made_good.code, made_good.error) == (0, "")
    assert (again.code, again.result["state"]) == (0, "unchanged")
    assert lake.content() == prepared.content
    assert lake.snapshots() == prepared.snapshots
    assert lake.half_done() == []
    assert set(reader.saw()) <= {prepared.before, prepared.after}
