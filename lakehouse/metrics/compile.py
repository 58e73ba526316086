"""Plan in, DuckDB SQL out, with the sentence that says in plain English what is asked.

One rule: every number is computed from the table's own rows, for each period anew; nothing is added up, averaged or
counted from groups. The SQL holds its values and stands alone, so that an operator can paste it.

How an answer with `compare` is put together: each period is grouped by itself. The buckets of the main time dimension
are named by the dates of `time`; a bucket of the earlier period is moved onto its counterpart, the bucket at the same
position (see `period`), so a row that only the earlier period has stands where its counterpart would, be it behind the
end of `time`. All other dimensions, other time dimensions among them, match by value, and NULL matches NULL.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from lakehouse.metrics import arithmetic
from lakehouse.metrics.clauses import Lines, column_sql, conditions, conjunction, select, source
from lakehouse.metrics.model import Model
from lakehouse.metrics.period import MONTHS_OF, Period, offset
from lakehouse.metrics.plan import BEFORE, CHANGE, Group, Plan, Sort
from lakehouse.metrics.sentence import group_label, sentence
from lakehouse.metrics.terms import HigherIs, Measure, Metric, Table
from lakehouse.quoting import sql_name

AGGREGATES = {
    "sum": "sum({})",
    "count": "count({})",
    "count_distinct": "count(distinct {})",
    "min": "min({})",
    "max": "max({})",
}
NUMERATOR, DENOMINATOR = "__numerator", "__denominator"
DIFFERENCE, SIZE = "__difference", "__size"
"""What a change is the quotient of, in steps of their own."""


@dataclass(frozen=True)
class Column:
    """One column of an answer; `type` is DuckDB's name of its type. `metric` is empty for a dimension."""

    name: str
    type: str
    role: Literal["dimension", "metric", "before", "change"]
    label: str
    metric: str = ""
    unit: str = ""
    format: str = ""
    higher_is: HigherIs = "neutral"


@dataclass(frozen=True)
class Compiled:
    """What a plan comes to: the SQL, the one table that it reads, the columns of its answer, and the sentence."""

    sql: str
    sentence: str
    columns: tuple[Column, ...]
    table: str


def compile_plan(plan: Plan, model: Model) -> Compiled:
    """The SQL and the sentence of a plan that was parsed against this model."""
    table = model.table_of(plan.metrics)
    metrics = tuple(model.metric(name) for name in plan.metrics)
    question = _Question(plan, table, metrics)
    return Compiled(
        sql=question.compared() if plan.before else question.plain(),
        sentence=sentence(plan, table, metrics),
        columns=(*(_group_column(group, table) for group in plan.by), *_metric_columns(plan, metrics)),
        table=table.name,
    )


def total_order(plan: Plan) -> tuple[Sort, ...]:
    """The order that the plan asks for, then the remaining entries of `by`, ascending."""
    named = {sort.column for sort in plan.order}
    return (*plan.order, *(Sort(group.name, False) for group in plan.by if group.name not in named))


@dataclass(frozen=True)
class _Question:
    plan: Plan
    table: Table
    metrics: tuple[Metric, ...]

    def plain(self) -> str:
        """The SQL without a comparison."""
        return self._statement([("totals", self._totals(self.plan.time, None))], self._values("totals"))

    def compared(self) -> str:
        """The SQL with one: both periods' totals, their metrics, and the full join of the two."""
        steps = [
            ("now_totals", self._totals(self.plan.time, None)),
            ("before_totals", self._totals(self.plan.before, self.plan.time)),
            ("now_values", self._values("now_totals")),
            ("before_values", self._values("before_totals")),
            ("joined", self._joined()),
            ("compared", self._changes()),
        ]
        return self._statement(steps, ["select *", "from compared"])

    def _statement(self, steps: list[tuple[str, Lines]], last: Lines) -> str:
        """CTEs and the final select in total order. The order stands last, where only the answer's names are known."""
        queries = ",\n".join("\n".join([f"{name} as (", *_indented(query), ")"]) for name, query in steps)
        order = ", ".join(
            f"{sql_name(sort.column)}{' desc' if sort.descending else ''} nulls last" for sort in total_order(self.plan)
        )
        tail = [f"order by {order}"] if order else []
        tail += [f"limit {self.plan.limit}"] if self.plan.limit is not None else []
        return "\n".join([f"with {queries}", *last, *tail])

    def _totals(self, period: Period | None, onto: Period | None) -> Lines:
        """Measures of one period by group; with `onto`, its buckets are named by that period's dates."""
        keys = [f"{self._key(group, period, onto)} as {sql_name(group.name)}" for group in self.plan.by]
        measures = []
        for metric in self.metrics:
            if metric.denominator is None:
                measures.append(f"{_aggregate(metric.measure)} as {sql_name(metric.name)}")
            else:
                measures.append(f"{_aggregate(metric.measure)} as {sql_name(metric.name + NUMERATOR)}")
                measures.append(f"{_aggregate(metric.denominator)} as {sql_name(metric.name + DENOMINATOR)}")
        grouping = ", ".join(str(place) for place in range(1, len(keys) + 1))
        return [
            *select([*keys, *measures]),
            source(self.table.name),
            *conjunction("where", conditions(self.plan, self.table, period)),
            *([f"group by {grouping}"] if keys else []),
        ]

    def _key(self, group: Group, period: Period | None, onto: Period | None) -> str:
        dimension = self.table.dimension(group.dimension)
        column = column_sql(dimension.expr)
        if group.grain is None:
            return f"cast({column} as {dimension.type.sql.lower()})" if dimension.type.is_number else column
        first = column if group.grain == "day" else f"cast(date_trunc('{group.grain}', {column}) as date)"
        if period is None or onto is None or group.dimension != self.table.time:
            return first
        distance, unit = offset(onto, period, group.grain)
        if group.grain in MONTHS_OF:
            return f"cast({first} + interval ({distance}) {unit} as date)"
        return f"{first} + ({distance})"

    def _values(self, totals: str) -> Lines:
        """Groups and metrics: ratios are taken here, from the sums of their group."""
        groups = [sql_name(group.name) for group in self.plan.by]
        return [*select([*groups, *(_value(metric) for metric in self.metrics)]), f"from {totals}"]

    def _joined(self) -> Lines:
        """Both periods side by side, with the difference of each metric and the size of what it was before."""
        names = [sql_name(group.name) for group in self.plan.by]
        columns = [f"coalesce(here.{name}, there.{name}) as {name}" for name in names]
        for metric in self.metrics:
            here, there = (f"{side}.{sql_name(metric.name)}" for side in ("here", "there"))
            now, before = (arithmetic.whole(one, metric.type) for one in (here, there))
            columns.append(f"{here} as {sql_name(metric.name)}")
            columns.append(f"{there} as {sql_name(metric.name + BEFORE)}")
            columns.append(f"{now} - {before} as {sql_name(metric.name + DIFFERENCE)}")
            columns.append(f"abs({before}) as {sql_name(metric.name + SIZE)}")
        if not names:  # one row on either side
            return [*select(columns), "from now_values as here", "cross join before_values as there"]
        matches = [f"here.{name} is not distinct from there.{name}" for name in names]
        both = ["from now_values as here", "full join before_values as there"]
        return [*select(columns), *both, *conjunction("  on", matches)]

    def _changes(self) -> Lines:
        """Groups, metrics of both periods, and their changes."""
        columns = [sql_name(group.name) for group in self.plan.by]
        for metric in self.metrics:
            difference, size = (sql_name(metric.name + part) for part in (DIFFERENCE, SIZE))
            columns += [sql_name(metric.name), sql_name(metric.name + BEFORE)]
            columns.append(f"{arithmetic.change(difference, size)} as {sql_name(metric.name + CHANGE)}")
        return [*select(columns), "from joined"]


def _value(metric: Metric) -> str:
    name = sql_name(metric.name)
    if metric.denominator is None:
        return name
    top, bottom = sql_name(metric.name + NUMERATOR), sql_name(metric.name + DENOMINATOR)
    divided = arithmetic.ratio((top, metric.measure.result), (bottom, metric.denominator.result), metric.type)
    return f"{divided} as {name}"


def _aggregate(measure: Measure) -> str:
    text = AGGREGATES[measure.aggregate].format(column_sql(measure.expr))
    # DuckDB widens sums (of BIGINT to HUGEINT), and columns may be narrower than declared: fix the type.
    return f"cast({text} as {measure.result.sql.lower()})"


def _indented(query: Lines) -> Lines:
    return [f"  {line}" for line in query]


def _group_column(group: Group, table: Table) -> Column:
    dimension = table.dimension(group.dimension)
    return Column(group.name, dimension.type.sql, "dimension", group_label(group, table))


def _metric_columns(plan: Plan, metrics: Iterable[Metric]) -> Iterable[Column]:
    for metric in metrics:
        label, name, unit, shape = metric.label, metric.name, metric.unit, metric.format
        yield Column(name, metric.type.sql, "metric", label, name, unit, shape, metric.higher_is)
        if plan.before is not None:
            yield Column(
                name + BEFORE, metric.type.sql, "before", f"{label} before", name, unit, shape, metric.higher_is
            )
            yield Column(
                name + CHANGE, arithmetic.CHANGE.sql, "change", f"Change of {label}", name, "", "+.1%", metric.higher_is
            )
