"""The audit: what a record holds, that nobody can change the chain unseen, and that it stays one under many writers."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lakehouse.access.audit import Audit
from lakehouse.access.request import LARGEST_DETAIL, LONGEST_TEXT, Asked, Request
from lakehouse.access.users import Users
from lakehouse.errors import LakeportError, NotAllowed, RequestWrong, StatementWrong
from lakehouse.settings import Settings
from lakehouse.state import schema
from lakehouse.state.schema import stamp
from lakehouse.state.store import State
from tests.unit.access.conftest import rows


def asked(request: Request, sql: str, rows: int = 1) -> None:
    with request.asked(Asked(sql=sql, scope="s", pins="p", release=3, tables=("marts.b", "marts.a"))) as question:
        question.answered(rows, 0.0123, cached=False, complete=True)


def detail(state: State) -> Any:
    return json.loads(rows(state, schema.audit)[-1]["detail"])


def test_a_record_says_who_asked_for_what_and_what_came_of_it(state: State, audit: Audit) -> None:
    request = Request("r1", "page", "203.0.113.7:5000", "ana", "operator:root", "dev", "page", "/revenue")
    asked(request, "select 1", rows=5)
    request.note(role="viewer")

    audit.write(request, "allowed", 200)

    (row,) = rows(state, schema.audit)
    told = {name: row[name] for name in row if name not in ("at", "hash", "detail", "previous")}
    assert told == {
        "number": 1,
        "request": "r1",
        "principal": "ana",
        "operator": "operator:root",
        "door": "page",
        "address": "203.0.113.7",
        "action": "page",
        "target": "/revenue",
        "verdict": "allowed",
        "status": 200,
        "env": "dev",
        "release": 3,
    }
    question = {"sql": "select 1", "scope": "s", "pins": "p", "release": 3, "tables": ["marts.a", "marts.b"]}
    outcome = {"rows": 5, "ms": 12.3, "cached": False, "complete": True}
    assert detail(state) == {"asked": [{**question, **outcome}], "role": "viewer"}


@pytest.mark.parametrize(
    ("error", "verdict", "status"),
    [
        (NotAllowed("ana", "see", "it"), "refused", 403),
        (RequestWrong("no"), "failed", 400),
        (ValueError("the row 'secret value'"), "failed", 500),
        (KeyboardInterrupt(), "failed", 504),
    ],
)
def test_what_raises_is_recorded_too(
    state: State, audit: Audit, error: BaseException, verdict: str, status: int
) -> None:
    with pytest.raises(type(error)), audit.recorded(Request(action="query")):
        raise error

    (row,) = rows(state, schema.audit)
    assert (row["verdict"], row["status"]) == (verdict, status)
    assert "secret value" not in str(row)


def test_what_changes_something_has_a_record_before_it_starts_and_one_when_it_ends(state: State, audit: Audit) -> None:
    with audit.recorded(Request(action="user set"), changes=True) as request:
        before = [row["verdict"] for row in rows(state, schema.audit)]
        request.failure = 409

    first, last = rows(state, schema.audit)
    assert before == ["begun"]
    assert (first["status"], last["verdict"], last["status"]) == (0, "failed", 409)
    assert first["request"] == last["request"]


def test_a_question_that_fails_is_recorded_by_the_kind_of_its_error(state: State, audit: Audit) -> None:
    request = Request()
    with pytest.raises(StatementWrong), request.asked(Asked(sql="select x")):
        raise StatementWrong("Could not convert string 'from a row'")

    audit.write(request, "failed", 400)

    assert detail(state) == {"asked": [{"sql": "select x", "error": "StatementWrong"}]}


def test_a_question_that_is_answered_from_what_was_kept_is_recorded_again(state: State, audit: Audit) -> None:
    first, second = Request(), Request()
    asked(first, "select 1", rows=5)
    kept = tuple(question.again() for question in first.questions)

    second.repeat(kept)
    audit.write(second, "allowed", 200)

    (question,) = detail(state)["asked"]
    assert (question["sql"], question["rows"], question["cached"], question["ms"]) == ("select 1", 5, True, 0)
    assert rows(state, schema.audit)[-1]["release"] == 3


@pytest.mark.parametrize(
    ("sql", "kept"),
    [
        ("create secret (secret 'abc', key_id \"x y\")", "create secret (secret '***', key_id '***')"),
        ("attach 'postgres://ana:pw@host/db'", "attach 'postgres://***@host/db'"),
        ("set s3_secret_access_key='abc'", "set s3_secret_access_key='***'"),
        ("select * from t where region = 'North'", "select * from t where region = 'North'"),
    ],
)
def test_what_looks_like_a_secret_in_a_statement_is_not_kept(state: State, audit: Audit, sql: str, kept: str) -> None:
    request = Request()
    asked(request, sql)
    audit.write(request, "refused", 403)

    assert detail(state)["asked"][0]["sql"] == kept


@pytest.mark.parametrize("sign", ["x", "ü", "\ud800", "\0", "'", "\U0001f600"])
def test_a_record_is_bounded_whatever_is_asked(state: State, audit: Audit, sign: str) -> None:
    request = Request(sign * 999, sign * 999, sign * 999, sign * 999, sign * 999, sign * 999, sign * 999, sign * 999)
    for _ in range(30):
        asked(request, sign * 100_000)
    request.note(**{f"n{number}": sign * 9_999 for number in range(3)})

    audit.write(request, "allowed", 200)

    (row,) = rows(state, schema.audit)
    assert len(row["detail"]) <= LARGEST_DETAIL + 12 * LONGEST_TEXT
    assert max(len(str(value)) for name, value in row.items() if name != "detail") <= 1200
    kept = detail(state)
    assert kept["asked_in_all"] == 30
    assert kept["asked"][0]["sql_characters"] == 100_000
    assert audit.verify().bad is None


def test_a_long_statement_says_so_and_can_be_recognised(state: State, audit: Audit) -> None:
    request = Request()
    asked(request, "select 1 -- " + "x" * LONGEST_TEXT)
    audit.write(request, "allowed", 200)

    (question,) = detail(state)["asked"]
    assert (len(question["sql"]), question["sql_characters"]) == (LONGEST_TEXT, LONGEST_TEXT + 12)
    assert len(question["sql_sha256"]) == 64


def test_refusals_without_a_user_are_counted_by_address_minute_and_kind(state: State, audit: Audit) -> None:
    for address in ("192.0.2.7", "192.0.2.7:99", "2001:db8:1:2::1", "2001:db8:1:2::2"):
        audit.count(address, "callback 401")
    audit.count("192.0.2.7", "sign-in 429")

    counted = {(row["address"], row["kind"]): row["count"] for row in audit.refusals()}

    assert sum(counted.values()) == 5
    assert {address for address, _ in counted} == {"192.0.2.7", "2001:db8:1:2::/64"}
    assert {row["minute"][:11] for row in audit.refusals()} <= {stamp(datetime.now(UTC))[:11]}
    assert rows(state, schema.audit) == []


def test_a_failed_sign_in_names_a_user_and_never_what_names_none(state: State, audit: Audit, users: Users) -> None:
    assert users.get("ana")

    audit.sign_in_failed(Request(action="sign-in", address="192.0.2.7"), "ana")
    audit.sign_in_failed(Request(action="sign-in", address="192.0.2.7"), "my-secret-word")

    assert [(row["principal"], row["verdict"], row["status"]) for row in rows(state, schema.audit)] == [
        ("ana", "refused", 401)
    ]
    assert [(row["kind"], row["count"]) for row in audit.refusals()] == [("sign-in 401", 1)]
    assert "my-secret-word" not in str(rows(state, schema.audit_refusals))


def test_records_are_found_by_who_what_and_when(filled: Audit) -> None:
    filled.write(Request(principal="ana", operator="operator:root", action="query"), "allowed", 200)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()

    def numbers(**wanted: Any) -> list[int]:
        return [record["number"] for record in filled.records(**wanted)]

    assert numbers(limit=3) == [13, 12, 11]
    assert numbers(principal="user1") == [11, 8, 5, 2]
    assert numbers(principal="ana") == numbers(principal="operator:root") == numbers(action="query") == [13]
    assert numbers(since=tomorrow) == []
    assert len(numbers(since="2020-01-01")) == 13


@pytest.mark.parametrize("since", ["yesterday", "", "2026-03-31T12:00:00", "2026-13-01"])
def test_what_is_no_time_is_refused(filled: Audit, since: str) -> None:
    with pytest.raises(RequestWrong, match=r"is no time|has no time zone"):
        filled.records(since=since)


def _locked(settings: Settings, state: State) -> Callable[[], None]:
    other = sqlite3.connect(settings.folder / "state.db")
    other.execute("begin immediate")
    with state.engine.connect() as connection:
        connection.exec_driver_sql("pragma busy_timeout = 50")
    return other.close


def test_without_a_record_there_is_no_answer(settings: Settings, state: State, audit: Audit) -> None:
    answers: list[str] = []
    with closing(State(settings.state_url)) as other:
        let_go = _locked(settings, state)

        with pytest.raises(LakeportError, match="holds it locked"), audit.recorded(Request()):
            answers.append("computed, and not given: whoever asked gets the error")
        let_go()

        assert rows(other, schema.audit) == []
