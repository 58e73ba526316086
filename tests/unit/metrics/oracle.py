"""What a plan must answer, worked out in plain Python from the rows: no SQL, no code of the product.

One rule: it follows the text of the contract step by step, in the slowest and most obvious way.
"""

import datetime
import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

Row = Mapping[str, Any]
Key = tuple[Any, ...]
Period = tuple[datetime.date, datetime.date]

DAY = datetime.timedelta(days=1)
TIME = "order_date"
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda cell, value: cell == value,
    "!=": lambda cell, value: cell != value,
    "<": lambda cell, value: cell < value,
    "<=": lambda cell, value: cell <= value,
    ">": lambda cell, value: cell > value,
    ">=": lambda cell, value: cell >= value,
    "in": lambda cell, value: cell in value,
    "not in": lambda cell, value: cell not in value,
    "between": lambda cell, value: value[0] <= cell <= value[1],
    "contains": lambda cell, value: value in cell,
}


def answer(plan: Mapping[str, Any], rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The rows of the answer, in order, for a plan as JSON and rows with the columns of `marts.order_lines`."""
    by, metrics = plan.get("by", []), plan["metrics"]
    time = plan.get("time")
    now = (_day(time["from"]), _day(time["to"])) if time else None
    chosen = [row for row in rows if all(_holds(row, predicate) for predicate in plan.get("where", []))]
    table = _grouped(chosen, by, now, None)
    names = [*by, *metrics]
    if plan.get("compare") is None:
        answers = [(*key, *(_metric(name, lines) for name in metrics)) for key, lines in table.items()]
    else:
        assert now is not None
        earlier = _grouped(chosen, by, _before(plan["compare"], now), now)
        names = [*by, *(f"{name}{suffix}" for name in metrics for suffix in ("", "__before", "__change"))]
        keys = [*table, *(key for key in earlier if key not in table)]
        answers = [(*key, *_compared(metrics, table.get(key), earlier.get(key))) for key in keys]
    answers = _ordered(answers, names, [*plan.get("order", []), *by])
    return answers if plan.get("limit") is None else answers[: plan["limit"]]


def _grouped(rows: Sequence[Row], by: list[str], period: Period | None, onto: Period | None) -> dict[Key, list[Row]]:
    found: dict[Key, list[Row]] = {} if by else {(): []}
    for row in rows:
        if period is None or period[0] <= row[TIME] < period[1]:
            found.setdefault(tuple(_key(row, entry, period, onto) for entry in by), []).append(row)
    return found


def _key(row: Row, entry: str, period: Period | None, onto: Period | None) -> Any:
    name, _, grain = entry.partition(":")
    if name != TIME:
        return row[name]
    first = _bucket(row[TIME], grain or "day")
    if period is None or onto is None:
        return first
    return _counterparts(period, onto[0], grain or "day")[first]


@functools.cache
def _counterparts(period: Period, start: datetime.date, grain: str) -> dict[datetime.date, datetime.date]:
    """Bucket of the period -> the bucket at the same position from `start` on: both calendars, walked side by side."""
    both = zip(_buckets(period[0], grain), _buckets(start, grain), strict=False)
    return dict(itertools.takewhile(lambda pair: pair[0] < period[1], both))


def _buckets(start: datetime.date, grain: str) -> Iterator[datetime.date]:
    """The buckets from the one that holds `start` on, without end."""
    last, day = None, start
    while True:
        if _bucket(day, grain) != last:
            last = _bucket(day, grain)
            yield last
        day += DAY


@functools.cache
def _bucket(day: datetime.date, grain: str) -> datetime.date:
    """The first day of the bucket: walk back until the day before belongs to another one."""
    marks: dict[str, Callable[[datetime.date], Any]] = {
        "day": lambda one: one,
        "week": lambda one: one.isocalendar()[:2],
        "month": lambda one: (one.year, one.month),
        "quarter": lambda one: (one.year, (one.month + 2) // 3),
        "year": lambda one: one.year,
    }
    mark = marks[grain]
    while mark(day - DAY) == mark(day):
        day -= DAY
    return day


def _before(compare: Any, now: Period) -> Period:
    if isinstance(compare, Mapping):
        return _day(compare["from"]), _day(compare["to"])
    if compare == "previous_period":
        return now[0] - (now[1] - now[0]), now[0]
    return _year_earlier(now[0]), _year_earlier(now[1])


def _year_earlier(day: datetime.date) -> datetime.date:
    try:
        return datetime.date(day.year - 1, day.month, day.day)
    except ValueError:  # 29 February
        return datetime.date(day.year - 1, 2, 28)


def _compared(metrics: list[str], now: list[Row] | None, before: list[Row] | None) -> Iterator[Any]:
    for name in metrics:
        here = None if now is None else _metric(name, now)
        there = None if before is None else _metric(name, before)
        yield here
        yield there
        if here is None or there is None or there == 0:
            yield None
        else:
            change = _rounded((Fraction(here) - Fraction(there)) / abs(Fraction(there)), 6)
            yield change if abs(change) < 10**12 else None


def _metric(name: str, lines: list[Row]) -> Any:
    orders = len({line["order_id"] for line in lines if line["order_id"] is not None})
    revenue = sum((line["line_total"] for line in lines), Decimal(0)) if lines else None
    if name == "revenue":
        return revenue
    if name == "orders":
        return orders
    if name == "customers":
        return len({line["customer_id"] for line in lines} - {None})
    if name == "units":
        return sum(line["quantity"] for line in lines) if lines else None
    assert name == "average_order_value"
    return _rounded(Fraction(revenue) / orders, 2) if revenue is not None and orders else None


def _rounded(value: Fraction, digits: int) -> Decimal:
    """Rounded half away from zero."""
    whole = int(abs(value) * 10**digits + Fraction(1, 2))
    return Decimal(whole if value >= 0 else -whole).scaleb(-digits)


def _holds(row: Row, predicate: list[Any]) -> bool:
    name, operator, *rest = predicate
    cell = row[name]
    if operator in ("is null", "is not null"):
        return (cell is None) is (operator == "is null")
    if cell is None:
        return False
    value = [_typed(one, cell) for one in rest[0]] if isinstance(rest[0], list) else _typed(rest[0], cell)
    return COMPARISONS[operator](cell, value)


def _typed(value: Any, cell: Any) -> Any:
    if isinstance(cell, datetime.date):
        return _day(value)
    return Decimal(str(value)) if isinstance(cell, Decimal) else value


def _ordered(answers: list[tuple[Any, ...]], names: list[str], order: list[str]) -> list[tuple[Any, ...]]:
    for entry in reversed(order):  # the sort is stable, so the most important entry comes last
        place = names.index(entry.removeprefix("-"))
        full = [one for one in answers if one[place] is not None]
        full.sort(key=lambda one, place=place: one[place], reverse=entry.startswith("-"))  # type: ignore[misc]
        answers = full + [one for one in answers if one[place] is None]
    return answers


def _day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)
