"""`kill -9` at every point of publishing what waits: the same decision made again, or the next refresh, makes it good.

One rule: all expectations come from an undisturbed publishing of the same lake.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from fault_lake import ONE_MORE, Ended, FaultLake, Figures, Reader
from prepared_lakes import KILLED

pytestmark = pytest.mark.faults

WAITING = "run-that-waits"

BEFORE_THE_INTENT = ("before-state-commit:2",)
BEFORE_THE_FLIP = (
    "mark:intent",
    "metadata:2",
    "pointer-moved:1",
    "after-catalog-commit:1",
    "mark:committed",
    "release-changed:2",
    "release-changed:3",
)
AFTER_THE_FLIP = ("mark:flipped", "end:release", "before-rename:result.json.part", "mark:result written")


@dataclass
class Prepared:
    """A lake in which a release waits, and what readers see before and after it is published."""

    lake: FaultLake
    before: Figures | None
    after: Figures | None
    content: dict[str, list[str]]


def publish(lake: FaultLake, point: str = "") -> Ended:
    options = ("--release-of", WAITING, "--reason", "It is right so.")
    return lake.refresh(point, *options, job="publish")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    lake = FaultLake(tmp_path_factory.mktemp("waiting") / "lake", "append")
    assert lake.refresh().result["state"] == "success"
    lake.write("2.csv", ONE_MORE)
    waits = lake.refresh("", "--run-id", WAITING, LAKEPORT_PUBLISH__DEV__WAIT="always")
    assert waits.result["state"] == "awaiting_publish"
    before = lake.figures()
    lake.keep()
    assert publish(lake).result["state"] == "success"
    return Prepared(lake, before, lake.figures(), lake.content())


def decided_again(prepared: Prepared) -> Ended:
    """The same decision, made by whoever saw that nothing came of it."""
    again = publish(prepared.lake)
    assert (again.result["state"], again.result["release"]) == ("success", 2)
    return again


def refreshed(prepared: Prepared) -> Ended:
    """The next refresh, which knows nothing of the decision."""
    return prepared.lake.refresh()


@pytest.mark.parametrize(
    ("following", "point"),
    [
        *((decided_again, point) for point in (*BEFORE_THE_INTENT, *BEFORE_THE_FLIP)),
        *((refreshed, point) for point in (*BEFORE_THE_FLIP, *AFTER_THE_FLIP)),
    ],
)
def test_what_comes_next_finds_it_published_once(
    prepared: Prepared, following: Callable[[Prepared], Ended], point: str
) -> None:
    lake = prepared.lake
    lake.put_back()

    with Reader(lake) as reader:
        assert publish(lake, point).code == KILLED, f"{point} was not reached"
        ended = following(prepared)

    assert (ended.code, ended.error) == (0, "")
    assert lake.ask_state("select run, number, state from releases order by id desc limit 1") == [
        (WAITING, 2, "current")
    ]
    assert lake.ask_state("select state, release from runs where id = ?", WAITING) == [("success", 2)]
    assert lake.content() == prepared.content
    assert lake.half_done() == []
    assert set(reader.saw()) <= {prepared.before, prepared.after}
