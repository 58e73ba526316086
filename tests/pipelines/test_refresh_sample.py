"""The thousand, refreshed as a new user does it: the figures are known, and a line more is a release more."""

import csv
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from lakehouse.core import Workspace
from tests.conftest import LATE_LINE
from tests.pipelines.lake import Lake, rows

REGIONS = {
    "West": Decimal("664975.76"),
    "North": Decimal("609846.27"),
    "South": Decimal("600283.06"),
    "East": Decimal("584079.84"),
    "Central": Decimal("575836.10"),
}
METRICS = ["revenue", "units", "customers", "orders"]
FIGURES = (Decimal("3035021.03"), 3023, 199, 1000)


def measured(workspace: Workspace, **plan: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in workspace.measure(plan).answer.table.to_pylist()]


@pytest.mark.parametrize("table", ["raw.sales", "staging.stg_sales", "marts.order_lines"])
def test_every_layer_has_a_thousand_lines_in_release_1_and_one_more_now(sample: Workspace, table: str) -> None:
    count = f"select count(*), count(distinct line_id) from {table}"

    assert rows(sample.at("1"), count) == [(1000, 1000)]
    assert rows(sample, count) == [(1001, 1001)]


def test_the_figures_of_the_thousand_are_known(sample: Workspace) -> None:
    assert measured(sample.at("1"), metrics=METRICS) == [FIGURES]
    assert measured(sample.at("1"), metrics=["revenue"], by=["region"], order=["-revenue"]) == list(REGIONS.items())


def test_daily_revenue_has_a_row_for_each_day_region_and_product_with_a_sale(sample: Workspace) -> None:
    select = (
        "select count(*), min(order_date), max(order_date), sum(revenue), sum(total_units) from marts.daily_revenue"
    )

    assert rows(sample.at("1"), select) == [(865, date(2024, 1, 1), date(2024, 3, 30), FIGURES[0], FIGURES[1])]
    assert rows(sample, select) == [(866, date(2024, 1, 1), date(2024, 3, 31), FIGURES[0] + 1500, FIGURES[1] + 1)]


def test_a_line_more_changes_its_own_figures_and_no_other(sample: Workspace) -> None:
    now = dict(measured(sample, metrics=["revenue"], by=["region"]))

    assert now == REGIONS | {"North": Decimal("611346.27")}
    assert measured(sample, metrics=METRICS) == [(FIGURES[0] + 1500, 3024, 199, 1001)]


def test_the_line_is_found_by_its_key_in_the_newer_release_only(sample: Workspace) -> None:
    select = "select order_date, product, quantity, amount, region from staging.stg_sales where line_id = 'ORD-9999'"

    assert rows(sample, select) == [(date(2024, 3, 31), "Laptop", 1, Decimal("1500.00"), "North")]
    assert rows(sample.at("1"), select) == []


def test_revenue_by_day_is_what_the_file_says(sample: Workspace, sample_lake: Lake) -> None:
    days: dict[date, Decimal] = defaultdict(Decimal)
    with (sample_lake.home / "sales.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            days[date.fromisoformat(line["order_date"])] += int(line["quantity"]) * Decimal(line["amount"])

    assert measured(sample, metrics=["revenue"], by=["order_date:day"]) == sorted(days.items())
    assert date.fromisoformat(LATE_LINE.split(",")[2]) in days


def test_each_layer_has_its_tables_and_nothing_was_rejected(sample: Workspace) -> None:
    assert sample.tables() == [
        "marts.daily_revenue",
        "marts.order_lines",
        "raw.quarantine",
        "raw.sales",
        "staging.stg_sales",
        "staging.stg_sales_excluded",
    ]
    assert rows(sample, "select count(*) from raw.quarantine") == [(0,)]
    assert rows(sample, "select count(*) from staging.stg_sales_excluded") == [(0,)]
