"""A plan in plain English: what people read to see whether they were understood.

One rule: everything that the plan says is in the sentence; two plans that differ in what they ask differ in it.
"""

import datetime
import json
import re
from collections.abc import Iterable, Sequence

from lakehouse.metrics.literal import Value
from lakehouse.metrics.period import Period
from lakehouse.metrics.plan import BEFORE, CHANGE, Group, Plan, Predicate
from lakehouse.metrics.terms import Metric, Table

# A text that stands unquoted must not read like a part of the sentence.
PLAIN = re.compile(r"(?!.*\b(?:and|or|to)\b)\w[\w&/.'-]*(?: [\w&/.'-]+)*", re.IGNORECASE)
PHRASES = {
    "=": "is",
    "!=": "is not",
    "<": "is below",
    "<=": "is at most",
    ">": "is above",
    ">=": "is at least",
    "contains": "contains",
    "is null": "is empty",
    "is not null": "is not empty",
}
DATE_PHRASES = {"<": "is before", "<=": "is on or before", ">": "is after", ">=": "is on or after"}


def sentence(plan: Plan, table: Table, metrics: Sequence[Metric]) -> str:
    """The plan as one sentence, such as "Revenue by region, from 2024-01-01 up to but not including 2024-04-01."."""
    head = _joined([_lowered(metric.label) for metric in metrics])
    if plan.by:
        head += f" by {_joined([_lowered(group_label(group, table)) for group in plan.by])}"
    parts = [head]
    if plan.where:
        parts.append("where " + " and ".join(_condition(predicate, table) for predicate in plan.where))
    if plan.time is not None:
        parts.append(f"from {plan.time}")
    if plan.before is not None:
        parts.append(f"compared with {_comparison(plan, plan.before)}")
    parts += [*_sorting(plan, table, metrics), *_limit(plan)]
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def group_label(group: Group, table: Table) -> str:
    """The label of one entry of `by`: "Region", or "Month of order date"."""
    label = table.dimension(group.dimension).label
    return label if group.grain is None else f"{group.grain.capitalize()} of {_lowered(label)}"


def _comparison(plan: Plan, before: Period) -> str:
    if isinstance(plan.compare, Period):
        return str(before)
    name = "the previous period" if plan.compare == "previous_period" else "the same period a year earlier"
    return f"{name} ({before})"


def _condition(predicate: Predicate, table: Table) -> str:
    column = table.filterable(predicate.column)
    label, values = _lowered(column.label), [_shown(value) for value in predicate.values]
    match predicate.operator:
        case "in":
            return f"{label} is {_joined(values, 'or')}"
        case "not in":
            return f"{label} is not {_joined(values, 'or')}"
        case "between":
            return f"{label} is between {values[0]} and {values[1]} (both included)"
        case operator:
            phrases = {**PHRASES, **DATE_PHRASES} if column.type.kind == "date" else PHRASES
            return " ".join([label, phrases[operator], *values])


def _sorting(plan: Plan, table: Table, metrics: Sequence[Metric]) -> Iterable[str]:
    labels = {group.name: _lowered(group_label(group, table)) for group in plan.by}
    for metric in metrics:
        label = _lowered(metric.label)
        labels |= {
            metric.name: label,
            metric.name + BEFORE: f"{label} before",
            metric.name + CHANGE: f"change of {label}",
        }
    if plan.order:
        entries = [f"{labels[sort.column]}{' descending' if sort.descending else ''}" for sort in plan.order]
    else:
        entries = [labels[group.name] for group in plan.by] if plan.limit is not None else []
    return [f"sorted by {' and then by '.join(entries)}"] if entries else []


def _limit(plan: Plan) -> Iterable[str]:
    if plan.limit is None:
        return []
    return ["first row"] if plan.limit == 1 else [f"first {plan.limit:,} rows"]


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, str):
        return value if PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    return f"{value:,}"


def _joined(words: Sequence[str], last: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _lowered(label: str) -> str:
    """The label inside a sentence; one that begins like an abbreviation keeps its capitals."""
    return label if label[1:2].isupper() else f"{label[:1].lower()}{label[1:]}"
