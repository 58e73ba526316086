"""`lakeport schedule`: what is scheduled, and who pauses and resumes it."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lakehouse.access.audit import Audit
from lakehouse.access.users import Users
from lakehouse.schedules import Schedules
from lakehouse.settings import read_settings
from lakehouse.state.store import open_state
from tests.pipelines.lake import Lake, source
from tests.portal.command_line import Said, lakeport
from tests.portal.visitor import PASSWORD

SETTINGS = """
[lake]
timezone = "Europe/Berlin"
[environments.staging]
[environments.prod]
[schedules.nightly]
env = "prod"
cron = "10 6 * * *"
[schedules.often]
env = "staging"
job = "load"
source = "sales"
cron = "*/15 * * * *"
timezone = "UTC"
"""
OF_RUNS = ("last_run", "last_started", "last_state", "last_release", "skipped", "why")
UNTOUCHED = dict.fromkeys((*OF_RUNS, "paused", "paused_by", "reason"))
DUE = datetime(2026, 3, 31, 4, 10, tzinfo=UTC)


@pytest.fixture
def home(lake: Lake) -> Path:
    """A lake without an environment called dev, with two schedules and two users."""
    lake.configure(SETTINGS, source())
    with closing(open_state(lake.settings)) as state:
        for name, role in (("erik", "engineer"), ("vera", "viewer")):
            Users(state).add(name, PASSWORD, role)
    return lake.home


def schedule(home: Path, *words: str) -> Said:
    return lakeport("schedule", *words, home=home)


def test_the_list_says_what_starts_when_in_every_environment(home: Path) -> None:
    nightly, often = schedule(home, "list", "--json").document
    shown = schedule(home, "list").out

    following = datetime.fromisoformat(nightly.pop("next"))
    assert following > datetime.now(UTC)
    assert following.astimezone(read_settings(home).zone).strftime("%H:%M") == "06:10"
    assert nightly == {
        "name": "nightly",
        "env": "prod",
        "job": "refresh",
        "source": None,
        "full": False,
        "cron": "10 6 * * *",
        "timezone": "Europe/Berlin",
        **UNTOUCHED,
    }
    assert (often["env"], often["job"], often["source"], often["timezone"]) == ("staging", "load", "sales", "UTC")
    assert "10 6 * * *" in shown
    assert f"{following:%Y-%m-%d %H:%M}Z" in shown


def test_a_schedule_is_paused_with_a_reason_and_resumed(home: Path) -> None:
    paused = schedule(home, "pause", "nightly", "--reason", " The shop moves. ", "--json")
    shown = schedule(home, "list").out
    resumed = schedule(home, "resume", "nightly", "--json")
    plain = schedule(home, "pause", "often")

    assert paused.code == resumed.code == plain.code == 0
    assert (paused.document["next"], paused.document["reason"]) == (None, "The shop moves.")
    assert paused.document["paused_by"].startswith("operator:")
    assert "The shop moves." in shown
    assert (resumed.document["paused"], resumed.document["reason"]) == (None, None)
    assert resumed.document["next"] is not None
    assert "Resume it with `lakeport schedule resume often`." in plain.out
    with closing(open_state(read_settings(home))) as state:
        records = Audit(state, read_settings(home).retention).records(9)
    told = [(one["action"], one["target"], one["env"], one["verdict"]) for one in records][-2:]
    assert told == [("schedule pause", "nightly", "prod", verdict) for verdict in ("allowed", "begun")]


def test_a_start_that_was_skipped_stands_in_the_list(home: Path) -> None:
    with closing(open_state(read_settings(home))) as state:
        Schedules(state).watch("nightly", datetime(2026, 3, 30, tzinfo=UTC))
        Schedules(state).claim("nightly", DUE)
        Schedules(state).skipped("nightly", DUE, "Run r1 was still running.")

    nightly, _ = schedule(home, "list", "--json").document

    assert (nightly["skipped"], nightly["why"]) == ("2026-03-31T04:10:00.000000Z", "Run r1 was still running.")
    assert "Skipped at 2026-03-31 04:10Z: Run r1 was still running." in schedule(home, "list").out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("pause", "weekly"), 2, "Known schedules: nightly, often."),
        (("pause", "nightly", "--as", "erik"), 3, "erik may not operate schedule nightly in prod"),
        (("resume", "nightly", "--as", "erik"), 3, "erik may not operate schedule nightly in prod"),
        (("list", "--as", "vera"), 3, "vera may not diagnose schedules"),
        (("pause", "often", "--reason", "x" * 2000), 2, "Shorten it"),
    ],
)
def test_what_is_refused_changes_nothing(home: Path, words: tuple[str, ...], code: int, said: str) -> None:
    refused = schedule(home, *words)

    assert (refused.code, said in refused.err) == (code, True), refused.err
    with closing(open_state(read_settings(home))) as state:
        assert Schedules(state).known() == {}


def test_an_engineer_pauses_what_works_on_staging(home: Path) -> None:
    assert schedule(home, "pause", "often", "--as", "erik", "--json").document["paused_by"] == "erik"


def test_a_lake_without_schedules_says_how_to_make_one(lake: Lake) -> None:
    lake.configure(source())

    assert "[schedules.NAME]" in schedule(lake.home, "list").out
    assert schedule(lake.home, "list", "--json").document == []
    assert "There are no schedules yet." in schedule(lake.home, "pause", "x").err
