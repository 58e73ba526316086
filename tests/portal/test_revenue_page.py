"""What the revenue page does, asked over HTTP: its links, the search, the past, what it says beside its numbers.

One rule: what a link says is what the page behind it shows.
"""

import re
from collections.abc import Iterator

import pytest

from lakehouse.core import Lakehouse
from tests.pipelines.lake import Lake
from tests.portal import finding
from tests.portal.page_numbers import read
from tests.portal.visitor import Shown, Visitor
from tests.portal.witness import viewing

LATE = "/revenue?from=2024-03-31&to=2024-03-31"
MENUS = ("Period", "Grain", "Compare", "Region", "Product")


@pytest.fixture(scope="module")
def viewer(sample_lake: Lake) -> Iterator[Visitor]:
    """A viewer of the sample lake."""
    with Lakehouse.open(sample_lake.home) as lakehouse, viewing(lakehouse, "page-viewer") as visitor:
        yield visitor


def finds(visitor: Visitor, words: str, search: str = "") -> Shown:
    """What is found when somebody types into the search for products."""
    return finding.shown(finding.ask(visitor, "product", words, search), "product")


def menu(shown: Shown, name: str) -> Shown:
    """One of the menus of the filter bar."""
    return shown.one("lp-filters").of_class("lp-pop")[MENUS.index(name)]


def choices(shown: Shown, name: str) -> list[str]:
    """What a menu offers."""
    return [row.text for row in menu(shown, name).of_class("lp-choice")]


def chosen(shown: Shown, name: str) -> list[str]:
    """What is chosen in a menu."""
    return [row.text for row in menu(shown, name).of_class("lp-choice") if "aria-current" in row.props]


def bar(shown: Shown, name: str) -> Shown:
    """The row of a region or product."""
    return next(row for row in shown.of_class("lp-bars-row") if Shown(row.props["children"][0]).text == name)


def test_the_line_that_came_later_is_on_the_page_and_not_in_the_past(viewer: Visitor) -> None:
    now, past = (read(viewer.page(address)) for address in (LATE, f"{LATE}&at=1"))

    assert now.tiles[0].exact == "1,500.00"
    assert now.chart.table == (("Sun, 31 Mar 2024", "1,500.00", "32,058.46"),)
    assert [tile.exact for tile in past.tiles] == ["–", "0", "0", "–", "–"]
    assert past.chart.table == ()


def test_the_last_day_shown_is_the_last_one_of_the_release(viewer: Visitor) -> None:
    last = [read(viewer.page(address)).chart.table[-1][:2] for address in ("/revenue", "/revenue?at=1")]

    assert last == [("Sun, 31 Mar 2024", "1,500.00"), ("Sat, 30 Mar 2024", "32,058.46")]


@pytest.mark.parametrize(("query", "release"), [("", "2"), ("?at=2", "2"), ("?at=1", "1"), ("?region=Nowhere", "2")])
def test_an_answer_names_the_release_that_it_was_read_from(viewer: Visitor, query: str, release: str) -> None:
    assert viewer.show(f"/revenue{query}").headers["X-Lakeport-Release"] == release


def test_an_answer_without_data_names_no_release(viewer: Visitor) -> None:
    assert "X-Lakeport-Release" not in viewer.show("/revenue?at=999").headers


def test_a_click_on_a_bar_filters_by_it_and_another_one_releases_it(viewer: Visitor) -> None:
    start = "/revenue?period=all&top=20"

    one = viewer.page(bar(viewer.page(start), "West").props["href"])
    two = viewer.page(bar(one, "Laptop").props["href"])
    back = bar(viewer.page(bar(two, "Laptop").props["href"]), "West").props["href"]

    assert read(one).tiles[0].exact == "664,975.76"
    assert [[row.name for row in ranking.bars if row.chosen] for ranking in read(two).rankings] == [
        ["West"],
        ["Laptop"],
    ]
    assert back == start


@pytest.mark.parametrize("start", ["?period=last-90-days&region=West&top=20&at=1", "?from=2024-01-15&grain=week", ""])
def test_every_link_of_the_filters_leads_where_it_says(viewer: Visitor, start: str) -> None:
    shown = viewer.page(f"/revenue{start}")
    offered = [(name, text) for name in MENUS for text in choices(shown, name)]
    assert len(offered) > 20
    for name, text in offered:
        was = chosen(shown, name)

        there = viewer.page(menu(shown, name).links[text])

        assert there.of_class("lp-error") == [], (name, text)
        assert bool(there.of_class("lp-asof")) == ("at=1" in start), (name, text)
        if name in ("Period", "Grain", "Compare"):
            assert chosen(there, name) == [text]
            said = read(there).filters.buttons[MENUS.index(name)]
            assert said == (text if name != "Compare" else f"Compare|{text.lower()}")
        elif text.startswith("All "):
            assert chosen(there, name) == [text]
        else:
            assert (text in chosen(there, name)) is not (text in was), (name, text)


def test_reset_and_the_way_out_of_an_empty_page_stay_at_the_release(viewer: Visitor) -> None:
    shown = viewer.page("/revenue?period=all&region=Nowhere&grain=week&top=20&at=1")

    reset = next(one for text, one in shown.one("lp-filters").links.items() if text == "Reset")
    ways_out = {one for panel in shown.of_class("lp-empty") for one in panel.links.values()}

    assert {reset, *ways_out} == {"/revenue?at=1"}


@pytest.mark.parametrize(
    ("words", "found"),
    [("apt", ["Laptop"]), ("ous", ["Mouse"]), ("o", ["Monitor", "Keyboard", "Mouse", "Laptop"]), ("%", [])],
)
def test_a_product_is_found_by_a_part_of_its_name_the_largest_first(
    viewer: Visitor, words: str, found: list[str]
) -> None:
    assert list(finds(viewer, words).links) == found


@pytest.mark.parametrize("words", ["lap", "LAPTOP", "pT"])
def test_a_product_is_found_whatever_its_capitals(viewer: Visitor, words: str) -> None:
    assert list(finds(viewer, words).links) == ["Laptop"]


def test_a_product_that_was_found_is_added_to_what_the_address_says(viewer: Visitor) -> None:
    found = finds(viewer, "apt", "?region=North&product=Mouse&at=1")

    assert found.links == {
        "Mouse": "/revenue?region=North&at=1",
        "Laptop": "/revenue?region=North&at=1&product=Mouse&product=Laptop",
    }


def test_a_search_that_finds_nothing_says_so(viewer: Visitor) -> None:
    assert finds(viewer, "zither").text == "No other product has that in its name."


def test_the_control_in_the_header_names_the_release_and_its_age_and_offers_the_others(viewer: Visitor) -> None:
    control = viewer.page("/revenue?region=West").one("lp-header").of_class("lp-pop")[0]

    assert re.search(r"Now · release 2, (just now|\d+ min ago)", control.text)
    assert control.of_class("lp-past") == []
    assert {text.partition(" ·")[0]: address for text, address in control.links.items()} == {
        "Now": "/revenue?region=West",
        "Release 2": "/revenue?region=West&at=2",
        "Release 1": "/revenue?region=West&at=1",
    }


@pytest.mark.parametrize(("number", "later"), [(1, "before 1 later release"), (2, "the newest one")])
def test_the_past_is_named_and_left_by_one_click(viewer: Visitor, number: int, later: str) -> None:
    shown = viewer.page(f"/revenue?region=West&at={number}")

    assert re.search(rf"looking at the past\. Release {number}, .* \d\d:\d\d, {later}", shown.one("lp-asof").text)
    assert shown.one("lp-asof").links == {"Back to now": "/revenue?region=West"}
    assert shown.one("lp-past").text.startswith(f"Version of the data: Release {number} ·")


def test_now_has_no_bar_of_the_past(viewer: Visitor) -> None:
    assert viewer.page("/revenue").of_class("lp-asof") == []


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("period=all", "No earlier data"),
        ("period=last-90-days&at=1", "No earlier data"),
        ("period=last-90-days", "Data begin on 1 Jan 2024"),
        ("period=this-year", "No earlier data"),
        ("region=Nowhere", "Nothing to compare with"),
    ],
)
def test_a_tile_says_why_there_is_nothing_to_compare_with(viewer: Visitor, query: str, note: str) -> None:
    assert {(tile.note, tile.change) for tile in read(viewer.page(f"/revenue?{query}")).tiles} == {(note, "")}


def test_a_week_that_is_not_over_says_so_and_is_not_compared(viewer: Visitor) -> None:
    chart = read(viewer.page("/revenue?grain=week&at=1")).chart

    assert chart.table[-1][0] == chart.boxes[-1].head == "25 Mar – 31 Mar 2024, so far"
    assert [bool(box.change) for box in chart.boxes] == [False, True, True, True, False]
    assert chart.names == ("30 days before", "This period, so far")
    assert chart.dotted == (0, 3)


@pytest.mark.parametrize(("theme", "colors"), [("dark", {"#83a8ff", "#637fc0"}), ("light", {"#2457d6", "#6689e2"})])
def test_the_figure_has_the_colours_of_the_theme(viewer: Visitor, theme: str, colors: set[str]) -> None:
    viewer.client.set_cookie("lakeport_theme", theme)

    figure = viewer.page("/revenue").by_id("revenue-over-time").props["figure"]

    viewer.client.delete_cookie("lakeport_theme")
    assert {trace["line"]["color"] for trace in figure["data"] if "line" in trace} == colors
