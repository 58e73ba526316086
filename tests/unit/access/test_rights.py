"""Rights in a real lake: what each role finds, and what it is refused."""

import tempfile
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lakehouse.access.identity import Principal, Role, operator
from lakehouse.access.policy import PolicyFile
from lakehouse.access.users import Users
from lakehouse.core import Lakehouse, Workspace
from lakehouse.errors import NotAllowed, SettingsWrong, StatementWrong, Unavailable, UnknownName
from lakehouse.query.pins import Pin
from lakehouse.query.pool import Question
from lakehouse.query.scope import RowRule
from lakehouse.releases import Published
from tests.pipelines.lake import Lake
from tests.unit.access.conftest import statements

REVENUE = {"metrics": ["revenue"]}
BY_PRODUCT = {"metrics": ["orders", "revenue"], "by": ["product"]}
BY_REGION = {"metrics": ["orders", "revenue"], "by": ["region"]}


@pytest.fixture(scope="module")
def lakehouse(sample_lake: Lake) -> Iterator[Lakehouse]:
    with Lakehouse.open(sample_lake.home) as opened:
        yield opened


def seen_by(lakehouse: Lakehouse, role: Role, policy: str = "") -> Workspace:
    """The lake as somebody with a role sees it, under the policy that the lake has or under one that is given."""
    workspace = lakehouse.as_user(Principal("ana", role))
    if not policy:
        return workspace
    other = copy(lakehouse)  # the same workers and state
    folder = Path(tempfile.mkdtemp())
    (folder / "policy.toml").write_text(policy, encoding="utf-8")
    other.policy = PolicyFile(folder)
    return replace(workspace, lakehouse=other)


def layers(workspace: Workspace) -> set[str]:
    return {table.split(".")[0] for table in workspace.tables()}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("viewer", {"marts"}),
        ("analyst", {"marts", "staging"}),
        ("engineer", {"marts", "staging", "raw"}),
        ("admin", {"marts", "staging", "raw"}),
    ],
)
def test_a_role_finds_the_tables_of_its_layers(lakehouse: Lakehouse, role: Role, expected: set[str]) -> None:
    workspace = seen_by(lakehouse, role)

    assert layers(workspace) == expected
    assert {table.split(".")[0] for table in workspace.pins} == expected
    assert workspace.columns("marts.order_lines")


@pytest.mark.parametrize("table", ["raw.sales", "staging.stg_sales", "raw.nothing"])
def test_a_table_that_is_not_seen_is_as_unknown_as_one_that_is_not_there(lakehouse: Lakehouse, table: str) -> None:
    workspace = seen_by(lakehouse, "viewer")

    for act in (workspace.about, workspace.columns):
        with pytest.raises(UnknownName) as caught:
            act(table)

        assert str(caught.value).startswith(f"No table named '{table}'. Known tables: marts.")
        assert all(name.startswith("marts.") for name in caught.value.known)


def test_a_statement_reaches_the_tables_of_the_role_only(lakehouse: Lakehouse) -> None:
    analyst, engineer = seen_by(lakehouse, "analyst"), seen_by(lakehouse, "engineer")
    count = "select count(*) as n from raw.sales"

    with pytest.raises(StatementWrong, match=r"No table named .*sales") as caught:
        open_sql(analyst, count)

    assert "raw." not in str(caught.value).partition("Tables:")[2]
    assert open_sql(engineer, count) == [{"n": 1001}]
    assert open_sql(analyst, "select count(*) as n from marts.order_lines") == [{"n": 1001}]


def test_a_viewer_asks_no_sql(lakehouse: Lakehouse) -> None:
    with pytest.raises(NotAllowed, match=r"ana may not query the lake in SQL\."):
        seen_by(lakehouse, "viewer").sql("select 1")


def test_a_viewer_measures_what_stands_on_tables_that_are_seen(lakehouse: Lakehouse) -> None:
    viewer, admin = seen_by(lakehouse, "viewer"), seen_by(lakehouse, "admin")

    assert viewer.model == admin.model
    assert viewer.measure(REVENUE).answer.table == admin.measure(REVENUE).answer.table


@pytest.mark.parametrize("tables", ["[]", '["staging.*"]', '["marts.daily_revenue"]'])
def test_who_sees_no_table_of_the_metrics_is_told_so(lakehouse: Lakehouse, tables: str) -> None:
    workspace = seen_by(lakehouse, "analyst", f"[roles.analyst]\ntables = {tables}")

    with pytest.raises(NotAllowed, match="ana may not see the tables that metrics stand on"):
        workspace.measure(REVENUE)


def test_one_table_that_is_named_is_enough_for_its_metrics(lakehouse: Lakehouse) -> None:
    workspace = seen_by(lakehouse, "viewer", '[roles.viewer]\ntables = ["marts.order_lines"]')

    assert workspace.tables() == ["marts.order_lines"]
    assert {metric.table for metric in workspace.model.metrics} == {"marts.order_lines"}
    assert workspace.measure(REVENUE).answer.table.num_rows == 1


def test_an_older_version_has_the_same_rights(lakehouse: Lakehouse) -> None:
    workspace = seen_by(lakehouse, "viewer").at("1")

    assert layers(workspace) == {"marts"}
    assert workspace.measure(REVENUE).answer.table != seen_by(lakehouse, "viewer").measure(REVENUE).answer.table


def test_a_table_that_is_not_seen_is_not_seen_at_its_snapshot_either(lakehouse: Lakehouse) -> None:
    pin = seen_by(lakehouse, "admin").pins["raw.sales"]

    workspace = seen_by(lakehouse, "analyst").at(f"raw.sales@{pin.snapshot}")

    assert workspace.tables() == []
    with pytest.raises(StatementWrong, match="There is no table that you can ask"):
        open_sql(workspace, "select * from raw.sales")


def test_the_release_is_looked_up_once_for_several_plans(lakehouse: Lakehouse) -> None:
    workspace = seen_by(lakehouse, "viewer")
    _ = seen_by(lakehouse, "viewer").release  # what it holds is in memory now

    with statements(lakehouse.state) as said:
        for plan in (REVENUE, BY_REGION):
            workspace.measure(plan)

    assert len(said) == 1


NORTH = '[users.ana]\nrows = [["region", "=", "North"]]'


def test_a_row_rule_holds_for_plans_and_sql_at_every_release(lakehouse: Lakehouse) -> None:
    for version in ("now", "1", "2"):
        admin, ana = (seen_by(lakehouse, "admin").at(version), seen_by(lakehouse, "engineer", NORTH).at(version))
        rows = admin.measure(BY_REGION).answer.table.to_pylist()

        assert ana.measure(BY_REGION).answer.table.to_pylist() == [row for row in rows if row["region"] == "North"]
        for table in ("marts.order_lines", "staging.sales_lines", "raw.sales"):
            if table in ana.tables():
                counted = f"select count(*) as n from {table} where region = 'North'"
                assert open_sql(ana, f"select count(*) as n from {table}") == open_sql(admin, counted)


def open_sql(workspace: Workspace, sql: str) -> list[dict[str, Any]]:
    """Rows of a statement in a lake whose people may ask in SQL."""
    settings = workspace.lakehouse.settings
    asked = copy(workspace.lakehouse)
    asked.settings = settings.model_copy(update={"query": settings.query.model_copy(update={"free_sql": True})})
    return replace(workspace, lakehouse=asked).sql(sql).table.to_pylist()


def test_a_table_without_the_column_of_a_row_rule_is_closed(lakehouse: Lakehouse) -> None:
    ana = seen_by(lakehouse, "admin", NORTH)
    closed = set(seen_by(lakehouse, "admin").tables()) - set(ana.tables())

    assert "raw.quarantine" in closed
    assert "marts.order_lines" in ana.tables()
    for table in closed:
        with pytest.raises(UnknownName):
            ana.columns(table)
        with pytest.raises(StatementWrong, match="No table named"):
            open_sql(ana, f"select * from {table}")


def test_rules_of_role_user_and_store_hold_together(lakehouse: Lakehouse) -> None:
    policy = f'[roles.viewer]\nrows = [["quantity", ">=", 2]]\n{NORTH}'
    workspace = seen_by(lakehouse, "viewer", policy)
    own = replace(workspace, principal=Principal("ana", "viewer", frozenset({RowRule("product", "=", ("Beanie",))})))
    where = [["quantity", ">=", 2], ["region", "=", "North"]]

    everything = seen_by(lakehouse, "admin")
    products = everything.measure({**BY_PRODUCT, "where": where}).answer.table.to_pylist()

    assert workspace.measure(BY_PRODUCT).answer.table.to_pylist() == products
    assert own.measure(BY_PRODUCT).answer.table.to_pylist() == [row for row in products if row["product"] == "Beanie"]


def test_a_hidden_column_is_unknown_to_plans_columns_and_sql(lakehouse: Lakehouse) -> None:
    ana = seen_by(lakehouse, "analyst", '[roles.analyst.columns]\nregion = "hide"')

    assert "region" not in [column["name"] for column in ana.columns("marts.order_lines")]
    for plan in (BY_REGION, {**REVENUE, "where": [["region", "=", "North"]]}):
        with pytest.raises(UnknownName, match=r"No (dimension|filterable column) named 'region'"):
            ana.measure(plan)
    with pytest.raises(StatementWrong, match="region"):
        open_sql(ana, "select region from marts.order_lines")


def test_metrics_on_a_hidden_column_are_gone_and_others_stay(lakehouse: Lakehouse) -> None:
    ana = seen_by(lakehouse, "viewer", '[roles.viewer.columns]\n"marts.order_lines.line_total" = "hide"')

    with pytest.raises(UnknownName, match="No metric named 'revenue'"):
        ana.measure(REVENUE)
    assert ana.measure({"metrics": ["orders"]}).answer.table.num_rows == 1


def test_a_masked_dimension_groups_and_filters_by_its_masked_value(lakehouse: Lakehouse) -> None:
    ana = seen_by(lakehouse, "viewer", '[roles.viewer.columns]\nregion = "hash"')
    names = [row["region"] for row in seen_by(lakehouse, "admin").measure(BY_REGION).answer.table.to_pylist()]

    masked = ana.measure(BY_REGION).answer.table.to_pylist()

    assert len(masked) == len(names)
    assert {row["region"] for row in masked}.isdisjoint(names)
    found = ana.measure({**BY_REGION, "where": [["region", "=", masked[0]["region"]]]}).answer.table.to_pylist()
    assert found == masked[:1]
    assert ana.measure({**REVENUE, "where": [["region", "in", names]]}).answer.table.to_pylist() == [{"revenue": None}]


def test_a_policy_that_changes_acts_at_the_next_question(lakehouse: Lakehouse) -> None:
    workspace = seen_by(lakehouse, "viewer", NORTH)
    file = workspace.lakehouse.policy.file
    assert workspace.measure(BY_REGION).answer.table.num_rows == 1

    file.write_text(NORTH.replace("North", "South"), encoding="utf-8")
    changed = replace(workspace).measure(BY_REGION).answer.table.to_pylist()
    file.write_text("[users.ana]\nrow = 1", encoding="utf-8")

    assert [row["region"] for row in changed] == ["South"]
    with pytest.raises(SettingsWrong, match=r"policy\.toml, line 2: unknown key 'users\.ana\.row'\. Did you mean"):
        replace(workspace).measure(BY_REGION)


def test_in_sql_people_ask_where_the_settings_say_so(lakehouse: Lakehouse) -> None:
    with pytest.raises(NotAllowed, match=r"query\.free_sql"):
        seen_by(lakehouse, "admin").sql("select 1")
    assert lakehouse.as_user(operator()).sql("select 1 as n").table.to_pylist() == [{"n": 1}]


@pytest.mark.parametrize("role", ["viewer", "analyst", "engineer"])
def test_only_an_admin_comes_to_the_users(lakehouse: Lakehouse, role: Role) -> None:
    with pytest.raises(NotAllowed, match=r"ana may not admin users\. Ask an admin for access\."):
        seen_by(lakehouse, role).users()

    assert isinstance(seen_by(lakehouse, "admin").users(), Users)


def test_everybody_lists_the_releases_newest_first_without_what_they_hold(lakehouse: Lakehouse) -> None:
    with statements(lakehouse.state) as said:
        found = seen_by(lakehouse, "viewer").releases()

    newest, oldest = (seen_by(lakehouse, "viewer").at(version).release for version in ("2", "1"))
    assert found == [Published(one.number, one.published, one.run) for one in (newest, oldest)]
    assert len(said) == 1
    assert "pins" not in said[0]
    assert "definitions" not in said[0]


def test_the_list_of_releases_has_a_limit_and_is_that_of_now_at_every_version(lakehouse: Lakehouse) -> None:
    assert [one.number for one in seen_by(lakehouse, "viewer").at("1").releases(limit=1)] == [2]


def test_a_damaged_table_keeps_no_rule_from_holding_and_no_other_table_from_answering(lakehouse: Lakehouse) -> None:
    for policy in ("", NORTH):
        workspace = seen_by(lakehouse, "admin", policy)
        release = workspace.release
        broken = replace(
            release, pins={**release.pins, "marts.broken": Pin(f"{lakehouse.settings.warehouse}/nowhere.json", 1)}
        )
        vars(workspace)["release"] = broken

        assert [row["region"] for row in workspace.measure(BY_REGION).answer.table.to_pylist()][-1:] != []
        assert workspace.columns("marts.order_lines")
        with pytest.raises(Unavailable):
            workspace.columns("marts.broken")
        with pytest.raises(Unavailable):
            lakehouse.pool.ask(Question("select * from marts.broken", workspace.pins, workspace.scope))
