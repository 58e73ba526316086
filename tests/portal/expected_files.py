"""The files of the revenue page as they must be: the cells of each tile, put together from the oracle's answers.

One rule: a cell stands as a CSV file has it, so that a lost zero or a rounded digit is a difference.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.portal.expected_about import METRICS
from tests.portal.revenue_oracle import Oracle, Values, query
from tests.portal.revenue_words import MONTHS, rounded

TILES = ("key-figures", "over-time", "region", "product")

Cells = list[str]


def expected_file(data: Oracle, address: str, tile: str) -> list[Cells]:
    """The header and the rows of a tile's file."""
    period, where = data.period(address), data.filters(address)
    grain = query(address).get("grain", [period.usual_grain])[0]
    is_compared = period.before is not None
    seen = [place for place, name in enumerate(METRICS) if name != "customers" or "customer_id" in data.columns]
    ends = ("", "__before", "__change") if is_compared else ("",)
    header = [f"{name}{end}" for place, name in enumerate(METRICS) for end in ends if place in seen]

    def cells(now: Values, before: Values) -> Cells:
        found = [(now[place], before[place], _change(now[place], before[place])) for place in seen]
        return [_cell(value) for values in found for value in values[: len(ends)]]

    both = (period.days, period.before)
    if tile == "key-figures":
        return [header, cells(*(data.totals(days, where) for days in both))]
    if tile == "over-time":
        lines = [[bucket.values for bucket in data.buckets(days, grain, where)] for days in both]
        starts = [bucket.start for bucket in data.buckets(period.days, grain, where)]
        keyed = _side_by_side(*lines)
        rows = [[str(_start(starts, place, grain)), *cells(*values)] for place, values in keyed]
        return [[f"order_date:{grain}", *header], *rows]
    now, before = (data.parts(tile, days, where) for days in both)
    nothing = [None] * len(METRICS)
    parts = sorted({**now, **before}, key=lambda name: _place(name, now))
    return [
        [tile, *header],
        *([name or "", *cells(now.get(name, nothing), before.get(name, nothing))] for name in parts),
    ]


def _side_by_side(now: Sequence[Values], before: Sequence[Values]) -> Iterable[tuple[int, tuple[Values, Values]]]:
    """The n-th bucket beside the n-th, wherever one of them has a line."""
    nothing = [None] * len(METRICS)
    for place in range(max(len(now), len(before))):
        values = tuple(line[place] if place < len(line) else nothing for line in (now, before))
        if any(one[0] is not None for one in values):
            yield place, (values[0], values[1])


def _start(starts: Sequence[date], place: int, grain: str) -> date:
    """The first day of a bucket, which may lie behind the end of the period."""
    if grain in MONTHS:
        months = starts[0].year * 12 + starts[0].month - 1 + place * MONTHS[grain]
        return date(months // 12, months % 12 + 1, 1)
    return starts[0] + timedelta(days=place * (7 if grain == "week" else 1))


def _place(name: str | None, now: dict[str | None, Values]) -> tuple[Any, ...]:
    """By revenue, then by name; those of the earlier period alone come last, as does no name."""
    return (name not in now, -now[name][0] if name in now else 0, name is None, name or "")


def _change(now: Any, before: Any) -> Decimal | None:
    if now is None or before is None or before == 0:
        return None
    ratio = rounded((Fraction(now) - Fraction(before)) / abs(Fraction(before)), 6)
    return ratio if abs(ratio) < 10**12 else None


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)
