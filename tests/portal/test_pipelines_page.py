"""The page Pipelines as each role sees it: what runs, what has run, a run's page, and what changes while it is open.

One rule: runs are written down by hand, as their processes would, so that every state is here and nothing has to run.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from lakehouse.core import Lakehouse
from lakehouse.runs import Ending, Runs
from lakehouse.state.schema import audit, runs
from pipelines.context import run_folder
from pipelines.events import Events
from portal.app import create_app
from portal.guard import BY_ITSELF
from tests.portal.ordering import STAFF, staffed
from tests.portal.signing_in import inside
from tests.portal.visitor import Visitor

ORDER = {"job": "refresh", "source": None, "full": False}
WRITTEN: list[Events] = []
"""Files of events that stand open until a test is over."""

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    """A lake of three environments, and somebody of each role."""
    settings = "[environments.prod]\n[environments.staging]\n[environments.dev]"
    with staffed(tmp_path_factory.mktemp("pipelines"), settings) as lakehouse:
        yield lakehouse


@pytest.fixture(scope="module")
def server(opened: Lakehouse) -> Flask:
    return create_app(opened).server


@pytest.fixture(scope="module")
def people(server: Flask) -> dict[str, Visitor]:
    return {name: inside(server, name) for name in STAFF}


@pytest.fixture
def lakehouse(opened: Lakehouse) -> Iterator[Lakehouse]:
    """The lake, in which nothing has run."""
    yield opened
    while WRITTEN:
        WRITTEN.pop().close()
    with opened.state.write() as connection:
        connection.execute(delete(runs))
    shutil.rmtree(opened.settings.folder / "runs", ignore_errors=True)


@pytest.fixture
def erik(lakehouse: Lakehouse, people: dict[str, Visitor]) -> Visitor:
    """An engineer."""
    return people["erik"]


def begun(lakehouse: Lakehouse, run: str, env: str = "dev", starter: str = "erik") -> Events:
    """A run that this process does, with its events."""
    Runs(lakehouse.state).begin(run, env, "refresh", starter, ORDER)
    folder = run_folder(lakehouse.settings, run)
    folder.mkdir(parents=True)
    WRITTEN.append(Events(run, folder / "events.jsonl"))
    return WRITTEN[-1]


def ran(lakehouse: Lakehouse, run: str, state: str, *, env: str = "dev", starter: str = "erik", **more: Any) -> None:
    """A run that has ended."""
    begun(lakehouse, run, env, starter)
    known = {name: more.pop(name) for name in ("error", "release") if name in more}
    Runs(lakehouse.state).end(run, Ending(state, more or None, **known))


def live(visitor: Visitor, of: str = "", tag: str = "") -> Any:
    """What an open page asks by itself."""
    headers = {BY_ITSELF: "1", **({"If-None-Match": tag} if tag else {})}
    return visitor.get(f"/_runs?of={of}" if of else "/_runs", headers=headers)


def loading(events: Events, records: int = 50) -> None:
    events.start("load")
    events.mark("load", "sales started")
    events.progress("load", "sales", records, None, "records")
    events.progress("load", "sales", 500, 1_000, "bytes")


def test_an_empty_lake_says_what_will_be_there_and_offers_a_refresh(erik: Visitor) -> None:
    page = erik.page("/pipelines")

    assert "Runs appear here with the first refresh." in page.text
    assert "No run has ended yet" in page.text
    assert [one["props"]["value"] for one in page.walk() if one["props"].get("name") == "env"].count("dev") == 2


@pytest.mark.parametrize(("name", "offered"), [("erik", {"staging", "dev"}), ("adam", {"prod", "staging", "dev"})])
def test_a_refresh_is_offered_where_somebody_may_order_it(
    lakehouse: Lakehouse, people: dict[str, Visitor], name: str, offered: set[str]
) -> None:
    page = people[name].page("/pipelines")

    assert {one["props"]["value"] for one in page.walk() if one["props"].get("name") == "env"} == offered


@pytest.mark.parametrize("name", ["vera", "anna"])
def test_who_only_reads_learns_in_plain_words_how_the_last_refresh_went(
    lakehouse: Lakehouse, people: dict[str, Visitor], name: str
) -> None:
    ran(lakehouse, "r1", "failed", error="secret words of a tool")

    page = people[name].page("/pipelines")

    assert "The last refresh failed just now and published nothing." in page.text
    assert "secret words" not in page.text
    assert "r1" not in page.text
    assert not [one for one in page.walk() if "data-lp-order" in one["props"] or one["type"] == "Table"]


@pytest.mark.parametrize("name", ["vera", "anna"])
def test_a_runs_page_is_for_engineers(lakehouse: Lakehouse, people: dict[str, Visitor], name: str) -> None:
    ran(lakehouse, "r1", "failed", error="secret words of a tool")

    page = people[name].page("/pipelines/runs/r1")

    assert f"{name} may not diagnose run r1" in page.text
    assert "secret words" not in page.text


def test_a_run_that_goes_on_shows_its_steps_and_its_log(lakehouse: Lakehouse, erik: Visitor) -> None:
    events = begun(lakehouse, "r1", starter="adam")
    loading(events)

    page = erik.page("/pipelines")

    bars = {
        one["props"]["aria-label"]: one["props"] for one in page.walk() if one["props"].get("role") == "progressbar"
    }
    assert set(bars) == {"Whole run", "Load sales", "Build", "Test", "Publish"}
    assert 0 < int(bars["Whole run"]["aria-valuenow"]) < 100
    assert "aria-valuenow" not in bars["Load sales"]  # nobody knows how many rows there are
    assert "adam, just now" in page.text
    assert "50 rows" in page.one("lp-steps").text
    assert page.one("lp-log").text.endswith("load started")
    assert "disabled" in next(one["props"] for one in page.walk() if one["props"].get("value") == "dev")


def test_what_changes_comes_as_it_would_be_drawn_and_only_when_it_has_changed(
    lakehouse: Lakehouse, erik: Visitor
) -> None:
    events = begun(lakehouse, "r1")
    loading(events)
    first = live(erik)

    same = live(erik, tag=first.headers["ETag"])
    events.progress("load", "sales", 900, 900, "records")  # the last one is always said
    events.mark("load", "sales settled")
    changed = live(erik, tag=first.headers["ETag"])

    assert (first.status_code, same.status_code, changed.status_code) == (200, 304, 200)
    assert "50 rows" in first.get_json()["parts"]["r1"]
    assert "900 of 900 rows" in changed.get_json()["parts"]["r1"]
    assert first.get_json()["drawn"] == changed.get_json()["drawn"]


def test_an_answer_that_was_compressed_is_known_again(lakehouse: Lakehouse, erik: Visitor) -> None:
    loading(begun(lakehouse, "r1"))
    packed = {"Accept-Encoding": "br"}

    first = erik.get("/_runs", headers=packed)
    same = erik.get("/_runs", headers={**packed, "If-None-Match": first.headers["ETag"]})

    assert (first.headers["Content-Encoding"], first.status_code, same.status_code) == ("br", 200, 304)


def test_a_page_learns_that_a_run_has_begun_and_ended(lakehouse: Lakehouse, people: dict[str, Visitor]) -> None:
    def shapes() -> list[str]:
        return [live(people[name]).get_json()["drawn"] for name in ("erik", "vera")]

    before = shapes()
    begun(lakehouse, "r1")
    during = shapes()
    Runs(lakehouse.state).end("r1", Ending("failed"))
    after = shapes()

    assert all(len(set(seen)) == 3 for seen in zip(before, during, after, strict=True))


def test_equal_questions_of_two_people_never_share_an_answer(lakehouse: Lakehouse, people: dict[str, Visitor]) -> None:
    loading(begun(lakehouse, "r1"))

    for first, second in (("erik", "vera"), ("vera", "erik")):
        for of in ("", "r1"):
            answers = {name: live(people[name], of) for name in (first, second)}
            assert list(answers["erik"].get_json()["parts"]) == ["r1"]
            assert answers["vera"].get_json()["parts"] == {}
            assert live(people["vera"], of, answers["erik"].headers["ETag"]).status_code == 200
            assert all("no-store" in one.headers["Cache-Control"] for one in answers.values())


def test_following_leaves_no_record_and_needs_a_login(lakehouse: Lakehouse, server: Flask, erik: Visitor) -> None:
    def records() -> int:
        with lakehouse.state.read() as connection:
            return int(connection.execute(select(func.count()).select_from(audit)).scalar_one())

    before = records()

    answer = live(erik)

    assert (answer.status_code, records()) == (200, before)
    assert live(Visitor(server)).status_code == 401


def test_every_web_process_tells_the_same(lakehouse: Lakehouse, server: Flask, erik: Visitor) -> None:
    loading(begun(lakehouse, "r1"))
    with Lakehouse.open(lakehouse.settings.home) as other:
        elsewhere = inside(create_app(other).server, "adam")

        answers = [live(one, "r1").get_json() for one in (erik, elsewhere)]

    assert answers[0]["drawn"] == answers[1]["drawn"]
    assert "50 rows" in answers[1]["parts"]["r1"]


def test_what_a_run_says_is_text_and_never_html(lakehouse: Lakehouse, erik: Visitor) -> None:
    events = begun(lakehouse, "r1")
    events.start("load")
    events.mark("load", f"{EVIL} started")
    events.mark("load", f"{EVIL} refused: {EVIL}")
    events.end("load", EVIL)

    part = live(erik).get_json()["parts"]["r1"]
    page = erik.show("/pipelines").get_data(as_text=True)

    assert EVIL not in part
    assert "&lt;img" in part
    assert EVIL not in page


@pytest.mark.parametrize(
    ("search", "shown"),
    [
        ("", ["lost", "publish", "mine", "failed", "staged"]),
        ("?state=failed", ["lost", "failed"]),
        ("?by=me", ["lost", "mine", "failed", "staged"]),
        ("?env=staging", ["staged"]),
        ("?state=cancelled", []),
        ("?job=load", []),
    ],
)
def test_the_history_is_filtered_by_what_the_address_says(
    lakehouse: Lakehouse, erik: Visitor, search: str, shown: list[str]
) -> None:
    ran(lakehouse, "staged", "success", env="staging", release=1)
    ran(lakehouse, "failed", "failed", error="no")
    ran(lakehouse, "mine", "unchanged")
    ran(lakehouse, "publish", "success", starter="adam", release=2)
    ran(lakehouse, "lost", "lost")

    page = erik.page(f"/pipelines{search}")

    found = [text for text, href in page.one("lp-runs").links.items() if "/runs/" in href]
    assert found == shown
    assert ("No run matches. Choose other filters." in page.text) == (not shown)


def test_a_filter_that_is_none_is_refused_in_words(erik: Visitor) -> None:
    assert "No state named 'odd'. Known: queued, running" in erik.page("/pipelines?state=odd").text
    assert "No environment named 'odd'" in erik.page("/pipelines?env=odd").text


def test_older_runs_are_a_link_away(lakehouse: Lakehouse, erik: Visitor) -> None:
    for number in range(23):
        ran(lakehouse, f"r{number:02}", "unchanged")
    first = erik.page("/pipelines")

    older = erik.page(first.links["Older"])

    runs = [[text for text, href in page.one("lp-runs").links.items() if "/runs/" in href] for page in (first, older)]
    assert runs == [[f"r{number:02}" for number in range(22, 2, -1)], ["r02", "r01", "r00"]]
    assert "Older" not in older.links


def test_a_run_that_failed_says_which_test_and_shows_its_rows_to_who_may_see_them(
    lakehouse: Lakehouse, erik: Visitor
) -> None:
    folder = run_folder(lakehouse.settings, "r1")
    failure = {"test": "unique_orders", "message": "Got 1 result.", "failures": 1, "reads": ["marts.orders"]}
    kept = {"columns": [{"name": "order_id", "type": "VARCHAR"}], "rows": [[EVIL]], "complete": True}
    ran(
        lakehouse,
        "r1",
        "failed",
        error="Nothing was released, because tests or models failed.",
        tests={"passed": 41, "failed": 1},
        failures=[{**failure, "file": "failures/unique_orders.json"}],
    )
    (folder / "failures").mkdir()
    (folder / "failures" / "unique_orders.json").write_text(json.dumps(kept), encoding="utf-8")

    page = erik.page("/pipelines/runs/r1")

    assert "1 of 42 tests failed" in page.text
    assert "Failed: unique_orders" in page.text
    assert EVIL in page.text  # as words
    assert EVIL not in erik.show("/pipelines/runs/r1").get_data(as_text=True)


def test_the_timeline_has_a_row_for_each_step_and_a_table_that_says_the_same(
    lakehouse: Lakehouse, erik: Visitor
) -> None:
    events = begun(lakehouse, "r1")
    loading(events)
    events.mark("load", "sales settled")
    events.end("load", "1 of 1 sources loaded")
    Runs(lakehouse.state).end("r1", Ending("success", {"rows_read": 50, "rows_loaded": 50, "rows_quarantined": 0}))

    page = erik.page("/pipelines/runs/r1")

    assert [row.text.split()[0] for row in page.of_class("lp-gantt")[0].of_class("is-inner")] == ["sales"]
    assert "Steps and their times" in page.text
    assert "50 read, 50 loaded, 0 quarantined" in page.text


def test_files_of_a_run_are_given_by_name_without_secrets_and_to_engineers(
    lakehouse: Lakehouse, people: dict[str, Visitor], erik: Visitor
) -> None:
    ran(lakehouse, "r1", "failed", error="no")
    folder: Path = run_folder(lakehouse.settings, "r1")
    (folder / "output.log").write_text("password=hunter2hunter2 <b>bold</b>\n", encoding="utf-8")
    (folder / "profiles.yml").write_text("secret", encoding="utf-8")

    given = erik.get("/_runs/r1/files/output.log")

    assert given.get_data(as_text=True) == "password=*** <b>bold</b>\n"
    assert given.headers["Content-Disposition"] == 'attachment; filename="run-r1.output.log"'
    assert given.mimetype == "text/plain"
    assert erik.get("/_runs/r1/files/profiles.yml").status_code == 404
    assert erik.get("/_runs/r1/files/..%2f..%2fstate.db").status_code == 404
    assert erik.get("/_runs/r9/files/output.log").status_code == 404
    assert people["vera"].get("/_runs/r1/files/output.log").status_code == 403


def test_a_run_that_nobody_knows_is_said_to_be_unknown(erik: Visitor) -> None:
    assert "No run named 'nobody'" in erik.page("/pipelines/runs/nobody").text
    assert live(erik, "nobody").status_code == 404
    assert erik.get("/pipelines/runs/").status_code == 404
    assert erik.get("/pipelines/other/r1").status_code == 404
    assert erik.get("/revenue/runs/r1").status_code == 404
