"""The numbers of the revenue page: what its address asks for, the plans that answer it, and their answers.

One rule: every number on the page is a metric of a plan, read from one release; nothing is added up here but the rest
that "Other" stands for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.core import Workspace
from lakehouse.errors import RequestWrong, UnknownName
from lakehouse.metrics.terms import HigherIs
from lakehouse.query.answer import Answer
from portal.page import Visit
from portal.periods import Bucket, Period, Span, allowed_grains, before_buckets, buckets, default_grain, read_period

METRICS = ("revenue", "orders", "customers", "units", "average_order_value")
TOPS = (10, 20, 50)
MOST_FOUND = 20
MOST_YEARS = 400
WIDE = pa.decimal256(76, 2)
"""Holds the sum of any number of amounts."""

Value = Decimal | int | None
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Total:
    """One metric over the whole period, and over the earlier one; `change` is relative to it."""

    name: str
    label: str
    unit: str
    higher_is: HigherIs
    value: Value
    before: Value
    change: Decimal | None


@dataclass(frozen=True)
class Moment:
    """One bucket of time: all metrics, and revenue in the bucket of the earlier period at the same position.

    `change` is None unless both buckets are whole: five days of a week are no match for seven.
    """

    bucket: Bucket
    values: Mapping[str, Value]
    before: Value
    change: Decimal | None


@dataclass(frozen=True)
class Part:
    """One region or product. A name of None means that the data name none."""

    name: str | None
    value: Value
    before: Value
    chosen: bool


@dataclass(frozen=True)
class Ranking:
    """The largest parts, how many there are in all, and what the others come to."""

    shown: tuple[Part, ...]
    count: int
    other: Decimal
    total: Decimal


@dataclass(frozen=True)
class Asked:
    """What the page's address asks for."""

    period: Period
    grain: str
    regions: tuple[str, ...]
    products: tuple[str, ...]
    top: int


class Sales:
    """The numbers of one visit. Raises `RequestWrong` for an address that asks for what there is not."""

    def __init__(self, workspace: Workspace, visit: Visit) -> None:
        self.workspace, self.visit = workspace, visit

    @cached_property
    def bounds(self) -> Span | None:
        """The first and the last day in the data; None when there are no rows."""
        first, last = (
            self._rows({"metrics": ["orders"], "by": ["order_date"], "order": [order], "limit": 1})
            for order in ("order_date", "-order_date")
        )
        return Span(first[0]["order_date"], last[0]["order_date"]) if first else None

    @cached_property
    def asked(self) -> Asked:
        """What the address asks for, with the defaults filled in. There must be data."""
        assert self.bounds is not None  # noqa: S101  # a page without data shows no numbers
        keys = ("period", "from", "to")
        period = read_period({key: self.visit.one(key) for key in keys if self.visit.one(key)}, self.bounds)
        if period.span.last.year - period.span.first.year >= MOST_YEARS:
            raise RequestWrong(f"The period has more than {MOST_YEARS} years. Choose fewer.")
        allowed = allowed_grains(period.span)
        grain = self.visit.one("grain") or default_grain(period.span)
        if grain not in allowed:
            raise UnknownName("grain", grain, list(allowed))
        top = self.visit.one("top") or str(TOPS[0])
        if top not in [str(known) for known in TOPS]:
            raise UnknownName("product count", top, [str(known) for known in TOPS])
        return Asked(period, grain, self.visit.many("region"), self.visit.many("product"), int(top))

    @cached_property
    def all_regions(self) -> tuple[str, ...]:
        """Every region in the data, by name."""
        rows = self._rows({"metrics": ["orders"], "by": ["region"]})
        return tuple(row["region"] for row in rows if row["region"] is not None)

    @cached_property
    def totals(self) -> tuple[Total, ...]:
        """The metrics of the tiles."""
        row = self._rows({"metrics": list(METRICS), **self._where(), **self._time(compares=True)})[0]
        model = self.workspace.model
        return tuple(
            Total(
                name,
                (metric := model.metric(name)).label,
                metric.unit,
                metric.higher_is,
                row[name],
                row.get(f"{name}__before"),
                row.get(f"{name}__change"),
            )
            for name in METRICS
        )

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        """The metrics bucket by bucket; a bucket without rows has None for all of them."""
        key = f"order_date:{self.asked.grain}"
        shape = {"by": [key], **self._where()}
        now = {row[key]: row for row in self._rows({"metrics": list(METRICS), **shape, **self._time(compares=False)})}
        compared: dict[date, Row] = {}
        if self.asked.period.before is not None:
            rows = self._rows({"metrics": ["revenue"], **shape, **self._time(compares=True)})
            compared = {row[key]: row for row in rows}
        found = buckets(self.asked.period.span, self.asked.grain, self.asked.period.bounds)
        earlier = before_buckets(self.asked.period, self.asked.grain)
        nothing: Row = dict.fromkeys((*METRICS, "revenue__before", "revenue__change"))
        return tuple(
            Moment(one, now.get(one.start, nothing), row["revenue__before"], row["revenue__change"] if whole else None)
            for place, one in enumerate(found)
            for row in (compared.get(one.start, nothing),)
            for whole in (one.whole and place < len(earlier) and earlier[place].whole,)
        )

    @cached_property
    def by_region(self) -> Ranking:
        """Every region in the period. The filter by region marks them instead of taking the others away."""
        return self._ranking("region", self.asked.regions, None)

    @cached_property
    def by_product(self) -> Ranking:
        """The largest products in the period, and those that are chosen."""
        return self._ranking("product", self.asked.products, self.asked.top)

    def found_products(self, words: str) -> tuple[str, ...]:
        """Products whose name holds the words in small or capital letters, the largest in all data first."""
        plan: dict[str, Any] = {"metrics": ["revenue"], "by": ["product"], "order": ["-revenue"]}
        # A plan's "contains" tells small letters from capitals, so names are looked through here when there are words.
        asked = plan if words else {**plan, "limit": MOST_FOUND}
        names = self.workspace.measure(asked).answer.table.column("product").to_pylist()
        wanted = words.casefold()
        return tuple(name for name in names if name is not None and wanted in name.casefold())[:MOST_FOUND]

    def export(self, by: Literal["time", "region", "product"] | None) -> Answer:
        """All metrics, with those of the earlier period: of the whole period, by bucket of time, or by part."""
        groups = {None: [], "time": [f"order_date:{self.asked.grain}"]}.get(by, [by])
        order = ["-revenue"] if by in ("region", "product") else []
        plan = {"metrics": list(METRICS), "by": groups, "order": order}
        return self.workspace.measure({**plan, **self._where(), **self._time(compares=True)}).answer

    def lines(self) -> Answer:
        """The order lines that the page's numbers stand on."""
        return self.workspace.lines({"metrics": ["revenue"], **self._where(), **self._time(compares=False)})

    def _ranking(self, dimension: str, chosen: tuple[str, ...], top: int | None) -> Ranking:
        plan = {"metrics": ["revenue"], "by": [dimension], "order": ["-revenue"]}
        asked = {**plan, **self._where(without=dimension), **self._time(compares=True)}
        table = self.workspace.measure(asked).answer.table
        table = table.filter(pc.is_valid(table["revenue"]))  # others were sold in the earlier period only
        place = pa.array(range(table.num_rows))
        is_chosen = pc.is_in(table[dimension], value_set=pa.array(chosen, pa.string()))
        is_large = pc.less(place, table.num_rows if top is None else top)
        rows = table.filter(pc.or_(is_chosen, is_large)).to_pylist()  # not of the whole: there may be thousands
        shown = tuple(
            Part(row[dimension], row["revenue"], row.get("revenue__before"), row[dimension] in chosen) for row in rows
        )
        total = pc.sum(table["revenue"].cast(WIDE)).as_py() or Decimal(0)
        rest = total - sum((part.value for part in shown if part.value is not None), Decimal(0))
        return Ranking(shown, table.num_rows, rest, total)

    def _where(self, without: str = "") -> dict[str, Any]:
        filters = {"region": self.asked.regions, "product": self.asked.products}
        return {"where": [[name, "in", list(given)] for name, given in filters.items() if given and name != without]}

    def _time(self, *, compares: bool) -> dict[str, Any]:
        period = self.asked.period
        time: dict[str, Any] = {"time": _half_open(period.span)}
        if compares and period.before is not None:
            time["compare"] = _half_open(period.before)
        return time

    def _rows(self, plan: Mapping[str, Any]) -> list[Row]:
        rows: list[Row] = self.workspace.measure(plan).answer.table.to_pylist()
        return rows


def _half_open(span: Span) -> dict[str, str]:
    return {"from": span.first.isoformat(), "to": span.until.isoformat()}
