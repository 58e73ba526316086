"""A line chart with the names of its lines: at their right ends, or above them where there is no room.

One rule: a chart is a picture with a description; the table under it holds every value.
"""

from collections.abc import Sequence
from typing import Any

from dash import dcc
from dash.development.base_component import Component

from portal import html
from portal.components.attributes import HIDDEN, aria
from portal.figures.time_series import CONFIG, End


def chart(graph_id: str, figure: dict[str, Any], description: str, ends: Sequence[End] = ()) -> Component:
    """The figure, described, with its labels."""
    graph = dcc.Graph(id=graph_id, figure=figure, config=CONFIG, responsive=True)
    plot = html.Div(
        [graph, *(_direct(end) for end in ends)], className="lp-plot", role="img", **aria(label=description)
    )
    names = [html.Li(_name(end), className=None if end.is_now else "is-compare") for end in ends]
    legend = [html.Ul(names, className="lp-legend", **HIDDEN)] if names else []
    return html.Div([*legend, plot], className="lp-chart")


def _name(end: End) -> str:
    return f"{end.text}, {end.note}" if end.note else end.text


def _direct(end: End) -> Component:
    """A label of at most two lines: the last word of a name goes below the others."""
    first, _, last = end.text.rpartition(" ")
    now = [html.B(end.text), *([html.Span(end.note)] if end.note else [])]
    words = now if end.is_now else [html.Span(part) for part in (first, last) if part]
    return html.Span(words, className="lp-direct", style={"--depth": f"{end.depth:.4f}"})
