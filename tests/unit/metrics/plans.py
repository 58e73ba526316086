"""Random plans about order lines.

One rule: every plan is valid, and together they use every key, operator, grain and comparison of the contract.
"""

import datetime
import random
from collections.abc import Mapping
from typing import Any

METRICS = ("revenue", "orders", "customers", "units", "average_order_value")
TEXTS = ("region", "product", "customer_id", "stock_code")
DATES = tuple(f"order_date{grain}" for grain in ("", ":day", ":week", ":month", ":quarter", ":year"))


def random_plan(chance: random.Random, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A plan as JSON; its values come from the rows, so that conditions hold for some of them."""
    metrics = chance.sample(METRICS, chance.randint(1, 3))
    by = chance.sample(TEXTS, chance.choice((0, 0, 1, 1, 2))) + chance.sample(DATES, chance.choice((0, 1, 1, 2)))
    chance.shuffle(by)
    plan: dict[str, Any] = {"metrics": metrics}
    if by:
        plan["by"] = by
    if chance.random() < 0.4:
        plan["where"] = [_predicate(chance, rows) for _ in range(chance.choice((1, 1, 2)))]
    if chance.random() < 0.7:
        plan["time"] = _period(chance, rows)
        if chance.random() < 0.7:
            plan["compare"] = chance.choice(("previous_period", "previous_year", _period(chance, rows)))
    if chance.random() < 0.6:
        plan["order"] = _order(chance, plan)
    if chance.random() < 0.3:
        plan["limit"] = chance.choice((1, 3, 10))
    return plan


def _order(chance: random.Random, plan: Mapping[str, Any]) -> list[str]:
    suffixes = ("", "__before", "__change") if "compare" in plan else ("",)
    columns = [*plan.get("by", []), *(f"{name}{suffix}" for name in plan["metrics"] for suffix in suffixes)]
    chosen = chance.sample(columns, chance.randint(1, min(3, len(columns))))
    return [f"{chance.choice(('', '-'))}{name}" for name in chosen]


def _period(chance: random.Random, rows: list[dict[str, Any]]) -> dict[str, str]:
    near = chance.choice(rows)["order_date"] if rows else datetime.date(2024, 2, 29)
    if chance.random() < 0.5:
        near = near.replace(day=1)
    start = near - datetime.timedelta(days=chance.choice((0, 0, 1, 5, 31, 200)))
    end = start + datetime.timedelta(days=chance.choice((1, 2, 7, 29, 31, 60, 366, 500)))
    return {"from": start.isoformat(), "to": end.isoformat()}


def _predicate(chance: random.Random, rows: list[dict[str, Any]]) -> list[Any]:
    column = chance.choice((*TEXTS, "quantity", "amount", "order_date"))
    operators = ["=", "!=", "in", "not in", "<", "<=", ">", ">=", "between", "is null", "is not null"]
    operator = chance.choice([*operators, "contains"] if column in TEXTS else operators)
    if operator in ("is null", "is not null"):
        return [column, operator]
    values = [_value(chance, column, rows) for _ in range(chance.randint(1, 3))]
    if operator == "between":
        return [column, operator, [values[0], _value(chance, column, rows)]]
    if operator == "contains":
        start = chance.randrange(len(values[0]) + 1)
        return [column, operator, values[0][start : start + chance.randint(0, 2)]]
    return [column, operator, values if operator in ("in", "not in") else values[0]]


def _value(chance: random.Random, column: str, rows: list[dict[str, Any]]) -> Any:
    known = [row[column] for row in rows if row[column] is not None]
    if column == "quantity":
        return chance.choice([*known, 0, 2, -1])
    if column == "amount":
        found = chance.choice([*known, "0.5", "10", "-3.125"])
        return chance.choice((str(found), float(found)))
    if column == "order_date":
        return chance.choice([*known, datetime.date(2024, 2, 29)]).isoformat()
    return chance.choice([*known, "North", "unknown '"])
