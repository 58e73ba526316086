"""What stands at the axes of figures: short numbers and dates in the lake's formats, few enough to be read."""

from datetime import date, timedelta

import pytest

from portal import wording
from portal.figures.axes import breadth, scale
from portal.figures.theme import DARK, LIGHT, Theme
from portal.figures.time_series import Point, Words, time_series
from portal.formats import using
from portal.locales import formats_of

MONDAY = date(2011, 6, 13)


def weeks(count: int) -> list[Point]:
    """Some weeks, named as a page names them."""
    starts = [MONDAY + timedelta(weeks=number) for number in range(count)]
    return [
        Point(start, wording.bucket_text(start, "week"), wording.bucket_short(start, "week"), 2_500 * number)
        for number, start in enumerate(starts)
    ]


@pytest.mark.parametrize(
    ("name", "numbers", "days"),
    [
        ("en_GB", ["0", "2.5k", "5k", "7.5k", "10k"], ["13 Jun", "20 Jun", "27 Jun", "4 Jul", "11 Jul"]),
        ("de_DE", ["0", "2,5k", "5k", "7,5k", "10k"], ["13. Juni", "20. Juni", "27. Juni", "4. Juli", "11. Juli"]),
        ("ja_JP", ["0", "2.5k", "5k", "7.5k", "10k"], ["6月13日", "6月20日", "6月27日", "7月4日", "7月11日"]),
    ],
)
def test_axes_are_written_in_the_lakes_formats(name: str, numbers: list[str], days: list[str]) -> None:
    with using(formats_of(name)):
        layout = time_series(weeks(5), Words("Revenue"), LIGHT)["layout"]

    assert layout["yaxis"]["ticktext"] == numbers
    assert layout["xaxis"]["ticktext"] == days


def test_a_mark_says_what_any_other_short_number_says() -> None:
    values = (-3.0, 0.0, 0.1, 2_500.0, 40_000.0, 1_300_000.0, 5e12)

    assert [scale([value]).texts for value in values] == [
        tuple(wording.axis(mark) for mark in scale([value]).marks) for value in values
    ]


@pytest.mark.parametrize(
    ("text", "characters"), [("", 0), ("31 Dec", 6), ("30. Sept.", 9), ("12月31日", 8), ("\u20674 مارس\u2069", 6)]
)
def test_wide_characters_count_twice_and_unseen_ones_not(text: str, characters: int) -> None:
    assert breadth(text) == characters


def test_wide_marks_are_fewer() -> None:
    marks = {}
    for name in ("en_GB", "ja_JP"):
        with using(formats_of(name)):
            marks[name] = time_series(weeks(6), Words("Revenue"), LIGHT)["layout"]["xaxis"]["ticktext"]

    assert len(marks["ja_JP"]) < len(marks["en_GB"]) == 6


@pytest.mark.parametrize("shown", [LIGHT, DARK], ids=lambda shown: shown.name)
def test_the_grid_is_horizontal_and_zero_has_a_line_of_its_own(shown: Theme) -> None:
    layout = time_series(weeks(5), Words("Revenue"), shown)["layout"]

    across, up = layout["xaxis"], layout["yaxis"]
    assert (across["showgrid"], across["zeroline"], across["showline"]) == (False, False, False)
    assert (up["showgrid"], up["gridcolor"], up["showline"]) == (True, shown.line, False)
    assert (up["zeroline"], up["zerolinecolor"]) == (True, shown.edge)
    assert up["range"][0] == 0
