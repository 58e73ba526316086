"""The sentence says everything that the plan says."""

import copy
from typing import Any

import pytest

from lakehouse.metrics.compile import compile_plan
from lakehouse.metrics.model import Model
from lakehouse.metrics.plan import parse_plan

TIME = {"from": "2024-01-01", "to": "2024-04-01"}


def sentence(model: Model, **plan: Any) -> str:
    return compile_plan(parse_plan(plan, model), model).sentence


def test_a_full_plan_reads_as_one_sentence(model: Model) -> None:
    found = sentence(
        model,
        metrics=["revenue", "orders"],
        by=["region", "order_date:month"],
        where=[["region", "in", ["North", "South"]], ["quantity", ">=", 2]],
        time=TIME,
        compare="previous_period",
        order=["-revenue"],
        limit=10,
    )

    assert found == (
        "Revenue and orders by region and month of order date, where region is North or South and quantity is at "
        "least 2, from 2024-01-01 up to but not including 2024-04-01, compared with the previous period (2023-10-02 up "
        "to but not including 2024-01-01), sorted by revenue descending, first 10 rows."
    )


CASES: list[tuple[dict[str, Any], str]] = [
    ({"metrics": ["average_order_value"]}, "Average order value."),
    ({"by": ["order_date"]}, "Revenue by day of order date."),
    ({"by": ["customer_id"], "limit": 1}, "Revenue by customer, sorted by customer, first row."),
    ({"where": [["region", "=", "New York"]]}, "Revenue, where region is New York."),
    ({"where": [["region", "!=", "North or South"]]}, 'Revenue, where region is not "North or South".'),
    ({"where": [["region", "not in", ["a, b", "c"]]]}, 'Revenue, where region is not "a, b" or c.'),
    ({"where": [["product", "contains", "te\n"]]}, 'Revenue, where product contains "te\\n".'),
    ({"where": [["customer_id", "is null"]]}, "Revenue, where customer is empty."),
    ({"where": [["stock_code", "is not null"]]}, "Revenue, where stock code is not empty."),
    (
        {"where": [["amount", "between", [1.5, 1000]]]},
        "Revenue, where amount is between 1.5 and 1,000 (both included).",
    ),
    ({"where": [["amount", "<", 2]]}, "Revenue, where amount is below 2."),
    ({"where": [["amount", "<=", 2]]}, "Revenue, where amount is at most 2."),
    ({"where": [["amount", ">", 2]]}, "Revenue, where amount is above 2."),
    ({"where": [["order_date", "<", "2024-02-29"]]}, "Revenue, where order date is before 2024-02-29."),
    ({"where": [["order_date", ">=", "2024-02-29"]]}, "Revenue, where order date is on or after 2024-02-29."),
    (
        {"time": TIME, "compare": "previous_year"},
        "Revenue, from 2024-01-01 up to but not including 2024-04-01, compared with the same period a year earlier "
        "(2023-01-01 up to but not including 2023-04-01).",
    ),
    (
        {"time": TIME, "compare": {"from": "2020-01-01", "to": "2020-02-01"}, "order": ["-revenue__change"]},
        "Revenue, from 2024-01-01 up to but not including 2024-04-01, compared with 2020-01-01 up to but not including "
        "2020-02-01, sorted by change of revenue descending.",
    ),
    (
        {"by": ["region"], "order": ["-revenue", "region"], "limit": 1000},
        "Revenue by region, sorted by revenue descending and then by region, first 1,000 rows.",
    ),
]


@pytest.mark.parametrize(("plan", "wanted"), CASES)
def test_every_part_of_a_plan_has_its_words(model: Model, plan: dict[str, Any], wanted: str) -> None:
    assert sentence(model, **{"metrics": ["revenue"], **plan}) == wanted


FULL: dict[str, Any] = {
    "metrics": ["revenue", "orders"],
    "by": ["region", "order_date:month"],
    "where": [["region", "=", "North"], ["quantity", ">", 2]],
    "time": TIME,
    "order": ["-revenue", "region"],
    "limit": 10,
    "compare": "previous_year",
}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("metrics", ["revenue", "units"]),
        ("by", ["region", "order_date:week"]),
        ("by", ["region"]),
        ("where", [["region", "=", "North"], ["quantity", ">=", 2]]),
        ("where", [["region", "=", "North"], ["quantity", ">", 3]]),
        ("where", [["region", "=", "North"]]),
        ("time", {"from": "2024-01-01", "to": "2024-03-01"}),
        ("order", ["revenue", "region"]),
        ("order", ["-revenue__before", "region"]),
        ("order", ["-revenue"]),
        ("limit", 11),
        ("limit", None),
        ("compare", "previous_period"),
    ],
)
def test_plans_that_differ_have_sentences_that_differ(model: Model, key: str, value: Any) -> None:
    other = copy.deepcopy(FULL) | {key: value}

    assert sentence(model, **other) != sentence(model, **FULL)
