"""The words of a semantic layer: tables, their dimensions and filterable columns, measures and metrics.

One rule: these are values. They are read from dbt's artefacts or from a release, and nothing changes them afterwards.
"""

from dataclasses import dataclass
from typing import Literal

from lakehouse.errors import UnknownName
from lakehouse.metrics.literal import INTEGER, ValueType

HigherIs = Literal["better", "worse", "neutral"]
RATIO = ValueType("decimal", 18, 2)


@dataclass(frozen=True)
class Filterable:
    """A column that a plan may filter by. `expr` is its SQL: a column's name or an expression of the dbt project."""

    name: str
    expr: str
    type: ValueType
    label: str
    description: str = ""
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dimension(Filterable):
    """A column that a plan may group and filter by; one with `is_time` takes a grain."""

    is_time: bool = False


@dataclass(frozen=True)
class Measure:
    """One aggregate of rows: `aggregate` is sum, count, count_distinct, min or max; `type` is the type of `expr`."""

    aggregate: str
    expr: str
    type: ValueType

    @property
    def result(self) -> ValueType:
        """The type of the aggregate. A sum of decimals keeps all 38 digits, so no number of rows overflows it."""
        if self.aggregate in ("count", "count_distinct"):
            return INTEGER
        if self.aggregate == "sum" and self.type.kind == "decimal":
            return ValueType("decimal", 38, self.type.scale)
        return self.type


@dataclass(frozen=True)
class Metric:
    """A named number. Without a denominator it is its measure; with one it is the ratio of both, as DECIMAL(18,2)."""

    name: str
    table: str
    measure: Measure
    denominator: Measure | None
    label: str
    description: str = ""
    unit: str = ""
    format: str = ""
    synonyms: tuple[str, ...] = ()
    higher_is: HigherIs = "neutral"

    @property
    def type(self) -> ValueType:
        """The type of the metric's values."""
        return self.measure.result if self.denominator is None else RATIO


@dataclass(frozen=True)
class Table:
    """A table that metrics stand on: its logical name (`marts.order_lines`), grain and columns.

    `time` names the main time dimension, by which a plan's `time` selects; it is empty when there is none.
    """

    name: str
    label: str
    description: str
    time: str
    dimensions: tuple[Dimension, ...]
    filterables: tuple[Filterable, ...]

    def dimension(self, name: str) -> Dimension:
        """The dimension of that name. Raises `UnknownName`, which lists those of this table."""
        for dimension in self.dimensions:
            if dimension.name == name:
                return dimension
        raise UnknownName("dimension", name, [dimension.name for dimension in self.dimensions])

    def filterable(self, name: str) -> Filterable:
        """The dimension or column to filter by. Raises `UnknownName`, which lists them."""
        known: tuple[Filterable, ...] = (*self.dimensions, *self.filterables)
        for column in known:
            if column.name == name:
                return column
        raise UnknownName("filterable column", name, [column.name for column in known])
