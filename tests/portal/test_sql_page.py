"""The SQL page, asked over HTTP: who may use it, what it answers, and what it shows of others.

One rule: every statement goes through the callback that the page's button fires, as a browser posts it.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse
from lakehouse.settings import read_settings
from portal.app import create_app
from portal.rows import SHOWN_ROWS
from tests.pipelines.lake import Lake
from tests.portal.signing_in import inside
from tests.portal.visitor import PASSWORD, Shown, Visitor

RUN, CANCEL = "..sql-result.children...sql-history.children..", "sql-cancelled.data"
TOKEN = "0123456789abcdef" * 2
USERS = {"sql-vera": "viewer", "sql-ann": "analyst", "sql-ben": "analyst", "sql-erik": "engineer"}
BY_REGION = "select region, count(*) as n from marts.order_lines group by region order by region"
SLOW = f"select sum(a.quantity * d.quantity) from {', '.join(f'marts.order_lines {name}' for name in 'abcd')}"
POLICY = """
[users."sql-ben"]
rows = [["region", "=", "North"]]
columns = { customer_id = "hide" }
"""


@pytest.fixture(scope="module")
def home(sample_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample lake's tables under a copy of its state, with SQL and a policy of its own."""
    home = tmp_path_factory.mktemp("sql")
    known = sample_lake.settings
    with closing(sqlite3.connect(known.folder / "state.db")) as state:
        state.execute("vacuum into ?", (str(home / "state.db"),))
    lake = f'[lake]\nstate = "sqlite:///{home / "state.db"}"\nwarehouse = "{known.warehouse}"\n'
    limits = "[query]\nfree_sql = true\nmax_rows = 900\nexport_rows = 900\nper_user = 2\n"
    (home / "lakeport.toml").write_text(f"{lake}\n{limits}")
    (home / "policy.toml").write_text(POLICY)
    return home


@pytest.fixture(scope="module")
def lakehouse(home: Path) -> Iterator[Lakehouse]:
    with Lakehouse.open(home) as lakehouse:
        for name, role in USERS.items():
            lakehouse.users.add(name, PASSWORD, role)
        yield lakehouse


@pytest.fixture(scope="module")
def server(lakehouse: Lakehouse) -> Flask:
    return create_app(lakehouse).server


@pytest.fixture
def ann(server: Flask) -> Visitor:
    return inside(server, "sql-ann")


@pytest.fixture
def ben(server: Flask) -> Visitor:
    return inside(server, "sql-ben")


def post(
    visitor: Visitor, statement: Any, search: str = "", clicks: int | None = 1, token: Any = TOKEN
) -> TestResponse:
    """Press *Run*."""
    state = [("sql-statement", "value", statement), ("sql-token", "data", token), ("shell-location", "search", search)]
    return visitor.callback(RUN, [("sql-run", "n_clicks", clicks)], state)


def cancel(visitor: Visitor, token: Any = TOKEN) -> TestResponse:
    """Press *Cancel*."""
    return visitor.callback(CANCEL, [("sql-cancel", "n_clicks", 1)], [("sql-token", "data", token)])


def run(visitor: Visitor, statement: Any, search: str = "") -> tuple[Shown, Shown]:
    """The result and the history after *Run*."""
    answer = post(visitor, statement, search)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    response = answer.get_json()["response"]
    return Shown(response["sql-result"]["children"]), Shown(response["sql-history"]["children"])


def table(result: Shown) -> list[list[str]]:
    """The head and the rows of a result."""
    rows = [one for one in result.walk() if one["type"] == "Tr"]
    return [[Shown(cell).text for cell in row["props"]["children"]] for row in rows]


def told(result: Shown) -> str:
    """What stands under the title of a result."""
    return result.one("lp-head").text.partition(" CSV")[0]


def statements(history: Shown) -> list[str]:
    """What a click on the history puts into the editor."""
    past = history.of_class("lp-past-statement")
    return [str(one.props["data-lp-replace"]) for one in past if "data-lp-replace" in one.props]


def offered(shown: Shown) -> set[str]:
    """What a click can put into the statement."""
    return {str(one.props["data-lp-insert"]) for one in shown.of_class("lp-insert")}


def test_an_analyst_finds_it_in_the_menu_and_a_viewer_is_refused(server: Flask, ann: Visitor) -> None:
    vera = inside(server, "sql-vera")

    assert ann.page("/sql").links["SQL"] == "/sql"
    assert "SQL" not in vera.page("/revenue").links
    assert [vera.get("/sql").status_code, vera.show("/sql").status_code] == [403, 403]
    assert [post(vera, "select 1").status_code, cancel(vera).status_code] == [403, 403]


def test_a_lake_that_does_not_say_so_has_no_such_page(sample_lake: Lake) -> None:
    with Lakehouse.open(sample_lake.home) as lakehouse:
        lakehouse.users.add("sql-off", PASSWORD, "admin")
        try:
            visitor = inside(create_app(lakehouse).server, "sql-off")

            assert lakehouse.settings.query.free_sql is False
            assert "SQL" not in visitor.page("/revenue").links
            assert [visitor.get("/sql").status_code, visitor.show("/sql").status_code] == [404, 403]
            assert [post(visitor, "select 1").status_code, cancel(visitor).status_code] == [403, 403]
        finally:
            lakehouse.users.remove("sql-off")


def test_the_demo_lets_its_analyst_write_sql(demo_home: Path) -> None:
    assert read_settings(demo_home, environ={}).query.free_sql


def test_a_statement_is_answered_with_its_rows(ann: Visitor, lakehouse: Lakehouse) -> None:
    expected = lakehouse.as_user(operator()).sql(BY_REGION).table.to_pylist()
    result, _ = run(ann, BY_REGION)

    assert table(result) == [["region", "n"], *([row["region"], str(row["n"])] for row in expected)]
    assert len(expected) == 5
    assert "5 rows, complete · " in told(result)
    assert told(result).endswith("· release 2")


def test_a_statement_sees_what_its_user_sees(ben: Visitor) -> None:
    assert [row[0] for row in table(run(ben, BY_REGION)[0])] == ["region", "North"]
    assert "customer_id" in run(ben, "select customer_id from marts.order_lines")[0].one("lp-error").text


def test_a_statement_is_asked_of_the_version_that_is_looked_at(ann: Visitor) -> None:
    counts = []
    for search in ("", "?at=1"):
        result, _ = run(ann, "select count(*) as n from marts.order_lines", search)
        counts.append((table(result)[1], told(result)[-9:]))

    assert counts == [(["1001"], "release 2"), (["1000"], "release 1")]


def test_values_stand_as_they_are(ann: Visitor) -> None:
    result, _ = run(
        ann, "select null as a, 1234567.50::decimal(18,2) as b, true as c, [1, 2] as d, 'x'::blob as e, 'null' as f"
    )

    assert table(result)[1] == ["null", "1234567.50", "true", "[1, 2]", "eA==", "null"]
    assert [one.text for one in result.of_class("lp-muted")] == ["null"]  # the first of the two


def test_of_many_rows_the_first_are_shown_and_a_cut_is_told(ann: Visitor) -> None:
    many, _ = run(ann, "select line_id from marts.order_lines limit 300")
    cut, _ = run(ann, "select line_id from marts.order_lines")

    assert "300 rows, complete · the first 200 shown" in told(many)
    assert "Cut after 900 rows: there are more · the first 200 shown" in told(cut)
    assert cut.one("lp-warn").text == "Cut after 900 rows: there are more"
    assert [len(table(shown)) for shown in (many, cut)] == [SHOWN_ROWS + 1] * 2


def test_no_row_is_an_answer_too(ann: Visitor) -> None:
    result, _ = run(ann, "select region from marts.order_lines where false")

    assert table(result) == [["region"]]
    assert "0 rows, complete" in told(result)
    assert "No row matches." in result.text


@pytest.mark.parametrize(
    ("statement", "line", "marked"),
    [
        ("select region\nfrom marts.nowhere", 2, "marts.nowhere"),
        ("select 1,\n  read_csv('/etc/passwd')", 2, "read_csv"),
        ("select '😀', nope(1)", 1, "nope"),
        ("select regoin from marts.order_lines", 1, "regoin"),
        ("selec 1", 1, "selec"),
    ],
)
def test_a_mistake_is_marked_where_it_stands(ann: Visitor, statement: str, line: int, marked: str) -> None:
    shown = run(ann, statement)[0].one("lp-error")
    button = next(one for one in shown.walk() if "data-lp-place" in one["props"])
    start, end = map(int, button["props"]["data-lp-place"].split(":"))

    assert shown.props["role"] == "alert"
    assert [one["props"]["children"] for one in shown.walk() if one["type"] == "Mark"] == [marked]
    assert button["props"]["children"] == f"Go to line {line}"
    assert statement.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le") == marked


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "There is no statement"),
        ("  \n", "There is no statement"),
        (["select 1"], "There is no statement"),
        ("delete from marts.order_lines", "DELETE"),
        ("select 1; select 2", "one statement at a time"),
        ("select 1 --" + "x" * 100_000, "100,000 are allowed"),
        ("select '\0'", "Unicode"),
    ],
)
def test_what_is_no_question_is_refused_on_the_page(ann: Visitor, given: Any, said: str) -> None:
    assert said in run(ann, given)[0].one("lp-error").text


@pytest.mark.parametrize("token", [None, "", 7, "x" * 32, "a" * 33, [TOKEN]])
def test_a_token_that_no_page_has_is_refused(ann: Visitor, token: Any) -> None:
    assert "This page is out of date" in post(ann, "select 1", token=token).get_data(as_text=True)
    assert "This page is out of date" in cancel(ann, token).get_data(as_text=True)


def test_a_link_shows_its_statement_and_runs_nothing(ann: Visitor, lakehouse: Lakehouse) -> None:
    before = lakehouse.audit.records(1)[0]["number"]
    page = ann.page("/sql?q=select%201%20%2B%201")

    assert page.by_id("sql-statement").props["value"] == "select 1 + 1"
    assert "No result yet" in page.by_id("sql-result").text
    asked = [record for record in lakehouse.audit.records(5) if record["number"] > before]
    assert [(record["action"], record["detail"]) for record in asked] == [("page", "{}")]


def test_nothing_runs_without_a_press_of_the_button(ann: Visitor, lakehouse: Lakehouse) -> None:
    before = lakehouse.audit.records(1)[0]["number"]

    assert [post(ann, "select 1", clicks=clicks).status_code for clicks in (None, 0)] == [204, 204]
    assert lakehouse.audit.records(1)[0]["number"] == before


def test_the_history_is_ones_own_newest_first_and_each_once(ann: Visitor, ben: Visitor) -> None:
    run(ann, "select 'of ann'")
    run(ben, "select 'of ben'")
    run(ann, "select nope()")
    _, history = run(ann, "select 'of ann'")

    assert statements(history)[:2] == ["select 'of ann'", "select nope()"]
    assert "no answer" in history.of_class("lp-past-statement")[1].text
    assert statements(history).count("select 'of ann'") == 1
    for visitor, others in ((ann, "of ben"), (ben, "of ann")):
        assert others not in str(statements(visitor.page("/sql").by_id("sql-history")))


def test_what_looks_like_a_secret_and_what_is_too_long_is_not_offered_again(ann: Visitor) -> None:
    run(ann, "select 1 where 'x' = 'y' or 'password' = 'hunter2'")
    _, history = run(ann, "select '" + "y" * 5_000 + "'")
    newest = history.of_class("lp-past-statement")[:2]

    assert ["data-lp-replace" in one.props for one in newest] == [False, False]
    assert all("kept in part" in one.text for one in newest)
    assert "hunter2" not in history.text


def test_the_tables_are_those_that_one_may_see(server: Flask, ann: Visitor, ben: Visitor) -> None:
    seen = {name: offered(visitor.page("/sql")) for name, visitor in {"ann": ann, "ben": ben}.items()}
    seen["erik"] = offered(inside(server, "sql-erik").page("/sql"))

    assert {"marts.order_lines", "staging.stg_sales", "customer_id", "region"} <= seen["ann"]
    assert "raw.sales" in seen["erik"] - seen["ann"]
    assert "customer_id" not in seen["ben"]
    assert "region" in seen["ben"]


@pytest.mark.parametrize("of_another_process", [False, True])
def test_a_slow_statement_is_cancelled_by_its_user_and_by_nobody_else(
    home: Path, server: Flask, ann: Visitor, of_another_process: bool
) -> None:
    answers: list[Shown] = []
    asking = threading.Thread(target=lambda: answers.append(run(ann, SLOW)[0]))
    with Lakehouse.open(home) as second:
        reached = create_app(second).server if of_another_process else server
        own, others = (inside(reached, name) for name in ("sql-ann", "sql-ben"))
        asking.start()
        end = time.monotonic() + 2
        while time.monotonic() < end:
            assert cancel(others).status_code == 200
        assert asking.is_alive()

        started = time.monotonic()
        assert cancel(own).status_code == 200
        asking.join(10)

    assert time.monotonic() - started < 2
    assert "The query was cancelled." in answers[0].one("lp-error").text
    assert table(run(ann, "select 1 as n")[0]) == [["n"], ["1"]]  # what comes later is not meant


def test_a_run_is_a_record_of_its_user(ann: Visitor, lakehouse: Lakehouse) -> None:
    post(ann, "select 41 + 1")
    post(ann, "select nope()")
    refused, allowed = lakehouse.audit.records(2)

    for record, verdict in ((refused, "refused"), (allowed, "allowed")):
        names = "principal", "action", "target", "door", "verdict"
        assert [record[name] for name in names] == ["sql-ann", "query", "/sql", "page", verdict]
    assert '"sql":"select 41 + 1"' in allowed["detail"]


@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
def test_a_result_is_given_as_a_file_to_the_form_beside_it(ann: Visitor, kind: str) -> None:
    shown, _ = run(ann, BY_REGION, "?at=1")
    form = next(node for node in shown.walk() if node["type"] == "Form")
    inputs = {node["props"]["name"]: node["props"]["value"] for node in Shown(form).walk() if node["type"] == "Input"}
    places = [node["props"]["formAction"] for node in Shown(form).walk() if node["type"] == "Button"]

    answer = ann.post(f"/export/sql.{kind}", data={**inputs, "csrf_token": ann.token})

    assert f"/export/sql.{kind}" in places
    assert (inputs["q"], inputs["at"]) == (BY_REGION, "1")
    assert answer.status_code == 200
    assert answer.headers["X-Lakeport-Export"] == "release=1; rows=5; complete=true"
    assert f"sql.release-1.all-5-rows.{kind}" in answer.headers["Content-Disposition"]
    assert answer.get_data()


def test_no_link_and_no_other_site_gets_a_file_of_a_statement(ann: Visitor) -> None:
    assert ann.get("/export/sql.csv?q=select+1").status_code == 405
    assert ann.post("/export/sql.csv", data={"q": "select 1"}).status_code == 403
    own = {"q": "select 1", "csrf_token": ann.token}
    assert ann.post("/export/sql.csv", data=own, headers={"Origin": "http://evil.example"}).status_code == 403


def test_a_file_of_a_statement_holds_ones_own_rows_and_says_when_it_is_cut(ben: Visitor, ann: Visitor) -> None:
    lines = "select region from marts.order_lines"

    own = ben.post("/export/sql.csv", data={"q": lines, "csrf_token": ben.token})
    cut = ann.post("/export/sql.csv", data={"q": lines, "csrf_token": ann.token})

    assert set(own.get_data(as_text=True).split("\r\n")[1:-1]) == {'"North"'}
    assert cut.headers["X-Lakeport-Export"] == "release=2; rows=900; complete=false"
    assert cut.get_data(as_text=True).count("\r\n") == 901


def test_a_wrong_statement_gives_no_file_but_its_sentence(ann: Visitor) -> None:
    fields = {"q": "select * from read_csv('/etc/passwd')", "csrf_token": ann.token}

    answer = ann.post("/export/sql.csv", data=fields, headers={"Accept": "application/json"})

    assert answer.status_code == 400
    assert "read_csv is not available" in answer.get_json()["text"]
