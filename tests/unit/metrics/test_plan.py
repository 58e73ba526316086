"""What a plan may say: every mistake is named and the choices are listed."""

import contextlib
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import PlanWrong, RequestWrong, UnknownName
from lakehouse.metrics.model import Model
from lakehouse.metrics.plan import KEYS, Plan, parse_plan

TIME = {"from": "2024-01-01", "to": "2024-04-01"}


def plan(**keys: Any) -> dict[str, Any]:
    return {"metrics": ["revenue"], **keys}


def where(*predicate: Any) -> dict[str, Any]:
    return plan(where=[list(predicate)])


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "names no metrics. Known metrics: average_order_value, customers, orders, revenue, units"),
    ({"metrics": []}, "names no metrics"),
    ({"metrics": "revenue"}, "'metrics' is 'revenue', but must be a list"),
    ({"metrics": ["profit"]}, "No metric named 'profit'. Known metrics: average_order_value, customers, orders"),
    ({"metrics": ["Revenue"]}, "No metric named 'Revenue'"),
    ({"metrics": ["revenue", "revenue"]}, "'metrics' names 'revenue' twice"),
    ({"metrics": [1]}, "'metrics' has the entry 1, but takes names"),
    ({"metrics": [f"m{n}" for n in range(51)]}, "'metrics' has 51 entries; at most 50"),
    (plan(filter=[]), "No plan key named 'filter'. Known plan keys: by, compare, limit, metrics, order, time, where"),
    (plan(by=["country"]), "No dimension named 'country'. Known dimensions: customer_id, order_date, product, region"),
    (plan(by=["quantity"]), "No dimension named 'quantity'"),
    (plan(by=["order_date:hour"]), "No grain named 'hour'. Known grains: day, month, quarter, week, year"),
    (plan(by=["order_date:"]), "No grain named ''"),
    (plan(by=["region:month"]), "'region' is no time dimension"),
    (plan(by=["region", "region"]), "'by' names 'region' twice"),
    (plan(where={"region": "North"}), "'where' is .* must be a list"),
    (plan(where=["region"]), r"takes \[column, operator, value\]"),
    (where("revenue", ">", 1), "No filterable column named 'revenue'. Known filterable columns: amount, customer_id"),
    (where("region", "like", "N%"), "No operator named 'like'. Known operators: !=, <, <=, =, >, >=, between"),
    (where("region", ["="], "N"), "No operator named"),
    (where("region", "="), "has no value"),
    (where("region", "is null", None), "'is null' takes no value"),
    (where("region", "=", None), "has None, but needs a text"),
    (where("region", "=", 5), "has 5, but needs a text"),
    (where("region", "=", ["North"]), "but needs a text"),
    (where("region", "in", "North"), "needs a list of values"),
    (where("region", "in", []), "has 0 values, but needs 1 to 1,000"),
    (where("region", "in", ["x"] * 1001), "has 1,001 values"),
    (where("region", "in", ["x", None]), "has None, but needs a text"),
    (where("region", "=", "a\0b"), "NUL"),
    (where("region", "=", "\ud800"), "half a surrogate pair"),
    (where("region", "=", "x" * 10_001), "10,001 characters"),
    (where("quantity", "=", True), "has True, but needs a whole number"),
    (where("quantity", "=", "2"), "has '2', but needs a whole number"),
    (where("quantity", "=", 2.0), "has 2.0, but needs a whole number"),
    (where("quantity", "=", 2**63), "needs a whole number"),
    (where("quantity", "contains", "2"), "needs a text column, but 'quantity' is integer. Operators that fit: =, !="),
    (where("quantity", "between", [1]), "has 1 values, but needs two"),
    (where("amount", "=", True), "has True, but needs a number"),
    (where("amount", "=", "12,5"), "has '12,5', but needs a number"),
    (where("amount", "=", "1e5"), "has '1e5', but needs a number"),
    (where("amount", "=", "٣"), "needs a number"),
    (where("amount", "=", float("nan")), "has nan, but needs a number"),
    (where("amount", "=", Decimal("NaN")), "has NaN, but needs a number"),
    (where("amount", "=", float("inf")), "has inf, but needs a number"),
    (where("amount", "=", 1e300), "needs a number"),
    (where("amount", "=", "0." + "1" * 30), "too many digits for decimal"),
    (where("order_date", "=", "2024-1-1"), "has '2024-1-1', but needs a date as 'YYYY-MM-DD'"),
    (where("order_date", "=", "20240101"), "needs a date"),
    (where("order_date", "=", "2024-02-30"), "needs a date"),
    (where("order_date", "=", "2024-01-01T00:00:00"), "needs a date"),
    (plan(where=[["region", "=", "x"]] * 101), "'where' has 101 entries; at most 100"),
    (plan(time="2024"), "'time' is '2024', but must be an object with exactly 'from' and 'to'"),
    (plan(time={"from": "2024-01-01"}), "exactly 'from' and 'to'"),
    (plan(time={**TIME, "grain": "day"}), "exactly 'from' and 'to'"),
    (plan(time={"from": "2024-13-01", "to": "2024-04-01"}), "'time.from' has '2024-13-01'"),
    (plan(time={"from": "2024-04-01", "to": "2024-04-01"}), "'time.from' must be before 'time.to'"),
    (plan(order=["units"]), "'order' names 'units', which is no column of this answer. Columns: revenue"),
    (plan(order=["revenue__before"]), "'order' names 'revenue__before'"),
    (plan(by=["order_date:month"], order=["order_date"]), "'order' names 'order_date'.*order_date:month, revenue"),
    (plan(order=["revenue", "-revenue"]), "'order' names 'revenue' twice"),
    (plan(order="revenue"), "'order' is 'revenue', but must be a list"),
    (plan(limit=0), "'limit' is 0, but must be a whole number from 1"),
    (plan(limit=True), "'limit' is True"),
    (plan(limit="10"), "'limit' is '10'"),
    (plan(limit=1.5), "'limit' is 1.5"),
    (plan(compare="previous_period"), "'compare' needs 'time'"),
    (
        plan(time=TIME, compare="last_year"),
        "'last_year', which is unknown. Choices: previous_period, previous_year, or",
    ),
    (plan(time=TIME, compare=[]), "which is unknown"),
    (plan(time=TIME, compare={"from": "2024-01-01"}), "'compare' is .* exactly 'from' and 'to'"),
    (plan(time={"from": "0001-01-01", "to": "0001-02-01"}, compare="previous_year"), "no earlier period"),
]


@pytest.mark.parametrize(("wrong", "text"), WRONG)
def test_a_wrong_plan_says_what_is_wrong(model: Model, wrong: dict[str, Any], text: str) -> None:
    with pytest.raises((PlanWrong, UnknownName), match=text) as caught:
        parse_plan(wrong, model)

    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "not valid JSON"),
        ("[1]", r"The plan is \[1\], but must be an object"),
        ('{"metrics": ["revenue"], "limit": NaN}', "NaN is no number"),
        ('{"metrics": ["revenue"], "metrics": ["units"]}', "the same key twice"),
        ("[" * 100_000, "not valid JSON"),
        ('{"metrics": ["' + "x" * 1_000_000 + '"]}', "at most 1,000,000"),
        ('{"metrics": ["revenue"], "limit": ' + "9" * 5000 + "}", "not valid JSON"),
        ('{"metrics": ["revenue"], "where": [["amount", "=", 1e999999]]}', "needs a number"),
    ],
)
def test_a_text_that_is_no_plan_says_why(model: Model, text: str, found: str) -> None:
    with pytest.raises(PlanWrong, match=found):
        parse_plan(text, model)


def test_a_mapping_is_as_limited_as_a_text(model: Model) -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]

    with pytest.raises(PlanWrong, match="at most 1,000,000"):
        parse_plan(plan(where=[["region", "=", "x" * 1_000_000]]), model)
    with pytest.raises(PlanWrong, match="not valid JSON"):
        parse_plan(plan(where=nested), model)


def test_the_plan_of_the_contract_is_understood(model: Model) -> None:
    document = {
        "metrics": ["revenue", "orders"],
        "by": ["region", "order_date:month"],
        "where": [["region", "in", ["North", "South"]], ["quantity", ">=", 2]],
        "time": TIME,
        "order": ["-revenue", "region"],
        "limit": 10,
        "compare": "previous_period",
    }

    assert parse_plan(json.dumps(document), model).to_json() == document
    assert parse_plan(document, model) == parse_plan(json.dumps(document), model)


def test_null_is_the_same_as_leaving_a_key_out(model: Model) -> None:
    empty: dict[str, Any] = {key: None for key in KEYS if key != "metrics"}

    assert parse_plan(plan(**empty), model) == parse_plan(plan(), model) == Plan(("revenue",))
    assert parse_plan(plan(**empty), model).to_json() == plan()


@pytest.mark.parametrize("value", [10.1, "10.1", "10.10", Decimal("10.1"), "0010.100"])
def test_an_amount_is_exact_however_it_is_written(model: Model, value: Any) -> None:
    assert parse_plan(where("amount", "<", value), model).to_json()["where"] == [["amount", "<", "10.1"]]


def test_json_numbers_keep_their_digits(model: Model) -> None:
    text = '{"metrics": ["revenue"], "where": [["amount", "=", 1234567890123456.78]]}'

    assert parse_plan(text, model).where[0].values == (Decimal("1234567890123456.78"),)


def test_whole_numbers_beyond_2_to_the_53_travel_as_texts(model: Model) -> None:
    parsed = parse_plan(where("quantity", "<", 2**53 + 1), model)

    assert parsed.to_json()["where"] == [["quantity", "<", "9007199254740993"]]
    assert parse_plan(parsed.to_json(), model) == parsed


TEXTS = st.text(st.sampled_from("aé'\0\ud800"), max_size=4) | st.sampled_from(
    ("region", "amount", "=", "in", "-revenue")
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(("from", "to")), inner, max_size=2),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=5))
def test_any_json_gives_a_plan_or_a_sentence(model: Model, document: dict[str, Any]) -> None:
    with contextlib.suppress(RequestWrong):
        parsed = parse_plan({"metrics": ["revenue"], **document}, model)
        assert parse_plan(parsed.to_json(), model) == parsed
