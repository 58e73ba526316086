"""A plan: a typed question, checked word by word against a model.

One rule: `parse_plan` is the only way to a `Plan`; what it returns names nothing unknown and holds no value of a wrong
type, so what compiles it need not check again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from lakehouse.errors import PlanWrong, UnknownName
from lakehouse.metrics.literal import Value, json_value, read_date, read_value, shown
from lakehouse.metrics.model import Model
from lakehouse.metrics.period import GRAINS, Period, previous_period, previous_year
from lakehouse.metrics.terms import Filterable, Table

KEYS = ("metrics", "by", "where", "time", "order", "limit", "compare")
OPERATORS = (
    *("=", "!=", "in", "not in", "<", "<=", ">", ">=", "between", "contains"),
    *("is null", "is not null"),
)
COMPARISONS = ("previous_period", "previous_year")
BEFORE, CHANGE = "__before", "__change"
MAX_CHARACTERS = 1_000_000
MAX_METRICS, MAX_BY, MAX_PREDICATES, MAX_VALUES = 50, 20, 100, 1000
MAX_LIMIT = 1_000_000_000
EXAMPLE = '{"metrics": ["revenue"], "by": ["region"]}'


@dataclass(frozen=True)
class Group:
    """One entry of `by`: its name as the plan writes it, the dimension and, for a time dimension, the grain."""

    name: str
    dimension: str
    grain: str | None


@dataclass(frozen=True)
class Predicate:
    """One condition: a column, an operator and as many values as the operator takes."""

    column: str
    operator: str
    values: tuple[Value, ...]

    def to_json(self) -> list[Any]:
        """The condition as a plan writes it."""
        values = [json_value(value) for value in self.values]
        if not values:
            return [self.column, self.operator]
        return [self.column, self.operator, values if self.operator in ("in", "not in", "between") else values[0]]


@dataclass(frozen=True)
class Sort:
    """One entry of `order`: a column of the answer and its direction."""

    column: str
    descending: bool


@dataclass(frozen=True)
class Plan:
    """A typed question. `compare` is what the plan says; `before` is the period that it comes to."""

    metrics: tuple[str, ...]
    by: tuple[Group, ...] = ()
    where: tuple[Predicate, ...] = ()
    time: Period | None = None
    order: tuple[Sort, ...] = ()
    limit: int | None = None
    compare: Literal["previous_period", "previous_year"] | Period | None = None

    @property
    def before(self) -> Period | None:
        """The period that the answer is compared with, or None without a comparison."""
        if self.time is None or self.compare is None:
            return None
        if isinstance(self.compare, Period):
            return self.compare
        return previous_period(self.time) if self.compare == "previous_period" else previous_year(self.time)

    def to_json(self) -> dict[str, Any]:
        """The plan in its normal form: keys in one order, without those that say nothing; it parses to this plan."""
        compare = self.compare.to_json() if isinstance(self.compare, Period) else self.compare
        document = {
            "metrics": list(self.metrics),
            "by": [group.name for group in self.by],
            "where": [predicate.to_json() for predicate in self.where],
            "time": self.time.to_json() if self.time else None,
            "order": [f"-{sort.column}" if sort.descending else sort.column for sort in self.order],
            "limit": self.limit,
            "compare": compare,
        }
        return {key: value for key, value in document.items() if value not in (None, [])}


def parse_plan(value: Mapping[str, Any] | str, model: Model) -> Plan:
    """The plan that a mapping or a JSON text describes.

    Raises `UnknownName` or `PlanWrong`, which say what is wrong and list the choices.
    """
    document = _document(value)
    metrics = _metrics(document, model)
    table = model.table_of(metrics)
    by = tuple(_group(entry, table) for entry in _distinct(document, "by", MAX_BY))
    where = _list(document, "where", MAX_PREDICATES)
    time = _time(document, table)
    plan = Plan(
        metrics=metrics,
        by=by,
        where=tuple(_predicate(entry, table) for entry in where),
        time=time,
        order=_order(document, metrics, by),
        limit=_limit(document.get("limit")),
        compare=_compare(document.get("compare"), time),
    )
    # Asked for here, so that a period before the calendar's first year is refused while the plan is read.
    _ = plan.before
    return plan


def _document(value: Mapping[str, Any] | str) -> dict[str, Any]:
    try:
        text = value if isinstance(value, str) else json.dumps(dict(value), default=str)
        if len(text) > MAX_CHARACTERS:
            raise PlanWrong(f"The plan has {len(text):,} characters; at most {MAX_CHARACTERS:,} are allowed.")
        document = _loads(text) if isinstance(value, str) else dict(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise PlanWrong(f"The plan is not valid JSON: {error}. Write an object such as {EXAMPLE}.") from error
    if not isinstance(document, dict):
        raise PlanWrong(f"The plan is {shown(document)}, but must be an object such as {EXAMPLE}.")
    for key in document:
        if key not in KEYS:
            raise UnknownName("plan key", str(key), list(KEYS))
    return document


def _loads(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_unique, parse_float=Decimal, parse_constant=_no_number)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("an object has the same key twice")
    return document


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _list(document: Mapping[str, Any], key: str, most: int) -> Sequence[Any]:
    value = document.get(key)
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise PlanWrong(f"{key!r} is {shown(value)}, but must be a list.")
    if len(value) > most:
        raise PlanWrong(f"{key!r} has {len(value):,} entries; at most {most:,} are allowed.")
    return value


def _distinct(document: Mapping[str, Any], key: str, most: int) -> list[str]:
    names = []
    for name in _list(document, key, most):
        if not isinstance(name, str):
            raise PlanWrong(f"{key!r} has the entry {shown(name)}, but takes names as texts.")
        if name in names:
            raise PlanWrong(f"{key!r} names {name!r} twice. Name it once.")
        names.append(name)
    return names


def _metrics(document: Mapping[str, Any], model: Model) -> tuple[str, ...]:
    names = _distinct(document, "metrics", MAX_METRICS)
    if not names:
        known = ", ".join(sorted(metric.name for metric in model.metrics))
        raise PlanWrong(f"The plan names no metrics. Known metrics: {known or 'none yet'}.")
    return tuple(model.metric(name).name for name in names)


def _group(entry: str, table: Table) -> Group:
    name, colon, grain = entry.partition(":")
    dimension = table.dimension(name)
    if not dimension.is_time:
        if colon:
            raise PlanWrong(
                f"'by' has {entry!r}, but {name!r} is no time dimension and takes no grain. Write {name!r}."
            )
        return Group(entry, name, None)
    if colon and grain not in GRAINS:
        raise UnknownName("grain", grain, list(GRAINS))
    return Group(entry, name, grain or "day")


def _predicate(entry: Any, table: Table) -> Predicate:
    if not isinstance(entry, list | tuple) or not 2 <= len(entry) <= 3 or not isinstance(entry[0], str):
        raise PlanWrong(f"'where' has the entry {shown(entry)}, but takes [column, operator, value].")
    column, operator = table.filterable(entry[0]), entry[1]
    if not isinstance(operator, str) or operator not in OPERATORS:
        raise UnknownName("operator", str(operator)[:60], list(OPERATORS))
    if operator in ("is null", "is not null"):
        if len(entry) == 3:
            raise PlanWrong(f"The operator {operator!r} takes no value. Write [{column.name!r}, {operator!r}].")
        return Predicate(column.name, operator, ())
    if len(entry) != 3:
        raise PlanWrong(f"The condition {shown(entry)} has no value. Write [column, operator, value].")
    return Predicate(column.name, operator, _values(column, operator, entry[2]))


def _values(column: Filterable, operator: str, value: Any) -> tuple[Value, ...]:
    place = f"The condition on {column.name!r} ({operator})"
    if operator == "contains" and column.type.kind != "text":
        raise PlanWrong(f"{place} needs a text column, but {column.name!r} is {column.type}. {_fitting(column)}")
    if column.type.kind == "boolean" and operator not in ("=", "!=", "in", "not in"):
        raise PlanWrong(f"{place} needs a column with an order, but {column.name!r} is boolean. {_fitting(column)}")
    if operator not in ("in", "not in", "between"):
        return (read_value(value, column.type, place),)
    if not isinstance(value, list | tuple):
        raise PlanWrong(f"{place} has {shown(value)}, but needs a list of values.")
    if operator == "between" and len(value) != 2:
        raise PlanWrong(f"{place} has {len(value)} values, but needs two: the lowest and the highest.")
    if not 1 <= len(value) <= MAX_VALUES:
        raise PlanWrong(f"{place} has {len(value):,} values, but needs 1 to {MAX_VALUES:,}.")
    return tuple(read_value(one, column.type, place) for one in value)


def _fitting(column: Filterable) -> str:
    unfit = {"contains"} if column.type.kind != "boolean" else {"contains", "<", "<=", ">", ">=", "between"}
    return f"Operators that fit: {', '.join(operator for operator in OPERATORS if operator not in unfit)}."


def _time(document: Mapping[str, Any], table: Table) -> Period | None:
    value = document.get("time")
    if value is None:
        return None
    if not table.time:
        raise PlanWrong(f"'time' needs a main time dimension, but {table.name} has none. Leave 'time' out.")
    return _period(value, "time")


def _period(value: Any, key: str) -> Period:
    if not isinstance(value, Mapping) or set(value) != {"from", "to"}:
        raise PlanWrong(f"{key!r} is {shown(value)}, but must be an object with exactly 'from' and 'to'.")
    period = Period(read_date(value["from"], f"'{key}.from'"), read_date(value["to"], f"'{key}.to'"))
    if period.start >= period.end:
        raise PlanWrong(f"'{key}.from' must be before '{key}.to', which is not included; got {period}.")
    return period


def _compare(value: Any, time: Period | None) -> Any:
    if value is None:
        return None
    choices = f"Choices: {', '.join(COMPARISONS)}, or an object with 'from' and 'to'."
    if not isinstance(value, Mapping) and value not in COMPARISONS:
        raise PlanWrong(f"'compare' is {shown(value)}, which is unknown. {choices}")
    if time is None:
        raise PlanWrong("'compare' needs 'time', the period that is compared. Add 'time' with 'from' and 'to'.")
    return _period(value, "compare") if isinstance(value, Mapping) else value


def _order(document: Mapping[str, Any], metrics: tuple[str, ...], by: tuple[Group, ...]) -> tuple[Sort, ...]:
    suffixes = ("", BEFORE, CHANGE) if document.get("compare") is not None else ("",)
    known = [group.name for group in by] + [f"{metric}{suffix}" for metric in metrics for suffix in suffixes]
    sorts: list[Sort] = []
    for entry in _distinct(document, "order", len(known) * 2):
        column = entry.removeprefix("-")
        if column not in known:
            choices = ", ".join(known)
            raise PlanWrong(f"'order' names {column!r}, which is no column of this answer. Columns: {choices}.")
        if column in [sort.column for sort in sorts]:
            raise PlanWrong(f"'order' names {column!r} twice. Name it once.")
        sorts.append(Sort(column, entry.startswith("-")))
    return tuple(sorts)


def _limit(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_LIMIT:
        return value
    raise PlanWrong(f"'limit' is {shown(value)}, but must be a whole number from 1 to {MAX_LIMIT:,}.")
