"""A portal that is served starts what is due, as real processes: the one thing here that a clock decides."""

import time
from datetime import UTC, datetime

import pytest

from lakehouse.core import Lakehouse
from lakehouse.runs import Runs
from lakehouse.schedules import Schedules
from tests.pipelines.lake import Lake
from tests.pipelines.started_runs import small, until
from tests.portal.test_serve import STOPPED_SECONDS, Served, left_of

EVERY_MINUTE = '\n[schedules.often]\nenv = "dev"\njob = "load"\ncron = "* * * * *"\n'


@pytest.mark.slow  # a minute has to come
def test_a_served_portal_starts_each_due_run_once_and_stops_at_once(lake: Lake) -> None:
    small(lake)
    with (lake.home / "lakeport.toml").open("a", encoding="utf-8") as file:
        file.write(EVERY_MINUTE)
    began = datetime.now(UTC)
    with Served(lake.home, "--workers", "2") as portal, Lakehouse.open(lake.home) as lakehouse:
        runs = Runs(lakehouse.state)
        until(lambda: runs.list("dev", states=("success",)), "the run of a minute")
        family = portal.family()
        took = portal.stop()
        known = Schedules(lakehouse.state).known()["often"]
        last = runs.list("dev")
        time.sleep(61)

        assert took < STOPPED_SECONDS
        assert left_of(family) == []
        assert {run["starter"] for run in last} == {"schedule often"}
        dues = {run["started"][:16] for run in last}
        assert len(dues) == len(last) <= (datetime.now(UTC) - began).total_seconds() / 60 + 1
        assert known["run"] == last[0]["run"]
        assert runs.list("dev") == last  # nobody starts anything any more
        assert lakehouse.audit.verify().bad is None
