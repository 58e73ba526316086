"""Windows of lines under rights are those of a lake that has only the rows and columns of those rights.

One rule: people, windows and versions are random; what somebody may see is worked out in plain Python.
"""

import random
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any

import pytest

from lakehouse.access.identity import Principal, operator
from lakehouse.access.policy import PolicyFile
from lakehouse.core import Lakehouse, Workspace
from lakehouse.errors import NotAllowed, UnknownName
from lakehouse.metrics.lines import Window
from lakehouse.metrics.plan import Sort
from tests.pipelines.lake import Lake
from tests.unit.access.restricted import NEEDS, TABLE, Entry, Person, Row, policy, random_people
from tests.unit.metrics.line_oracle import Asked, found, lines, random_window

VERSIONS = ("1", "2")
SEEDS = range(6)
WINDOWS = 4
HIDDEN = "[users.ana]\ncolumns = {customer_id = 'hide', product = 'hash', order_id = 'last four'}"


class Shared:
    """One lake, whose policy a test writes; all rows of its releases, and the key of its masks."""

    def __init__(self, lakehouse: Lakehouse, folder: Path) -> None:
        self.lakehouse = copy(lakehouse)
        self.lakehouse.policy = PolicyFile(folder)
        self.key = (lakehouse.settings.folder / "mask_key").read_text(encoding="utf-8").strip()
        whole = lakehouse.as_user(operator())
        self.rows: dict[str, list[Row]] = {
            version: whole.at(version).sql(f"select * from {TABLE}").table.to_pylist() for version in VERSIONS
        }

    def under(self, said: str, principal: Principal, version: str = "2") -> Workspace:
        """The lake as somebody sees it under a policy."""
        self.lakehouse.policy.file.write_text(said, encoding="utf-8")
        return self.lakehouse.as_user(principal).at(version)


@pytest.fixture(scope="module")
def shared(sample_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    with Lakehouse.open(sample_lake.home) as lakehouse:
        yield Shared(lakehouse, tmp_path_factory.mktemp("policy"))


def given(workspace: Workspace, metric: str, asked: Asked) -> tuple[list[tuple[Any, ...]], int]:
    """The lines of a window, and how many hold its words."""
    sort = Sort(asked.sort.removeprefix("-"), asked.sort.startswith("-")) if asked.sort else None
    plan = {"metrics": [metric]}
    window = Window(sort, asked.words, asked.first, asked.count)
    rows = workspace.lines(plan, window).table.to_pylist()
    return [tuple(row.values()) for row in rows], workspace.line_count(plan, window)


def left(person: Person, rows: list[Row], key: str) -> list[Row]:
    """What somebody sees of some rows; hidden columns are not there."""
    return [{name: value for name, value in row.items() if name not in person.hidden} for row in person.left(rows, key)]


def holds(shared: Shared, chance: random.Random) -> int:
    """Compare windows of random people; how many lines were compared."""
    people, compared = random_people(chance, shared.rows["2"]), 0
    for person in people:
        version = chance.choice(VERSIONS)
        workspace = shared.under(policy(people), person.principal, version)
        metric = next((name for name, needed in NEEDS.items() if not needed & person.hidden), "")
        if not person.is_open or not metric:
            with pytest.raises((NotAllowed, UnknownName)):
                given(workspace, metric or "revenue", Asked())
            continue
        seen = left(person, shared.rows[version], shared.key)
        for _ in range(WINDOWS):
            asked = random_window(chance, seen or left(person, [], shared.key))
            if not seen and asked.sort.removeprefix("-") in person.hidden:
                continue
            expected = lines(seen, asked), len(found(seen, asked.words))
            assert given(workspace, metric, asked) == expected, (person, asked, version)
            compared += len(expected[0])
    return compared


def test_lines_under_rules_are_those_of_a_lake_with_only_what_is_allowed(shared: Shared) -> None:
    chance = random.Random("lines")  # noqa: S311  # the same people at every run

    assert sum(holds(shared, chance) for _ in SEEDS) > 500


@pytest.mark.parametrize(
    "number", [pytest.param(40, marks=pytest.mark.slow), pytest.param(150, marks=pytest.mark.fuzz)]
)
def test_hundreds_of_windows_under_rules_are_those_of_a_lake_with_only_what_is_allowed(
    shared: Shared, number: int
) -> None:
    chance = random.Random("many lines")  # noqa: S311  # the same people at every run

    for _ in range(number):
        holds(shared, chance)


def test_a_hidden_column_is_neither_sorted_by_nor_searched(shared: Shared) -> None:
    ana = shared.under(HIDDEN, Principal("ana", "viewer"))
    customer = shared.rows["2"][0]["customer_id"]

    assert given(ana, "revenue", Asked(words=customer)) == ([], 0)
    with pytest.raises(UnknownName) as caught:
        given(ana, "revenue", Asked("-customer_id"))

    assert caught.value.known == sorted(set(shared.rows["2"][0]) - {"customer_id"})


def test_a_masked_column_is_searched_and_sorted_by_what_is_shown_in_its_place(shared: Shared) -> None:
    ana = shared.under(HIDDEN, Principal("ana", "viewer"))
    person = Person("ana", "viewer", Entry(), Entry(columns=(("product", "hash"), ("customer_id", "hide"))))
    laptop = next(row for row in left(person, shared.rows["2"], shared.key) if row["order_id"] == "ORD-9999")
    columns = list(laptop)

    rows, count = given(ana, "revenue", Asked("-product", laptop["product"][:9].upper()))

    assert given(ana, "revenue", Asked(words="laptop")) == ([], 0)
    assert count == len(rows) == sum(row["product"] == "Laptop" for row in shared.rows["2"])
    assert {row[columns.index("product")] for row in rows} == {laptop["product"]}
    everything, _ = given(ana, "revenue", Asked("product"))
    products = [row[columns.index("product")] for row in everything]
    assert products == sorted(products)
    assert len(products) == len(shared.rows["2"])
