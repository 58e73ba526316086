"""Who may do what: everything that is not listed is refused."""

import getpass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.access import policy
from lakehouse.access.identity import ROLES, Principal, Role, operator
from lakehouse.errors import NotAllowed
from lakehouse.query.pins import Scope
from lakehouse.settings import AccessSettings


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ["", "delete", "SQL", "publish"])
def test_an_action_that_is_not_listed_is_refused_for_every_role(role: Role, action: str) -> None:
    assert not policy.allows(Principal("ana", role), action)


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        ("read", {"viewer", "analyst", "engineer", "admin"}),
        ("measure", {"viewer", "analyst", "engineer", "admin"}),
        ("describe", {"viewer", "analyst", "engineer", "admin"}),
        ("watch", {"viewer", "analyst", "engineer", "admin"}),
        ("query", {"analyst", "engineer", "admin"}),
        ("admin", {"admin"}),
    ],
)
def test_a_role_reaches_what_it_needs_to(action: str, allowed: set[str]) -> None:
    assert {role for role in ROLES if policy.allows(Principal("ana", role), action)} == allowed


def test_the_list_of_actions_is_the_one_that_is_tested_here() -> None:
    assert set(policy.NEEDS) == {"read", "measure", "describe", "query", "watch", "admin"}


def test_a_refusal_names_who_what_and_whom_to_ask() -> None:
    with pytest.raises(NotAllowed) as caught:
        policy.check(Principal("ana", "viewer"), "query", "the lake in SQL")

    assert str(caught.value) == "ana may not query the lake in SQL. Ask an admin for access."
    assert (caught.value.status, caught.value.exit_code) == (403, 3)


def test_what_is_allowed_passes_in_silence() -> None:
    policy.check(Principal("ana", "viewer"), "measure", "metrics")


TABLES = ("marts.order_lines", "marts.daily_revenue", "staging.stg_sales", "raw.sales", "raw.quarantine")
NAMES = ("marts.*", "staging.*", "raw.*", *TABLES)


def seen(scope: Scope) -> set[str]:
    return {table for table in TABLES if scope.sees(table)}


@pytest.mark.parametrize(
    ("role", "layers"),
    [
        ("viewer", {"marts"}),
        ("analyst", {"marts", "staging"}),
        ("engineer", {"marts", "staging", "raw"}),
        ("admin", {"marts", "staging", "raw"}),
    ],
)
def test_without_settings_viewers_and_analysts_do_not_see_raw_tables(role: Role, layers: set[str]) -> None:
    scope = policy.scope(Principal("ana", role), AccessSettings())

    assert seen(scope) == {table for table in TABLES if table.split(".")[0] in layers}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_what_the_settings_name_for_it_and_everything_when_they_do_not(role: Role) -> None:
    named = AccessSettings(tables={role: ("marts.order_lines", "raw.*")})
    nothing = AccessSettings(tables={role: ()})
    others = AccessSettings(tables={other: () for other in ROLES if other != role})

    assert seen(policy.scope(Principal("ana", role), named)) == {"marts.order_lines", "raw.sales", "raw.quarantine"}
    assert seen(policy.scope(Principal("ana", role), nothing)) == set()
    assert policy.scope(Principal("ana", role), others) == Scope()


@pytest.mark.parametrize(
    "table", ["martsx.order_lines", "mart.order_lines", "marts", "MARTS.order_lines", "", "*", "."]
)
def test_a_layer_means_its_own_tables_only(table: str) -> None:
    assert not Scope(frozenset({"marts.*"})).sees(table)


@given(first=st.frozensets(st.sampled_from(NAMES)), second=st.frozensets(st.sampled_from(NAMES)))
def test_scopes_share_a_key_exactly_when_they_mean_the_same(first: frozenset[str], second: frozenset[str]) -> None:
    def meant(names: frozenset[str]) -> set[str]:
        """What is seen, of the tables that there are and of those that a layer may yet get."""
        possible = (*TABLES, "marts.later", "staging.later", "raw.later")
        return {table for table in possible if Scope(names).sees(table)}

    assert (Scope(first).key == Scope(second).key) == (meant(first) == meant(second))
    assert Scope(first).key != Scope().key


def test_the_roles_are_listed_from_the_one_that_may_least() -> None:
    assert [policy.RANK[role] for role in ROLES] == [0, 1, 2, 3]


def test_the_operator_is_whoever_is_logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ana")

    assert operator() == Principal("operator:ana", "admin")


def test_a_number_without_a_name_can_be_an_operator_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr(getpass, "getuser", nameless)

    assert operator().name == "operator:unknown"
