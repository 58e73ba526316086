"""Random plans on a real lake answer what plain Python works out from the rows of staging.

One rule: the same rows in the same order; nothing is compared approximately.
"""

import random
from typing import Any

import pytest

from lakehouse.core import Workspace
from tests.unit.metrics.oracle import answer
from tests.unit.metrics.plans import random_plan


def staged(workspace: Workspace) -> list[dict[str, Any]]:
    """The rows that plans are about, as the oracle takes them."""
    rows: list[dict[str, Any]] = workspace.sql("select * from staging.stg_sales").table.to_pylist()
    return rows


def check(workspace: Workspace, plan: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    found = workspace.measure(plan).answer

    assert found.complete
    assert [tuple(row.values()) for row in found.table.to_pylist()] == answer(plan, rows), plan


@pytest.mark.parametrize("version", ["now", "1"])
@pytest.mark.parametrize("number", [30, pytest.param(300, marks=pytest.mark.slow)])
def test_random_plans_are_right_at_a_release_of_the_sample(sample: Workspace, version: str, number: int) -> None:
    chance = random.Random(f"{version} {number}")  # noqa: S311 - nothing secret is made of it
    workspace = sample.at(version)
    rows = staged(workspace)

    for _ in range(number):
        check(workspace, random_plan(chance, rows), rows)


@pytest.mark.parametrize("number", [8, pytest.param(60, marks=pytest.mark.slow)])
def test_random_plans_are_right_on_real_data_too(retail: Workspace, number: int) -> None:
    chance = random.Random(2)  # noqa: S311 - nothing secret is made of it
    rows = staged(retail)

    for _ in range(number):
        check(retail, random_plan(chance, rows), rows)
