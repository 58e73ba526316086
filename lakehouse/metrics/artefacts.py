"""Reads tables and metrics from dbt's artefacts, `semantic_manifest.json` and `manifest.json`.

One rule: what cannot be computed exactly is refused here, by name and with a cure, so that no plan meets it later.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from lakehouse.errors import RequestWrong
from lakehouse.metrics.literal import DATE, INTEGER, KINDS, TEXT, ValueType
from lakehouse.metrics.terms import Dimension, Filterable, HigherIs, Measure, Metric, Table

Document = Mapping[str, Any]

AGGREGATES = ("sum", "count", "count_distinct", "average", "min", "max")
HIGHER_IS: tuple[HigherIs, ...] = ("better", "worse", "neutral")
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# dbt itself rewrites `agg: count` to a sum of this expression before it writes the artefact.
REWRITTEN_COUNT = re.compile(r"CASE WHEN (.+) IS NOT NULL THEN 1 ELSE 0 END", re.DOTALL)


def read_tables(semantic_manifest: Document, manifest: Document) -> tuple[Table, ...]:
    """One table per semantic model, in the order of the artefact."""
    tables = tuple(
        _table(semantic, _columns(semantic, manifest)) for semantic in semantic_manifest.get("semantic_models", [])
    )
    names = [table.name for table in tables]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RequestWrong(f"Several semantic models describe {twice[0]}. Put their dimensions and measures into one.")
    return tables


def read_metrics(semantic_manifest: Document, manifest: Document, tables: tuple[Table, ...]) -> tuple[Metric, ...]:
    """All metrics: simple ones over one measure, and ratios of two simple ones on the same table."""
    measures: dict[str, _Found] = {}
    for semantic in semantic_manifest.get("semantic_models", []):
        columns = _columns(semantic, manifest)
        for measure in semantic.get("measures", []):
            measures[measure["name"]] = _Found(_table_name(semantic), semantic, columns, measure)
    documents = {metric["name"]: metric for metric in semantic_manifest.get("metrics", [])}
    simple = {name: _simple(metric, measures) for name, metric in documents.items() if metric["type"] == "simple"}
    metrics = tuple(simple.get(name) or _ratio(metric, simple) for name, metric in documents.items())
    for metric in metrics:
        _check_name(metric, tables)
    return metrics


class _Found(NamedTuple):
    """A measure with the semantic model and the physical columns that it belongs to."""

    table: str
    semantic: Document
    columns: Document
    measure: Document


def _table_name(semantic: Document) -> str:
    relation = semantic["node_relation"]
    return f"{relation['schema_name']}.{relation['alias']}"


def _columns(semantic: Document, manifest: Document) -> Document:
    """The physical columns that the model's YAML declares, by name."""
    relation = semantic["node_relation"]
    for node in manifest.get("nodes", {}).values():
        if (node.get("schema"), node.get("alias")) == (relation["schema_name"], relation["alias"]):
            columns: Document = node.get("columns", {})
            return columns
    return {}


def _table(semantic: Document, columns: Document) -> Table:
    dimensions = tuple(_dimension(dimension, columns) for dimension in semantic.get("dimensions", []))
    taken = {dimension.name for dimension in dimensions}
    filterables = tuple(
        _filterable(column)
        for name, column in columns.items()
        if _meta(column).get("filterable") is True and name not in taken
    )
    return Table(
        name=_table_name(semantic),
        label=semantic.get("label") or _label(semantic["name"]),
        description=_sentence(semantic),
        time=(semantic.get("defaults") or {}).get("agg_time_dimension") or "",
        dimensions=dimensions,
        filterables=filterables,
    )


def _dimension(document: Document, columns: Document) -> Dimension:
    name = document["name"]
    expr = document.get("expr") or name
    is_time = str(document["type"]).lower() == "time"
    found = _declared_type(f"dimension {name!r}", document, expr, columns) or (DATE if is_time else TEXT)
    grain = str((document.get("type_params") or {}).get("time_granularity") or "day").lower()
    if is_time and (found != DATE or grain != "day"):
        raise RequestWrong(
            f"Time dimension {name!r} is a {found} of grain {grain}, but Lakeport needs a date of grain day. "
            "Cast it to a date in the model and set time_granularity: day."
        )
    return Dimension(
        name=name,
        expr=expr,
        type=found,
        label=document.get("label") or _label(name),
        description=_sentence(document),
        synonyms=_synonyms(f"dimension {name!r}", document),
        is_time=is_time,
    )


def _filterable(column: Document) -> Filterable:
    name = column["name"]
    found = _declared_type(f"filterable column {name!r}", column, name, {name: column})
    if found is None:
        raise RequestWrong(f"Filterable column {name!r} has no data_type. Declare it: {', '.join(KINDS)}.")
    label = _meta(column).get("label") or _label(name)
    return Filterable(name, name, found, label, _sentence(column), _synonyms(f"column {name!r}", column))


def _simple(document: Document, measures: Mapping[str, _Found]) -> Metric:
    name = document["name"]
    given = document["type_params"].get("measure")
    if not given:
        raise RequestWrong(f"Metric {name!r} names no measure. Define one in the semantic model and name it.")
    _refuse_filters(name, document, given)
    found = measures[given["name"]]
    table, measure = found.table, found.measure
    wanted_time = measure.get("agg_time_dimension")
    main_time = (found.semantic.get("defaults") or {}).get("agg_time_dimension")
    if measure.get("non_additive_dimension") or (wanted_time and main_time and wanted_time != main_time):
        raise RequestWrong(
            f"Metric {name!r} stands on measure {measure['name']!r} with a time dimension of its own, which Lakeport "
            "does not compute. Use the semantic model's agg_time_dimension."
        )
    top, bottom = _measures(name, measure, found.columns)
    return _metric(document, table, top, bottom)


def _measures(metric: str, document: Document, columns: Document) -> tuple[Measure, Measure | None]:
    """The measure of a simple metric; an average is a sum over a count, so that it is exact."""
    aggregate = str(document["agg"]).lower()
    expr = str(document.get("expr") or document["name"])
    counted = REWRITTEN_COUNT.fullmatch(expr)
    if aggregate == "sum" and counted:
        aggregate, expr = "count", counted[1]
    if aggregate not in AGGREGATES:
        raise RequestWrong(
            f"Metric {metric!r} aggregates by {aggregate}, which Lakeport does not compute. "
            f"Known aggregates: {', '.join(AGGREGATES)}."
        )
    if aggregate in ("count", "count_distinct"):
        return Measure(aggregate, expr, INTEGER), None
    found = _declared_type(f"measure {document['name']!r}", document, expr, columns)
    if found is None and re.fullmatch(r"-?\d{1,18}", expr):
        found = INTEGER
    if found is None or not found.is_number:
        raise RequestWrong(
            f"Measure {document['name']!r} of metric {metric!r} needs the type of {expr!r}: declare data_type on the "
            "column, or config: {meta: {type: ...}} on the measure, as integer or decimal(p,s)."
        )
    if aggregate == "average":
        return Measure("sum", expr, found), Measure("count", expr, INTEGER)
    return Measure(aggregate, expr, found), None


def _ratio(document: Document, simple: Mapping[str, Metric]) -> Metric:
    name, kind, given = document["name"], str(document["type"]).lower(), document["type_params"]
    if kind != "ratio":
        raise RequestWrong(f"Metric {name!r} is of type {kind}, which Lakeport does not compute. Use simple or ratio.")
    parts = []
    for part in ("numerator", "denominator"):
        _refuse_filters(name, document, given[part])
        metric = simple.get(given[part]["name"])
        if metric is None or metric.denominator is not None:
            raise RequestWrong(
                f"The {part} of metric {name!r} is {given[part]['name']!r}, but must be a simple metric "
                "that is not an average. Define one with a measure."
            )
        parts.append(metric)
    top, bottom = parts
    if top.table != bottom.table:
        raise RequestWrong(
            f"Metric {name!r} divides {top.name} on {top.table} by {bottom.name} on {bottom.table}. "
            "Both must stand on one table."
        )
    return _metric(document, top.table, top.measure, bottom.measure)


def _metric(document: Document, table: str, measure: Measure, denominator: Measure | None) -> Metric:
    name, meta = document["name"], _meta(document)
    higher_is = meta.get("higher_is", "neutral")
    if higher_is not in HIGHER_IS:
        raise RequestWrong(f"Metric {name!r} has higher_is: {higher_is!r}. Choices: {', '.join(HIGHER_IS)}.")
    whole = denominator is None and measure.result.kind == "integer"
    return Metric(
        name=name,
        table=table,
        measure=measure,
        denominator=denominator,
        label=document.get("label") or _label(name),
        description=_sentence(document),
        unit=str(meta.get("unit", "")),
        format=str(meta.get("format", ",d" if whole else ",.2f")),
        synonyms=_synonyms(f"metric {name!r}", document),
        higher_is=higher_is,
    )


def _refuse_filters(metric: str, document: Document, given: Document) -> None:
    for key in ("filter", "fill_nulls_with", "join_to_timespine"):
        if given.get(key) or (key == "filter" and document.get(key)):
            raise RequestWrong(
                f"Metric {metric!r} uses {key}, which Lakeport does not compute. "
                "Put the condition into the measure's expr or into the model."
            )


def _check_name(metric: Metric, tables: tuple[Table, ...]) -> None:
    table = next(table for table in tables if table.name == metric.table)
    columns: tuple[Filterable, ...] = (*table.dimensions, *table.filterables)
    if any(column.name == metric.name for column in columns):
        raise RequestWrong(f"{metric.name!r} is a metric and a column of {table.name}. Rename one of them.")


def _declared_type(owner: str, document: Document, expr: str, columns: Document) -> ValueType | None:
    """The type from `config.meta.type`, else from the column that expr names; None when nothing declares it."""
    column = columns.get(expr, {}) if IDENTIFIER.fullmatch(expr) else {}
    text = _meta(document).get("type") or column.get("data_type")
    if not text:
        return None
    found = ValueType.parse(str(text))
    if found is None:
        raise RequestWrong(
            f"The {owner} has the type {text!r}, which Lakeport cannot compute exactly. "
            f"Cast it in the model to one of: {', '.join(KINDS)}."
        )
    return found


def _meta(document: Document) -> Document:
    meta: Document = (document.get("config") or {}).get("meta") or document.get("meta") or {}
    return meta


def _synonyms(owner: str, document: Document) -> tuple[str, ...]:
    found = _meta(document).get("synonyms", [])
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
        raise RequestWrong(f"The synonyms of {owner} must be a list of texts, such as [sales, turnover].")
    return tuple(found)


def _sentence(document: Document) -> str:
    return " ".join((document.get("description") or "").split())


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()
