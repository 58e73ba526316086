"""What the compiled SQL answers where it is easy to be wrong: rounding, comparison, order, awkward texts."""

import datetime
from decimal import Decimal
from typing import Any

import pytest

from lakehouse.metrics.compile import Compiled, compile_plan
from lakehouse.metrics.model import Model
from lakehouse.metrics.plan import parse_plan
from tests.unit.metrics.order_lines import Row, connection, line

D = Decimal
MARCH = {"from": "2024-03-01", "to": "2024-04-01"}


def compiled(model: Model, **plan: Any) -> Compiled:
    return compile_plan(parse_plan(plan, model), model)


def answer(model: Model, rows: list[Row], **plan: Any) -> list[tuple[Any, ...]]:
    return connection(rows).sql(compiled(model, **plan).sql).fetchall()


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("total", "orders", "wanted"),
    [
        ("0.01", 2, "0.01"),
        ("0.03", 2, "0.02"),
        ("-0.01", 2, "-0.01"),
        ("-0.03", 2, "-0.02"),
        ("0.01", 3, "0.00"),
        ("0.02", 3, "0.01"),
        ("1.00", 8, "0.13"),
        ("9999999999999999.99", 3, "3333333333333333.33"),
        ("9007199254740993.01", 1, "9007199254740993.01"),
    ],
)
def test_a_ratio_is_exact_and_rounds_halves_away_from_zero(model: Model, total: str, orders: int, wanted: str) -> None:
    rows = [line(number, "2024-01-01") | {"line_total": D(0)} for number in range(orders)]
    rows[0]["line_total"] = D(total)

    assert answer(model, rows, metrics=["average_order_value"]) == [(D(wanted),)]


def test_sums_keep_every_digit_of_many_large_lines(model: Model) -> None:
    largest = D("9999999999999999.99")
    rows = [line(number, "2024-03-01", order_id="o") | {"line_total": largest} for number in range(40)]
    rows += [line(50, "2024-02-28") | {"line_total": largest}]

    found = answer(model, rows, metrics=["revenue"], time=MARCH, compare={"from": "2024-02-01", "to": "2024-03-01"})

    assert found == [(40 * largest, largest, D("39.000000"))]


@pytest.mark.parametrize(
    ("now", "before", "wanted"),
    [
        ("1.50", "1.00", "0.500000"),
        ("-1.00", "-2.00", "0.500000"),
        ("-3.00", "2.00", "-2.500000"),
        ("0.00", "5.00", "-1.000000"),
        ("5.00", "0.00", None),
        ("20000.01", "20000.00", "0.000001"),
        ("19999.99", "20000.00", "-0.000001"),
        ("9999999999999999.99", "0.01", None),
    ],
)
def test_a_change_is_relative_to_the_size_before(model: Model, now: str, before: str, wanted: str | None) -> None:
    rows = [line(1, "2024-03-01") | {"line_total": D(now)}, line(2, "2024-02-29") | {"line_total": D(before)}]

    found = answer(model, rows, metrics=["revenue"], time=MARCH, compare="previous_period")

    assert found == [(D(now), D(before), D(wanted) if wanted else None)]


def test_without_rows_there_is_one_total_and_no_group(model: Model) -> None:
    metrics = ["revenue", "orders", "customers", "units", "average_order_value"]

    assert answer(model, [], metrics=metrics) == [(None, 0, 0, None, None)]
    assert answer(model, [], metrics=metrics, by=["region"]) == []
    assert answer(model, [], metrics=["units", "orders"], time=MARCH, compare="previous_year") == [
        (None, None, None, 0, 0, None)
    ]


def test_distinct_orders_are_counted_from_lines_in_every_group(model: Model) -> None:
    rows = [line(n, f"2024-03-0{n}", order_id="same", region=region) for n, region in ((1, "N"), (2, "N"), (3, "S"))]

    assert answer(model, rows, metrics=["orders"], by=["region"]) == [("N", 1), ("S", 1)]
    assert answer(model, rows, metrics=["orders"]) == [(1,)]
    assert answer(model, rows, metrics=["orders"], by=["order_date:month"], time=MARCH, compare="previous_year") == [
        (day("2024-03-01"), 1, None, None)
    ]


def test_days_match_by_their_place_in_the_month_even_past_its_end(model: Model) -> None:
    rows = [line(1, "2024-02-29", quantity=29), line(2, "2024-01-29", quantity=10), line(3, "2024-01-31", quantity=3)]

    found = answer(
        model,
        rows,
        metrics=["units"],
        by=["order_date"],
        time={"from": "2024-02-01", "to": "2024-03-01"},
        compare={"from": "2024-01-01", "to": "2024-02-01"},
    )

    assert found == [
        (day("2024-02-29"), 29, 10, D("1.900000")),
        (day("2024-03-02"), None, 3, None),  # the 31st day: February would have it on 2 March
    ]


def test_an_empty_bucket_keeps_its_place(model: Model) -> None:
    rows = [line(1, "2024-06-15", quantity=6), line(2, "2024-03-15", quantity=3)]  # third months; others are empty

    found = answer(
        model,
        rows,
        metrics=["units"],
        by=["order_date:month"],
        time={"from": "2024-04-01", "to": "2024-07-01"},
        compare={"from": "2024-01-01", "to": "2024-04-01"},
    )

    assert found == [(day("2024-06-01"), 6, 3, D("1.000000"))]


def test_a_week_that_both_periods_share_is_split_between_them(model: Model) -> None:
    rows = [line(1, "2024-01-02", quantity=2), line(2, "2024-01-04", quantity=4)]  # one week, Tuesday and Thursday

    found = answer(
        model,
        rows,
        metrics=["units"],
        by=["order_date:week"],
        time={"from": "2024-01-04", "to": "2024-01-06"},
        compare="previous_period",
    )

    assert found == [(day("2024-01-01"), 4, 2, D("1.000000"))]


def test_unknown_customers_of_both_periods_match_each_other(model: Model) -> None:
    rows = [line(1, "2024-03-01", customer_id=None), line(2, "2024-02-29", customer_id=None)]

    found = answer(model, rows, metrics=["units"], by=["customer_id"], time=MARCH, compare="previous_period")

    assert found == [(None, 1, 1, D("0.000000"))]


def test_ties_follow_the_remaining_groups_and_null_comes_last(model: Model) -> None:
    regions = ("b", "a", None, "B", "é", "z")
    rows = [line(number, "2024-03-01", region=region) for number, region in enumerate(regions)]

    up = answer(model, rows, metrics=["units"], by=["region"], order=["-units"])
    down = answer(model, rows, metrics=["units"], by=["region"], order=["-region"], limit=3)

    assert [region for region, _ in up] == ["B", "a", "b", "z", "é", None]
    assert [region for region, _ in down] == ["é", "z", "b"]


AWKWARD = ("'", "''; drop table marts.order_lines; --", "a\nb", "a\r\n b", "\u2028", "\x85", "\\", '"', "%", "😀", "")


@pytest.mark.parametrize("text", AWKWARD)
def test_any_text_is_only_ever_a_value(model: Model, text: str) -> None:
    rows = [
        line(1, "2024-03-01", region=text),
        line(2, "2024-03-01", region="other"),
        line(3, "2024-02-29", region=text),
    ]
    where = [["region", "=", text], ["region", "in", [text]], ["region", "contains", text]]

    plain = answer(model, rows, metrics=["units"], by=["region"], where=where)
    compared = answer(model, rows, metrics=["units"], where=where, time=MARCH, compare="previous_period")

    assert plain == [(text, 2)]
    assert compared == [(1, 1, D(0))]


def test_null_matches_no_condition_but_is_null(model: Model) -> None:
    rows = [line(1, "2024-03-01", region=None), line(2, "2024-03-01", region="N")]

    def units(*predicate: Any) -> Any:
        return answer(model, rows, metrics=["units"], where=[["region", *predicate]])[0][0]

    assert [units("!=", "x"), units("not in", ["x"]), units("is null"), units("is not null")] == [1, 1, 1, 1]
    assert answer(model, rows, metrics=["units"], by=["region"], where=[["region", "not in", ["x"]]]) == [("N", 1)]


def test_an_amount_with_more_decimals_than_the_column_is_still_compared_exactly(model: Model) -> None:
    rows = [line(1, "2024-03-01", amount=D("10.00")), line(2, "2024-03-01", amount=D("10.01"))]

    assert answer(model, rows, metrics=["orders"], where=[["amount", ">", "10.005"]]) == [(1,)]
    assert answer(model, rows, metrics=["orders"], where=[["amount", "<", "1" + "0" * 25]]) == [(2,)]


def test_time_is_a_half_open_range_on_the_bare_column(model: Model) -> None:
    sql = compiled(model, metrics=["revenue"], by=["order_date:month"], time=MARCH, compare="previous_year").sql

    assert "where lines.\"order_date\" >= date '2024-03-01'\n    and lines.\"order_date\" < date '2024-04-01'" in sql
    assert "where lines.\"order_date\" >= date '2023-03-01'\n    and lines.\"order_date\" < date '2023-04-01'" in sql


def test_columns_say_what_they_are(model: Model) -> None:
    columns = compiled(model, metrics=["revenue"], by=["order_date:month"], time=MARCH, compare="previous_year").columns

    assert [(column.name, column.role, column.label, column.unit, column.format) for column in columns] == [
        ("order_date:month", "dimension", "Month of order date", "", ""),
        ("revenue", "metric", "Revenue", "currency", ",.2f"),
        ("revenue__before", "before", "Revenue before", "currency", ",.2f"),
        ("revenue__change", "change", "Change of Revenue", "", "+.1%"),
    ]
    assert {column.higher_is for column in columns[1:]} == {"better"}
