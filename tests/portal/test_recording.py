"""What the portal writes into the audit: each request that saw data or was refused, and no answer without it."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from dash import Dash, Input, Output, html
from flask import Flask
from sqlalchemy import delete, select

from lakehouse.core import Lakehouse, Workspace
from lakehouse.errors import NotAllowed
from lakehouse.state.schema import audit, audit_refusals
from portal.app import create_app
from portal.page import OpenWorkspace, Page, Screen, Visit
from portal.pages import PAGES
from tests.pipelines.lake import Lake
from tests.portal.signing_in import SESSION, fields, inside, pass_time, send, stranger, try_in
from tests.portal.visitor import PASSWORD, ROUTER, Visitor

BUTTON, SAID, DENIED = "rec-button", "rec-said", "rec-denied"


def _layout(_workspace: Workspace, _visit: Visit) -> Screen:
    return Screen([html.Button(id=BUTTON), html.P(id=SAID), html.P(id=DENIED)])


def _callbacks(app: Dash, open_workspace: OpenWorkspace) -> None:
    @app.callback(Output(SAID, "children"), Input(BUTTON, "n_clicks"), prevent_initial_call=True)
    def say(_clicks: int | None) -> str:
        return str(open_workspace("now").measure({"metrics": ["orders"]}).answer.table.num_rows)

    @app.callback(Output(DENIED, "children"), Input(BUTTON, "n_clicks"), prevent_initial_call=True)
    def deny(_clicks: int | None) -> str:
        open_workspace("now")
        raise NotAllowed("somebody", "see", "this")


ASKING = Page("/asking", "Asking", "revenue", needs="read", layout=_layout, callbacks=_callbacks)
VAULT = Page("/vault", "Vault", "admin", needs="admin", layout=_layout)


@pytest.fixture(scope="module")
def lakehouse(sample_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    """The sample, with users of its own."""
    with Lakehouse.open(sample_lake.home) as lakehouse:
        for name in ("rec-ann", "rec-ben"):
            lakehouse.users.add(name, PASSWORD, "viewer")
        yield lakehouse
        for name in ("rec-ann", "rec-ben"):
            lakehouse.users.remove(name)


@pytest.fixture(scope="module")
def server(lakehouse: Lakehouse) -> Flask:
    return create_app(lakehouse, pages=(*PAGES, ASKING, VAULT)).server


class Log:
    """What was recorded and counted since it was made."""

    def __init__(self, lakehouse: Lakehouse) -> None:
        self._lakehouse = lakehouse
        self._before = max([row["number"] for row in self._rows()], default=0)
        with lakehouse.state.write() as connection:
            connection.execute(delete(audit_refusals))

    def _rows(self) -> list[dict[str, Any]]:
        with self._lakehouse.state.read() as connection:
            found = connection.execute(select(audit).order_by(audit.c.number)).mappings()
            return [dict(row) for row in found]

    @property
    def records(self) -> list[dict[str, Any]]:
        return [row for row in self._rows() if row["number"] > self._before]

    @property
    def told(self) -> list[tuple[Any, ...]]:
        """Who, what, and what came of it."""
        names = ("principal", "action", "target", "verdict", "status")
        return [tuple(row[name] for name in names) for row in self.records]

    @property
    def counted(self) -> dict[str, int]:
        found: Counter[str] = Counter()
        for row in self._lakehouse.audit.refusals():
            found[row["kind"]] += row["count"]
        return dict(found)


@pytest.fixture
def ann(server: Flask) -> Visitor:
    return inside(server, "rec-ann")


@pytest.fixture
def log(ann: Visitor, lakehouse: Lakehouse) -> Log:
    assert ann is not None  # has signed in before the log begins
    return Log(lakehouse)


def test_a_page_is_one_record_with_its_questions(ann: Visitor, log: Log) -> None:
    first = ann.show("/revenue")
    second = ann.show("/revenue")

    assert log.told == [("rec-ann", "page", "/revenue", "allowed", 200)] * 2
    for answer, record in zip((first, second), log.records, strict=True):
        assert record["request"] == answer.headers["X-Request-ID"]
        assert str(record["release"]) == answer.headers["X-Lakeport-Release"]
        assert (record["door"], record["env"], record["operator"]) == ("page", "dev", "")
        assert record["address"] == ann.environ["REMOTE_ADDR"]
        asked = json.loads(record["detail"])["asked"]
        assert len(asked) > 2
        for question in asked:
            assert question["plan"]["metrics"]
            assert {"scope", "pins", "release", "tables", "rows", "ms", "cached", "complete"} <= {*question}
    assert all(question["cached"] for question in json.loads(log.records[1]["detail"])["asked"])


def test_a_callback_is_one_record(ann: Visitor, log: Log) -> None:
    assert ann.callback(f"{SAID}.children", [(BUTTON, "n_clicks", 1)]).status_code == 200

    assert log.told == [("rec-ann", "callback", f"{SAID}.children", "allowed", 200)]
    assert [one["plan"]["metrics"] for one in json.loads(log.records[0]["detail"])["asked"]] == [["orders"]]


def test_a_refusal_inside_a_callback_is_one_though_the_answer_is_a_toast(ann: Visitor, log: Log) -> None:
    assert ann.callback(f"{DENIED}.children", [(BUTTON, "n_clicks", 1)]).status_code in (200, 204)

    assert log.told == [("rec-ann", "callback", f"{DENIED}.children", "refused", 403)]
    assert json.loads(log.records[0]["detail"]) == {"error": "NotAllowed"}


def test_an_address_that_is_wrong_is_recorded_as_failed(ann: Visitor, log: Log) -> None:
    ann.show("/revenue?at=999")

    assert log.told == [("rec-ann", "page", "/revenue", "failed", 404)]


def test_what_shows_no_data_leaves_no_record(server: Flask, ann: Visitor, log: Log) -> None:
    for path in ("/revenue", "/health", "/login", "/account", "/assets/lakeport.css", "/_dash-layout", "/nowhere"):
        with closing(ann.get(path)):
            pass
    for path in ("/revenue", "/login", "/health"):
        stranger(server).get(path)

    assert (log.told, log.counted) == ([], {})


def test_a_lower_role_is_refused_with_a_record(ann: Visitor, log: Log) -> None:
    answers = [ann.get("/vault"), ann.show("/vault"), ann.callback("nobody.children", []), ann.get("/_reload-hash")]
    forged = ann.callback(ROUTER, [], **{"X-CSRFToken": "forged"})

    assert [answer.status_code for answer in (*answers, forged)] == [403] * 5
    assert log.told == [
        ("rec-ann", "page", "/vault", "refused", 403),
        ("rec-ann", "page", "/vault", "refused", 403),
        ("rec-ann", "callback", "nobody.children", "refused", 403),
        ("rec-ann", "request", "/_reload-hash", "refused", 403),
        ("rec-ann", "callback", "/_dash-update-component", "refused", 403),
    ]
    assert log.counted == {}


def test_a_session_that_was_logged_out_is_refused_by_name(ann: Visitor, log: Log) -> None:
    kept = ann.client.get_cookie(SESSION)
    assert kept is not None
    assert send(ann, "/logout", csrf_token=fields(ann.get("/account"))["csrf_token"]).status_code == 302
    ann.client.set_cookie(SESSION, kept.value)

    assert [ann.show("/revenue").status_code, ann.get("/_dash-layout").status_code] == [401, 401]
    assert log.told == [
        ("rec-ann", "sign-out", "", "allowed", 302),
        ("rec-ann", "callback", "/_dash-update-component", "refused", 401),
        ("rec-ann", "request", "/_dash-layout", "refused", 401),
    ]
    assert log.counted == {}


def test_somebody_who_is_disabled_is_refused_by_name(lakehouse: Lakehouse, ann: Visitor, log: Log) -> None:
    lakehouse.users.set("rec-ann", disabled=True)
    try:
        assert ann.show("/revenue").status_code == 401
    finally:
        lakehouse.users.set("rec-ann", disabled=False)

    assert log.told == [("rec-ann", "callback", "/_dash-update-component", "refused", 401)]


def test_a_forged_session_and_none_are_only_counted(server: Flask, ann: Visitor, log: Log) -> None:
    cookie = ann.client.get_cookie(SESSION)
    assert cookie is not None
    ann.client.set_cookie(SESSION, cookie.value[:-4] + "AAAA")

    answers = [ann.show("/revenue"), stranger(server).show("/revenue"), stranger(server).get("/_dash-layout")]

    assert [answer.status_code for answer in answers] == [401] * 3
    assert log.told == []
    assert log.counted == {"callback 401": 2, "request 401": 1}


def test_signing_in_and_failing_to_are_recorded(server: Flask, lakehouse: Lakehouse, log: Log) -> None:
    visitor = stranger(server)
    assert try_in(visitor, "rec-ben", "wrong").status_code == 401
    assert try_in(visitor, "my-secret-word", "wrong").status_code == 401
    assert try_in(visitor, "Rec-Ben", PASSWORD).status_code == 302
    assert visitor.post("/login", data={"username": "x"}).status_code == 403

    assert log.told == [
        ("rec-ben", "sign-in", "", "refused", 401),
        ("rec-ben", "sign-in", "", "allowed", 302),
        ("rec-ben", "sign-in", "", "refused", 403),
    ]
    assert log.counted == {"sign-in 401": 1}
    assert lakehouse.audit.verify().bad is None


def test_guesses_that_are_slowed_down_are_counted(server: Flask, lakehouse: Lakehouse, log: Log) -> None:
    visitor = stranger(server)
    statuses = [try_in(visitor, "rec-ben", "wrong").status_code for _ in range(9)]
    pass_time(lakehouse)

    assert statuses == [401] * 6 + [429] * 3
    assert log.told == [("rec-ben", "sign-in", "", "refused", 401)] * 6
    assert log.counted == {"sign-in 429": 3}


def test_a_password_is_changed_with_a_record_before_and_one_after(ann: Visitor, log: Log) -> None:
    wrong = send(ann, "/account", password=f"{PASSWORD}?", new=PASSWORD, again=PASSWORD)
    short = send(ann, "/account", password=PASSWORD, new="short", again="short")
    right = send(ann, "/account", password=PASSWORD, new=PASSWORD, again=PASSWORD)

    assert [answer.status_code for answer in (wrong, short, right)] == [422, 422, 200]
    assert [(record[1], *record[3:]) for record in log.told] == [
        ("password", "refused", 422),
        ("password", "begun", 0),
        ("password", "failed", 400),
        ("password", "begun", 0),
        ("password", "allowed", 200),
    ]
    assert {record["principal"] for record in log.records} == {"rec-ann"}


def test_no_secret_stands_in_any_record(server: Flask, lakehouse: Lakehouse, ann: Visitor) -> None:
    cookies = [ann.client.get_cookie(name) for name in (SESSION, "_csrf_token")]
    with ann.client.session_transaction() as session:
        secrets = [str(session["_user_id"]), str(session.get("csrf_token", PASSWORD))]
    secrets += [PASSWORD, *(cookie.value for cookie in cookies if cookie is not None)]
    try_in(stranger(server), PASSWORD, PASSWORD)
    send(ann, "/account", password=PASSWORD, new="another good one", again="another good on")
    ann.show("/revenue")

    with lakehouse.state.read() as connection:
        kept = str([*connection.execute(select(audit)), *connection.execute(select(audit_refusals))])

    assert "/revenue" in kept
    assert [secret for secret in secrets if secret in kept] == []


def test_without_a_record_there_is_no_answer(server: Flask, lakehouse: Lakehouse, ann: Visitor, log: Log) -> None:
    ann.show("/revenue")
    file: Path = lakehouse.settings.folder / "state.db"
    with lakehouse.state.engine.connect() as connection:
        connection.exec_driver_sql("pragma busy_timeout = 50")
    lakehouse.state.close()
    engine = lakehouse.state.engine
    with closing(sqlite3.connect(file)) as other:
        other.execute("begin immediate")
        with engine.connect() as connection:
            connection.exec_driver_sql("pragma busy_timeout = 50")

        answers = [ann.show("/revenue"), ann.callback(f"{SAID}.children", [(BUTTON, "n_clicks", 1)])]
        stranger_answer = stranger(server).get("/_dash-layout")

    for answer in (*answers, stranger_answer):
        assert answer.status_code == 503
        assert "The state store cannot be used" in answer.get_data(as_text=True)
        assert answer.headers["X-Request-ID"]
    assert "North" not in "".join(answer.get_data(as_text=True) for answer in answers)
    assert len(log.records) == 1
    assert ann.show("/revenue").status_code == 200
