"""Tiles: a figure, how it has changed, and its course.

One rule: whether a change is good is the metric's own property, and words and an arrow say it, not colour alone.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from dash.development.base_component import Component

from portal import html
from portal.components.attributes import aria
from portal.components.icon import icon
from portal.components.link import link
from portal.components.spark import Values, spark

ARROWS = {"up": "rise", "down": "fall", "same": "same"}
COLORS = {"better": "lp-better", "worse": "lp-worse", "neutral": None}


@dataclass(frozen=True)
class Change:
    """How a figure differs from an earlier one: `51.2 %`, or `no change`, against `26 weeks before`."""

    text: str
    direction: Literal["up", "down", "same"]
    meaning: Literal["better", "worse", "neutral"]
    versus: str


@dataclass(frozen=True)
class Tile:
    """What a tile shows. `value` is short, `exact` stands in its title; `note` stands where there is no change.

    `in_part` are the places in `trend` of buckets that are not whole.
    """

    label: str
    value: str
    exact: str
    change: Change | None = None
    note: str = ""
    trend: Values = ()
    in_part: Collection[int] = ()
    href: str = ""
    """Where a click on the tile leads."""
    menu: Component | None = None
    """A menu in the corner; a tile that leads somewhere has none, since nothing in a link can be clicked."""


def tiles(shown: Sequence[Tile], label: str = "Key figures") -> Component:
    """A row of tiles."""
    return html.Section([tile(one) for one in shown], className="lp-tiles", **aria(label=label))


def tile(shown: Tile) -> Component:
    """One tile."""
    body = [
        html.P(shown.label, className="lp-label"),
        html.P(shown.value, className="lp-value", title=shown.exact),
        *_below(shown),
        spark(shown.trend, shown.in_part),
    ]
    if shown.href:
        return link(body, shown.href, "lp-card lp-tile")
    menu = [] if shown.menu is None else [html.Div(shown.menu, className="lp-tile-menu")]
    return html.Div([*body, *menu], className="lp-card lp-tile")


def _below(shown: Tile) -> list[Component]:
    """The change, or why there is none; nothing where nothing is compared."""
    if shown.change is not None:
        return [_change(shown.change)]
    return [html.P(shown.note, className="lp-change")] if shown.note else []


def _change(change: Change) -> Component:
    """The change in words; the last of several words of what it is against may go where there is little room."""
    kept, _, last = change.versus.rpartition(" ") if change.versus.count(" ") > 1 else (change.versus, "", "")
    direction = "" if change.direction == "same" else f"{change.direction} "  # its text says that nothing has changed
    words: list[Component | str] = [
        icon(ARROWS[change.direction], small=True),
        *([html.Span(direction, className="lp-hidden")] if direction else []),
        f" {change.text}",
    ]
    shown: list[Component | str] = [html.B(words, className=COLORS[change.meaning]), f" vs {kept}"]
    tail = [html.Span(f" {last}", className="lp-tail")] if last else []
    return html.P([*shown, *tail], className="lp-change", title=f"{direction}{change.text} vs {change.versus}")
