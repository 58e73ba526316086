"""About a number of the revenue page: what the panel says, how it is opened and closed, and what it never shows.

One rule: the number in the panel is the one on the page, and the SQL beside it gives it.
"""

import json
from collections.abc import Iterator

import pytest

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse
from lakehouse.metrics.model import Model
from portal.revenue.about import formula
from tests.pipelines.lake import Lake
from tests.portal.expected_about import METRICS
from tests.portal.page_numbers import read
from tests.portal.visitor import Shown, Visitor
from tests.portal.witness import viewing

FIGURES = (*METRICS, "over-time", "region", "product", "lines")


@pytest.fixture(scope="module")
def lakehouse(sample_lake: Lake) -> Iterator[Lakehouse]:
    with Lakehouse.open(sample_lake.home) as opened:
        yield opened


@pytest.fixture(scope="module")
def viewer(lakehouse: Lakehouse) -> Iterator[Visitor]:
    with viewing(lakehouse, "about-viewer") as visitor:
        yield visitor


def menus(shown: Shown) -> dict[str, Shown]:
    """The menus of tiles and cards, by what they are read out as."""
    pops = [pop for pop in shown.by_id("content").of_class("lp-pop") if "More on" in pop.text]
    return {pop.of_class("lp-pop-body")[0].props["aria-label"]: pop for pop in pops}


def test_every_tile_and_every_card_explains_its_own_number(viewer: Visitor) -> None:
    shown = viewer.page("/revenue?region=West&at=1")

    links = {name: next(iter(menu.links.items())) for name, menu in menus(shown).items()}

    assert {name.removeprefix("More on "): href.rpartition("=")[2] for name, (_, href) in links.items()} == {
        "Revenue": "revenue",
        "Orders": "orders",
        "Customers": "customers",
        "Units": "units",
        "Average order value": "average_order_value",
        "Revenue by day, EUR": "over-time",
        "Revenue by region, EUR": "region",
        "Revenue by product, EUR": "product",
        "Order lines": "lines",
    }
    assert {text for text, _ in links.values()} == {"About this number", "About these numbers"}
    assert all(href.startswith("/revenue?region=West&at=1&about=") for _, href in links.values())


def test_every_menu_leads_to_the_files_of_what_it_stands_on(viewer: Visitor) -> None:
    for menu in menus(viewer.page("/revenue?region=West&compare=off")).values():
        files = [href for href in menu.links.values() if href.startswith("/export/")]
        csv = next(href for href in files if ".csv" in href)
        assert "region=West" in csv
        assert viewer.get(csv).status_code == 200


def test_nothing_is_explained_unless_it_is_asked(viewer: Visitor) -> None:
    assert viewer.page("/revenue").of_class("lp-about") == []


@pytest.mark.parametrize("figure", FIGURES)
def test_a_panel_is_closed_by_a_link_to_the_page_without_it(viewer: Visitor, figure: str) -> None:
    panel = viewer.page(f"/revenue?region=West&about={figure}&at=1").one("lp-about")

    close = [one for one in panel.walk() if "data-lp-close" in one["props"]]

    assert [one["props"]["href"] for one in close] == ["/revenue?region=West&at=1"]


@pytest.mark.parametrize("place", range(len(METRICS)))
def test_the_number_that_is_explained_is_that_of_the_tile(viewer: Visitor, place: int) -> None:
    name = list(METRICS)[place]

    page = read(viewer.page(f"/revenue?region=West&customer_id=CUST-0001&period=all&about={name}"))

    assert dict(page.about.said)["Value"] == page.tiles[place].exact
    assert dict(page.about.said)["Filters"] == "Region: West|Customer: CUST-0001"


def test_an_unknown_figure_is_named_with_those_that_there_are(viewer: Visitor) -> None:
    said = viewer.page("/revenue?about=profit").one("lp-error").text

    assert "No number to explain named 'profit'." in said
    assert "average_order_value, customers, lines, orders, over-time, product, region, revenue, units" in said


def test_the_panel_is_as_old_as_the_page(viewer: Visitor) -> None:
    now, past = (dict(read(viewer.page(f"/revenue?about=revenue{at}")).about.said) for at in ("", "&at=1"))

    assert (now["Release"][:10], past["Release"][:10]) == ("Release 2,", "Release 1,")


def test_a_formula_is_words(lakehouse: Lakehouse) -> None:
    definitions = lakehouse.as_user(operator()).release.definitions
    assert definitions is not None
    model = Model.from_json(json.loads(json.dumps(definitions["model"])))

    assert {metric.name: formula(metric) for metric in model.metrics if metric.name in ("orders", "units")} == {
        "orders": "The number of different values of order_id",
        "units": "The sum of quantity",
    }
    assert formula(model.metric("average_order_value")).endswith("order_id, rounded to 2 decimals")
