"""`kill -9` at every point of publishing what waits: the same decision made again, or the next refresh, makes it good.

One rule: all expectations come from an undisturbed publishing of the same lake.
"""

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
    return lake.ended(lake.start(point, *options, job="publish"))


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


@pytest.mark.parametrize("point", [*BEFORE_THE_INTENT, *BEFORE_THE_FLIP])
def test_the_same_decision_made_again_publishes(prepared: Prepared, point: str) -> None:
    lake = prepared.lake
    lake.put_back()

    with Reader(lake) as reader:
        assert publish(lake, point).code == KILLED, f"{point} was not reached"
        again = publish(lake)

    assert (again.code, again.error) == (0, "")
    assert (again.result["state"], again.result["release"]) == ("success", 2)
    published_once(prepared, reader)


@pytest.mark.parametrize("point", [*BEFORE_THE_FLIP, *AFTER_THE_FLIP])
def test_the_next_refresh_finds_it_published(prepared: Prepared, point: str) -> None:
    lake = prepared.lake
    lake.put_back()

    with Reader(lake) as reader:
        assert publish(lake, point).code == KILLED, f"{point} was not reached"
        refreshed = lake.refresh()

    assert (refreshed.code, refreshed.error) == (0, "")
    published_once(prepared, reader)


def published_once(prepared: Prepared, reader: Reader) -> None:
    """Release 2 is there, once and whole; nothing waits and nothing is half-done."""
    lake = prepared.lake
    assert lake.ask_state("select run, number, state from releases order by id desc limit 1") == [
        (WAITING, 2, "current")
    ]
    assert lake.ask_state("select state, release from runs where id = ?", WAITING) == [("success", 2)]
    assert lake.content() == prepared.content
    assert lake.half_done() == []
    assert set(reader.saw()) <= {prepared.before, prepared.after}
