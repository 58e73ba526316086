"""The panel about a number as it must be: the same number, and SQL that gives it.

One rule: the SQL that a panel shows is asked of the oracle's own rows, and what it answers is compared.
"""

from collections.abc import Sequence
from typing import Any

from tests.portal.revenue_numbers import About
from tests.portal.revenue_oracle import NUMBERS, TEXTS, Oracle, Period, Where
from tests.portal.revenue_words import DAY, exact
from tests.portal.such import Such

METRICS = {
    "revenue": ("Revenue", "sum of line_total"),
    "orders": ("Orders", "number of different values of order_id"),
    "customers": ("Customers", "number of different values of customer_id"),
    "units": ("Units", "sum of quantity"),
    "average_order_value": ("Average order value", "divided by the number of different values of order_id"),
}
MONEY = ("revenue", "average_order_value")


def expected_about(data: Oracle, period: Period, where: Where, grain: str, figure: str) -> About:
    """The panel that an address asks for, which may be none."""
    if not figure:
        return About()
    beside = {name: chosen for name, chosen in where.items() if name != figure}
    metric = figure if figure in METRICS else "revenue"
    own = metric if figure in METRICS else ""
    release, moment, tests = data.foot.split(" · ")
    unit = data.currency if metric in MONEY else metric
    said = [
        *(_values(data, period, where, own) if own else []),
        ("Meaning", _holding("")),
        ("Formula", _holding(METRICS[metric][1])),
        ("Unit", unit),
        ("Asked", _holding(str(period.days[0]), str(period.days[1] + DAY))),
        ("Filters", "|".join(_filters(where)) or "None"),
        ("Table", "Order lines (marts.order_lines), one row per order line (line_id)"),
        ("Release", f"{release}, published {moment}"),
        ("Tests", tests),
    ]
    return About(_title(data, grain, figure), tuple(said), _sql(data, period, beside, grain, figure))


def _title(data: Oracle, grain: str, figure: str) -> str:
    if figure == "lines":
        return "Order lines"
    named = METRICS[figure][0] if figure in METRICS else f"Revenue by {grain if figure == 'over-time' else figure}"
    return f"{named}, {data.currency}" if figure not in METRICS or figure in MONEY else named


def _values(data: Oracle, period: Period, where: Where, metric: str) -> list[tuple[str, Any]]:
    place = list(METRICS).index(metric)
    found = [("Value", exact(data.totals(period.days, where)[place]))]
    if period.before:
        found.append((period.versus[0].upper() + period.versus[1:], exact(data.totals(period.before, where)[place])))
    return found


def _filters(where: Where) -> list[str]:
    found = []
    for name, called in {**TEXTS, **NUMBERS}.items():
        if name in where:
            ends = [f"{word} {end}" for word, end in zip(("from", "up to"), where[name], strict=False) if end]
            found.append(f"{called}: {', '.join(where[name]) if name in TEXTS else ' '.join(ends)}")
    return found


def _holding(*words: str) -> Such:
    return Such(f"words with {words}", lambda said: len(said) > 1 and all(word in said for word in words))


def _sql(data: Oracle, period: Period, where: Where, grain: str, figure: str) -> Such:
    """SQL whose answer is what the page shows."""
    width = 1 if period.before is None or figure == "lines" else 3

    def answers(statement: str) -> bool:
        rows = data.answer(statement)
        if figure in METRICS or figure == "lines":
            return [list(rows[0][::width])] == [_seen(data, data.totals(period.days, where))]
        now = {row[0]: row[1] for row in rows if row[1] is not None}
        if figure == "over-time":
            buckets = data.buckets(period.days, grain, where)
            return now == {bucket.start: bucket.values[0] for bucket in buckets if bucket.values[0] is not None}
        return now == {name: values[0] for name, values in data.parts(figure, period.days, where).items()}

    return Such("SQL that gives the numbers of the page", answers)


def _seen(data: Oracle, values: Sequence[Any]) -> list[Any]:
    return [value for place, value in enumerate(values) if place != 2 or "customer_id" in data.columns]
