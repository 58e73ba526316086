"""Bars: names, bars from zero, and exact values; a click on a row filters by it.

One rule: "Other" has no bar, so that it never sets the scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from dash.development.base_component import Component

from portal import html
from portal.components.attributes import HIDDEN, aria
from portal.components.icon import icon
from portal.components.link import link

NARROW, WIDE = (96, 128), (96, 240)
"""The least and the most width of the names, in pixels."""
CHARACTER = 7
"""The mean width of a character at 13 pixels, rounded up."""

Size = Decimal | int | float


@dataclass(frozen=True)
class Bar:
    """One row. Without a `size` there is no bar, and `note` stands in its place (`82.6 % of all`).

    `before` is an earlier value, as a dashed outline; `title` says exact value, share and earlier value; `href` is
    where a click leads, and `chosen` whether it has already led there.
    """

    name: str
    size: Size | None
    text: str
    href: str = ""
    chosen: bool = False
    title: str = ""
    before: Size | None = None
    note: str = ""


@dataclass(frozen=True)
class _Axis:
    """From the lowest value, or zero, to the highest, or zero."""

    low: float
    high: float

    def share(self, size: float) -> float:
        """A length in per cent of the track."""
        return round(100 * abs(size) / ((self.high - self.low) or 1), 2)

    @property
    def zero(self) -> float:
        """Where zero is, in per cent from the left."""
        return self.share(self.low)


def bars(rows: Sequence[Bar], label: str, wide: bool = False) -> Component:
    """The rows in their order; `wide` leaves more room for names."""
    sizes = [float(size) for row in rows for size in (row.size, row.before) if size is not None]
    axis = _Axis(min(0.0, *sizes, 0.0), max(0.0, *sizes, 0.0))
    some_chosen = any(row.chosen for row in rows)
    least, most = WIDE if wide else NARROW
    longest = max((len(row.name) + 3 * row.chosen for row in rows if row.size is not None), default=0)
    names = f"{min(max(longest * CHARACTER + 4, least), most)}px"
    items = [html.Li(_row(row, axis), className=_state(row, some_chosen)) for row in rows]
    return html.Ol(items, className="lp-bars", style={"--names": names}, **aria(label=label))


def _state(row: Bar, some_chosen: bool) -> str | None:
    if row.size is None:
        return "is-other"
    return "is-dimmed" if some_chosen and not row.chosen else None


def _row(row: Bar, axis: _Axis) -> Component:
    middle = html.Span(row.note) if row.size is None else _track(row, axis)
    tick = [icon("check", small=True)] if row.chosen else []
    cells = [html.Span([*tick, row.name]), middle, html.Span(row.text)]
    title = row.title or row.name
    if not row.href:
        return html.Div(cells, className="lp-bars-row", title=title)
    return link(cells, row.href, "lp-bars-row", "true" if row.chosen else "", title=title)


def _track(row: Bar, axis: _Axis) -> Component:
    zero = [html.Span(className="lp-zero", style={"left": f"{axis.zero:g}%"})] if axis.low < 0 else []
    before = [] if not row.before else [_bar(float(row.before), axis, " is-compare")]
    now = [] if not row.size else [_bar(float(row.size), axis, "")]
    return html.Span([*zero, *before, *now], className="lp-track", **HIDDEN)


def _bar(size: float, axis: _Axis, kind: str) -> Component:
    length = axis.share(size)
    left = axis.zero - length if size < 0 else axis.zero
    negative = " is-negative" if size < 0 else ""
    return html.Span(className=f"lp-bar{kind}{negative}", style={"left": f"{left:g}%", "width": f"{length:g}%"})
