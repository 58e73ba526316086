"""The sections Tests and Quarantine of the page Pipelines: how every test went last, and which rows were put aside.

One rule: runs after the release are written down by hand; the release itself, with its tests, is a real one.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete

from lakehouse.core import Lakehouse
from lakehouse.runs import Ending, Runs
from lakehouse.state.schema import runs
from portal.app import create_app
from tests.conftest import LATE_LINE, SAMPLE_COLUMNS
from tests.pipelines.lake import Lake, lines, source
from tests.portal.signing_in import inside
from tests.portal.test_data_page import copied
from tests.portal.visitor import PASSWORD, Shown, Visitor

POLICY = """
[users.ruth]
rows = [["region", "=", "North"]]

[users.carl.columns]
region = "hide"
"""
TESTS, QUARANTINE = "/pipelines?section=tests", "/pipelines?section=quarantine"
FAILURE = {
    "test": "accepted_values_order_lines_region__North__South",
    "status": "fail",
    "kind": "accepted_values",
    "table": "marts.order_lines",
    "column": "region",
    "reads": ["marts.order_lines"],
    "message": "Got 3 results, configured to fail if != 0",
    "failures": 3,
    "file": None,
}
FAILED = {"tests": {"passed": 9, "failed": 1}, "failures": [FAILURE]}


@pytest.fixture(scope="module")
def lakehouse(sample_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    home = copied(sample_lake, tmp_path_factory.mktemp("sections"))
    (home / "policy.toml").write_text(POLICY)
    with Lakehouse.open(home) as opened:
        for name in ("erik", "ruth", "carl"):
            opened.users.add(name, PASSWORD, "engineer")
        yield opened


@pytest.fixture(scope="module")
def server(lakehouse: Lakehouse) -> Flask:
    return create_app(lakehouse).server


@pytest.fixture(scope="module")
def people(server: Flask) -> dict[str, Visitor]:
    return {name: inside(server, name) for name in ("erik", "ruth", "carl")}


@pytest.fixture
def erik(people: dict[str, Visitor]) -> Visitor:
    """An engineer under no rule."""
    return people["erik"]


@pytest.fixture
def ran(lakehouse: Lakehouse) -> Iterator[Any]:
    """Writes down a run that has ended; they are gone afterwards."""
    made = []

    def end(run: str, state: str, result: dict[str, Any], **order: Any) -> None:
        made.append(run)
        Runs(lakehouse.state).begin(run, "dev", "refresh", "erik", {"job": "refresh", **order})
        Runs(lakehouse.state).end(run, Ending(state, result))

    yield end
    with lakehouse.state.write() as connection:
        connection.execute(delete(runs).where(runs.c.id.in_(made)))


def listed(page: Shown, within: str = "lp-tests") -> list[list[str]]:
    """The rows of the only table there, cell by cell."""
    body = next(one for one in page.one(within).walk() if one["type"] == "Tbody")
    rows = (Shown(one) for one in Shown(body).walk() if one["type"] == "Tr")
    return [[Shown(one).text for one in row.walk() if one["type"] in ("Th", "Td")] for row in rows]


def test_every_test_of_the_release_stands_with_its_table_result_and_run(lakehouse: Lakehouse, erik: Visitor) -> None:
    release = lakehouse.as_user(lakehouse.users.get("erik").principal).release

    page = erik.page(TESTS)

    rows = listed(page)
    assert len(rows) == len(release.tests or {}) > 10
    assert {row[1] for row in rows} >= {"marts.order_lines", "raw.sales"}
    assert {(row[4], row[5]) for row in rows} == {("", "Passed")}
    assert {row[3] for row in rows} == {verdict.run for verdict in (release.tests or {}).values()}
    assert f"{len(rows)} tests, as release 2 has them" in page.text


def test_what_has_failed_since_stands_first_and_leads_to_its_run(ran: Any, erik: Visitor) -> None:
    before = len(listed(erik.page(TESTS)))
    ran("r-failed", "failed", FAILED)

    page = erik.page(TESTS)

    rows = listed(page)
    assert rows[0][:2] == ["region: known values only", "marts.order_lines"]
    assert rows[0][3:] == ["r-failed", "3", "Failed"]
    assert page.one("lp-tests").links["r-failed"] == "/pipelines/runs/r-failed"
    assert len(rows) == before + 1
    assert "1 failed since" in page.text
    assert listed(erik.page(page.one("lp-tests").links["Failed"])) == rows[:1]


def test_a_test_that_failed_again_stands_once_and_one_that_passes_by_now_as_it_stood(ran: Any, erik: Visitor) -> None:
    ran("r-failed", "failed", FAILED)
    ran("r-again", "failed", FAILED)
    again = listed(erik.page(f"{TESTS}&state=failed"))
    ran("r-one", "failed", {"tests": {"passed": 1, "failed": 0}}, select=["daily_revenue"])
    still = listed(erik.page(f"{TESTS}&state=failed"))
    ran("r-good", "awaiting_publish", {"tests": {"passed": 10, "failed": 0}})

    assert [row[3] for row in again] == ["r-again"]
    assert still == again  # that run has tested some of them only
    assert "Nothing has failed since the release that readers see." in erik.page(f"{TESTS}&state=failed").text


def test_under_row_rules_a_test_stands_by_its_kind_and_without_counts(ran: Any, people: dict[str, Visitor]) -> None:
    ran("r-failed", "failed", FAILED)

    page = people["ruth"].page(TESTS)

    assert listed(page)[0][3:] == ["r-failed", "–", "Failed"]
    assert "You see a part of the rows, so how many there are is not told." in page.text
    drawn = people["ruth"].show(TESTS).get_data(as_text=True)
    assert "North__South" not in drawn
    assert "North__South" in people["erik"].show(TESTS).get_data(as_text=True)


def test_a_test_of_a_hidden_column_is_not_there(ran: Any, people: dict[str, Visitor]) -> None:
    ran("r-failed", "failed", FAILED)

    rows = listed(people["carl"].page(TESTS))

    assert "r-failed" not in {row[3] for row in rows}
    assert [row for row in rows if "region" in row[0]] == []
    assert len(rows) > 5


def test_an_empty_quarantine_says_what_will_be_there(erik: Visitor) -> None:
    page = erik.page(QUARANTINE)

    assert "Nothing is aside in release 2" in page.text
    assert "Records that do not fit their source's columns appear here" in page.text


def test_loads_that_have_put_rows_aside_are_named_and_counted_for_whoever_may_count(
    ran: Any, people: dict[str, Visitor]
) -> None:
    counts = {"read": 12, "loaded": 9, "quarantined": 3}
    ran("r-aside", "success", {"rows_read": 12, "sources": {"sales": counts, "stock": {**counts, "quarantined": 0}}})

    (row,) = listed(people["erik"].page(QUARANTINE), "lp-content")

    assert [row[0], row[1], *row[3:]] == ["sales", "r-aside", "12", "3"]
    assert "r-aside" not in people["ruth"].page(QUARANTINE).text


@pytest.mark.parametrize("name", ["ruth", "carl"])
def test_quarantined_rows_are_for_whoever_sees_everything(people: dict[str, Visitor], name: str) -> None:
    assert "They are for whoever sees every row and column." in people[name].page(QUARANTINE).text
    tables = {one: people[one].page("/data?table=raw.quarantine").text for one in ("erik", name)}
    assert ["No table named 'raw.quarantine'" in text for text in tables.values()] == [False, True]


def test_a_section_or_state_that_is_none_is_refused_in_words(erik: Visitor) -> None:
    assert (
        "No section named 'odd'. Known sections: quarantine, schedules, sources, tests."
        in erik.page("/pipelines?section=odd").text
    )
    assert "No tests in the state 'odd'. Known: failed." in erik.page(f"{TESTS}&state=odd").text


@pytest.mark.slow
def test_rows_in_quarantine_stand_with_file_line_and_reason_and_are_given_whole(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.configure(source(columns=SAMPLE_COLUMNS, key=["order_id"], max_rejected=1.0))
    bad = (f"ORD-{number},CUST-0001,2024-03-31,Laptop,many,1500.00,North" for number in range(120))
    lake.write("sales.csv", lines(LATE_LINE.strip(), *bad, header=",".join(SAMPLE_COLUMNS)))
    assert lake.start().ending == ("success", 0)
    with Lakehouse.open(lake.home) as lakehouse:
        lakehouse.users.add("erik", PASSWORD, "engineer")
        erik = inside(create_app(lakehouse).server, "erik")

        page = erik.page(QUARANTINE)
        file = erik.get(page.links["Download CSV"])

    assert "120 rows are aside in release 1" in page.text
    assert "The first 100 of 120 are shown; the file has all of them." in page.text
    assert "many" in page.text
    assert len(file.get_data(as_text=True).splitlines()) == 121
    assert "all-120-rows.csv" in file.headers["Content-Disposition"]
