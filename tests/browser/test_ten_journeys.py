"""Ten questions of business users: clicks and seconds from opening the link to the answer on the screen.

One rule: each answer is checked against the lake. More than three clicks are a failure; seconds are only printed.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.remote.webelement import WebElement

from lakehouse.core import Workspace
from pipelines.create import create_lake
from pipelines.sample.generator import write_sample
from portal import wording
from portal.buckets import following
from tests.bench.measured import show
from tests.browser.conftest import served
from tests.browser.person import Person
from tests.pipelines.lake import Lake

pytestmark = pytest.mark.bench

MOST_CLICKS = 3
ALL = "/revenue?period=all"


class Counted(Person):
    """Somebody whose clicks are counted."""

    clicks = 0

    def _clicked(self, css: str, text: str) -> bool:
        done = super()._clicked(css, text)
        self.clicks += done
        return done

    def write(self, css: str, text: str) -> None:
        """Type into a field."""
        field: WebElement = self.see(css)
        field.send_keys(text)

    def first(self, css: str) -> str:
        """The words of the first element of a selector, once there are some."""
        return str(self.wait(lambda: self.text(css), f"nothing stands in {css}"))


@dataclass(frozen=True)
class Known:
    """What the lake itself says."""

    workspace: Workspace

    def rows(self, **plan: Any) -> list[dict[str, Any]]:
        """The rows of a plan about revenue."""
        rows: list[dict[str, Any]] = self.workspace.measure({"metrics": ["revenue"], **plan}).answer.table.to_pylist()
        return rows

    def revenue(self, **plan: Any) -> str:
        """Revenue as the portal words it in full."""
        return wording.exact(self.rows(**plan)[0]["revenue"])

    def largest(self, dimension: str) -> str:
        """What most was sold of, or where."""
        return str(self.rows(by=[dimension], order=["-revenue"], limit=1)[0][dimension])

    def last_day(self) -> Any:
        """The last day in the data."""
        return self.rows(by=["order_date"], order=["-order_date"], limit=1)[0]["order_date"]


def seen(text: str) -> str:
    """A text as a browser shows it."""
    return " ".join(text.split())


def what_was_sold_in_all(person: Counted, known: Known) -> None:
    person.visit(ALL)
    person.wait_for_tile(known.revenue())


def is_it_fresh(person: Counted, known: Known) -> None:
    person.visit("/")
    person.wait(lambda: wording.day(known.last_day()) in person.text("main"))


def how_was_the_last_year(person: Counted, known: Known) -> None:
    last = known.last_day()
    first = last.replace(day=1, month=last.month % 12 + 1, year=last.year - (last.month < 12))
    time_range = {"from": first.isoformat(), "to": following(last, "day").isoformat()}
    person.visit("/revenue")
    person.choose("Last 30 days", "Last 12 months")
    person.wait_for_tile(known.revenue(time=time_range))


def what_came_from_the_largest_region(person: Counted, known: Known) -> None:
    region = known.largest("region")
    person.visit(ALL)
    person.click(".lp-bars a", region)
    person.wait_for_tile(known.revenue(where=[["region", "=", region]]))


def which_products_sell_most(person: Counted, known: Known) -> None:
    names = [seen(row["product"]) for row in known.rows(by=["product"], order=["-revenue"], limit=20)]
    person.visit(ALL)
    person.click(".lp-segments a", "20")
    person.wait(lambda: all(name in person.text("main") for name in names))


def what_did_one_of_thousands_sell(person: Counted, known: Known) -> None:
    rare = known.rows(by=["product"], order=["revenue"], limit=1)[0]["product"]
    person.visit(ALL)
    person.click(".lp-filters summary", "Product")
    person.write("details[open] input[type=search]", rare)
    person.click("details[open] .lp-choice", seen(rare))
    person.wait_for_tile(known.revenue(where=[["product", "=", rare]]))


def which_line_was_the_largest(person: Counted, known: Known) -> None:
    largest = max(known.workspace.sql('select max(line_total) as "most" from marts.order_lines').table["most"])
    person.visit(ALL)
    person.click(".lp-lines th a", "Line total")
    person.click(".lp-lines th a", "Line total")
    said = wording.exact(Decimal(largest.as_py()))
    person.wait(lambda: said in person.text(".lp-lines tbody tr"))


def how_is_it_computed(person: Counted, known: Known) -> None:
    person.visit(ALL)
    person.click(".lp-tile summary")
    person.click("details[open] a", "About")
    person.wait(lambda: known.workspace.model.metric("revenue").description[:40] in person.text("body"))


def what_did_it_say_then(person: Counted, known: Known) -> None:
    person.visit(ALL)
    person.click("header summary", "Now")
    person.click("details[open] a", "Release 1")
    person.see(".lp-past")
    person.wait_for_tile(Known(known.workspace.at("1")).revenue())


def what_does_a_column_mean(person: Counted, known: Known) -> None:
    person.visit("/data")
    person.click("main a", "Order lines")
    person.wait(lambda: "Units sold on this line" in person.text("main"))


JOURNEYS: tuple[Callable[[Counted, Known], None], ...] = (
    what_was_sold_in_all,
    is_it_fresh,
    how_was_the_last_year,
    what_came_from_the_largest_region,
    which_products_sell_most,
    what_did_one_of_thousands_sell,
    which_line_was_the_largest,
    how_is_it_computed,
    what_did_it_say_then,
    what_does_a_column_mean,
)


@pytest.fixture(scope="module")
def generated_lake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """As many generated lines as the benchmarks have."""
    lake = Lake(create_lake(tmp_path_factory.mktemp("generated") / "lake", "sales"))
    write_sample(lake.home / "data" / "sales.csv", request.config.getoption("--bench-rows", 1_000_000))
    assert lake.start().ending == ("success", 0)
    return lake


@pytest.fixture(params=["retail", "generated"])
def walked(request: pytest.FixtureRequest, dash_br: Any, tmp_path: Path) -> Iterator[tuple[Counted, Known, str]]:
    """Somebody who is logged in, and the lake that they look at."""
    lake: Lake = request.getfixturevalue(f"{request.param}_lake")
    with served(lake, tmp_path / "log") as portal, lake.open() as workspace:
        person = Counted(dash_br.driver, portal.url)
        person.visit("/login")
        person.log_in("ana")
        yield person, Known(workspace), request.param


def test_ten_answers_are_three_clicks_away(walked: tuple[Counted, Known, str]) -> None:
    person, known, name = walked
    lines = []

    for journey in JOURNEYS:
        person.visit("/account")  # from elsewhere
        person.clicks, began = 0, time.perf_counter()
        journey(person, known)
        lines.append((journey.__name__.replace("_", " "), person.clicks, f"{time.perf_counter() - began:.2f}"))

    show(f"Journeys on the {name} lake", ("what", "clicks", "seconds"), lines)
    assert max(clicks for _, clicks, _ in lines) <= MOST_CLICKS
