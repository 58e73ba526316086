"""The headline numbers of a lake: its first metrics over the last 30 days of data, against the 30 days before.

One rule: which metrics there are is the model's as the user may see it; what is not there is left out, not missed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from lakehouse.core import Workspace
from lakehouse.metrics.terms import Metric
from portal.periods import DEFAULT, Period, Span, buckets, preset

FIRST = ("revenue", "orders", "customers", "units", "average_order_value")
"""Shown before all others, as far as a lake has them."""
MOST_METRICS = 5

Value = Decimal | int | None


@dataclass(frozen=True)
class Figure:
    """A metric over the period, the same before, the relative change, and its course day by day."""

    metric: Metric
    value: Value
    change: Decimal | None
    trend: tuple[Value, ...]


class Headline:
    """The headline numbers at one version of the data, under the rights of whoever asks."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """Metrics of one table, since one plan reads one; none where the user may see none."""
        known = {metric.name: metric for metric in self.workspace.metrics()}
        ordered = [*(known[name] for name in FIRST if name in known), *known.values()]
        chosen = dict.fromkeys(metric.name for metric in ordered if metric.table == ordered[0].table)
        return tuple(known[name] for name in chosen)[:MOST_METRICS]

    @cached_property
    def bounds(self) -> Span | None:
        """The first and the last day in the data; None where there are no rows, or no days to see."""
        if not self.metrics or not self.time:
            return None
        plan = {"metrics": [self.metrics[0].name], "by": [self.time], "limit": 1}
        first, last = (self._rows({**plan, "order": [order]}) for order in (self.time, f"-{self.time}"))
        days = [row[self.time] for row in (*first, *last)]
        return Span(days[0], days[-1]) if days and None not in days else None

    @cached_property
    def period(self) -> Period:
        """The last 30 days of data. There must be some."""
        assert self.bounds is not None  # noqa: S101  # a page without data shows no numbers
        return preset(DEFAULT, self.bounds)

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """The metrics over the period."""
        span, before = self.period.span, self.period.before
        compare = {"compare": before.half_open} if before is not None else {}
        plan = {"metrics": self.names, "time": span.half_open}
        row = self._rows({**plan, **compare})[0]
        key = f"{self.time}:day"
        course = {found[key]: found for found in self._rows({**plan, "by": [key]})}
        days = [bucket.start for bucket in buckets(span, "day", self.period.bounds)]
        return tuple(
            Figure(
                metric,
                row[metric.name],
                row.get(f"{metric.name}__change"),
                tuple(course[day][metric.name] if day in course else None for day in days),
            )
            for metric in self.metrics
        )

    @property
    def names(self) -> list[str]:
        """The names of the metrics."""
        return [metric.name for metric in self.metrics]

    def over(self, names: Sequence[str], days: Span) -> Mapping[str, Value]:
        """Some of the metrics over some days."""
        return self._rows({"metrics": list(names), "time": days.half_open})[0]

    @property
    def time(self) -> str:
        """The dimension that places them in time; empty where the user may not see it. There must be metrics."""
        return self.workspace.model.table(self.metrics[0].table).time

    def _rows(self, plan: Mapping[str, Any]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.workspace.measure(plan).answer.table.to_pylist()
        return rows
