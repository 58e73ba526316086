"""Tiles, sparklines and bars: what they say, and that nothing rests on colour alone."""

import re
from collections.abc import Collection
from decimal import Decimal
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.components.bars import Bar, bars
from portal.components.spark import Values, spark
from portal.components.tile import Change, Tile, tile, tiles
from tests.portal.look.drawn import Node, found, nodes, text, tree, types

SVG = "{http://www.w3.org/2000/svg}"


def drawing(values: Values, in_part: Collection[int] = ()) -> list[tuple[str, bool]]:
    """The paths of a sparkline, and whether each is dotted."""
    image = tree(spark(values, in_part))["props"]["style"]["maskImage"]
    address = re.fullmatch(r'url\("data:image/svg\+xml,([^"]+)"\)', image)
    assert address is not None
    picture = ElementTree.fromstring(unquote(address[1]))  # noqa: S314  # we have just written it
    return [(path.attrib["d"], "stroke-dasharray" in path.attrib) for path in picture.iter(f"{SVG}path")]


def widths(rows: list[Bar]) -> list[dict[str, str]]:
    """The places of all bars."""
    return [node["props"]["style"] for node in found(bars(rows, "Revenue by region"), "lp-bar")]


def test_a_tile_says_its_change_by_word_arrow_and_colour() -> None:
    shown = tile(Tile("Orders", "495", "495", Change("51.8 %", "up", "better", "26 weeks before")))

    change = found(shown, "lp-change")[0]
    assert " ".join(text(change).split()) == "up 51.8 % vs 26 weeks before"
    assert [found(shown, name) != [] for name in ("is-rise", "lp-better", "is-fall", "lp-worse")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_tile_without_change_says_it_once() -> None:
    shown = tile(Tile("Orders", "495", "495", Change("no change", "same", "neutral", "26 weeks before")))

    change = found(shown, "lp-change")[0]
    assert " ".join(text(change).split()) == change["props"]["title"] == "no change vs 26 weeks before"


def test_whether_a_fall_is_good_is_not_read_from_its_direction() -> None:
    shown = tile(Tile("Returns", "3", "3", Change("10 %", "down", "better", "2010")))

    assert [found(shown, name) != [] for name in ("is-fall", "lp-better")] == [True, True]


def test_the_exact_value_is_the_title_of_the_short_one() -> None:
    value = found(tile(Tile("Revenue", "408.5 k", "408,524.83")), "lp-value")[0]

    assert (text(value), value["props"]["title"]) == ("408.5 k", "408,524.83")


def test_a_tile_without_an_earlier_period_says_so() -> None:
    shown = tile(Tile("Orders", "495", "495", note="No earlier period"))

    assert text(found(shown, "lp-change")[0]) == "No earlier period"
    assert found(shown, "is-rise") == []


@pytest.mark.parametrize(("versus", "tail"), [("26 weeks before", [" before"]), ("2010", []), ("May 2010", [])])
def test_only_the_last_of_several_words_may_go(versus: str, tail: list[str]) -> None:
    shown = tile(Tile("Orders", "495", "495", Change("1 %", "up", "neutral", versus)))

    assert [text(node) for node in found(shown, "lp-tail")] == tail
    assert text(found(shown, "lp-change")[0]).endswith(f"vs {versus}")


def test_a_row_of_tiles_has_a_name() -> None:
    assert tree(tiles([Tile("Orders", "1", "1")]))["props"]["aria-label"] == "Key figures"


def test_a_sparkline_leaves_gaps_and_marks_lonely_points() -> None:
    paths = drawing([1, 2, None, 3, None, 5, 4])

    assert paths == [("M4 970L169.3 735M830.7 30L996 265", False), ("M500 500h.01", False)]


def test_the_end_of_a_sparkline_that_is_not_over_is_dotted() -> None:
    assert drawing([0, 1, 0], in_part=[2]) == [("M4 970L500 30", False), ("M500 30L996 970", True)]


def test_the_running_value_of_a_sparkline_is_dotted_also_before_empty_ones() -> None:
    assert drawing([0, 1, 0, None, None], in_part=[2, 3, 4]) == [("M4 970L252 30", False), ("M252 30L500 970", True)]


def test_a_part_in_the_middle_is_dotted_on_both_sides() -> None:
    assert drawing([0, 1, 0], in_part=[1]) == [("M4 970L500 30L996 970", True)]


def test_a_line_that_never_changes_is_flat_in_the_middle() -> None:
    assert drawing([7, 7, 7]) == [("M4 500L500 500L996 500", False)]


@pytest.mark.parametrize("values", [[], [None], [None, None]])
def test_nothing_known_draws_nothing(values: list[None]) -> None:
    assert "style" not in tree(spark(values))["props"]


@given(
    values=st.lists(st.none() | st.decimals(-(10**12), 10**12, places=2), max_size=50),
    in_part=st.sets(st.integers(0, 50)),
)
def test_every_sparkline_stays_inside_its_picture(values: list[Decimal | None], in_part: set[int]) -> None:
    if all(value is None for value in values):
        return

    places = [
        float(number) for path, _ in drawing(values, in_part) for number in re.findall(r"-?[\d.]+(?:e[+-]\d+)?", path)
    ]

    assert all(0 <= place <= 1000 for place in places)


def test_bars_are_as_long_as_their_part_of_the_largest() -> None:
    rows = [Bar("Netherlands", 200, "200.00"), Bar("France", Decimal("50.00"), "50.00"), Bar("Spain", 0, "0.00")]

    assert widths(rows) == [{"left": "0%", "width": "100%"}, {"left": "0%", "width": "25%"}]


def test_a_negative_bar_goes_left_from_a_line_at_zero() -> None:
    rows = [Bar("North", 300, "300"), Bar("South", -100, "−100")]

    shown = bars(rows, "Change")

    assert widths(rows) == [{"left": "25%", "width": "75%"}, {"left": "0%", "width": "25%"}]
    assert [node["props"]["style"] for node in found(shown, "lp-zero")] == [{"left": "25%"}] * 2
    assert len(found(shown, "is-negative")) == 1


def test_other_has_no_bar_and_does_not_set_the_scale() -> None:
    rows = [Bar("Postage", 10, "10.00"), Bar("Other, 1,937 products", None, "9,000.00", note="82.6 % of all")]

    shown = bars(rows, "Revenue by product")

    assert [style["width"] for style in widths(rows)] == ["100%"]
    assert text(found(shown, "is-other")[0]) == "Other, 1,937 products82.6 % of all9,000.00"


def test_an_earlier_value_is_an_outline_on_the_same_scale() -> None:
    shown = bars([Bar("North", 50, "50", before=100)], "Revenue by region")

    assert [node["props"]["style"]["width"] for node in found(shown, "is-compare")] == ["100%"]


def test_a_row_is_a_link_that_says_whether_it_is_chosen() -> None:
    rows = [Bar("North", 2, "2.00", "?region=North", chosen=True), Bar("South", 1, "1.00", "?region=South")]

    shown = bars(rows, "Revenue by region")

    links = types(shown, "A")
    assert [link["props"]["href"] for link in links] == ["?region=North", "?region=South"]
    assert [link["props"].get("aria-current") for link in links] == ["true", None]
    assert [text(node) for node in found(shown, "is-dimmed")] == ["South1.00"]


def test_with_nothing_chosen_nothing_is_dimmed() -> None:
    shown = bars([Bar("North", 2, "2.00"), Bar("South", 1, "1.00")], "Revenue by region")

    assert found(shown, "is-dimmed") == []
    assert types(shown, "A") == []


@given(sizes=st.lists(st.decimals(-(10**9), 10**9, places=2), max_size=12))
def test_every_bar_stays_on_its_track(sizes: list[Decimal]) -> None:
    styles = widths([Bar("x", size, str(size)) for size in sizes])

    edges = [(float(style["left"][:-1]), float(style["width"][:-1])) for style in styles]
    assert all(left >= -0.01 and width >= 0 and left + width <= 100.02 for left, width in edges)


def test_the_list_of_bars_has_a_name_and_its_rows_are_items() -> None:
    shown = tree(bars([Bar("North", 1, "1.00")], "Revenue by region"))

    assert (shown["type"], shown["props"]["aria-label"]) == ("Ol", "Revenue by region")
    assert [node["type"] for node in direct(shown)] == ["Li"]


def direct(node: Node) -> list[Node]:
    """The parts right below another."""
    return list(node["props"]["children"])


def test_no_bar_is_read_out() -> None:
    shown = bars([Bar("North", 1, "1.00", before=2)], "Revenue by region")

    assert [node["props"]["aria-hidden"] for node in nodes(shown) if node["props"].get("className") == "lp-track"] == [
        "true"
    ]
