"""Sparklines: a small line without axes, as a mask on the series' colour.

One rule: the picture holds no colour, so it follows the theme without being drawn again.
"""

from collections.abc import Collection, Sequence
from decimal import Decimal
from itertools import pairwise
from urllib.parse import quote

from dash.development.base_component import Component

from portal import html
from portal.components.attributes import HIDDEN

WIDTH, HEIGHT = 1000, 1000
EDGE_X, EDGE_Y = 4, 30
"""What the line's own thickness needs, so that nothing of it is cut off."""

Values = Sequence[Decimal | int | float | None]
Places = list[tuple[float, float] | None]


def spark(values: Values, in_part: Collection[int] = ()) -> Component:
    """The line of these values; None is a gap. To and from those whose places are `in_part` it is dotted."""
    drawing = _drawing(_places(values), in_part)
    if not drawing:
        return html.Span(className="lp-spark is-empty", **HIDDEN)
    image = f'url("data:image/svg+xml,{quote(drawing, safe=" =:/")}")'
    return html.Span(className="lp-spark", style={"maskImage": image}, **HIDDEN)


def _places(values: Values) -> Places:
    known = [float(value) for value in values if value is not None]
    if not known:
        return []
    low, high = min(known), max(known)
    across = (WIDTH - 2 * EDGE_X) / max(len(values) - 1, 1)

    def height(value: float) -> float:
        share = (high - value) / (high - low) if high > low else 0.5
        return round(EDGE_Y + share * (HEIGHT - 2 * EDGE_Y))

    return [
        None if value is None else (round(EDGE_X + index * across, 1), height(float(value)))
        for index, value in enumerate(values)
    ]


def _drawing(places: Places, in_part: Collection[int]) -> str:
    segments = list(pairwise(places))
    dotted = {segment for place in in_part for segment in (place - 1, place)}
    paths = {
        "": [pair for index, pair in enumerate(segments) if index not in dotted],
        " stroke-dasharray='2 4'": [pair for index, pair in enumerate(segments) if index in dotted],
    }
    drawn = "".join(f"<path d='{path}'{dash}/>" for dash, pairs in paths.items() if (path := _path(pairs)))
    drawn += "".join(f"<path d='M{x:g} {y:g}h.01' stroke-width='4'/>" for x, y in _lonely(places))
    return drawn and (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' preserveAspectRatio='none' "
        "fill='none' stroke='black' stroke-width='1.5' stroke-linecap='round' stroke-linejoin='round'>"
        f"<style>path{{vector-effect:non-scaling-stroke}}</style>{drawn}</svg>"
    )


def _path(segments: Sequence[tuple[tuple[float, float] | None, tuple[float, float] | None]]) -> str:
    """One path of all segments whose both ends are known; a new piece begins where the pen has to move."""
    path, pen = [], None
    for start, end in segments:
        if start is not None and end is not None:
            path.append(
                f"L{end[0]:g} {end[1]:g}" if pen == start else f"M{start[0]:g} {start[1]:g}L{end[0]:g} {end[1]:g}"
            )
            pen = end
    return "".join(path)


def _lonely(places: Places) -> list[tuple[float, float]]:
    """The places that no line reaches."""
    framed = [None, *places, None]
    return [
        place
        for index, place in enumerate(places)
        if place is not None and framed[index] is None and framed[index + 2] is None
    ]
