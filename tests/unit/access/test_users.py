"""Users: made, changed and removed, and who is let in."""

import statistics
import threading
import time

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lakehouse.access.identity import Principal
from lakehouse.access.passwords import is_outdated
from lakehouse.access.sessions import Sessions
from lakehouse.access.users import NAME, User, Users
from lakehouse.errors import RequestWrong, UnknownName
from lakehouse.settings import AccessSettings, Settings
from lakehouse.state import schema
from lakehouse.state.schema import now
from lakehouse.state.store import State
from tests.unit.access.conftest import PASSWORD, put, rows, statements, stored_bytes

ANOTHER = "staple of another kind"


def sessions_of(state: State) -> Sessions:
    return Sessions(state, AccessSettings())


def test_a_user_who_was_added_is_there_and_is_let_in(state: State) -> None:
    before = now()

    added = Users(state).add("ben", PASSWORD, "viewer")

    assert added == User("ben", "viewer", False, added.created, added.created)
    assert before <= added.created <= now()
    assert Users(state).get("ben") == added
    assert Users(state).authenticate("ben", PASSWORD) == added
    assert added.principal == Principal("ben", "viewer")


def test_the_store_does_not_hold_the_password(settings: Settings, users: Users) -> None:
    users.set_password("ana", ANOTHER)

    held = stored_bytes(settings)
    assert b"$argon2id$v=19$m=19456,t=2,p=1$" in held
    assert PASSWORD.encode() not in held
    assert ANOTHER.encode() not in held


def test_names_are_the_same_in_capitals_and_small_letters(users: Users) -> None:
    added = users.add("Ben@Example.COM", PASSWORD, "viewer")

    assert added.name == "ben@example.com"
    assert users.get("BEN@example.com") == added
    assert users.authenticate("Ben@Example.com", PASSWORD) == added
    with pytest.raises(RequestWrong, match=r"There is a user 'ana' already\. Choose another name\."):
        users.add("ANA", ANOTHER, "admin")


@pytest.mark.parametrize(
    "name",
    ["", " ", "operator:ana", "ana ", " ana", "ana\n", "-ana", ".ana", "@", "a" * 101, "änne", "a/b", "a'b", "\ud800"],
)
def test_a_name_that_cannot_be_used_is_refused_with_what_can(users: Users, name: str) -> None:
    with pytest.raises(RequestWrong, match=r"cannot name a user\. Use at most 100 letters without accents, digits"):
        users.add(name, PASSWORD, "viewer")

    assert [user.name for user in users.list()] == ["ana"]


@given(name=st.one_of(st.text(), st.from_regex(NAME, fullmatch=True), st.from_regex(r"[A-Z0-9:._@ -]{0,102}")))
@example("a" * 100)
@example("\u212aate")  # the sign for Kelvin, whose small letter is an ordinary k
@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_name_is_accepted_exactly_when_its_small_letters_fit(users: Users, name: str) -> None:
    fits = NAME.fullmatch(name.lower()) is not None and name.lower() != "ana"

    try:
        users.check_new(name, "viewer")
        accepted = True
    except RequestWrong:
        accepted = False

    assert accepted == fits
    assert not accepted or ":" not in name


@pytest.mark.parametrize("role", ["", "boss", "Admin", "operator"])
def test_an_unknown_role_lists_the_roles(users: Users, role: str) -> None:
    told = rf"No role named '{role}'\. Known roles: admin, analyst, engineer, viewer\."

    with pytest.raises(UnknownName, match=told):
        users.add("ben", PASSWORD, role)
    with pytest.raises(UnknownName, match=told):
        users.set("ana", role=role)

    assert [(user.name, user.role) for user in users.list()] == [("ana", "analyst")]


def test_a_bad_password_adds_nobody_and_changes_nothing(users: Users) -> None:
    with pytest.raises(RequestWrong, match="too short"):
        users.add("ben", "short", "viewer")
    with pytest.raises(RequestWrong, match="own name"):
        users.add("benedict", "Benedict", "viewer")
    with pytest.raises(RequestWrong, match="too short"):
        users.set_password("ana", "short")

    assert [user.name for user in users.list()] == ["ana"]
    assert users.authenticate("ana", PASSWORD) is not None


def test_of_two_who_take_a_name_at_the_same_time_one_is_told(state: State) -> None:
    told: list[str] = []
    ready = threading.Barrier(2)

    def add() -> None:
        ready.wait()
        try:
            Users(state).add("ben", PASSWORD, "viewer")
        except RequestWrong as error:
            told.append(str(error))

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert told == ["There is a user 'ben' already. Choose another name."]
    assert len(Users(state).list()) == 1


def test_users_are_listed_by_name_without_their_passwords(users: Users) -> None:
    users.add("zoe", PASSWORD, "viewer")
    users.add("ben", PASSWORD, "admin")

    found = users.list()

    assert [(user.name, user.role) for user in found] == [("ana", "analyst"), ("ben", "admin"), ("zoe", "viewer")]
    assert "argon2" not in repr(found)


@pytest.mark.parametrize("name", ["ben", "", "operator:ana", "\ud800"])
def test_an_unknown_user_is_an_error_that_lists_the_users(users: Users, name: str) -> None:
    for act in (
        lambda: users.get(name),
        lambda: users.set(name, role="admin"),
        lambda: users.remove(name),
        lambda: users.set_password(name, ANOTHER),
    ):
        with pytest.raises(UnknownName, match=r"No user named .* Known users: ana\.") as caught:
            act()

        assert caught.value.kind == "user"


def test_a_role_is_changed_and_nothing_else(state: State, users: Users) -> None:
    before, token = users.get("ana"), sessions_of(state).open("ana")

    changed = users.set("Ana", role="engineer")

    assert changed == User("ana", "engineer", False, before.created, before.changed) == users.get("ana")
    assert sessions_of(state).find(token) == changed
    assert users.set("ana") == changed


def test_a_user_who_is_disabled_is_not_let_in_and_one_who_is_enabled_again_is(users: Users) -> None:
    assert users.set("ana", disabled=True).disabled
    assert users.authenticate("ana", PASSWORD) is None

    assert not users.set("ana", disabled=False).disabled
    assert users.authenticate("ana", PASSWORD) is not None


def test_a_user_who_was_removed_is_gone(state: State, users: Users) -> None:
    users.remove("ANA")

    assert users.list() == []
    assert users.authenticate("ana", PASSWORD) is None
    assert rows(state, schema.users) == []


def test_a_new_password_replaces_the_old_one(users: Users) -> None:
    before = users.get("ana")

    users.set_password("Ana", ANOTHER)

    after = users.get("ana")
    assert (after.created, after.role) == (before.created, before.role)
    assert after.changed > before.changed
    assert users.authenticate("ana", PASSWORD) is None
    assert users.authenticate("ana", ANOTHER) == after


@pytest.mark.parametrize("end", ["disable", "remove", "password"])
def test_what_takes_access_away_ends_the_sessions_of_that_user_alone(state: State, users: Users, end: str) -> None:
    users.add("ben", PASSWORD, "viewer")
    mine, his = [sessions_of(state).open("ana") for _ in range(2)], sessions_of(state).open("ben")
    act = {
        "disable": lambda: users.set("ana", disabled=True),
        "remove": lambda: users.remove("ana"),
        "password": lambda: users.set_password("ana", ANOTHER),
    }

    act[end]()

    assert [sessions_of(state).find(token) for token in mine] == [None, None]
    assert sessions_of(state).find(his) == users.get("ben")
    assert [row["user"] for row in rows(state, schema.sessions) if row["ended"] is None] == ["ben"]


def test_enabling_again_does_not_bring_sessions_back(state: State, users: Users) -> None:
    token = sessions_of(state).open("ana")

    users.set("ana", disabled=True)
    users.set("ana", disabled=False)

    assert sessions_of(state).find(token) is None


def test_a_new_password_keeps_the_session_that_it_was_set_in(state: State, users: Users) -> None:
    users.add("ben", PASSWORD, "viewer")
    kept, ended, his = (sessions_of(state).open(name) for name in ("ana", "ana", "ben"))

    users.set_password("ana", ANOTHER, keep=kept)

    found = [sessions_of(state).find(token) for token in (kept, ended, his)]
    assert [user and user.name for user in found] == ["ana", None, "ben"]


def test_a_token_of_somebody_else_keeps_nothing(state: State, users: Users) -> None:
    users.add("ben", PASSWORD, "viewer")
    mine, his = sessions_of(state).open("ana"), sessions_of(state).open("ben")

    users.set_password("ana", ANOTHER, keep=his)

    assert sessions_of(state).find(mine) is None


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ana", ""),
        ("ana", "wrong password"),
        ("ana", PASSWORD + " "),
        ("ana", "\ud800"),
        ("ben", PASSWORD),
        ("", ""),
        (" ana", PASSWORD),
        ("ana\0", PASSWORD),
        ("\ud800", PASSWORD),
        ("ana' or '1'='1", PASSWORD),
        ("operator:ana", PASSWORD),
    ],
)
def test_a_wrong_name_or_password_lets_nobody_in(users: Users, name: str, password: str) -> None:
    assert users.authenticate(name, password) is None


def test_a_password_of_older_parameters_is_hashed_again_when_it_was_right(state: State, users: Users) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    put(state, schema.users, password=old)

    assert users.authenticate("ana", "wrong password") is None
    assert rows(state, schema.users)[0]["password"] == old

    before = users.get("ana")
    assert users.authenticate("ana", PASSWORD) == before
    assert not is_outdated(rows(state, schema.users)[0]["password"])
    assert users.authenticate("ana", PASSWORD) == before == users.get("ana")


def test_known_unknown_and_disabled_names_are_refused_in_the_same_time(state: State, users: Users) -> None:
    users.add("ben", PASSWORD, "viewer")
    users.set("ben", disabled=True)
    tries = {
        "known": ("ana", "wrong"),
        "unknown": ("cleo", "wrong"),
        "odd": ("c:leo", "wrong"),
        "off": ("ben", PASSWORD),
    }

    spent: dict[str, list[float]] = {kind: [] for kind in tries}
    for _ in range(11):
        for kind, (name, password) in tries.items():
            began = time.process_time()
            assert users.authenticate(name, password) is None
            spent[kind].append(time.process_time() - began)

    known = statistics.median(spent["known"])
    assert {kind: statistics.median(times) for kind, times in spent.items()} == pytest.approx(
        dict.fromkeys(tries, known), rel=0.2
    )


def test_known_and_unknown_names_ask_the_database_the_same(state: State, users: Users) -> None:
    asked = []
    for name in ("ana", "ben", "operator:ana"):
        with statements(state) as said:
            users.authenticate(name, "wrong password")
        asked.append(said)

    assert asked[0] == asked[1] == asked[2]
    assert len(asked[0]) == 1
