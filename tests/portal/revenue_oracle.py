"""The rows behind the revenue page, asked with SQL of its own: period, totals, buckets and parts of an address.

One rule: nothing of the product computes here; it hands over the rows of `marts.order_lines` once, and no more.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb

from lakehouse.core import Workspace
from tests.portal.revenue_words import GRAINS, Days, Number, bucket_count, custom_days, day, preset_days, rounded

ROWS = "select order_id, customer_id, order_date, region, product, quantity, line_total from marts.order_lines"
SUMS = "sum(line_total), count(distinct order_id), count(distinct customer_id), cast(sum(quantity) as bigint)"
CHOSEN = """
    order_date between $first and $last
    and (len($regions) = 0 or list_contains($regions, region))
    and (len($products) = 0 or list_contains($products, product))
"""
TOTALS = f"select {SUMS} from lines where {CHOSEN}"
BUCKETS = f"""
with days as (
    select cast(unnest(generate_series(cast($first as timestamp), $last, interval 1 day)) as date) as day
), buckets as (
    select cast(date_trunc($grain, day) as date) as start, min(day) as first, max(day) as last from days group by 1
), chosen as (
    select cast(date_trunc($grain, order_date) as date) as start, * from lines where {CHOSEN}
)
select start, first, last, cast(start + cast($length as interval) as date) - 1 as ends, {SUMS}
from buckets left join chosen using (start)
group by start, first, last order by start
"""
PARTS = f"select {{0}}, sum(line_total) from lines where {CHOSEN} group by {{0}} order by 2 desc, 1 nulls last"
LENGTHS = {"day": "1 day", "week": "7 days", "month": "1 month", "quarter": "3 months", "year": "1 year"}
USUAL = {"day": 45, "week": 200, "month": 1096, "quarter": 4383}
"""The longest period, in days, that is first shown at a grain."""
MOST_BUCKETS = 400
METRICS = 5

Values = Sequence[Any]
"""Revenue, orders, customers, units, average order value."""


@dataclass(frozen=True)
class Period:
    """What an address asks for: its days, the earlier ones, and what both are called."""

    label: str
    days: Days
    before: Days | None
    versus: str
    why_not: str

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
    """The rows of one lake at one release."""

    def __init__(self, workspace: Workspace) -> None:
        answer = workspace.sql(ROWS)
        assert answer.complete
        fetched = answer.table
        self.lines = duckdb.connect(":memory:")
        self.lines.execute("create table lines as select * from fetched")
        assert self._rows("select count(*) from lines") == [(fetched.num_rows,)]
        self.bounds: Days = self._rows("select min(order_date), max(order_date) from lines")[0]
        self.currency = workspace.lakehouse.settings.lake.currency
        self.release, self.foot = workspace.release.number, _foot(workspace)
        regions = self._rows("select distinct region from lines where region is not null order by 1")
        self.regions = tuple(name for (name,) in regions)
        products = self._rows("select product from lines group by 1 order by sum(line_total) desc, 1 nulls last")
        self.products = tuple(name for (name,) in products)

    def period(self, address: str) -> Period:
        """The period of an address; days count back from the last date in the data."""
        asked = query(address)
        first, last = (asked.get(key, [""])[0] for key in ("from", "to"))
        if first or last:
            typed = (first or str(self.bounds[0]), last or str(self.bounds[1]))
            label, days, before, versus = custom_days((date.fromisoformat(typed[0]), date.fromisoformat(typed[1])))
        else:
            label, days, before, versus = preset_days(asked.get("period", ["last-30-days"])[0], self.bounds)
        if before is not None and before[0] >= self.bounds[0]:
            return Period(label, days, before, versus, "")
        why_not = "No earlier data" if days[0] == self.bounds[0] else f"Data begin on {day(self.bounds[0])}"
        return Period(label, days, None, "", why_not)

    def goes_on(self, period: Period) -> bool:
        """Whether the period goes on after the data."""
        return period.days[1] > self.bounds[1]

    def totals(self, days: Days | None, filters: dict[str, list[str]]) -> Values:
        """The metrics of some days; all missing without days."""
        return _metrics(self._rows(TOTALS, **_within(days), **filters)[0]) if days else [None] * METRICS

    def buckets(self, days: Days | None, grain: str, filters: dict[str, list[str]]) -> list[Bucket]:
        """The buckets that some days touch; no line outside of the days counts."""
        if days is None:
            return []
        rows = self._rows(BUCKETS, grain=grain, length=LENGTHS[grain], **_within(days), **filters)
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

    def parts(self, name: str, days: Days | None, filters: dict[str, list[str]]) -> list[tuple[str | None, Any]]:
        """Revenue by region or product, whatever the filter by it says; the largest first."""
        shape = {**filters, f"{name}s": []}
        return self._rows(PARTS.format(name), **_within(days), **shape) if days else []

    def _rows(self, statement: str, **values: Any) -> list[Any]:
        return self.lines.execute(statement, values or None).fetchall()


def query(address: str) -> dict[str, list[str]]:
    """The values by key of an address."""
    return parse_qs(urlsplit(address).query)


def allowed_grains(days: Days) -> tuple[str, ...]:
    """The grains at which so many days can be shown; always the year."""
    return tuple(grain for grain in GRAINS if grain == "year" or bucket_count(days, grain) <= MOST_BUCKETS)


def _within(days: Days | None) -> dict[str, date]:
    assert days is not None
    return {"first": days[0], "last": days[1]}


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
