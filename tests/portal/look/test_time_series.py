"""The line over time: gaps stay gaps, what is not over is dotted, and only the theme's colours are used."""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.figures.theme import DARK, LIGHT, Theme
from portal.figures.time_series import LABEL_GAP, Point, Words, ends, time_series

WORDS = Words("Revenue", before="26 weeks before")
MONDAY = date(2011, 6, 13)

values = st.none() | st.decimals(-(10**12), 10**12, places=2)


def point(number: int, value: Decimal | int | None, before: Decimal | int | None = None, whole: bool = True) -> Point:
    """A week."""
    start = MONDAY + timedelta(weeks=number)
    shown = "no data" if value is None else f"{value:,}"
    return Point(start, f"week of {start}", f"{start.day} {start:%b}", value, before, whole, value_text=shown)


def weeks(*values: int | None, last_is_whole: bool = True, first_is_whole: bool = True) -> list[Point]:
    """Weeks with these values."""
    ends = {0: first_is_whole, len(values) - 1: last_is_whole}
    return [point(number, value, whole=ends.get(number, True)) for number, value in enumerate(values)]


def lines(figure: dict[str, Any], dash: str) -> list[list[float | None]]:
    """The values of the lines of a kind."""
    return [trace["y"] for trace in figure["data"] if trace.get("line", {}).get("dash") == dash]


def seen(figure: dict[str, Any]) -> list[tuple[int, float]]:
    """The points that are drawn as such."""
    marked = [trace for trace in figure["data"] if trace["mode"] == "markers" and "opacity" not in trace["marker"]]
    return [place for trace in marked for place in zip(trace["x"], trace["y"], strict=True)]


def colors(part: Any) -> Iterator[str]:
    """Every colour in a figure."""
    for name, value in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        if isinstance(name, str) and name.endswith("color") and isinstance(value, str):
            yield value
        yield from colors(value)


@given(
    rows=st.lists(st.tuples(values, values), max_size=60),
    first_is_whole=st.booleans(),
    last_is_whole=st.booleans(),
    words=st.sampled_from([WORDS, Words("Revenue")]),
    theme=st.sampled_from([LIGHT, DARK]),
)
def test_every_figure_is_one_that_plotly_knows_in_the_themes_colours(
    rows: list[tuple[Decimal | None, Decimal | None]],
    first_is_whole: bool,
    last_is_whole: bool,
    words: Words,
    theme: Theme,
) -> None:
    whole = {0: first_is_whole, len(rows) - 1: last_is_whole}
    points = [point(number, now, before, whole.get(number, True)) for number, (now, before) in enumerate(rows)]

    figure = time_series(points, words, theme)

    go.Figure(json.loads(json.dumps(figure)))
    known = {theme.series[0], theme.compare, theme.muted, theme.line, theme.edge, theme.surface, theme.ink}
    assert set(colors(figure)) - known == {"rgba(0,0,0,0)"}


@given(rows=st.lists(values, min_size=1, max_size=60), last_is_whole=st.booleans())
def test_every_value_is_drawn_once_and_no_other(rows: list[Decimal | None], last_is_whole: bool) -> None:
    points = [point(number, value, whole=last_is_whole or number < len(rows) - 1) for number, value in enumerate(rows)]

    figure = time_series(points, Words("Revenue"), LIGHT)

    reached = set(seen(figure))
    for values in lines(figure, "solid") + lines(figure, "3px,3px"):
        framed = [None, *values, None]
        reached |= {
            (index, value)
            for index, value in enumerate(values)
            if value is not None and (framed[index] is not None or framed[index + 2] is not None)
        }
    assert reached == {(index, float(value)) for index, value in enumerate(rows) if value is not None}


@given(rows=st.lists(st.tuples(values, values), min_size=1, max_size=60))
def test_the_axis_holds_every_value_and_zero_and_its_marks_ascend(
    rows: list[tuple[Decimal | None, Decimal | None]],
) -> None:
    points = [point(number, now, before) for number, (now, before) in enumerate(rows)]

    axis = time_series(points, WORDS, LIGHT)["layout"]["yaxis"]

    low, high = axis["range"]
    assert all(low <= float(value) <= high for row in rows for value in (*row, 0) if value is not None)
    assert axis["tickvals"] == sorted(axis["tickvals"])
    assert "0" in axis["ticktext"]
    assert len(axis["ticktext"]) == len(set(axis["ticktext"])) <= 7


@given(rows=st.lists(st.tuples(values, values), max_size=40), last_is_whole=st.booleans())
def test_labels_stand_inside_the_plot_and_apart(
    rows: list[tuple[Decimal | None, Decimal | None]], last_is_whole: bool
) -> None:
    points = [
        point(number, now, before, whole=last_is_whole or number < len(rows) - 1)
        for number, (now, before) in enumerate(rows)
    ]

    depths = [end.depth for end in ends(points, WORDS)]

    assert all(0 <= depth <= 1 for depth in depths)
    assert len(depths) < 2 or abs(depths[0] - depths[1]) >= LABEL_GAP - 1e-9


def test_a_missing_value_is_a_gap_and_a_value_between_gaps_a_point() -> None:
    figure = time_series(weeks(1, 2, None, 4, None, 6, 7), WORDS, LIGHT)

    assert lines(figure, "solid") == [[1, 2, None, 4, None, 6, 7]]
    assert all(trace["connectgaps"] is False for trace in figure["data"] if trace["mode"] == "lines")
    assert seen(figure) == [(3, 4)]


def test_an_unfinished_end_is_dotted_from_the_last_whole_bucket() -> None:
    figure = time_series(weeks(1, 2, 3, 4, last_is_whole=False), WORDS, LIGHT)

    assert lines(figure, "solid") == [[1, 2, 3, None]]
    assert lines(figure, "3px,3px") == [[None, None, 3, 4]]


def test_an_unfinished_start_is_dotted_too() -> None:
    figure = time_series(weeks(1, 2, 3, first_is_whole=False), WORDS, LIGHT)

    assert lines(figure, "3px,3px") == [[1, 2, None]]


@pytest.mark.parametrize(
    ("values", "dotted"),
    [((1, 2), [[1, 2]]), ((1, 2, 3), [[1, 2, None], [None, 2, 3]]), ((1,), [])],
)
def test_both_ends_can_be_unfinished(values: tuple[int, ...], dotted: list[list[float | None]]) -> None:
    points = [point(number, value, whole=number not in (0, len(values) - 1)) for number, value in enumerate(values)]

    assert lines(time_series(points, WORDS, LIGHT), "3px,3px") == dotted


def test_an_unfinished_end_after_a_gap_is_a_point() -> None:
    figure = time_series(weeks(1, 2, None, 4, last_is_whole=False), WORDS, LIGHT)

    assert lines(figure, "3px,3px") == []
    assert seen(figure) == [(3, 4)]


def test_the_period_before_is_dashed_at_the_same_places_and_below_the_line() -> None:
    points = [point(number, 10, before) for number, before in enumerate((7, None, 9, 8))]

    figure = time_series(points, WORDS, LIGHT)

    assert figure["data"][0]["y"] == [7, None, 9, 8]
    assert figure["data"][0]["line"]["dash"] == "5px,4px"


def test_without_a_period_before_nothing_of_it_is_shown() -> None:
    points = [point(number, 10, 99) for number in range(4)]

    figure = time_series(points, Words("Revenue"), LIGHT)

    assert lines(figure, "5px,4px") == []
    assert figure["layout"]["yaxis"]["range"][1] < 15
    assert ends(points, Words("Revenue")) == ()


def test_long_lines_have_no_points() -> None:
    figure = time_series([point(number, number) for number in range(41)], WORDS, LIGHT)

    assert seen(figure) == []


def test_one_trace_says_everything_of_a_bucket_and_the_others_nothing() -> None:
    week = Point(
        MONDAY,
        "13 Jun – 19 Jun 2011",
        "13 Jun",
        Decimal("15055.47"),
        Decimal("2615.14"),
        whole=False,
        value_text="15,055.47",
        before_text="2,615.14",
        change_text="+475.7 %",
        share_text="3.7 %",
        meaning="better",
    )

    figure = time_series([week], WORDS, LIGHT)

    *silent, said = figure["data"]
    assert {trace["hoverinfo"] for trace in silent} == {"skip"}
    assert said["customdata"] == [
        ["13 Jun – 19 Jun 2011, so far", "better", True, "15,055.47", "2,615.14", "+475.7 %", "3.7 %"]
    ]
    names = ["Revenue", "26 weeks before", "Change", "Share of the period"]
    assert said["meta"] == {"names": names, "change": 2, "links": [""]}


def test_a_gap_can_be_pointed_at() -> None:
    figure = time_series([point(0, None, 5), point(1, None, None)], WORDS, LIGHT)

    assert figure["data"][-1]["y"] == [5, 0]
    assert [said[2:4] for said in figure["data"][-1]["customdata"]] == [[False, "no data"]] * 2


def test_the_frame_of_the_plot_is_the_same_for_every_figure_and_as_the_sheet_counts_with_it() -> None:
    layouts = [time_series(points, WORDS, LIGHT)["layout"] for points in ([], weeks(1), weeks(-(10**9), 10**9))]

    assert all(layout["margin"] == {"l": 44, "r": 20, "t": 8, "b": 32, "pad": 0} for layout in layouts)
    assert all(layout["template"] == {} for layout in layouts)


@pytest.mark.parametrize(
    ("points", "texts"),
    [
        (weeks(0, 40_000), ["0", "10k", "20k", "30k", "40k"]),
        (weeks(0, 1_300_000), ["0", "500k", "1M", "1.5M"]),
        (weeks(-1_200, 2_500), ["−2k", "−1k", "0", "1k", "2k", "3k"]),
        (weeks(0, 1), ["0", "0.25", "0.5", "0.75", "1"]),
        (weeks(None, None), ["0"]),
        (weeks(0, 0), ["0"]),
    ],
)
def test_marks_of_values_are_short_and_round(points: list[Point], texts: list[str]) -> None:
    assert time_series(points, WORDS, LIGHT)["layout"]["yaxis"]["ticktext"] == texts


def test_the_label_of_an_unfinished_line_says_so() -> None:
    labels = ends(weeks(1, 2, last_is_whole=False), Words("Revenue"))

    assert [(label.text, label.note, label.is_now) for label in labels] == [("This period", "so far", True)]


def test_the_template_holds_places_for_the_data_and_no_data() -> None:
    figure = time_series([point(0, 1)], WORDS, LIGHT)

    assert re.findall(r"%\{[^}]+\}", figure["data"][-1]["hovertemplate"]) == [
        f"%{{customdata[{number}]}}" for number in (0, 3, 4, 5, 6)
    ]
