"""A model as far as somebody may see it.

One rule: what uses a hidden column is not there; an expression uses every column that it names.
"""

import re
from collections.abc import Callable, Container
from dataclasses import replace

from lakehouse.metrics.model import Model
from lakehouse.metrics.terms import Metric, Table


def visible(model: Model, tables: Container[str], hidden: Callable[[str], frozenset[str]]) -> Model:
    """The tables among `tables`, with those dimensions and metrics that need none of a table's `hidden` columns."""
    shown = tuple(_table(table, hidden(table.name)) for table in model.tables if table.name in tables)
    metrics = tuple(
        metric for metric in model.metrics if metric.table in tables and _open(metric, hidden(metric.table))
    )
    return Model(shown, metrics)


def _table(table: Table, hidden: frozenset[str]) -> Table:
    dimensions = tuple(column for column in table.dimensions if not _names(column.expr) & hidden)
    filterables = tuple(column for column in table.filterables if not _names(column.expr) & hidden)
    time = table.time if table.time in [column.name for column in dimensions] else ""
    return replace(table, dimensions=dimensions, filterables=filterables, time=time)


def _open(metric: Metric, hidden: frozenset[str]) -> bool:
    expressions = [measure.expr for measure in (metric.measure, metric.denominator) if measure is not None]
    return not any(_names(expr) & hidden for expr in expressions)


def _names(expr: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", expr.lower()))
