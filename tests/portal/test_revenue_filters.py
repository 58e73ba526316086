"""Filters of the revenue page by any column: how they are offered, found, held together, and refused.

One rule: what a filter lets through is compared with SQL over the same rows.
"""

import csv
import io
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from lakehouse.access.identity import operator
from lakehouse.access.policy import PolicyFile
from lakehouse.core import Lakehouse, Workspace
from lakehouse.errors import RequestWrong, UnknownName
from lakehouse.metrics.literal import INTEGER, TEXT
from lakehouse.metrics.terms import Dimension, Filterable, Table
from portal.conditions import read_conditions
from portal.page import Visit
from portal.revenue.asked import OWN_KEYS
from tests.pipelines.lake import Lake
from tests.portal import finding
from tests.portal.page_numbers import read
from tests.portal.visitor import Shown, Visitor
from tests.portal.witness import viewing

ALL = "/revenue?period=all"


@pytest.fixture(scope="module")
def lakehouse(sample_lake: Lake) -> Iterator[Lakehouse]:
    with Lakehouse.open(sample_lake.home) as opened:
        yield opened


@pytest.fixture(scope="module")
def sample(lakehouse: Lakehouse) -> Workspace:
    """The sample, as its operator sees it."""
    return lakehouse.as_user(operator())


@pytest.fixture(scope="module")
def viewer(lakehouse: Lakehouse) -> Iterator[Visitor]:
    with viewing(lakehouse, "filter-viewer") as visitor:
        yield visitor


@pytest.fixture(scope="module")
def blind(sample_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """Somebody who may see neither customers nor prices."""
    folder = tmp_path_factory.mktemp("policy")
    rules = '[roles.viewer]\ncolumns = {customer_id = "hide", amount = "hide"}\n'
    (folder / "policy.toml").write_text(rules, encoding="utf-8")
    with Lakehouse.open(sample_lake.home) as opened:
        opened.policy = PolicyFile(folder)
        with viewing(opened, "filter-blind") as visitor:
            yield visitor


def revenue_where(sample: Workspace, condition: str) -> str:
    """The revenue of some lines, by SQL."""
    [row] = sample.sql(f"select sum(line_total) as found from marts.order_lines where {condition}").table.to_pylist()
    return f"{row['found']:,}"


def refusal(visitor: Visitor, query: str) -> str:
    shown = visitor.page(f"/revenue?{query}")
    assert shown.of_class("lp-tile") == []
    return shown.one("lp-error").text


def other_filters(shown: Shown) -> list[str]:
    """What can be filtered by besides what has a button."""
    folds = [fold for pop in shown.one("lp-filters").of_class("lp-pop") for fold in pop.of_class("lp-more-filter")]
    return [next(Shown(one).text for one in fold.walk() if one["type"] == "Summary") for fold in folds]


def test_every_other_column_is_offered_until_it_is_a_button(viewer: Visitor) -> None:
    before, after = (viewer.page(f"{ALL}{more}") for more in ("", "&customer_id=CUST-0001&quantity.min=2"))

    assert other_filters(before) == ["Customer", "Stock code", "Quantity", "Amount"]
    assert other_filters(after) == ["Stock code", "Amount"]
    assert read(after).filters.buttons[3:] == (
        "Region|all",
        "Product|all",
        "Customer|CUST-0001",
        "Quantity|from 2",
        "Filter",
    )


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("customer_id=CUST-0001&customer_id=CUST-0002", "customer_id in ('CUST-0001', 'CUST-0002')"),
        ("quantity.min=3", "quantity >= 3"),
        ("quantity.max=2", "quantity <= 2"),
        ("amount.min=20.5&amount.max=900", "amount between 20.5 and 900"),
        ("region=West&quantity.min=2&quantity.max=3", "region = 'West' and quantity in (2, 3)"),
    ],
)
def test_a_filter_lets_through_what_it_says(viewer: Visitor, sample: Workspace, query: str, condition: str) -> None:
    assert read(viewer.page(f"{ALL}&{query}")).tiles[0].exact == revenue_where(sample, condition)


def test_values_are_looked_up_when_a_filter_is_opened_and_by_typing(viewer: Visitor) -> None:
    opened = finding.shown(finding.ask(viewer, "customer_id", None, "?period=all"), "customer_id")
    typed = finding.shown(finding.ask(viewer, "customer_id", "t-0012", "?period=all&page=3"), "customer_id")

    assert len(opened.links) == 20
    assert typed.links == {"CUST-0012": "/revenue?period=all&customer_id=CUST-0012"}


def test_a_column_without_values_says_so(viewer: Visitor) -> None:
    shown = finding.shown(finding.ask(viewer, "stock_code", None), "stock_code")

    assert shown.text == "The data name no stock code."


@pytest.mark.parametrize("column", ["order_id", "nothing", "", None, 7, ["customer_id"], {"a": 1}, "quantity"])
def test_a_search_in_what_is_no_such_column_finds_nothing(viewer: Visitor, column: object) -> None:
    answer = finding.ask(viewer, column, "a")

    assert answer.status_code in (200, 204)
    assert "lp-choice" not in answer.get_data(as_text=True)


def test_a_hidden_column_is_not_offered_and_its_number_is_not_shown(blind: Visitor) -> None:
    shown = blind.page(ALL)

    assert other_filters(shown) == ["Stock code", "Quantity"]
    assert [tile.label for tile in read(shown).tiles] == [
        "Revenue, EUR",
        "Orders",
        "Units",
        "Average order value, EUR",
    ]


@pytest.mark.parametrize("query", ["customer_id=CUST-0001", "amount.min=1", "amount.max=1", "customer_id=nobody"])
def test_a_filter_by_a_hidden_column_is_refused_in_the_words_of_the_plan(blind: Visitor, query: str) -> None:
    name = query.partition("=")[0].partition(".")[0]

    assert f"No filterable column named '{name}'. Known filterable columns: order_date, product" in refusal(
        blind, query
    )
    for tile in ("", "/lines", "/region", "/key-figures"):
        assert blind.get(f"/export/revenue{tile}.csv?{query}").status_code == 404


def test_a_search_in_a_hidden_column_finds_nothing(blind: Visitor) -> None:
    answer = finding.ask(blind, "customer_id", "")

    assert "CUST" not in answer.get_data(as_text=True)
    assert "No filter named 'customer_id'. Known filters: product, quantity" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("regoin=West", "No filterable column named 'regoin'. Known filterable columns: amount, customer_id"),
        ("order_date=2024-01-01", "The address filters by 'order_date', which is none of its keys: amount.max"),
        ("quantity=2", "The address filters by 'quantity', which is none of its keys: amount.max"),
        ("quantity.min=two", "The condition on 'quantity' (>=) has 'two', but needs a whole number"),
        ("quantity.min=1.5", "The condition on 'quantity' (>=) has '1.5', but needs a whole number"),
        ("quantity.min=1&quantity.min=2", "The address gives 'quantity.min' 2 times. Give it once."),
        ("customer_id=%00", "NUL"),
        ("column.region=West", "The address filters by 'column.region', which is none of its keys"),
    ],
)
def test_a_key_that_is_no_filter_is_never_passed_over(viewer: Visitor, query: str, said: str) -> None:
    assert said in refusal(viewer, query)


@pytest.mark.parametrize("value", ["x') or 1=1 --", "' or ''='", "%", "CUST-000_"])
def test_a_value_is_a_value_and_nothing_else(viewer: Visitor, value: str) -> None:
    assert read(viewer.page(f"{ALL}&customer_id={quote(value)}")).tiles[0].exact == "–"


def test_a_filter_that_changes_begins_at_the_first_page_of_the_lines(viewer: Visitor) -> None:
    shown = viewer.page(f"{ALL}&page=2")

    kept = [href for text, href in shown.one("lp-filters").links.items() if "page=" in href and "export" not in href]
    bars = [row.props["href"] for row in shown.of_class("lp-bars-row") if "href" in row.props]

    assert kept == []
    assert bars
    assert [href for href in bars if "page=" in href] == []


def table(*names: str) -> Table:
    """A table whose columns are called so; `n` is a number that can be filtered by and nothing else."""
    dimensions = tuple(Dimension(name, name, TEXT, name) for name in names)
    return Table("marts.x", "X", "", "", dimensions, (Filterable("n", "n", INTEGER, "N"),))


def test_columns_that_are_called_like_a_key_of_the_page_have_another_key() -> None:
    names = ("page", "top", "at", "from", "region", "about")
    visit = Visit("/revenue", (("page", "2"), ("column.page", "A4"), ("region", "West"), ("n.max", "3")))

    found = read_conditions(table(*names), visit, OWN_KEYS)

    assert {condition.column.name: condition.key for condition in found if condition.column.name in names} == {
        name: name if name == "region" else f"column.{name}" for name in names
    }
    assert [condition.predicates for condition in found if condition.is_active] == [
        [["page", "in", ["A4"]]],
        [["region", "in", ["West"]]],
        [["n", "<=", 3]],
    ]


@pytest.mark.parametrize(
    ("key", "error"), [("n", RequestWrong), ("m.min", UnknownName), ("column.region", RequestWrong)]
)
def test_a_key_without_a_column_is_an_error(key: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_conditions(table("region"), Visit("/revenue", ((key, "1"),)), OWN_KEYS)


@pytest.mark.parametrize(
    ("label", "plural"),
    [("Customer", "customers"), ("Category", "categories"), ("Day", "days"), ("Box", "boxes"), ("SKU", "SKUs")],
)
def test_several_of_a_column_are_called_as_in_english(label: str, plural: str) -> None:
    columns = Table("marts.x", "X", "", "", (Dimension("c", "c", TEXT, label),), ())

    [condition] = read_conditions(columns, Visit("/revenue"), OWN_KEYS)

    assert condition.plural == plural


def test_files_of_a_page_that_compares_nothing_hold_no_earlier_period(viewer: Visitor) -> None:
    answer = viewer.get("/export/revenue/key-figures.csv?period=all&quantity.min=3&compare=off")

    [row] = csv.DictReader(io.StringIO(answer.get_data(as_text=True)))
    assert list(row) == ["revenue", "orders", "customers", "units", "average_order_value"]
    assert row["revenue"] == read(viewer.page(f"{ALL}&quantity.min=3")).tiles[0].exact.replace(",", "")
