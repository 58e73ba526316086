"""Rights on the command line: a user's own rules, what `--as` shows, and what `policy check` finds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Said, lakeport
from test_cli_users import PASSWORD, STDIN, given

COUNT = "select count(*) as n, count(distinct region) as regions from marts.order_lines"


@pytest.fixture
def home(demo_home: Path) -> Iterator[Path]:
    """The demo lake with a user of its own; the policy that a test writes is taken away again."""
    given(PASSWORD, "user", "add", "rita", "--role", "analyst", "--rule", "region=North,South", STDIN, home=demo_home)
    yield demo_home
    lakeport("user", "remove", "rita", home=demo_home)
    (demo_home / "policy.toml").unlink(missing_ok=True)


def checks(home: Path) -> tuple[int, dict[tuple[str, str], str]]:
    """Exit code of `policy check`, and its details by check and state."""
    said = lakeport("policy", "check", "--json", home=home)
    return said.code, {(one["check"], one["state"]): one["detail"] for one in said.document}


def asked(home: Path, sql: str = COUNT, **options: str) -> Said:
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return lakeport("query", sql, "--json", *words, home=home, env={"LAKEPORT_QUERY__FREE_SQL": "true"})


def test_a_rule_is_given_changed_and_taken_away(home: Path) -> None:
    def regions() -> int:
        return int(asked(home, **{"as": "rita"}).document["rows"][0][1])

    everything = asked(home).document["rows"][0]
    first = regions()
    changed = lakeport("user", "set", "rita", "--rule", "region=North", "--json", home=home)
    second = regions()
    lakeport("user", "set", "rita", "--no-rules", home=home)

    assert changed.document["rules"] == [["region", "in", ["North"]]]
    assert (first, second, regions()) == (2, 1, everything[1])


@pytest.mark.parametrize("rule", ["region", "region=", "=North", "region;drop=1", "Region=North"])
def test_what_is_no_rule_is_refused_and_nobody_is_made(home: Path, rule: str) -> None:
    refused = given(PASSWORD, "user", "add", "carl", "--role", "viewer", "--rule", rule, STDIN, "--json", home=home)

    assert refused.code == 2
    assert f"--rule {rule!r}" in refused.error["text"]
    assert "carl" not in lakeport("user", "list", home=home).out


def test_rules_hold_for_plans_tables_and_past_releases(home: Path) -> None:
    plan = '{"metrics": ["orders"], "by": ["region"]}'

    found = lakeport("plan", plan, "--json", "--as", "rita", "--at", "1", home=home)
    tables = lakeport("tables", "--json", "--as", "rita", home=home)

    assert [row[0] for row in found.document["rows"]] == ["North", "South"]
    assert "raw.sales" not in [table["name"] for table in tables.document]


def test_sql_of_people_is_off_until_it_is_switched_on(home: Path) -> None:
    refused = lakeport("query", COUNT, "--json", "--as", "rita", home=home, env={"LAKEPORT_QUERY__FREE_SQL": "false"})

    assert refused.code == 3
    assert "query.free_sql" in refused.error["text"]


def test_a_statement_that_the_guard_refuses_is_recorded_as_refused(home: Path) -> None:
    asked(home, "select * from read_csv('/etc/passwd')", **{"as": "rita"})
    asked(home, "selec 1", **{"as": "rita"})

    wrong, refused = lakeport("audit", "list", "--principal", "rita", "--limit", "2", "--json", home=home).document

    assert (refused["verdict"], wrong["verdict"]) == ("refused", "failed")


def test_without_a_policy_the_check_says_what_each_role_sees(home: Path) -> None:
    code, found = checks(home)

    assert code == 0
    assert found["role viewer", "pass"].startswith("Sees marts.")
    assert "raw.sales" not in found["role analyst", "pass"]
    assert "raw.sales" in found["role admin", "pass"]
    assert "under region in North, South" in found["user rita", "pass"]


def test_the_check_finds_what_does_not_fit(home: Path) -> None:
    (home / "policy.toml").write_text(
        '[roles.viewer]\nrows = [["quantity", "=", "many"]]\n'
        '[roles.analyst]\ntables = ["marts.order_line"]\n'
        '[users.nobody]\nrows = [["region", "=", "North"]]\n',
        encoding="utf-8",
    )

    code, found = checks(home)

    assert code == 1
    assert "does not fit" in found["role viewer", "fail"]
    assert found["tables of analyst", "fail"] == "The release has no table 'marts.order_line'."
    assert found["user nobody", "skip"] == "There is no such user yet."


def test_a_broken_policy_is_one_sentence_with_its_line(home: Path) -> None:
    (home / "policy.toml").write_text("[roles.viewer]\ntable = []\n", encoding="utf-8")

    said = lakeport("policy", "check", "--json", home=home)

    assert said.code == 2
    assert said.error["text"].startswith(
        "policy.toml, line 2: unknown key 'roles.viewer.table'. Did you mean 'tables'?"
    )
    assert asked(home, **{"as": "rita"}).code == 2
    assert asked(home).code == 0  # the operator, who is to mend it, is not kept out
