"""The numbers of the revenue page: the plans that answer what its address asks for, and their answers.

One rule: every number on the page is a metric of a plan, read from one release; nothing is added up here but the rest
that "Other" stands for. A figure has one plan, whether it is shown, explained or given as a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.core import Workspace
from lakehouse.errors import RequestWrong
from lakehouse.measured import Measured
from lakehouse.metrics.compile import Compiled
from lakehouse.metrics.terms import HigherIs, Table
from lakehouse.query.spool import Spooled
from portal.page import Visit
from portal.periods import Bucket, Span, before_buckets, buckets
from portal.revenue.asked import Asked, read_asked

METRICS = ("revenue", "orders", "customers", "units", "average_order_value")
KEY_FIGURES, OVER_TIME, TRENDS = "key-figures", "over-time", "trends"
RANKED = ("region", "product")
"""The dimensions that the page has a card for."""
LONG = ("product",)
"""Those of which it shows the largest only."""
MOST_FOUND = 20
WIDE = pa.decimal256(76, 2)
"""Holds the sum of any number of amounts."""

Value = Decimal | int | None
Row = Mapping[str, Any]
PlanDocument = dict[str, Any]


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
    """The largest parts, how many there are in all, and what the others come to, now and in the earlier period."""

    shown: tuple[Part, ...]
    count: int
    other: Decimal
    other_before: Decimal | None
    total: Decimal


@dataclass(frozen=True)
class Found:
    """Values of a dimension, the largest first; `is_all` says that there are no others."""

    names: tuple[str, ...]
    is_all: bool


class Sales:
    """The numbers of one visit. Raises `RequestWrong` for an address that asks for what there is not."""

    def __init__(self, workspace: Workspace, visit: Visit) -> None:
        self.workspace, self.visit = workspace, visit
        self._measured: dict[str, Measured] = {}

    @cached_property
    def table(self) -> Table:
        """The table that revenue stands on, as far as it may be seen."""
        return self.workspace.model.table_of(["revenue"])

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """Those of `METRICS` that may be seen: who may not see customers may not see their number either."""
        known = {metric.name for metric in self.workspace.model.metrics if metric.table == self.table.name}
        return tuple(name for name in METRICS if name in known)

    @cached_property
    def ranked(self) -> tuple[str, ...]:
        """Those of `RANKED` that may be seen."""
        known = {dimension.name for dimension in self.table.dimensions if dimension.type.kind == "text"}
        return tuple(name for name in RANKED if name in known)

    @cached_property
    def bounds(self) -> Span | None:
        """The first and the last day in the data; None when there are no rows."""
        day = self._day
        first, last = (
            self._rows({"metrics": ["revenue"], "by": [day], "order": [order], "limit": 1})
            for order in (day, f"-{day}")
        )
        return Span(first[0][day], last[0][day]) if first else None

    @cached_property
    def asked(self) -> Asked:
        """What the address asks for. There must be data."""
        assert self.bounds is not None  # noqa: S101  # a page without data shows no numbers
        return read_asked(self.visit, self.table, self.bounds)

    @cached_property
    def totals(self) -> tuple[Total, ...]:
        """The metrics of the tiles."""
        row = self.measured(KEY_FIGURES).answer.table.to_pylist()[0]
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
            for name in self.metrics
        )

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        """The metrics bucket by bucket; a bucket without rows has None for all of them."""
        asked, nothing = self.asked, dict.fromkeys(self.metrics)
        values, compared = self._by_bucket(TRENDS), self._by_bucket(OVER_TIME)
        found = buckets(asked.period.span, asked.grain, asked.period.bounds)
        earlier = before_buckets(asked.period, asked.grain)
        return tuple(
            Moment(
                one,
                values.get(one.start, nothing),
                revenue.get("revenue__before"),
                revenue.get("revenue__change") if both_whole else None,
            )
            for place, one in enumerate(found)
            for revenue in (compared.get(one.start, {}),)
            for both_whole in (one.whole and place < len(earlier) and earlier[place].whole,)
        )

    def ranking(self, dimension: str) -> Ranking:
        """The parts of the period by size. A filter by the dimension marks some instead of taking the others away."""
        table = self.measured(dimension).answer.table
        table = table.filter(pc.is_valid(table["revenue"]))  # others were sold in the earlier period only
        chosen = self.asked.condition(dimension).values
        top = self.asked.top if dimension in LONG else table.num_rows
        is_shown = pc.or_(
            pc.is_in(table[dimension], value_set=pa.array(chosen, pa.string())),
            pc.less(pa.array(range(table.num_rows), pa.int64()), top),
        )
        rows = table.filter(is_shown).to_pylist()  # not of the whole: there may be thousands
        shown = tuple(
            Part(row[dimension], row["revenue"], row.get("revenue__before"), row[dimension] in chosen) for row in rows
        )
        others = table.filter(pc.invert(is_shown))
        other, total = (_sum(one, "revenue") or Decimal(0) for one in (others, table))
        return Ranking(shown, table.num_rows, other, _sum(others, "revenue__before"), total)

    def found(self, dimension: str, words: str) -> Found:
        """Values that hold the words in small or capital letters, the largest in all data first."""
        plan: PlanDocument = {"metrics": ["revenue"], "by": [dimension], "order": ["-revenue"]}
        # A plan's "contains" tells small letters from capitals, so names are looked through here when there are words.
        asked = plan if words else {**plan, "limit": MOST_FOUND + 2}  # one of them may be NULL
        names = self.workspace.measure(asked).answer.table.column(dimension).to_pylist()
        wanted = words.casefold()
        found = [name for name in names if name is not None and wanted in name.casefold()]
        return Found(tuple(found[:MOST_FOUND]), not words and len(found) <= MOST_FOUND)

    def plan(self, figure: str) -> PlanDocument:
        """What is asked for `KEY_FIGURES`, `OVER_TIME`, `TRENDS`, or for the parts of a dimension.

        The courses that tiles show are not compared: most of what a comparison costs is to count what is distinct.
        """
        shape: PlanDocument = {"metrics": ["revenue"], "by": [figure], "order": ["-revenue"]}
        compare = self._compare
        if figure == KEY_FIGURES:
            shape = {"metrics": list(self.metrics)}
        elif figure == OVER_TIME:
            shape = {"metrics": ["revenue"], "by": [self._bucket]}
        elif figure == TRENDS:
            shape, compare = {"metrics": list(self.metrics), "by": [self._bucket]}, {}
        return {**shape, "where": self.asked.where(without=figure), **self._time, **compare}

    def file_plan(self, figure: str) -> PlanDocument:
        """The same with all metrics, and all filters, for a file."""
        return {**self.plan(figure), "metrics": list(self.metrics), "where": self.asked.where()}

    def measured(self, figure: str) -> Measured:
        """The answer to the plan of a figure; asked once."""
        if figure not in self._measured:
            self._measured[figure] = self.workspace.measure(self.plan(figure))
        return self._measured[figure]

    @property
    def lines_plan(self) -> PlanDocument:
        """What is asked for the lines that the page's numbers stand on."""
        return {"metrics": ["revenue"], "where": self.asked.where(), **self._time}

    @cached_property
    def compiled_lines(self) -> Compiled:
        """The question for what the lines come to."""
        return self.workspace.compiled({**self.lines_plan, "metrics": list(self.metrics)})

    def export(self, figure: str) -> Spooled:
        """A figure as a file holds it: all metrics, with those of the earlier period."""
        return self.workspace.export(self.file_plan(figure))

    def lines(self) -> Spooled:
        """The order lines that the page's numbers stand on, for a file."""
        return self.workspace.export_lines(self.lines_plan)

    @property
    def _day(self) -> str:
        if not self.table.time:
            raise RequestWrong(f"{self.table.label} have no day that you may see, so nothing can be shown over time.")
        return self.table.time

    @property
    def _bucket(self) -> str:
        return f"{self._day}:{self.asked.grain}"

    def _by_bucket(self, figure: str) -> dict[Any, Row]:
        return {row[self._bucket]: row for row in self.measured(figure).answer.table.to_pylist()}

    @property
    def _time(self) -> PlanDocument:
        return {"time": self.asked.period.span.half_open}

    @property
    def _compare(self) -> PlanDocument:
        before = self.asked.period.before
        return {} if before is None else {"compare": before.half_open}

    def _rows(self, plan: Mapping[str, Any]) -> list[Row]:
        rows: list[Row] = self.workspace.measure(plan).answer.table.to_pylist()
        return rows


def _sum(table: pa.Table, column: str) -> Decimal | None:
    """The sum of a column of amounts; None where it has no value, or there is no such column."""
    if column not in table.column_names:
        return None
    found: Decimal | None = pc.sum(table[column].cast(WIDE)).as_py()
    return found
