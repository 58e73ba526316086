"""Schedules on the page Pipelines, as each role sees them, and pausing and resuming them there."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete
from werkzeug.test import TestResponse

from lakehouse.core import Lakehouse
from lakehouse.runs import Ending, Runs
from lakehouse.schedules import Schedules
from lakehouse.state.schema import runs, schedules
from portal.app import create_app
from portal.pipelines.cron_words import cron_words
from tests.pipelines.lake import Lake, source
from tests.portal.ordering import STAFF, order, staffed
from tests.portal.signing_in import inside
from tests.portal.visitor import PASSWORD, Shown, Visitor

SECTION = "/pipelines?section=schedules"
SETTINGS = """
[lake]
timezone = "Europe/Berlin"
[environments.prod]
[environments.staging]
[environments.dev]
[schedules.nightly]
env = "prod"
cron = "10 6 * * 1-5"
[schedules.often]
env = "dev"
job = "load"
source = "sales"
cron = "*/15 * * * *"
timezone = "Asia/Tokyo"
"""
LAST = datetime(2026, 3, 31, 4, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    """A lake of three environments, two of which have a schedule."""
    with staffed(tmp_path_factory.mktemp("scheduled"), SETTINGS) as lakehouse:
        yield lakehouse


@pytest.fixture(scope="module")
def server(opened: Lakehouse) -> Flask:
    return create_app(opened).server


@pytest.fixture(scope="module")
def people(server: Flask) -> dict[str, Visitor]:
    return {name: inside(server, name) for name in STAFF}


@pytest.fixture
def lakehouse(opened: Lakehouse) -> Iterator[Lakehouse]:
    """The lake, in which nothing was due yet."""
    yield opened
    with opened.state.write() as connection:
        connection.execute(delete(runs))
        connection.execute(delete(schedules))


def pressed(visitor: Visitor, name: str, verb: str) -> TestResponse:
    """Send the form of a button."""
    return order(visitor, f"/_schedules/{name}/{verb}")


def row(page: Shown, name: str) -> Shown:
    """The row of a schedule in the table."""
    return next(one for one in map(Shown, page.walk()) if one.tree["type"] == "Tr" and one.text.startswith(name))


def offered(page: Shown) -> list[str]:
    """What the buttons of the table are sent to."""
    return [one["props"]["action"] for one in page.walk() if "/_schedules/" in str(one["props"].get("action"))]


def started(lakehouse: Lakehouse, name: str, run: str) -> None:
    """A schedule's run that has ended."""
    Schedules(lakehouse.state).watch(name, LAST - timedelta(days=1))
    assert Schedules(lakehouse.state).claim(name, LAST)
    Runs(lakehouse.state).begin(run, "prod", "refresh", f"schedule {name}", {"job": "refresh"})
    Runs(lakehouse.state).end(run, Ending("success", {"tests": {"passed": 3, "failed": 0}}, release=7))
    Schedules(lakehouse.state).started(name, LAST, run)


@pytest.mark.parametrize("name", ["erik", "adam"])
def test_who_follows_runs_sees_what_starts_by_itself_and_when(
    lakehouse: Lakehouse, people: dict[str, Visitor], name: str
) -> None:
    page = people[name].page(SECTION)

    nightly, often = row(page, "nightly").text, row(page, "often").text
    assert "prod" in nightly
    assert "Mon to Fri at 06:10" in nightly
    assert "10 6 * * 1-5" in nightly
    assert ", 06:10" in nightly  # the next start, by the lake's clocks
    assert "None yet" in nightly
    assert "load sales" in often
    assert "Every 15 minutes, Asia/Tokyo" in often
    assert page.links["Schedules"] == SECTION


def test_what_may_be_paused_is_offered_to_whoever_may(lakehouse: Lakehouse, people: dict[str, Visitor]) -> None:
    offers = {name: offered(people[name].page(SECTION)) for name in ("erik", "adam")}

    assert offers == {
        "erik": ["/_schedules/often/pause"],
        "adam": ["/_schedules/nightly/pause", "/_schedules/often/pause"],
    }


@pytest.mark.parametrize("name", ["vera", "anna"])
def test_who_only_reads_learns_when_the_next_refresh_starts_and_nothing_else(
    lakehouse: Lakehouse, people: dict[str, Visitor], name: str
) -> None:
    page = people[name].page(SECTION)

    assert "The next one starts by itself: to" in page.text  # today or tomorrow
    assert "nightly" not in page.text
    assert offered(page) == []


def test_the_cards_of_environments_say_when_the_next_run_starts(
    lakehouse: Lakehouse, people: dict[str, Visitor]
) -> None:
    def cards() -> dict[str, str]:
        found = {card.props["aria-label"].split()[-1]: card.text for card in erik.page("/pipelines").of_class("lp-env")}
        return {env: text.partition("Next start")[2].strip() for env, text in found.items()}

    erik = people["erik"]
    before = cards()
    Schedules(lakehouse.state).pause("often", "adam")
    after = cards()

    assert before["prod"].endswith(", 06:10")
    assert before["staging"] == "By hand, nothing is scheduled"
    assert before["dev"].startswith(("Today, ", "Tomorrow, "))
    assert after == {**before, "dev": "By hand, the schedule is paused"}


def test_what_a_schedule_has_started_is_named_with_its_result(lakehouse: Lakehouse, people: dict[str, Visitor]) -> None:
    started(lakehouse, "nightly", "r7")

    page, history = people["erik"].page(SECTION), people["erik"].page("/pipelines").text

    nightly = row(page, "nightly")
    assert re.search(r"r7 ?, 31 Mar.*, 06:10 Published", nightly.text)
    assert nightly.links["r7"] == "/pipelines/runs/r7"
    assert "Schedule nightly" in history


def test_a_start_that_was_skipped_says_why(lakehouse: Lakehouse, people: dict[str, Visitor]) -> None:
    started(lakehouse, "nightly", "r7")
    later = datetime.now(UTC).replace(second=0, microsecond=0)
    Schedules(lakehouse.state).claim("nightly", later)
    Schedules(lakehouse.state).skipped("nightly", later, "Run r8 was still running.")

    nightly = row(people["erik"].page(SECTION), "nightly").text

    assert "r7" in nightly
    clock = later.astimezone(lakehouse.settings.zone).strftime("%H:%M")
    assert f"Skipped at {clock}: Run r8 was still running." in nightly


def test_who_may_pauses_and_resumes_and_everybody_sees_by_whom(
    lakehouse: Lakehouse, people: dict[str, Visitor]
) -> None:
    paused = pressed(people["erik"], "often", "pause")
    seen = row(people["adam"].page(SECTION), "often").text
    offer = offered(people["erik"].page(SECTION))
    resumed = pressed(people["adam"], "often", "resume")

    assert (paused.status_code, paused.get_json()) == (200, {"text": "Schedule often is paused."})
    assert "Paused By erik, just now" in seen
    assert offer == ["/_schedules/often/resume"]
    assert resumed.get_json() == {"text": "Schedule often starts runs again."}
    assert "Paused" not in row(people["erik"].page(SECTION), "often").text
    told = [
        (one["principal"], one["action"], one["target"], one["env"], one["verdict"])
        for one in lakehouse.audit.records(20)
        if one["action"].startswith("schedule")
    ]
    assert told == [
        ("adam", "schedule resume", "often", "dev", "allowed"),
        ("adam", "schedule resume", "often", "dev", "begun"),
        ("erik", "schedule pause", "often", "dev", "allowed"),
        ("erik", "schedule pause", "often", "dev", "begun"),
    ]


@pytest.mark.parametrize("verb", ["pause", "resume"])
@pytest.mark.parametrize(("name", "schedule"), [("vera", "often"), ("anna", "often"), ("erik", "nightly")])
def test_who_may_not_changes_nothing(
    lakehouse: Lakehouse, people: dict[str, Visitor], name: str, schedule: str, verb: str
) -> None:
    if verb == "resume":
        Schedules(lakehouse.state).pause(schedule, "adam")
    before = Schedules(lakehouse.state).known()

    answer = pressed(people[name], schedule, verb)

    assert answer.status_code == 403
    assert Schedules(lakehouse.state).known() == before
    assert lakehouse.audit.records(1)[0]["verdict"] == "refused"


def test_an_order_needs_a_schedule_and_the_sessions_token(lakehouse: Lakehouse, people: dict[str, Visitor]) -> None:
    unknown = pressed(people["adam"], "weekly", "pause")
    forged = people["adam"].post("/_schedules/often/pause", data={})

    assert unknown.status_code == 404
    assert "Known schedules: nightly, often." in unknown.get_json()["text"]
    assert forged.status_code == 403
    assert Schedules(lakehouse.state).known() == {}


def test_an_open_page_learns_that_a_schedule_was_paused(lakehouse: Lakehouse, people: dict[str, Visitor]) -> None:
    def drawn() -> list[Any]:
        return [people[name].get("/_runs").get_json()["drawn"] for name in ("erik", "vera")]

    before = drawn()
    Schedules(lakehouse.state).pause("often", "adam")

    assert all(old != new for old, new in zip(before, drawn(), strict=True))


def test_where_nothing_is_scheduled_the_section_says_how_it_would_be(tmp_path: Any) -> None:
    lake = Lake(tmp_path)
    lake.configure(source())
    with Lakehouse.open(lake.home) as lakehouse:
        lakehouse.users.add("erik", PASSWORD, "engineer")
        visitor = inside(create_app(lakehouse).server, "erik")

        page, cards = visitor.page(SECTION).text, visitor.page("/pipelines").text

    assert "Nothing is scheduled" in page
    assert "lakeport.toml has a section [schedules.NAME] with env, job and cron." in page
    assert "By hand, nothing is scheduled" in cards


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("10 6 * * *", "Every day at 06:10"),
        ("10 6,18 * * *", "Every day at 06:10, 18:10"),
        ("10 6 * * 1-5", "Mon to Fri at 06:10"),
        ("10 6 * * mon,wed", "Mon, Wed at 06:10"),
        ("10 6 * * 0", "Sun at 06:10"),
        ("10 6 * * 7", "Sun at 06:10"),
        ("10 6 1 * *", "Day 1 of every month at 06:10"),
        ("* * * * *", "Every minute"),
        ("*/15 * * * *", "Every 15 minutes"),
        ("0 * * * *", "Every hour"),
        ("10 * * * *", "Every hour, 10 minutes past"),
        ("0 */2 * * 6-7", "Sat to Sun, every 2 hours"),
        ("*/7 * * * *", ""),  # not every seven minutes: it begins anew with the hour
        ("0 */5 * * *", ""),
        ("10 6 13 * 5", ""),  # the 13th, and every Friday
        ("10 6 1 1 *", ""),
        ("0-5 6 * * *", ""),
        ("0 6 * * 1-5/2", ""),
        ("0,10,20,30,40 6 * * *", ""),
    ],
)
def test_cron_stands_in_words_where_there_are_plain_ones(cron: str, words: str) -> None:
    assert cron_words(cron) == words
