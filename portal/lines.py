"""The lines behind the revenue page's numbers, one page of them at a time, as an address asks for them.

One rule: the grid and its file are windows of the same lines in the same order, under the same words.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lakehouse.errors import RequestWrong
from lakehouse.metrics.lines import Window
from lakehouse.metrics.plan import Sort
from lakehouse.metrics.terms import Filterable, Measure
from lakehouse.query.spool import Spooled
from portal.page import Visit
from portal.sales import Sales

SORT, FIND, PAGE, ROWS = "sort", "find", "page", "rows"
"""What the state of the grid is kept under in the page's address."""
SIZES = (25, 50, 100)
USUAL_SIZE = 25
MOST_DIGITS = 15


@dataclass(frozen=True)
class LineColumn:
    """One column of the grid. `is_number` says that its values can be added up or compared by size."""

    name: str
    label: str
    is_number: bool
    is_lesser: bool


class Lines:
    """The lines of one visit. Raises `RequestWrong` for an address that asks for what there is not."""

    def __init__(self, sales: Sales, visit: Visit) -> None:
        self.sales, self.visit = sales, visit

    @property
    def words(self) -> str:
        """What is looked for; empty for nothing."""
        return self.visit.one(FIND).strip()

    @property
    def usual_sort(self) -> Sort | None:
        """The newest first, where lines have a day that may be seen."""
        day = self._day
        return Sort(day, True) if day else None

    @property
    def sort(self) -> Sort | None:
        """How the lines are sorted."""
        given = self.visit.one(SORT)
        return Sort(given.removeprefix("-"), given.startswith("-")) if given else self.usual_sort

    @cached_property
    def size(self) -> int:
        """How many rows a page has."""
        given = self.visit.one(ROWS) or str(USUAL_SIZE)
        if given not in map(str, SIZES):
            raise RequestWrong(f"The address asks for pages of {given!r} rows. Choose {', '.join(map(str, SIZES))}.")
        return int(given)

    @cached_property
    def count_of_all(self) -> int:
        """How many lines the page's numbers stand on."""
        return self.sales.workspace.line_count(self.sales.lines_plan)

    @cached_property
    def count(self) -> int:
        """How many of them hold the words."""
        if not self.words:
            return self.count_of_all
        window = Window(words=self.words, searched=self._searched)  # without its order: asked once for all of them
        return self.sales.workspace.line_count(self.sales.lines_plan, window)

    @property
    def page_count(self) -> int:
        """How many pages the lines have; one where there are none."""
        return max(1, -(-self.count // self.size))

    @cached_property
    def page(self) -> int:
        """The page that is shown, from 1: the one that the address asks for, or the last."""
        given = self.visit.one(PAGE) or "1"
        if not re.fullmatch(rf"0*[1-9][0-9]{{0,{MOST_DIGITS - 1}}}", given, re.ASCII):
            raise RequestWrong(f"The address asks for the page {given!r} of the lines. Pages are numbered from 1.")
        return min(int(given), self.page_count)

    @property
    def first(self) -> int:
        """The place of the first row of the page among all lines, from 0."""
        return (self.page - 1) * self.size

    @cached_property
    def rows(self) -> list[Mapping[str, Any]]:
        """The lines of the page, each with all columns that may be seen."""
        window = Window(self.sort, self.words, self.first, self.size, self._searched)
        found: list[Mapping[str, Any]] = self.sales.workspace.lines(self.sales.lines_plan, window).table.to_pylist()
        return found

    def file(self) -> Spooled:
        """The lines of all pages, in the same order, as a file holds them."""
        return self.sales.workspace.export_lines(
            self.sales.lines_plan, Window(self.sort, self.words, searched=self._searched)
        )

    @cached_property
    def columns(self) -> tuple[LineColumn, ...]:
        """What the grid shows: what orders are counted by, the day, dimensions, what can be filtered by, and amounts.

        Hidden columns are not there, and neither are dimensions without any value.
        """
        seen = self._seen
        named = {column.expr: column for column in (*self.sales.table.dimensions, *self.sales.table.filterables)}
        names = [name for name in self._names if not self._is_empty(named.get(name))]
        on_a_phone = {names[0], self._day, *self.sales.ranked, names[-1]}
        numbers = self._numbers()
        return tuple(
            LineColumn(name, named[name].label if name in named else seen[name], name in numbers, is_lesser)
            for name in names
            for is_lesser in (name not in on_a_phone,)
        )

    @property
    def _searched(self) -> tuple[str, ...] | None:
        """What people see is what they look for: a line must not be found by a hash that identifies it in the file."""
        return tuple(self._names) if self.words else None

    @cached_property
    def _names(self) -> list[str]:
        table = self.sales.table
        dimensions = [dimension.expr for dimension in table.dimensions]
        counted = [one.expr for one in self._measures() if one.aggregate == "count_distinct"]
        summed = [one.expr for one in self._measures() if one.aggregate == "sum"]
        first = [name for name in counted if name not in dimensions]
        others = [column.expr for column in table.filterables]
        names = [*first, *([self._day] if self._day else []), *dimensions, *others, *summed]
        return [name for name in dict.fromkeys(names) if name in self._seen]

    def _numbers(self) -> set[str]:
        filtered = [(column.expr, column.type) for column in self.sales.table.filterables]
        summed = [(one.expr, one.type) for one in self._measures() if one.aggregate == "sum"]
        return {name for name, kind in (*filtered, *summed) if kind.is_number}

    def _measures(self) -> Iterator[Measure]:
        """What the metrics of the table are computed from."""
        for metric in self.sales.workspace.model.metrics:
            if metric.table == self.sales.table.name:
                yield from (one for one in (metric.measure, metric.denominator) if one is not None)

    def _is_empty(self, column: Filterable | None) -> bool:
        """Whether a dimension has no value in all data; that is asked only where it has none on this page."""
        is_filled = column is None or column not in self.sales.table.dimensions or not self.rows
        if column is None or is_filled or any(row[column.expr] is not None for row in self.rows):
            return False
        plan = {"metrics": ["revenue"], "by": [column.name], "limit": 1}
        least = self.sales.workspace.measure(plan).answer.table[column.name].to_pylist()
        return least in ([], [None])

    @cached_property
    def _seen(self) -> Mapping[str, str]:
        """The columns that may be seen, each with its label."""
        return {column["name"]: column["label"] for column in self.sales.workspace.columns(self.sales.table.name)}

    @property
    def _day(self) -> str:
        """The column of the main time; empty where there is none to be seen."""
        table = self.sales.table
        day = table.dimension(table.time).expr if table.time else ""
        return day if day in self._seen else ""
