"""Rights in a real lake: what each role finds, and what it is refused."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from lakehouse.access.identity import Principal, Role
from lakehouse.access.users import Users
from lakehouse.core import Lakehouse, Workspace
from lakehouse.errors import NotAllowed, StatementWrong, UnknownName
from lakehouse.releases import Published
from lakehouse.settings import AccessSettings, Settings
from tests.pipelines.lake import Lake
from tests.unit.access.conftest import statements

REVENUE = {"metrics": ["revenue"]}
BY_REGION = {"metrics": ["orders", "revenue"], "by": ["region"]}


@pytest.fixture(scope="module")
def lakehouse(sample_lake: Lake) -> Iterator[Lakehouse]:
    with Lakehouse.open(sample_lake.home) as opened:
        yield opened


def seen_by(lakehouse: Lakehouse, role: Role, tables: tuple[str, ...] | None = None) -> Workspace:
    """The lake as somebody with a role sees it; `tables` stands for what the settings give to the role."""
    workspace = lakehouse.as_user(Principal("ana", role))
    if tables is None:
        return workspace
    limited = Lakehouse(with_tables(lakehouse.settings, role, tables), lakehouse.state)
    limited.pool = lakehouse.pool  # the workers that are there serve this one too
    return replace(workspace, lakehouse=limited)


def with_tables(settings: Settings, role: Role, tables: tuple[str, ...]) -> Settings:
    return settings.model_copy(update={"access": AccessSettings(tables={role: tables})})


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
        analyst.sql(count)

    assert "raw." not in str(caught.value).partition("Tables:")[2]
    assert engineer.sql(count).table.to_pylist() == [{"n": 1001}]
    assert analyst.sql("select count(*) as n from marts.order_lines").table.to_pylist() == [{"n": 1001}]


def test_a_viewer_asks_no_sql(lakehouse: Lakehouse) -> None:
    with pytest.raises(NotAllowed, match=r"ana may not query the lake in SQL\."):
        seen_by(lakehouse, "viewer").sql("select 1")


def test_a_viewer_measures_what_stands_on_tables_that_are_seen(lakehouse: Lakehouse) -> None:
    viewer, admin = seen_by(lakehouse, "viewer"), seen_by(lakehouse, "admin")

    assert viewer.model == admin.model
    assert viewer.measure(REVENUE).answer.table == admin.measure(REVENUE).answer.table


@pytest.mark.parametrize("tables", [(), ("staging.*",), ("marts.daily_revenue",)])
def test_who_sees_no_table_of_the_metrics_is_told_so(lakehouse: Lakehouse, tables: tuple[str, ...]) -> None:
    workspace = seen_by(lakehouse, "analyst", tables)

    with pytest.raises(NotAllowed, match="ana may not see the tables that metrics stand on"):
        workspace.measure(REVENUE)


def test_one_table_that_is_named_is_enough_for_its_metrics(lakehouse: Lakehouse) -> None:
    workspace = seen_by(lakehouse, "viewer", ("marts.order_lines",))

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
    with pytest.raises(StatementWrong, match="There is none to ask"):
        workspace.sql("select * from raw.sales")


def test_several_plans_are_answered_in_their_order_from_one_release(lakehouse: Lakehouse) -> None:
    workspace = seen_by(lakehouse, "viewer")
    plans: list[Any] = [REVENUE, BY_REGION, '{"metrics": ["orders"]}']

    measured = workspace.measure_all(plans)

    assert [one.plan.metrics for one in measured] == [("revenue",), ("orders", "revenue"), ("orders",)]
    for one, plan in zip(measured, plans, strict=True):
        assert one.answer.table == workspace.measure(plan).answer.table
    assert workspace.measure_all([]) == []


def test_the_release_is_looked_up_once_for_several_plans(lakehouse: Lakehouse) -> None:
    with statements(lakehouse.state) as said:
        seen_by(lakehouse, "viewer").measure_all([REVENUE, BY_REGION])

    assert len(said) == 1


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
