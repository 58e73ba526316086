"""Sessions: who a token belongs to, and when it no longer does."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lakehouse.access.sessions import Sessions
from lakehouse.access.users import Users
from lakehouse.errors import RequestWrong
from lakehouse.settings import AccessSettings, Settings
from lakehouse.state import schema
from lakehouse.state.schema import stamp
from lakehouse.state.store import State
from tests.unit.access.conftest import PASSWORD, put, rows, statements, stored_bytes


@pytest.fixture
def sessions(state: State, users: Users) -> Sessions:
    """Sessions that end after ten idle minutes, and after two hours in any case; ana is a user."""
    assert users.get("ana")
    return Sessions(state, AccessSettings(idle_minutes=10, absolute_hours=2))


def ago(**time: float) -> str:
    return stamp(datetime.now(UTC) - timedelta(**time))


def test_a_token_belongs_to_the_user_whose_session_was_opened(sessions: Sessions, users: Users) -> None:
    users.add("ben", PASSWORD, "viewer")

    tokens = [sessions.open("ana"), sessions.open("ben"), sessions.open("ana")]

    assert [user and user.name for user in map(sessions.find, tokens)] == ["ana", "ben", "ana"]
    assert sessions.find(tokens[0]) == users.get("ana")
    assert len({*tokens}) == 3


def test_the_store_holds_the_hash_of_a_token_and_not_the_token(
    settings: Settings, state: State, sessions: Sessions
) -> None:
    token = sessions.open("ana")

    (row,) = rows(state, schema.sessions)
    assert row["id"] == hashlib.sha256(token.encode()).hexdigest()
    assert token.encode() not in stored_bytes(settings)
    assert len(token) >= 43  # 32 bytes, of which each character carries six bits
    assert sessions.find(row["id"]) is None


@pytest.mark.parametrize("token", ["", "x", "\0", "\ud800", "' or 1=1 --", "x" * 100_000])
def test_an_unknown_token_belongs_to_nobody(sessions: Sessions, token: str) -> None:
    sessions.open("ana")

    assert sessions.find(token) is None
    sessions.close(token)


@pytest.mark.parametrize(("minutes", "holds"), [(9.9, True), (10.1, False), (60, False)])
def test_a_session_ends_when_nothing_was_asked_for_too_long(
    state: State, sessions: Sessions, minutes: float, holds: bool
) -> None:
    token = sessions.open("ana")
    put(state, schema.sessions, seen=ago(minutes=minutes))

    assert (sessions.find(token) is not None) == holds


@pytest.mark.parametrize(("hours", "holds"), [(1.99, True), (2.01, False)])
def test_a_session_ends_after_some_hours_however_busy_it_is(
    state: State, sessions: Sessions, hours: float, holds: bool
) -> None:
    token = sessions.open("ana")
    put(state, schema.sessions, created=ago(hours=hours))

    assert (sessions.find(token) is not None) == holds


def test_an_idle_session_does_not_come_back_to_life(state: State, sessions: Sessions) -> None:
    token = sessions.open("ana")
    put(state, schema.sessions, seen=ago(minutes=11))

    assert [sessions.find(token) for _ in range(2)] == [None, None]


def test_a_request_prolongs_a_session(state: State, sessions: Sessions) -> None:
    token = sessions.open("ana")
    put(state, schema.sessions, seen=ago(minutes=9))

    assert sessions.find(token) is not None

    assert rows(state, schema.sessions)[0]["seen"] > ago(seconds=30)


def test_a_request_in_the_background_prolongs_nothing(state: State, sessions: Sessions) -> None:
    token = sessions.open("ana")
    seen = ago(minutes=9)
    put(state, schema.sessions, seen=seen)

    assert sessions.find(token, touch=False) is not None

    assert rows(state, schema.sessions)[0]["seen"] == seen


def test_a_session_is_found_by_one_read_and_written_at_most_once_a_minute(state: State, sessions: Sessions) -> None:
    token = sessions.open("ana")
    put(state, schema.sessions, seen=ago(seconds=59))

    with statements(state) as within_the_minute:
        sessions.find(token)
    put(state, schema.sessions, seen=ago(seconds=61))
    with statements(state) as after_it:
        sessions.find(token)
        sessions.find(token)

    assert [said.split()[0] for said in within_the_minute] == ["SELECT"]
    assert [said.split()[0] for said in after_it] == ["SELECT", "UPDATE", "SELECT"]


def test_who_is_never_idle_for_a_minute_stays_where_a_minute_is_the_limit(state: State, users: Users) -> None:
    assert users.get("ana")
    sessions = Sessions(state, AccessSettings(idle_minutes=1))
    token = sessions.open("ana")

    for _ in range(3):
        put(state, schema.sessions, seen=ago(seconds=40))
        assert sessions.find(token) is not None

    assert rows(state, schema.sessions)[0]["seen"] > ago(seconds=20)


def test_role_and_disabling_act_at_once(state: State, sessions: Sessions, users: Users) -> None:
    token = sessions.open("ana")

    users.set("ana", role="admin")
    found = sessions.find(token)
    put(state, schema.users, disabled=True)

    assert found is not None
    assert found.role == "admin"
    assert sessions.find(token) is None


def test_a_session_that_was_closed_is_over_and_others_go_on(sessions: Sessions) -> None:
    closed, other = sessions.open("ana"), sessions.open("ana")

    sessions.close(closed)
    sessions.close(closed)

    assert sessions.find(closed) is None
    assert sessions.find(other) is not None


def test_who_still_uses_a_session_that_was_ended_has_a_name(state: State, sessions: Sessions, users: Users) -> None:
    closed, going_on = sessions.open("ana"), sessions.open("ana")
    sessions.close(closed)
    named = [sessions.ended_by(token) for token in (closed, going_on, "no token", "\ud800")]

    users.set("ana", disabled=True)
    users.set("ana", disabled=False)

    assert named == ["ana", None, None, None]
    assert (sessions.find(going_on), sessions.ended_by(going_on)) == (None, "ana")


def test_a_session_that_has_ended_by_itself_has_no_name(state: State, sessions: Sessions) -> None:
    tokens = [sessions.open("ana"), sessions.open("ana")]
    sessions.close(tokens[0])
    put(state, schema.sessions, seen=ago(minutes=11))

    assert [sessions.ended_by(token) for token in tokens] == [None, None]


def test_a_session_of_somebody_who_is_disabled_has_a_name(state: State, sessions: Sessions) -> None:
    token = sessions.open("ana")
    put(state, schema.users, disabled=True)

    assert (sessions.find(token), sessions.ended_by(token)) == (None, "ana")


def test_a_session_that_was_ended_is_not_ended_again(state: State, sessions: Sessions, users: Users) -> None:
    token = sessions.open("ana")
    sessions.close(token)
    put(state, schema.sessions, ended=ago(minutes=5))
    ended = rows(state, schema.sessions)[0]["ended"]

    sessions.close(token)
    users.set("ana", disabled=True)

    assert rows(state, schema.sessions)[0]["ended"] == ended


@pytest.mark.parametrize("change", ["removed", "disabled"])
def test_who_was_taken_out_while_logging_in_gets_no_session(
    state: State, sessions: Sessions, users: Users, change: str
) -> None:
    if change == "removed":
        users.remove("ana")
    else:
        users.set("ana", disabled=True)

    with pytest.raises(RequestWrong, match=r"can no longer log in\. Ask an admin\."):
        sessions.open("ana")

    assert rows(state, schema.sessions) == []


def test_opening_a_session_sweeps_those_that_are_over(state: State, sessions: Sessions) -> None:
    sessions.open("ana")
    put(state, schema.sessions, seen=ago(minutes=11))
    sessions.open("ana")
    put(state, schema.sessions, created=ago(hours=3))
    going_on = sessions.open("ana")

    newest = sessions.open("ana")

    assert len(rows(state, schema.sessions)) == 2
    assert None not in map(sessions.find, (going_on, newest))


@given(idle=st.integers(0, 20 * 60), age=st.integers(0, 4 * 3600), touch=st.booleans())
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_session_holds_exactly_as_long_as_both_limits_say(
    state: State, sessions: Sessions, idle: int, age: int, touch: bool
) -> None:
    token = sessions.open("ana")
    put(state, schema.sessions, seen=ago(seconds=idle + 0.5), created=ago(seconds=age + 0.5))

    found = sessions.find(token, touch=touch)

    assert (found is not None) == (idle < 10 * 60 and age < 2 * 3600)
    sessions.close(token)
