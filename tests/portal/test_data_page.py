"""The page Data, asked over HTTP: what it tells of tables and metrics, and what it keeps from whom.

One rule: what it says is compared with SQL, with what dbt was told, or with what a person may know.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse, Workspace
from portal.app import create_app
from tests.pipelines.lake import Lake
from tests.portal.signing_in import inside
from tests.portal.visitor import PASSWORD, Shown, Visitor

USERS = {"data-vera": "viewer", "data-ann": "analyst", "data-ben": "viewer", "data-erik": "engineer"}
POLICY = """
[users."data-ben"]
rows = [["region", "=", "North"]]
columns = { customer_id = "hide", amount = "hide", product = "hash" }
"""
MARTS = ["marts.daily_revenue", "marts.order_lines"]
LINES = "/data?table=marts.order_lines"


def copied(lake: Lake, home: Path, *changes: str) -> Path:
    """The tables of a lake under a copy of its state, with changes to that copy."""
    known = lake.settings
    with closing(sqlite3.connect(known.folder / "state.db")) as state:
        state.execute("vacuum into ?", (str(home / "state.db"),))
    with closing(sqlite3.connect(home / "state.db")) as state, state:
        for change in changes:
            assert state.execute(change).rowcount > 0
    lines = f'[lake]\nstate = "sqlite:///{home / "state.db"}"\nwarehouse = "{known.warehouse}"\n'
    (home / "lakeport.toml").write_text(f"{lines}\n[query]\nfree_sql = true\n")
    (home / "policy.toml").write_text(POLICY)
    return home


@pytest.fixture(scope="module")
def lakehouse(sample_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    with Lakehouse.open(copied(sample_lake, tmp_path_factory.mktemp("data"))) as lakehouse:
        for name, role in USERS.items():
            lakehouse.users.add(name, PASSWORD, role)
        yield lakehouse


@pytest.fixture(scope="module")
def server(lakehouse: Lakehouse) -> Flask:
    return create_app(lakehouse).server


@pytest.fixture(scope="module")
def erik(server: Flask) -> Visitor:
    """An engineer, who sees every table in full."""
    return inside(server, "data-erik")


@pytest.fixture(scope="module")
def vera(server: Flask) -> Visitor:
    """A viewer, who sees the marts."""
    return inside(server, "data-vera")


@pytest.fixture(scope="module")
def ben(server: Flask) -> Visitor:
    """A viewer who sees the North alone, two columns less, and a third one masked."""
    return inside(server, "data-ben")


def main(visitor: Visitor, address: str) -> Shown:
    """What stands under the header."""
    shown = visitor.page(address)
    return Shown([one for one in shown.walk() if one["type"] == "Main"])


def grid(shown: Shown, title: str) -> list[list[str]]:
    """The rows of the card of that title, without their head."""
    cards = [one for one in shown.of_class("lp-card") if one.props.get("aria-label") == title]
    assert len(cards) == 1, title
    rows = [Shown(row) for row in cards[0].walk() if row["type"] == "Tr"]
    return [[Shown(cell).text for cell in row.props["children"]] for row in rows[1:]]


def listed(shown: Shown) -> list[str]:
    """The tables of a list, in its order."""
    return [name for card in ("Marts", "Staging", "Raw") for name in names(shown, card)]


def names(shown: Shown, title: str) -> list[str]:
    """What the entries of one card of a list are called in statements."""
    cards = [one for one in shown.of_class("lp-card") if one.props.get("aria-label") == title]
    found = [one for card in cards for one in card.of_class("lp-data-name")]
    return [Shown(code).text for one in found for code in one.walk() if code["type"] == "Code"]


def facts(shown: Shown) -> dict[str, str]:
    """What is said of a table or metric, by name."""
    pairs = [Shown(one).text for one in shown.one("lp-facts").walk() if one["type"] in ("Dt", "Dd")]
    return dict(zip(pairs[::2], pairs[1::2], strict=True))


def refused(visitor: Visitor, address: str) -> str:
    return visitor.page(address).one("lp-error").text


def test_the_tables_are_listed_by_layer_with_rows_and_tests(erik: Visitor) -> None:
    shown = main(erik, "/data")

    assert listed(shown) == [*MARTS, "staging.stg_sales", "staging.stg_sales_excluded", "raw.quarantine", "raw.sales"]
    assert [row[1] for row in grid(shown, "Marts")] == [
        "One row per order_date, region and product on which something was sold",
        "One row per order line (line_id)",
    ]
    assert [(row[3], row[4]) for row in grid(shown, "Raw")] == [("No tests", "0 rows"), ("4 of 4 passed", "1,001 rows")]
    assert "Everything that was sold." in shown.text


def test_the_last_change_is_the_release_that_brought_the_snapshot(erik: Visitor) -> None:
    quarantine, sales = grid(main(erik, "/data"), "Raw")
    past = grid(main(erik, "/data?at=1"), "Raw")

    assert quarantine[2].startswith("Release 1, ")
    assert sales[2].startswith("Release 2, ")
    assert [row[2].partition(",")[0] for row in past] == ["Release 1", "Release 1"]


def test_a_viewer_reads_of_the_marts_alone(vera: Visitor) -> None:
    for address in ("/data", LINES, "/data?table=marts.daily_revenue", "/data?metric=revenue"):
        answer = vera.show(address).get_data(as_text=True)

        assert not any(
            word in answer for word in ("staging.", "raw.", "stg_sales", "no_line_is_lost", "no line is lost")
        )
    assert listed(main(vera, "/data")) == MARTS


@pytest.mark.parametrize("table", ["raw.sales", "staging.stg_sales", "marts.nothing", "", "x' or 1"])
def test_a_table_that_may_not_be_seen_is_unknown_like_any_other(vera: Visitor, table: str) -> None:
    if not table:
        assert listed(main(vera, "/data?table=")) == MARTS
        return

    said = refused(vera, f"/data?table={table}")

    assert table in said
    assert "marts.daily_revenue, marts.order_lines" in said
    assert said.count("stg_sales") + said.count("raw.") == (1 if table in ("raw.sales", "staging.stg_sales") else 0)


def test_a_table_is_told_as_sql_counts_it_and_dbt_describes_it(erik: Visitor, lakehouse: Lakehouse) -> None:
    shown = main(erik, LINES)
    said = facts(shown)

    assert said["Rows"] == "1,001"
    assert said["Grain"] == "One row per order line (line_id)"
    assert said["Tests"].startswith("14 of 14 passed, last run ")
    assert said["Last change"].startswith("Release 2, ")
    assert said["Snapshot"] == f"{pinned(lakehouse).pins[MARTS[1]].snapshot}, read from release 2"
    assert said["Size"] == f"{stored_bytes(lakehouse) / 1000:.1f} kB in 1 data file"
    columns = grid(shown, "Columns")
    assert [row[0].rpartition(" ")[2] for row in columns] == [one["name"] for one in described(lakehouse)]
    assert columns[0][3] == "never empty no value twice"
    assert columns[11][1:] == [
        "decimal(18,2)",
        "Price of one unit in the lake's currency; always above 0.",
        "never empty",
    ]
    assert [row[0] for row in grid(shown, "Tests of the whole table")] == ["no line is lost", "revenue agrees"]


def pinned(lakehouse: Lakehouse) -> Workspace:
    return lakehouse.as_user(operator())


def described(lakehouse: Lakehouse) -> list[dict[str, str]]:
    return pinned(lakehouse).columns(MARTS[1])


def stored_bytes(lakehouse: Lakehouse) -> int:
    """The size of the one data file that the current snapshot of the order lines holds."""
    pin = pinned(lakehouse).pins[MARTS[1]]
    folder = Path(pin.metadata.removeprefix("file://")).parents[1] / "data"
    newest = max(folder.glob("*.parquet"), key=lambda file: file.stat().st_mtime_ns)
    return newest.stat().st_size


def test_the_tables_before_and_after_one_are_links(erik: Visitor) -> None:
    links = main(erik, "/data?table=staging.stg_sales&at=1").one("lp-data-lineage").links

    assert list(links) == ["raw.sales", *MARTS]
    assert parse_qs(urlsplit(links["raw.sales"]).query) == {"table": ["raw.sales"], "at": ["1"]}


def test_the_first_rows_are_those_of_sql(erik: Visitor, lakehouse: Lakehouse) -> None:
    rows = grid(main(erik, LINES), "First rows")
    asked = pinned(lakehouse).sql("select * from marts.order_lines order by all limit 20").table.to_pylist()

    assert [row[1] for row in rows] == [row["order_id"] for row in asked]
    assert len(rows) == 20


def test_row_rules_hold_for_counts_and_rows_and_a_size_is_not_told(ben: Visitor, lakehouse: Lakehouse) -> None:
    north = pinned(lakehouse).sql("select count(*) as n from marts.order_lines where region = 'North'").table
    count = f"{north['n'][0].as_py():,}"

    shown = main(ben, LINES)
    said = facts(shown)

    assert said["Rows that you may see"] == count
    assert "Size" not in said
    assert grid(main(ben, "/data"), "Marts")[1][4] == f"{count} rows"
    head = [Shown(one).text for one in shown.one("lp-data-sample").walk() if one["type"] == "Th"]
    place = head.index("region")
    assert {row[place] for row in grid(shown, "First rows")} == {"North"}
    assert "1,001" not in shown.text


def test_hidden_columns_are_nowhere_and_masked_ones_are_masked(ben: Visitor, vera: Visitor) -> None:
    seen, hidden = main(vera, LINES), main(ben, LINES)
    products = [row[place(hidden, "product")] for row in grid(hidden, "First rows")]

    assert facts(seen)["Tests"].startswith("13 of 13 passed")
    assert facts(hidden)["Tests"].startswith("12 of 12 passed")
    assert all(len(product) == 16 and int(product, 16) >= 0 for product in products)
    everything = json.dumps(hidden.tree)
    assert not any(name in everything for name in ("customer_id", "not_null_order_lines", "lines_amount"))
    assert "not_null_order_lines_amount" in json.dumps(seen.tree)
    assert [row[0] for row in grid(hidden, "Columns") if row[0].endswith((" amount", " customer_id"))] == []


def place(shown: Shown, column: str) -> int:
    head = [Shown(one).text for one in shown.one("lp-data-sample").walk() if one["type"] == "Th"]
    return head.index(column)


@pytest.mark.parametrize(
    ("words", "tables", "metrics"),
    [
        ("ORDER_YEAR", ["marts.order_lines", "staging.stg_sales"], []),
        ("turnover", [], ["revenue"]),
        ("quarantine", ["raw.quarantine"], []),
        ("sales day", ["marts.daily_revenue", "staging.stg_sales", "staging.stg_sales_excluded"], []),
        ("nothing of the kind", [], []),
    ],
)
def test_words_are_found_in_tables_columns_and_metrics(
    erik: Visitor, words: str, tables: list[str], metrics: list[str]
) -> None:
    shown = main(erik, f"/data?find={words}")

    assert (listed(shown), names(shown, "Metrics")) == (tables, metrics)
    if not tables and not metrics:
        assert shown.one("lp-empty").links == {"Show everything": "/data"}


def test_a_hidden_column_is_not_found(ben: Visitor, vera: Visitor) -> None:
    assert listed(main(vera, "/data?find=customer_id")) == ["marts.order_lines"]
    assert main(ben, "/data?find=customer_id").of_class("lp-empty")


def test_a_metric_is_told_with_the_sql_of_its_plan(vera: Visitor, lakehouse: Lakehouse) -> None:
    shown = main(vera, "/data?metric=average_order_value")
    said, compiled = facts(shown), pinned(lakehouse).compiled({"metrics": ["average_order_value"]})

    assert (said["Unit"], said["Direction"], said["Stands on"]) == ("currency", "Higher is better", "marts.order_lines")
    assert said["Also called"] == "aov, basket size, average basket, revenue per order"
    assert shown.one("lp-sql").tree["props"]["children"] == compiled.sql
    assert [row[0].rpartition(" ")[2] for row in grid(shown, "Dimensions")] == [
        "order_date",
        "region",
        "product",
        "customer_id",
        "stock_code",
    ]


def test_a_metric_that_needs_a_hidden_column_is_unknown(ben: Visitor) -> None:
    said = refused(ben, "/data?metric=customers")

    assert "orders, revenue, units" in said.replace("average_order_value, ", "") or "revenue, orders" in said
    assert names(main(ben, "/data"), "Metrics") == ["revenue", "orders", "units", "average_order_value"]


def test_an_address_with_a_table_and_a_metric_is_refused(vera: Visitor) -> None:
    assert "Give one of them" in refused(vera, f"{LINES}&metric=revenue")


def test_who_may_ask_in_sql_is_led_there_with_a_statement(server: Flask, vera: Visitor) -> None:
    links = main(inside(server, "data-ann"), f"{LINES}&at=1&find=lines").links

    assert parse_qs(urlsplit(links["Ask in SQL"]).query) == {
        "q": ["select * from marts.order_lines limit 100"],
        "at": ["1"],
    }
    assert "Ask in SQL" not in main(vera, LINES).links


def test_a_past_release_is_told_as_it_was(erik: Visitor) -> None:
    said = facts(main(erik, f"{LINES}&at=1"))

    assert said["Rows"] == "1,000"
    assert said["Last change"].startswith("Release 1, ")
    assert said["Snapshot"].endswith("read from release 1")


def test_what_an_old_release_has_not_recorded_is_said_to_be_unknown(sample_lake: Lake, tmp_path: Path) -> None:
    forgotten = (
        "update releases set tests = null, sizes = null where number = 1",
        "update definitions set document = json_remove(document, '$.lineage')",
    )
    with Lakehouse.open(copied(sample_lake, tmp_path, *forgotten)) as lakehouse:
        lakehouse.users.add("data-erik", PASSWORD, "engineer")
        shown = main(inside(create_app(lakehouse).server, "data-erik"), f"{LINES}&at=1")

    assert (facts(shown)["Tests"], facts(shown)["Size"]) == ("Not recorded", "Not recorded")
    assert shown.one("lp-data-lineage").text == "Built from Not recorded Goes into Not recorded"


def test_a_damaged_table_hides_no_other(sample_lake: Lake, tmp_path: Path) -> None:
    lost = ("update releases set pins = replace(pins, 'marts/daily_revenue', 'marts/lost') where number = 2",)
    with Lakehouse.open(copied(sample_lake, tmp_path, *lost)) as lakehouse:
        lakehouse.users.add("data-vera", PASSWORD, "viewer")
        vera = inside(create_app(lakehouse).server, "data-vera")
        rows = [row[4] for row in grid(main(vera, "/data"), "Marts")]
        found = listed(main(vera, "/data?find=line_id"))

    assert rows == ["Cannot be read", "1,001 rows"]
    assert found == ["marts.order_lines"]


def test_before_the_first_release_it_says_what_will_be_here(tmp_path: Path) -> None:
    (tmp_path / "lakeport.toml").write_text("")
    with Lakehouse.open(tmp_path) as lakehouse:
        lakehouse.users.add("data-vera", PASSWORD, "viewer")
        shown = main(inside(create_app(lakehouse).server, "data-vera"), "/data")

    assert "Tables and metrics appear here after the first refresh." in shown.one("lp-empty").text
