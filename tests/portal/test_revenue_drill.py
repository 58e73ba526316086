"""The way down into time on the revenue page, and up again: links of the chart, of its table, of the steps above it.

One rule: the chart's links and those of its table are the same.
"""

from collections.abc import Iterator
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest

from lakehouse.core import Lakehouse
from portal.page import Visit
from portal.periods import Span, custom, preset
from portal.revenue.drill import steps, way
from tests.pipelines.lake import Lake
from tests.portal.page_numbers import read
from tests.portal.visitor import Shown, Visitor
from tests.portal.witness import viewing

BOUNDS = Span(date(2009, 12, 1), date(2011, 12, 9))


@pytest.fixture(scope="module")
def viewer(sample_lake: Lake) -> Iterator[Visitor]:
    with Lakehouse.open(sample_lake.home) as lakehouse, viewing(lakehouse, "drill-viewer") as visitor:
        yield visitor


def points(shown: Shown) -> list[str]:
    """Where the points of the chart lead."""
    links: list[str] = shown.by_id("revenue-over-time").props["figure"]["data"][-1]["meta"]["links"]
    return links


def rows(shown: Shown) -> dict[str, str]:
    """Where the rows of the table under the chart lead."""
    return shown.by_id("content").of_class("lp-fold")[0].links


def trail(shown: Shown) -> dict[str, str]:
    return shown.one("lp-trail").links


def said(visitor: Visitor, address: str) -> tuple[str, str]:
    """The period and the grain of a page."""
    period, grain, *_ = read(visitor.page(address)).filters.buttons
    return period, grain


@pytest.mark.parametrize("query", ["period=all&grain=month&region=West&at=1&compare=off", "grain=week", ""])
def test_a_point_and_its_row_lead_to_the_same_bucket(viewer: Visitor, query: str) -> None:
    shown = viewer.page(f"/revenue?{query}")

    kept = {key: value for key, value in parse_qs(query).items() if key not in ("period", "grain")}
    assert points(shown) == list(rows(shown).values())
    for text, href in rows(shown).items():
        asked = parse_qs(urlsplit(href).query)
        assert {key: value for key, value in asked.items() if key not in ("from", "to", "grain")} == kept
        assert asked["grain"] == ["day"]
        assert (
            viewer.page(href)
            .one("lp-trail")
            .text.endswith(text.removesuffix(", so far").removesuffix(", in part")[-4:])
        )


def test_from_years_down_to_a_day_and_up_again(viewer: Visitor) -> None:
    address, found = "/revenue?period=all&grain=year&region=West", []
    for place in (0, 0, 1, 13):
        address = points(viewer.page(address))[place]
        found.append(said(viewer, address))
    day = viewer.page(address)
    up = points(day)

    assert found == [("2024", "Quarter"), ("Q1 2024", "Month"), ("February 2024", "Day"), ("14 Feb 2024", "Day")]
    assert list(trail(day)) == ["All data", "2024", "Q1 2024", "Feb 2024"]
    assert up == [trail(day)["Feb 2024"]]
    assert said(viewer, up[0]) == ("February 2024", "Day")
    assert trail(day)["All data"] == "/revenue?region=West&period=all"


def test_what_a_bucket_shows_is_what_its_point_said(viewer: Visitor) -> None:
    month = viewer.page("/revenue?period=all&grain=month&region=West")
    value = read(month).chart.table[1][1]

    assert read(viewer.page(points(month)[1])).tiles[0].exact == value


@pytest.mark.parametrize("query", ["", "period=all", "from=2024-01-02&to=2024-02-03", "period=last-90-days"])
def test_days_that_are_no_bucket_have_no_steps(viewer: Visitor, query: str) -> None:
    assert viewer.page(f"/revenue?{query}").of_class("lp-trail") == []


def test_an_empty_bucket_still_says_where_it_lies(viewer: Visitor) -> None:
    shown = viewer.page("/revenue?from=2020-05-01&to=2020-05-31")

    assert list(trail(shown)) == ["All data", "2020", "Q2 2020"]


@pytest.mark.parametrize(
    ("first", "last", "texts"),
    [
        (date(2011, 1, 1), date(2011, 12, 31), ["All data", "2011"]),
        (date(2011, 10, 1), date(2011, 12, 31), ["All data", "2011", "Q4 2011"]),
        (date(2011, 11, 1), date(2011, 11, 30), ["All data", "2011", "Q4 2011", "Nov 2011"]),
        (date(2011, 11, 7), date(2011, 11, 13), ["All data", "2011", "Q4 2011", "Nov 2011", "7 Nov – 13 Nov 2011"]),
        (date(2011, 10, 31), date(2011, 11, 6), ["All data", "2011", "Q4 2011", "31 Oct – 6 Nov 2011"]),
        (date(2010, 12, 27), date(2011, 1, 2), ["All data", "27 Dec 2010 – 2 Jan 2011"]),
        (date(2011, 11, 7), date(2011, 11, 12), []),
        (date(2011, 11, 7), date(2011, 11, 7), ["All data", "2011", "Q4 2011", "Nov 2011", "Mon, 7 Nov 2011"]),
    ],
)
def test_the_steps_are_the_buckets_that_hold_all_of_it(first: date, last: date, texts: list[str]) -> None:
    assert [step.text for step in steps(custom(first, last, BOUNDS), Visit("/revenue"))] == texts


def test_a_preset_that_is_a_bucket_has_steps_too() -> None:
    bounds = Span(date(2010, 3, 1), date(2011, 12, 31))

    assert [step.text for step in steps(preset("this-year", bounds), Visit("/revenue"))] == ["All data", "2011"]
    assert steps(preset("all", Span(date(2011, 1, 1), date(2011, 12, 31))), Visit("/revenue")) == ()


@pytest.mark.parametrize(
    ("first", "last", "grain", "up"),
    [
        (date(2011, 1, 1), date(2011, 12, 31), "year", "period=all"),
        (date(2011, 10, 1), date(2011, 12, 31), "quarter", "from=2011-01-01&to=2011-12-31&grain=quarter"),
        (date(2011, 11, 7), date(2011, 11, 13), "week", "from=2011-11-01&to=2011-11-30&grain=day"),
    ],
)
def test_the_only_bucket_leads_one_step_up(first: date, last: date, grain: str, up: str) -> None:
    visit = Visit("/revenue", (("from", str(first)), ("to", str(last)), ("grain", grain)))

    assert way(first, grain, custom(first, last, BOUNDS), visit) == f"/revenue?{up}"
