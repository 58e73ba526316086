"""Who may do what: everything that is not listed is refused."""

import getpass
from typing import get_args

import pytest

from lakehouse.access import policy
from lakehouse.access.identity import Principal, Role, operator
from lakehouse.errors import NotAllowed

ROLES: tuple[Role, ...] = get_args(Role)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ["", "delete", "SQL", "publish"])
def test_an_action_that_is_not_listed_is_refused_for_every_role(role: Role, action: str) -> None:
    assert not policy.allows(Principal("ana", role), action)


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        ("measure", {"viewer", "analyst", "engineer", "admin"}),
        ("describe", {"viewer", "analyst", "engineer", "admin"}),
        ("watch", {"viewer", "analyst", "engineer", "admin"}),
        ("query", {"analyst", "engineer", "admin"}),
    ],
)
def test_a_role_reaches_what_it_needs_to(action: str, allowed: set[str]) -> None:
    assert {role for role in ROLES if policy.allows(Principal("ana", role), action)} == allowed


def test_the_list_of_actions_is_the_one_that_is_tested_here() -> None:
    assert set(policy.NEEDS) == {"measure", "describe", "query", "watch"}


def test_a_refusal_names_who_what_and_whom_to_ask() -> None:
    with pytest.raises(NotAllowed) as caught:
        policy.check(Principal("ana", "viewer"), "query", "the lake in SQL")

    assert str(caught.value) == "ana may not query the lake in SQL. Ask an admin for access."
    assert (caught.value.status, caught.value.exit_code) == (403, 3)


def test_what_is_allowed_passes_in_silence() -> None:
    policy.check(Principal("ana", "viewer"), "measure", "metrics")


def test_everybody_sees_every_table_until_there_are_rules() -> None:
    assert policy.scope(Principal("ana", "viewer")).tables is None


def test_the_operator_is_whoever_is_logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ana")

    assert operator() == Principal("operator:ana", "admin")


def test_a_number_without_a_name_can_be_an_operator_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr(getpass, "getuser", nameless)

    assert operator().name == "operator:unknown"
