"""Every number on the revenue page, in random states of it, against SQL of our own over the same rows.

One rule: a state that fails is printed as its address and is the same at every run: `-k "retail and 17"` repeats it.
"""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from tests.pipelines.lake import Lake
from tests.portal.expected_about import METRICS
from tests.portal.revenue_oracle import Oracle, allowed_grains
from tests.portal.revenue_words import COMPARISONS, PRESETS, Days, known
from tests.portal.witness import Witness, revenue, witness

STATES, MORE_STATES, MANY_STATES = 20, 100, 300
"""How many `make test` looks at, how many of the retail data `make slow`, and how many there are."""
MOST_CHOSEN = 3
UNKNOWN = ("Atlantis", "x') or 1=1 --", "<b>West</b>", "north", "North ")

LENGTHS = (1, 2, 45, 46, 200, 201, 400, 401, 1096, 1097, 4383, 4384)
"""Days of periods at which the first grain or the grains on offer change."""

Keys = list[tuple[str, str]]


@pytest.fixture(scope="module")
def sample_page(sample_lake: Lake) -> Iterator[Witness]:
    with witness(sample_lake.home) as found:
        yield found


@pytest.fixture(scope="module")
def retail_page(retail_lake: Lake) -> Iterator[Witness]:
    with witness(retail_lake.home) as found:
        yield found


def state(chance: random.Random, data: Oracle) -> Keys:
    """A page that somebody might ask for: its query, key by key."""
    found = period(chance, data.bounds)
    grains = allowed_grains(data.period(revenue(found)).days)
    if chance.random() < 0.6:
        found.append(("grain", chance.choice(grains)))
    found += [("region", name) for name in some(chance, data.regions)]
    largest = chance.choice([data.products[:12], data.products])
    found += [("product", name) for name in some(chance, [name for name in largest if name is not None])]
    if chance.random() < 0.5:
        found.append(("top", chance.choice(["10", "20", "50"])))
    if chance.random() < 0.6:
        found.append(("compare", chance.choice(list(COMPARISONS))))
    if chance.random() < 0.4:
        found += narrowed(chance, data)
    if chance.random() < 0.3:
        found.append(("about", chance.choice([*METRICS, "over-time", "region", "product", "lines"])))
    chance.shuffle(found)
    return found


def narrowed(chance: random.Random, data: Oracle) -> Keys:
    """Filters by what the page has no card for: some customers or articles, a range of a number."""
    found = [(name, value) for name in ("customer_id", "stock_code") for value in some(chance, known(data.names(name)))]
    for name, ends in (("quantity", ("1", "2", "3", "12", "1000000")), ("amount", ("0.01", "2.5", "100", "1500.00"))):
        found += [(f"{name}.{end}", chance.choice(ends)) for end in ("min", "max") if chance.random() < 0.2]
    return found


def period(chance: random.Random, bounds: Days) -> Keys:
    """A preset, or a range of days inside the data, partly or completely outside of them, or of one whole month."""
    if chance.random() < 0.4:
        return [("period", chance.choice(list(PRESETS)))] if chance.random() < 0.9 else []
    first, last = days(chance, bounds)
    if chance.random() < 0.1:
        return [("from", str(first))] if first <= bounds[1] else [("to", str(last))]
    return [("from", str(first)), ("to", str(last))]


def days(chance: random.Random, bounds: Days) -> Days:
    length = (bounds[1] - bounds[0]).days + 1
    kind = chance.choice(["inside"] * 3 + ["across"] * 2 + ["outside", "bucket"] + ["calendar"] * 3)
    if kind == "inside":
        inside = sorted(chance.randrange(length) for _ in range(2))
        return bounds[0] + timedelta(inside[0]), bounds[0] + timedelta(inside[1])
    if kind == "across":
        first = bounds[0] + timedelta(chance.randrange(-length, length))
        return first, max(first, bounds[1] + timedelta(chance.randrange(-40, length)))
    if kind == "bucket":
        middle = bounds[0] + timedelta(chance.randrange(length))
        return chance.choice(
            [(middle, middle), (monday := middle - timedelta(middle.weekday()), monday + timedelta(6))]
        )
    if kind == "outside":
        first = chance.choice([bounds[0] - timedelta(chance.randrange(30, 900)), bounds[1] + timedelta(days=1)])
        return first, first + timedelta(chance.randrange(29))
    middle = bounds[0] + timedelta(chance.randrange(length))
    months = chance.choice([1, 1, 3, 12])
    first = date(middle.year, (middle.month - 1) // months * months + 1, 1)
    after = first.month - 1 + months
    return first, date(first.year + after // 12, after % 12 + 1, 1) - timedelta(days=1)


def some(chance: random.Random, names: Any) -> list[str]:
    """None to three of some names, now and then one that does not exist."""
    most = chance.choice([0, 0, 1, 2, MOST_CHOSEN])
    found = chance.sample(list(names), min(most, len(names)))
    return [chance.choice(UNKNOWN) if chance.random() < 0.1 else name for name in found]


def wrong(page: Witness, keys: Keys) -> str:
    """What a page says wrongly below its address; empty when every number is right."""
    found = [*page.wrong(keys), *page.wrong_files(keys)]
    return "\n".join([revenue(keys), *found]) if found else ""


def seeded(name: str) -> random.Random:
    return random.Random(name)  # noqa: S311  # the same states at every run


def test_the_oracle_knows_the_figures_that_the_documents_name(sample_page: Witness) -> None:
    now, before = (sample_page.oracle(version) for version in ("now", "1"))

    found = [str(one.totals(one.bounds, {})[0]) for one in (now, before)]

    assert found == ["3036521.03", "3035021.03"]


def numbers(slow: int) -> list[Any]:
    """All states as parameters: the first at once, up to that one behind the mark `slow`, the rest behind `fuzz`."""
    later = {number: pytest.mark.slow if number < slow else pytest.mark.fuzz for number in range(STATES, MANY_STATES)}
    return [*range(STATES), *(pytest.param(number, marks=mark) for number, mark in later.items())]


@pytest.mark.parametrize("number", numbers(slow=MANY_STATES))
def test_every_number_on_the_sample_is_what_sql_says_at_both_releases(sample_page: Witness, number: int) -> None:
    chosen = state(seeded(f"sample {number}"), sample_page.oracle())

    assert wrong(sample_page, chosen) == ""
    assert wrong(sample_page, [*chosen, ("at", "1")]) == ""


@pytest.mark.parametrize("number", numbers(slow=MORE_STATES))
def test_every_number_on_the_retail_data_is_what_sql_says(retail_page: Witness, number: int) -> None:
    chosen = state(seeded(f"retail {number}"), retail_page.oracle())

    assert wrong(retail_page, chosen) == ""


@pytest.mark.parametrize("length", LENGTHS)
def test_every_number_is_right_where_the_length_of_the_period_decides(retail_page: Witness, length: int) -> None:
    last = retail_page.oracle().bounds[1]

    assert wrong(retail_page, [("from", str(last - timedelta(days=length - 1))), ("to", str(last))]) == ""


STATES_OF_NOTE = {
    "an earlier release says how many of its tests passed": [("at", "1")],
    "a period that goes on after the data is not compared": [("from", "2024-03-01"), ("to", "2024-04-10")],
    "a bucket that is not over is drawn also where empty ones follow": [
        ("from", "2024-01-01"),
        ("to", "2024-05-31"),
        ("grain", "month"),
        ("at", "1"),
    ],
    "the chart is against February, not against the February": [("from", "2024-03-01"), ("to", "2024-03-31")],
    "a whole week is not compared with three days of one": [
        ("from", "2024-03-04"),
        ("to", "2024-03-13"),
        ("grain", "week"),
    ],
}


@pytest.mark.parametrize("name", STATES_OF_NOTE)
def test_what_is_easily_wrong_is_right(sample_page: Witness, name: str) -> None:
    assert wrong(sample_page, STATES_OF_NOTE[name]) == ""
