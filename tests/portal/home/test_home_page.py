"""Home: what it says of the last run and of the numbers, to whom, and in an empty lake.

One rule: each number is compared with SQL, under the rights of whoever looks.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from lakehouse.access.identity import operator
from lakehouse.access.policy import PolicyFile
from lakehouse.core import Lakehouse
from lakehouse.query.scope import RowRule
from lakehouse.runs import STALE_SECONDS, Ending
from lakehouse.state.schema import runs, stamp
from portal.app import create_app
from tests.pipelines.lake import Lake
from tests.portal.home.home_lake import asked, fresh, pass_time, person, run, values
from tests.portal.signing_in import inside, send, stranger
from tests.portal.visitor import PASSWORD, Visitor

KEPT = "The numbers you see are those of release 2, from"
SECRET = "Binder Error in stg_sales.sql: 'Rosa' is no number"  # noqa: S105  # what only engineers read
LAST_30 = "order_date between date '2024-03-02' and date '2024-03-31'"
BEFORE_LATE = "order_date between date '2024-03-01' and date '2024-03-30'"


def test_it_is_where_a_login_and_the_brand_lead(server: Flask, lakehouse: Lakehouse) -> None:
    lakehouse.users.add("home-first", PASSWORD, "viewer")
    visitor = stranger(server)

    answer = send(visitor, username="home-first", password=PASSWORD)

    assert answer.headers["Location"] == "/"
    assert visitor.get("/").status_code == 200
    menu = visitor.page("/revenue").links
    assert list(menu)[:3] == ["Lakeport", "Home", "Revenue"]
    assert menu["Lakeport"] == menu["Home"] == "/"


def test_after_a_run_that_published_it_says_fresh_and_how_far_the_data_go(ann: Visitor) -> None:
    said = fresh(ann)

    assert "Fresh The data go up to 31 Mar 2024. Release 2 was published" in said
    assert re.search(r"; all \d+ tests passed\.$", said)


@pytest.mark.parametrize(
    ("ending", "short", "sentence"),
    [
        (None, "Refresh running", "A refresh began just now and is still running. Until it has ended, the numbers"),
        (
            Ending("failed", error=SECRET),
            "Last refresh failed",
            "The last refresh failed just now and published nothing.",
        ),
        (Ending("cancelled", error=SECRET), "Last refresh cancelled", "was cancelled just now, before it published."),
        (Ending("lost", error=SECRET), "Last refresh lost", "stopped just now without a word and published nothing."),
        (Ending("awaiting_publish"), "Waits to be published", "built new numbers just now, which wait for somebody"),
        (Ending("success", {"rows_loaded": 9}), "Not built yet", "loaded rows that are not in the numbers yet."),
    ],
    ids=lambda given: given.state if isinstance(given, Ending) else None,
)
def test_whatever_the_last_run_came_to_is_said_with_the_release_that_one_sees(
    lakehouse: Lakehouse, ann: Visitor, ending: Ending | None, short: str, sentence: str
) -> None:
    with run(lakehouse, ending, "load" if short == "Not built yet" else "refresh"):
        said = fresh(ann)

    assert f"{short} The data go up to 31 Mar 2024." in said
    assert sentence in said
    assert KEPT.removeprefix("The ") in said
    assert SECRET not in said


def test_a_run_that_found_nothing_new_leaves_the_numbers_fresh(lakehouse: Lakehouse, ann: Visitor) -> None:
    with run(lakehouse, Ending("unchanged", {"release": 2})):
        said = fresh(ann)

    assert "Fresh The data go up to 31 Mar 2024. Release 2 was published" in said
    assert said.endswith("The last refresh, just now, found nothing new.")


def test_a_run_whose_process_has_gone_is_not_said_to_be_running(lakehouse: Lakehouse, ann: Visitor) -> None:
    with run(lakehouse) as name:
        with lakehouse.state.write() as connection:
            silent = stamp(datetime.now(UTC) - timedelta(seconds=STALE_SECONDS + 240))
            connection.execute(update(runs).where(runs.c.id == name).values(heartbeat=silent))
        said = fresh(ann)

    assert "Last refresh lost" in said
    assert "stopped 5 min ago without a word" in said


def test_failed_tests_are_counted(lakehouse: Lakehouse, ann: Visitor) -> None:
    with run(lakehouse, Ending("failed", {"tests": {"passed": 40, "failed": 2}}, SECRET)):
        assert "2 tests of the new numbers failed." in fresh(ann)


def test_fresh_is_said_for_a_day(lakehouse: Lakehouse, ann: Visitor) -> None:
    with run(lakehouse, Ending("unchanged", {"release": 2})) as name:
        with lakehouse.state.write() as connection:
            before = stamp(datetime.now(UTC) - timedelta(days=4))
            connection.execute(update(runs).where(runs.c.id == name).values(ended=before))
        said = fresh(ann)

    assert "Fresh" not in said.removeprefix("Freshness")
    assert "Last refreshed" in said


@pytest.mark.parametrize(
    ("role", "reads"), [("viewer", False), ("analyst", False), ("engineer", True), ("admin", True)]
)
def test_what_a_failed_run_has_said_is_for_those_who_can_mend_it(
    lakehouse: Lakehouse, server: Flask, role: str, reads: bool
) -> None:
    with person(lakehouse, server, role) as visitor, run(lakehouse, Ending("failed", error=SECRET)):
        answer = visitor.show("/").get_data(as_text=True)

    assert ("Binder Error" in answer) is reads


def test_the_headline_numbers_are_those_of_the_last_30_days_and_lead_to_their_page(
    lakehouse: Lakehouse, ann: Visitor
) -> None:
    tiles = ann.page("/").of_class("lp-tile")

    assert values(ann) == asked(lakehouse, LAST_30)
    assert {tile.props["href"] for tile in tiles} == {"/revenue?period=last-30-days"}
    assert values(ann, "/revenue?period=last-30-days") == values(ann)


def test_at_an_older_release_it_shows_that_release(lakehouse: Lakehouse, ann: Visitor) -> None:
    shown = ann.page("/?at=1")

    assert "The data go up to 30 Mar 2024. Release 1 was published" in fresh(ann, "/?at=1")
    assert values(ann, "/?at=1") == asked(lakehouse, BEFORE_LATE)
    assert {tile.props["href"] for tile in shown.of_class("lp-tile")} == {"/revenue?at=1&period=last-30-days"}
    assert "Since your last visit" not in shown.text
    assert "You are looking at the past" in shown.text


def test_somebody_with_rules_sees_their_own_numbers_alone(lakehouse: Lakehouse, server: Flask) -> None:
    with person(lakehouse, server, rules=[RowRule("region", "=", ("Central",))]) as visitor:
        visitor.show("/")
        pass_time(lakehouse, release=1)
        shown, found = visitor.page("/"), values(visitor)

    everything = asked(lakehouse, "true")
    own = asked(lakehouse, "region = 'Central'")[1]  # each order has one line
    [(last,)] = [
        tuple(row.values())
        for row in lakehouse.as_user(operator())
        .sql("select max(order_date) from marts.order_lines where region = 'Central'")
        .table.to_pylist()
    ]
    days = f"order_date > date '{last}' - 30"
    assert found == asked(lakehouse, f"region = 'Central' and {days}")
    assert f"up to {last.day} {last:%b %Y}" in shown.text
    assert not [value for value in everything[:4] if value in shown.text]
    assert f"Order lines: {own} rows, as many as then" in shown.text


def test_a_metric_that_one_may_not_see_is_not_there(lakehouse: Lakehouse, server: Flask, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text('[roles.viewer.columns]\nline_total = "hide"\n', encoding="utf-8")
    before, lakehouse.policy = lakehouse.policy, PolicyFile(tmp_path)
    with person(lakehouse, server) as visitor:
        shown = visitor.page("/")
    lakehouse.policy = before

    assert [tile.one("lp-label").text for tile in shown.of_class("lp-tile")] == ["Orders", "Customers", "Units"]


@pytest.mark.parametrize(
    "policy",
    ['[roles.viewer]\ntables = ["marts.daily_revenue"]\n', '[roles.viewer.columns]\norder_date = "hide"\n'],
    ids=["no table with metrics", "no days"],
)
def test_without_numbers_to_see_it_still_says_how_fresh_they_are(
    lakehouse: Lakehouse, server: Flask, tmp_path: Path, policy: str
) -> None:
    (tmp_path / "policy.toml").write_text(policy, encoding="utf-8")
    before, lakehouse.policy = lakehouse.policy, PolicyFile(tmp_path)
    with person(lakehouse, server) as visitor:
        visitor.show("/")
        pass_time(lakehouse, release=1)
        shown = visitor.page("/")
    lakehouse.policy = before

    assert shown.of_class("lp-tile") == []
    assert "Fresh Release 2 was published" in shown.text


@pytest.fixture
def empty(lake: Lake) -> Iterator[tuple[Lakehouse, Visitor]]:
    """A lake without a release, and an engineer in its portal."""
    lake.configure("")
    with Lakehouse.open(lake.home) as lakehouse:
        lakehouse.users.add("home-erik", PASSWORD, "engineer")
        yield lakehouse, inside(create_app(lakehouse).server, "home-erik")


def test_in_an_empty_lake_it_says_what_will_be_here_and_how_to_get_it(empty: tuple[Lakehouse, Visitor]) -> None:
    lakehouse, visitor = empty

    before = visitor.page("/")
    with run(lakehouse, Ending("failed", error=SECRET)):
        after = visitor.page("/")

    assert "Nothing has been refreshed yet." in before.text
    assert "Nothing here yet" in before.text
    assert "lakeport refresh" in before.text
    assert "The last refresh failed just now and published nothing. There are no numbers yet." in after.text
    assert SECRET in after.text
