"""A polite signal ends a refresh with a sentence and nothing released; once it publishes, it is too late for that."""

from collections.abc import Callable

import pytest
from prepared_lakes import Prepared

pytestmark = pytest.mark.faults


@pytest.mark.parametrize(
    "point", ["after-state-commit:2", "batch:1", "mark:sales intended", "candidate:staging.stg_sales", "end:build"]
)
def test_a_refresh_that_is_told_to_stop_releases_nothing(full: Callable[[], Prepared], point: str) -> None:
    lake, before = full().lake, full().before
    lake.put_back()

    ended = lake.refresh(f"term:{point}")
    seen = lake.figures()
    again = lake.refresh()

    assert (ended.code, ended.error) == (5, "The run was stopped (SIGTERM). Nothing was released.")
    assert (ended.result["state"], ended.result["error"]) == ("cancelled", ended.error)
    assert lake.ask_state("select state from runs where id = ?", ended.result["run"]) == [("cancelled",)]
    assert seen == before
    assert again.code == 0
    assert (lake.content(), lake.snapshots()) == (full().content, full().snapshots)


@pytest.mark.parametrize("point", ["mark:intent", "mark:committed", "mark:flipped", "before-rename:result.json.part"])
def test_a_refresh_that_has_begun_to_publish_goes_on(full: Callable[[], Prepared], point: str) -> None:
    lake = full().lake
    lake.put_back()

    ended = lake.refresh(f"term:{point}")

    assert (ended.code, ended.result["state"]) == (0, "success")
    assert lake.content() == full().content
    assert lake.half_done() == []
