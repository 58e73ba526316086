"""Random plans over random tables answer exactly what plain Python works out.

One rule: the same rows, in the same order, of the same types; nothing is compared approximately.
"""

from decimal import Decimal

import pytest

from lakehouse.metrics.compile import compile_plan
from lakehouse.metrics.model import Model
from lakehouse.metrics.plan import parse_plan
from tests.unit.metrics.oracle import answer
from tests.unit.metrics.order_lines import connection, random_rows, seeded
from tests.unit.metrics.plans import random_plan

PLANS_PER_TABLE = 12


@pytest.mark.parametrize("seed", range(40))
def test_random_plans_answer_what_plain_python_works_out(model: Model, seed: int) -> None:
    chance = seeded(seed)
    rows = random_rows(chance)
    connected = connection(rows)

    for _ in range(PLANS_PER_TABLE):
        plan = random_plan(chance, rows)
        compiled = compile_plan(parse_plan(plan, model), model)
        relation = connected.sql(compiled.sql)
        assert [str(kind) for kind in relation.types] == [column.type for column in compiled.columns], plan
        assert relation.columns == [column.name for column in compiled.columns], plan
        assert relation.fetchall() == answer(plan, rows), plan


def test_the_normal_form_of_a_random_plan_is_the_same_plan(model: Model) -> None:
    chance = seeded(7)
    rows = random_rows(chance)

    for _ in range(300):
        plan = parse_plan(random_plan(chance, rows), model)
        assert parse_plan(plan.to_json(), model) == plan


def test_the_random_plans_use_everything_that_a_plan_can_say() -> None:
    chance = seeded(1)
    rows = random_rows(seeded(3))
    text = " ".join(str(random_plan(chance, rows)) for _ in range(500))
    operators = ("=", "!=", "in", "not in", "<", "<=", ">", ">=", "between", "contains", "is null", "is not null")
    grains = ("day", "week", "month", "quarter", "year")
    others = ("previous_period", "previous_year", "'compare': {'from'", "'limit'", "__before", "__change", "'-")

    missing = [
        part
        for part in (*(f"'{operator}'" for operator in operators), *(f":{grain}'" for grain in grains), *others)
        if part not in text
    ]

    assert missing == []


def test_the_oracle_rounds_halves_away_from_zero() -> None:
    rows = [
        {"order_date": None, "order_id": order, "customer_id": None, "line_total": Decimal(total), "quantity": 1}
        for order, total in (("a", "-0.01"), ("b", "0.00"))
    ]

    assert answer({"metrics": ["average_order_value"]}, rows) == [(Decimal("-0.01"),)]
