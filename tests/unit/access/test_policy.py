"""Who may do what: everything that is not listed is refused."""

import getpass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.access import policy
from lakehouse.access.identity import ROLES, Principal, Role, operator
from lakehouse.access.rights import Policy, Rights
from lakehouse.errors import NotAllowed, SettingsWrong
from lakehouse.query.scope import RowRule, Scope


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
        ("diagnose", {"engineer", "admin"}),
        ("query", {"analyst", "engineer", "admin"}),
        ("admin", {"admin"}),
    ],
)
def test_a_role_reaches_what_it_needs_to(action: str, allowed: set[str]) -> None:
    assert {role for role in ROLES if policy.allows(Principal("ana", role), action)} == allowed


def test_the_list_of_actions_is_the_one_that_is_tested_here() -> None:
    assert set(policy.NEEDS) == {"read", "measure", "describe", "query", "watch", "diagnose", "operate", "admin"}


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
def test_without_a_policy_viewers_and_analysts_do_not_see_raw_tables(role: Role, layers: set[str]) -> None:
    scope = Policy().scope("ana", role)

    assert seen(scope) == {table for table in TABLES if table.split(".")[0] in layers}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_what_the_policy_names_for_it(role: Role) -> None:
    named = Policy(roles={role: Rights(tables=("marts.order_lines", "raw.*"))})
    nothing = Policy(roles={role: Rights(tables=())})

    assert seen(named.scope("ana", role)) == {"marts.order_lines", "raw.sales", "raw.quarantine"}
    assert seen(nothing.scope("ana", role)) == set()


def test_a_users_own_entries_only_take_away() -> None:
    policy = Policy(
        roles={"viewer": Rights(tables=("marts.*",), rows=(RowRule("year", ">=", ("2020",)),))},
        users={"ana": Rights(tables=("raw.*", "marts.order_lines"), columns={"email": "hide"})},
    )

    scope = policy.scope("ana", "viewer", [RowRule("region", "=", ("North",))])

    assert seen(scope) == {"marts.order_lines"}
    assert scope.rows == {RowRule("year", ">=", ("2020",)), RowRule("region", "=", ("North",))}
    assert scope.hidden("marts.order_lines") == {"email"}
    assert policy.scope("bea", "viewer").hidden("marts.order_lines") == frozenset()


POLICY = """
[roles.viewer]
tables = ["marts.*"]
rows = [["region", "in", ["North", "South"]], ["sold", "between", [2024-01-01, 2024-12-31]], ["active", "=", true]]

[roles.viewer.columns]
customer = "hash"
"marts.order_lines.amount" = "round 100"

[users.ana]
rows = [["quantity", ">=", 2]]
"""


def test_a_policy_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(POLICY, encoding="utf-8")

    scope = policy.PolicyFile(tmp_path).scope(Principal("ana", "viewer"))

    assert {str(rule) for rule in scope.rows} == {
        "region in North, South",
        "sold between 2024-01-01, 2024-12-31",
        "active = true",
        "quantity >= 2",
    }
    assert scope.shown("marts.order_lines") == {"customer": "hash", "amount": "round 100"}
    assert scope.shown("marts.daily_revenue") == {"customer": "hash"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[roles.boss]", "line 1"),
        ("[roles.viewer]\ntables = ['marts']", "line 2: roles.viewer.tables"),
        ("[roles.viewer]\nrows = [['region', 'like', 'N%']]", "unknown operator 'like'; operators: =, !=, in"),
        ("[roles.viewer]\nrows = [['region', 'in', []]]", "'in' takes 1 to 1,000 values, not 0"),
        ("[roles.viewer]\nrows = [['region', 'between', ['a']]]", "'between' takes 2 values, not 1"),
        ("[roles.viewer]\nrows = [['region = 1 --', '=', 'x']]", "is not the name of a column"),
        ("[roles.viewer]\nrows = ['region']", "write a rule as [column, operator, value]"),
        (
            "[roles.viewer.columns]\namount = 'blur'",
            "unknown column rule 'blur'; write hide, hash, last four",
        ),
        ("[users.ana\n", "policy.toml is not valid TOML"),
        ("[user.ana]\n", "unknown key 'user'. Did you mean 'users'? Known keys: roles, users."),
    ],
)
def test_a_mistake_in_the_policy_names_its_place_and_the_choices_and_lets_nobody_in(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "policy.toml").write_text(text, encoding="utf-8")
    file = policy.PolicyFile(tmp_path)

    for _ in range(2):
        with pytest.raises(SettingsWrong) as caught:
            file.scope(Principal("ana", "admin"))

        assert "policy.toml" in str(caught.value)
        assert said in str(caught.value)


def test_no_policy_limits_the_operator(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text("[roles.admin]\ntables = []", encoding="utf-8")

    assert policy.PolicyFile(tmp_path).scope(operator()) == Scope()
    assert policy.PolicyFile(tmp_path).scope(Principal("ana", "admin")) == Scope(frozenset())


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
