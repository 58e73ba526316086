"""Real order lines of a retailer, which Lakeport has never seen: settings alone bring them in, to the cent.

One rule: what is expected is worked out from the file by Python's csv module.
"""

import csv
from collections import Counter, defaultdict
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from lakehouse.core import Workspace
from tests.conftest import RETAIL
from tests.pipelines.lake import rows

Line = dict[str, str]


@pytest.fixture(scope="module")
def lines(retail: Workspace) -> list[Line]:
    """The lines of the file."""
    with RETAIL.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def sales(lines: list[Line]) -> list[Line]:
    """Those that count as sales."""
    return [line for line in lines if int(line["Quantity"]) > 0 and Decimal(line["Price"]) > 0]


def total(lines: list[Line]) -> Decimal:
    return sum((int(line["Quantity"]) * Decimal(line["Price"]) for line in lines), Decimal(0))


def figures(lines: list[Line]) -> tuple[Any, ...]:
    """Revenue, orders, customers, units and average order value."""
    orders, customers = {line["Invoice"] for line in lines}, {line["Customer ID"] for line in lines} - {""}
    average = (total(lines) / len(orders)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return total(lines), len(orders), len(customers), sum(int(line["Quantity"]) for line in lines), average


def by(lines: list[Line], column: str) -> list[tuple[Any, ...]]:
    groups: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        groups[line[column]].append(line)
    return [(name, *figures(groups[name])) for name in sorted(groups)]


def measured(workspace: Workspace, **plan: Any) -> list[tuple[Any, ...]]:
    metrics = ["revenue", "orders", "customers", "units", "average_order_value"]
    answer = workspace.measure({"metrics": metrics, **plan}).answer
    assert answer.complete
    return [tuple(row.values()) for row in answer.table.to_pylist()]


def test_every_line_is_in_raw_and_their_sum_is_right_to_the_cent(retail: Workspace, lines: list[Line]) -> None:
    select = "select count(*), sum(quantity * amount), count(*) filter (customer_id is null) from raw.sales"

    assert rows(retail, select) == [(34_766, Decimal("1231699.07"), 601)]
    assert (len(lines), total(lines)) == (34_766, Decimal("1231699.07"))
    assert rows(retail, "select count(*) from raw.quarantine") == [(0,)]


def test_every_row_of_raw_is_the_line_that_it_names(retail: Workspace, lines: list[Line]) -> None:
    select = (
        "select order_id, stock_code, product, quantity, order_date, amount, coalesce(customer_id, ''), region, _line "
        "from raw.sales order by _line"
    )
    expected = [
        (
            line["Invoice"],
            line["StockCode"],
            line["Description"],
            int(line["Quantity"]),
            datetime.fromisoformat(line["InvoiceDate"]),
            Decimal(line["Price"]),
            line["Customer ID"],
            line["Country"],
            number,
        )
        for number, line in enumerate(lines, start=2)
    ]

    assert rows(retail, select) == expected


def test_returns_and_free_goods_are_set_aside_with_a_reason(retail: Workspace, sales: list[Line]) -> None:
    assert len(sales) == 33_996
    assert rows(retail, "select count(*), sum(line_total) from staging.stg_sales") == [(33_996, total(sales))]
    assert rows(retail, "select reason, count(*) from staging.stg_sales_excluded group by reason order by reason") == [
        ("amount is not above 0", 9),
        ("quantity is not above 0", 761),
    ]


def test_lines_that_are_equal_in_everything_are_all_kept(retail: Workspace, lines: list[Line]) -> None:
    again = sum(count - 1 for count in Counter(tuple(line.values()) for line in lines).values())
    columns = "order_id, stock_code, product, quantity, order_date, amount, customer_id, region"

    assert again == 515
    assert rows(retail, f"select count(*) - count(distinct ({columns})) from raw.sales") == [(515,)]
    assert rows(retail, "select count(*) - count(distinct line_id) from raw.sales") == [(0,)]


def test_times_become_days_in_staging_and_stay_times_in_raw(retail: Workspace) -> None:
    types, staged = (
        {column["name"]: column["type"] for column in retail.columns(table)}
        for table in ("raw.sales", "staging.stg_sales")
    )

    assert (types["order_date"], staged["order_date"]) == ("TIMESTAMP", "DATE")
    assert rows(retail, "select min(order_date)::text, max(order_date)::text from staging.stg_sales") == [
        ("2009-12-01", "2011-12-09")
    ]


def test_all_metrics_are_right_for_every_country(retail: Workspace, sales: list[Line]) -> None:
    expected = by(sales, "Country")

    assert len(expected) == 10
    assert measured(retail, by=["region"]) == expected
    assert measured(retail) == [figures(sales)]


def test_all_metrics_are_right_for_every_product(retail: Workspace, sales: list[Line]) -> None:
    expected = by(sales, "Description")

    assert len(expected) == 3_207
    assert measured(retail, by=["product"]) == expected


def test_all_metrics_are_right_for_every_month(retail: Workspace, sales: list[Line]) -> None:
    months = [{**line, "month": line["InvoiceDate"][:7]} for line in sales]

    found = measured(retail, by=["order_date:month"])

    assert [(day.isoformat()[:7], *rest) for day, *rest in found] == by(months, "month")
    assert len(found) == 25
