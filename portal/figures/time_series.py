"""A line over time, with the period before it dashed.

One rule: a missing value is a gap, never zero, and what is not over yet is dotted and says so. The answer is a plain
dict: building plotly's own objects costs ten times as much, so only tests do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal

from portal.figures.axes import Scale, breadth, scale, time_marks
from portal.figures.theme import FONT, FONT_SIZE, Theme

Number = Decimal | int | float
Meaning = Literal["better", "worse", "neutral"]

CONFIG: Any = {"displayModeBar": False, "responsive": True}
MARGIN = {"l": 44, "r": 20, "t": 8, "b": 32, "pad": 0}
"""Constant, so that nothing jumps; `assets/parts.css` counts with them."""
LABEL_GAP = 0.2
"""The least distance of two labels of two lines, as a part of the plot's height."""
SO_FAR = "so far"


@dataclass(frozen=True)
class Point:
    """One bucket of time. Texts are ready for people; an empty one leaves its line out of the box at the point.

    `label` heads the box (`13 Jun – 19 Jun 2011`), `short` stands at the axis (`13 Jun`); `note` is what is said of a
    bucket that is not `whole`: it goes on (`so far`) or the period cuts it (`in part`); `meaning` says what the change
    is for the metric.
    """

    start: date
    label: str
    short: str
    value: Number | None
    before: Number | None = None
    whole: bool = True
    value_text: str = ""
    before_text: str = ""
    change_text: str = ""
    share_text: str = ""
    meaning: Meaning = "neutral"
    note: str = SO_FAR
    href: str = ""
    """Where a click on the bucket leads."""


@dataclass(frozen=True)
class Words:
    """How the lines are called: the metric, this period, and the one before (empty: there is none)."""

    value: str
    now: str = "This period"
    before: str = ""


@dataclass(frozen=True)
class End:
    """The label of a line at its right end; `depth` is 0 at the top of the plot and 1 at its bottom.

    `note` is what is said of the line's last bucket when it is not whole.
    """

    text: str
    depth: float
    is_now: bool
    note: str = ""


def time_series(points: Sequence[Point], words: Words, theme: Theme) -> dict[str, Any]:
    """The figure for `dcc.Graph`; each bucket's place on the x axis is its number."""
    now, before = [_number(point.value) for point in points], [_number(point.before) for point in points]
    values = _scale(points, words)
    firm = [value if point.whole else None for value, point in zip(now, points, strict=True)]
    traces = [
        *([_line(before, theme.compare, 1.5, "5px,4px")] if words.before else []),
        _line(firm, theme.series[0], 2, "solid"),
        *(_line(piece, theme.series[0], 2, "3px,3px") for piece in _unfinished(now, points)),
        *([_dots(_lonely(before), theme.compare, 4)] if words.before else []),
        _dots(_lonely(now), theme.series[0], 6),
        _hover(points, now, before, words),
    ]
    return {"data": [trace for trace in traces if trace is not None], "layout": _layout(points, values, theme)}


def ends(points: Sequence[Point], words: Words) -> tuple[End, ...]:
    """The labels at the right ends of the lines, far enough from each other; none where one line needs no name."""
    note = points[-1].note if points and not points[-1].whole else ""
    if not (words.before or note):
        return ()
    values = _scale(points, words)
    found = [
        End(text, values.depth(known[-1]), is_now, note if is_now else "")
        for text, numbers, is_now in (
            (words.now, [point.value for point in points], True),
            (words.before, [point.before for point in points], False),
        )
        if text and (known := [float(number) for number in numbers if number is not None])
    ]
    return _apart(found)


def _apart(found: list[End]) -> tuple[End, ...]:
    if len(found) < 2 or abs(found[0].depth - found[1].depth) >= LABEL_GAP:
        return tuple(found)
    upper, lower = sorted(found, key=lambda end: end.depth)
    middle = min(max((upper.depth + lower.depth) / 2, LABEL_GAP / 2), 1 - LABEL_GAP / 2)
    moved = {id(upper): middle - LABEL_GAP / 2, id(lower): middle + LABEL_GAP / 2}
    return tuple(End(end.text, moved[id(end)], end.is_now, end.note) for end in found)


def _scale(points: Sequence[Point], words: Words) -> Scale:
    numbers = [point.value for point in points] + [point.before for point in points if words.before]
    return scale([float(number) for number in numbers if number is not None])


def _number(value: Number | None) -> float | None:
    return None if value is None else float(value)


def _line(values: Sequence[float | None], color: str, width: float, dash: str) -> dict[str, Any] | None:
    if all(value is None for value in values):
        return None
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(range(len(values))),
        "y": list(values),
        "line": {"color": color, "width": width, "dash": dash, "shape": "linear", "simplify": False},
        "connectgaps": False,
        "cliponaxis": False,
        "hoverinfo": "skip",
    }


def _dots(values: Sequence[float | None], color: str, size: int) -> dict[str, Any] | None:
    shown = [(index, value) for index, value in enumerate(values) if value is not None]
    if not shown:
        return None
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [index for index, _ in shown],
        "y": [value for _, value in shown],
        "marker": {"color": color, "size": size},
        "cliponaxis": False,
        "hoverinfo": "skip",
    }


def _unfinished(now: Sequence[float | None], points: Sequence[Point]) -> list[list[float | None]]:
    """The pieces between two buckets of which one is not whole."""
    return [
        [value if index in (left, left + 1) else None for index, value in enumerate(now)]
        for left, (one, other) in enumerate(pairwise(points))
        if not (one.whole and other.whole) and now[left] is not None and now[left + 1] is not None
    ]


def _lonely(values: Sequence[float | None]) -> list[float | None]:
    """The values that no line reaches, since there is none on either side."""
    framed = [None, *values, None]
    return [
        value if framed[index] is None and framed[index + 2] is None else None for index, value in enumerate(values)
    ]


def _hover(
    points: Sequence[Point], now: Sequence[float | None], before: Sequence[float | None], words: Words
) -> dict[str, Any]:
    """An unseen trace with a point in every bucket, so that gaps can be pointed at too.

    `assets/charts.js` builds the box from `customdata` and `meta`, and follows the links of `meta`, one for each point;
    the template is what plotly would show without it.
    """
    names = [words.value, words.before, "Change", "Share of the period"]
    lines = [f"{name}: %{{customdata[{index}]}}" for index, name in enumerate(names, start=3) if name]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": list(range(len(points))),
        "y": [value if value is not None else other or 0.0 for value, other in zip(now, before, strict=True)],
        "marker": {"size": 9, "opacity": 0},
        "cliponaxis": False,
        "customdata": [_said(point, words) for point in points],
        "meta": {"names": names, "change": names.index("Change"), "links": [point.href for point in points]},
        "hovertemplate": "<br>".join(["<b>%{customdata[0]}</b>", *lines]) + "<extra></extra>",
    }


def _said(point: Point, words: Words) -> list[str | bool]:
    head = point.label if point.whole else f"{point.label}, {point.note}"
    before = point.before_text if words.before else ""
    return [head, point.meaning, point.value is not None, point.value_text, before, point.change_text, point.share_text]


def _layout(points: Sequence[Point], values: Scale, theme: Theme) -> dict[str, Any]:
    shorts = [point.short for point in points]
    marks = time_marks([point.start for point in points], max(map(breadth, shorts), default=0)) if points else []
    last = max(len(points) - 1, 0)
    return {
        "template": {},
        "autosize": True,
        "margin": MARGIN,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": FONT_SIZE, "color": theme.muted},
        "showlegend": False,
        "dragmode": False,
        "hovermode": "x",
        "hoverdistance": -1,
        "hoverlabel": {
            "bgcolor": theme.surface,
            "bordercolor": theme.line,
            "font": {"family": FONT, "size": FONT_SIZE, "color": theme.ink},
            "align": "left",
        },
        "xaxis": {
            "range": [0, last] if last else [-1, 1],
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "showline": False,
            "ticks": "",
            "ticklabelstandoff": 7,
            "ticklabeloverflow": "allow",  # else plotly leaves out a long last one
            "tickangle": 0,
            "tickvals": marks,
            "ticktext": [shorts[index] for index in marks],
            "showspikes": True,
            "spikemode": "across",
            "spikesnap": "hovered data",
            "spikedash": "solid",
            "spikecolor": theme.edge,
            "spikethickness": -2,  # negative leaves out the outline that plotly gives it
        },
        "yaxis": {
            "range": [values.low, values.high],
            "fixedrange": True,
            "showgrid": True,
            "gridcolor": theme.line,
            "gridwidth": 1,
            "zeroline": True,
            "zerolinecolor": theme.edge,
            "zerolinewidth": 1,
            "showline": False,
            "ticks": "",
            "ticklabelstandoff": 7,
            "tickvals": list(values.marks),
            "ticktext": list(values.texts),
        },
    }
