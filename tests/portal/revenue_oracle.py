"""The rows behind the revenue page, asked with SQL of its own: period, totals, buckets and parts of an address.

One rule: nothing of the product computes here; it hands over the rows of `marts.order_lines` once, and no more.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb

from lakehouse.core import Workspace
from tests.portal.revenue_words import (
    GRAINS,
    Days,
    Number,
    bucket_count,
    custom_days,
    day,
    known,
    preset_days,
    rounded,
    year_before,
)

TEXTS = {"region": "Region", "product": "Product", "customer_id": "Customer", "stock_code": "Stock code"}
NUMBERS = {"quantity": "Quantity", "amount": "Amount"}
"""What can be filtered by, in its order, and what it is called."""
COLUMNS = ("order_id", *TEXTS, "order_date", *NUMBERS, "line_total")
SUMS = "sum(line_total), count(distinct order_id), count(distinct customer_id), cast(sum(quantity) as bigint)"
BUCKETS = f"""
with days as (
    select cast(unnest(generate_series(cast($first as timestamp), $last, interval 1 day)) as date) as day
), buckets as (
    select cast(date_trunc($grain, day) as date) as start, min(day) as first, max(day) as last from days group by 1
), chosen as (
    select cast(date_trunc($grain, order_date) as date) as start, * from lines where {{}}
)
select start, first, last, cast(start + cast($length as interval) as date) - 1 as ends, {SUMS}
from buckets left join chosen using (start)
group by start, first, last order by start
"""
LENGTHS = {"day": "1 day", "week": "7 days", "month": "1 month", "quarter": "3 months", "year": "1 year"}
USUAL = {"day": 45, "week": 200, "month": 1096, "quarter": 4383}
"""The longest period, in days, that is first shown at a grain."""
MOST_BUCKETS = 400
METRICS = 5

Values = Sequence[Any]
"""Revenue, orders, customers, units, average order value."""

Where = Mapping[str, Any]
"""Values by the name of a text, both ends of a range (or None) by the name of a number."""


@dataclass(frozen=True)
class Period:
    """What an address asks for: its days, the earlier ones, and what both are called."""

    label: str
    days: Days
    before: Days | None
    versus: str
    why_not: str
    comparison: str

    @property
    def usual_grain(self) -> str:
        """The grain at which it is first shown."""
        days = bucket_count(self.days, "day")
        return next((grain for grain, longest in USUAL.items() if days <= longest), "year")


@dataclass(frozen=True)
class Bucket:
    """One bucket of the period: its days on the calendar, and its metrics, all missing where there is no line."""

    start: date
    ends: date
    cut: str
    values: Values


class Oracle:
    """The rows of one lake at one release; somebody may see no column that is `hidden`."""

    def __init__(self, workspace: Workspace, hidden: Sequence[str] = ()) -> None:
        self.columns = [name for name in COLUMNS if name not in hidden]
        answer = workspace.sql(f"select {', '.join(self.columns)} from marts.order_lines")
        assert answer.complete
        fetched = answer.table
        self.lines = duckdb.connect(":memory:")
        self.lines.execute("create schema marts; create table marts.order_lines as select * from fetched")
        self.lines.execute("create view lines as select * from marts.order_lines")
        assert self._rows("select count(*) from lines") == [(fetched.num_rows,)]
        self.bounds: Days = self._rows("select min(order_date), max(order_date) from lines")[0]
        self.currency = workspace.lakehouse.settings.lake.currency
        self.release, self.foot = workspace.release.number, _foot(workspace)
        self.regions = tuple(sorted(known(self.names("region"))))
        self.products = tuple(self.names("product"))

    def names(self, name: str) -> list[Any]:
        """Every value of a text in all data, the largest first; none of one that is hidden."""
        if name not in self.columns:
            return []
        rows = self._rows(f"select {name} from lines group by 1 order by sum(line_total) desc, 1 nulls last")
        return [value for (value,) in rows]

    def filters(self, address: str) -> Where:
        """What an address filters by."""
        asked = query(address)
        texts = {name: list(dict.fromkeys(asked.get(name, []))) for name in TEXTS}
        ends = {name: tuple(asked.get(f"{name}.{end}", [None])[0] for end in ("min", "max")) for name in NUMBERS}
        return {name: chosen for name, chosen in {**texts, **ends}.items() if any(chosen)}

    def period(self, address: str) -> Period:
        """The period of an address; days count back from the last date in the data."""
        asked = query(address)
        first, last = (asked.get(key, [""])[0] for key in ("from", "to"))
        comparison = asked.get("compare", ["previous-period"])[0]
        if first or last:
            begin, end = map(str, self.bounds)
            typed = (first or min(begin, last), last or max(end, first))  # days as text sort as days
            label, days, before, versus = custom_days((date.fromisoformat(typed[0]), date.fromisoformat(typed[1])))
        else:
            label, days, before, versus = preset_days(asked.get("period", ["last-30-days"])[0], self.bounds)
        if comparison == "off":
            return Period(label, days, None, "", "", comparison)
        if comparison == "previous-year":
            before, versus = year_before(days)
        if before is not None and before[0] >= self.bounds[0]:
            return Period(label, days, before, versus, "", comparison)
        why_not = "No earlier data" if days[0] == self.bounds[0] else f"Data begin on {day(self.bounds[0])}"
        return Period(label, days, None, "", why_not, comparison)

    def goes_on(self, period: Period) -> bool:
        """Whether the period goes on after the data."""
        return period.days[1] > self.bounds[1]

    def totals(self, days: Days | None, where: Where) -> Values:
        """The metrics of some days; all missing without days."""
        if days is None:
            return [None] * METRICS
        condition, values = _condition(days, where)
        return _metrics(self._rows(f"select {self._sums} from lines where {condition}", **values)[0])

    def buckets(self, days: Days | None, grain: str, where: Where) -> list[Bucket]:
        """The buckets that some days touch; no line outside of the days counts."""
        if days is None:
            return []
        condition, values = _condition(days, where)
        statement = BUCKETS.format(condition).replace(SUMS, self._sums)
        rows = self._rows(statement, grain=grain, length=LENGTHS[grain], **values)
        return [
            Bucket(
                start,
                ends,
                self._cut((start, ends), (first, last)),
                [None] * METRICS if sums[0] is None else _metrics(sums),
            )
            for start, first, last, ends, *sums in rows
        ]

    def _cut(self, whole: Days, part: Days) -> str:
        """What is said of a bucket of which the data or the period do not hold all days."""
        return "so far" if whole[1] > self.bounds[1] else "in part" if part != whole else ""

    def parts(self, name: str, days: Days | None, where: Where) -> dict[str | None, Values]:
        """The metrics of each value of a text; the largest first."""
        if days is None:
            return {}
        condition, values = _condition(days, where)
        rows = self._rows(
            f"select {name}, {self._sums} from lines where {condition} group by 1 order by 2 desc, 1 nulls last",
            **values,
        )
        return {value: _metrics(sums) for value, *sums in rows}

    def answer(self, statement: str) -> list[Values]:
        """The rows of a statement that somebody else has written, asked of these lines."""
        return self.lines.execute(statement).fetchall()

    @property
    def _sums(self) -> str:
        """Whoever may not see customers has no number of them."""
        return SUMS if "customer_id" in self.columns else SUMS.replace("count(distinct customer_id)", "null")

    def _rows(self, statement: str, **values: Any) -> list[Any]:
        return self.lines.execute(statement, values or None).fetchall()


def query(address: str) -> dict[str, list[str]]:
    """The values by key of an address."""
    return parse_qs(urlsplit(address).query)


def allowed_grains(days: Days) -> tuple[str, ...]:
    """The grains at which so many days can be shown; always the year."""
    return tuple(grain for grain in GRAINS if grain == "year" or bucket_count(days, grain) <= MOST_BUCKETS)


def _condition(days: Days, where: Where) -> tuple[str, dict[str, Any]]:
    """What a line must fulfil, as SQL and its values."""
    found, values = ["order_date between $first and $last"], dict[str, Any](first=days[0], last=days[1])
    for name, chosen in where.items():
        if name in TEXTS:
            found.append(f"list_contains(${name}, {name})")
            values[name] = chosen
            continue
        for end, operator, value in zip(("least", "most"), (">=", "<="), chosen, strict=True):
            if value is not None:
                found.append(f"{name} {operator} cast(${name}_{end} as decimal(38, 10))")
                values[f"{name}_{end}"] = value
    return " and ".join(found), values


def _metrics(sums: Sequence[Any]) -> Values:
    """The sums, and the average order value."""
    revenue, orders = sums[:2]
    average: Number = rounded(Fraction(revenue) / orders, 2) if orders else None
    return [*sums, average]


def _foot(workspace: Workspace) -> str:
    """The line at the foot: the release, when it was published, and the tests that its run has reported."""
    number = workspace.release.number
    found = next(one for one in workspace.releases(1000) if one.number == number)
    moment = datetime.fromisoformat(found.published).astimezone(workspace.lakehouse.settings.zone)
    result = workspace.lakehouse.settings.folder / "runs" / found.run / "result.json"
    passed = json.loads(result.read_text(encoding="utf-8"))["tests"]["passed"]
    return f"Release {number} · {day(moment)}, {moment:%H:%M} · {passed} of {passed} tests passed"
