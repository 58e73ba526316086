"""What can be asked of a lake: its metrics, and the dimensions and columns they can be grouped and filtered by.

One rule: a model is read once per release and kept with it as JSON, so an old release keeps its old definitions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lakehouse.errors import PlanWrong, RequestWrong, UnknownName
from lakehouse.metrics.artefacts import read_metrics, read_tables
from lakehouse.metrics.literal import ValueType
from lakehouse.metrics.terms import Dimension, Filterable, Measure, Metric, Table

__all__ = ["Dimension", "Filterable", "Measure", "Metric", "Model", "Table"]


@dataclass(frozen=True)
class Model:
    """All metrics of a lake and the tables that they stand on, in the order of the dbt project."""

    tables: tuple[Table, ...] = ()
    metrics: tuple[Metric, ...] = ()

    @classmethod
    def from_manifest(cls, semantic_manifest: Mapping[str, Any], manifest: Mapping[str, Any] | None = None) -> "Model":
        """The model that dbt's `semantic_manifest.json` describes; `manifest.json` adds types and filterable columns.

        Raises `RequestWrong` for what Lakeport does not compute, with the name and what to do.
        """
        tables = read_tables(semantic_manifest, manifest or {})
        return cls(tables, read_metrics(semantic_manifest, manifest or {}, tables))

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Model":
        """The model that `to_json` wrote."""
        return cls(
            tuple(_table_from(table) for table in document["tables"]),
            tuple(_metric_from(metric) for metric in document["metrics"]),
        )

    def to_json(self) -> dict[str, Any]:
        """The model as a JSON document."""
        return {
            "tables": [_table_json(table) for table in self.tables],
            "metrics": [_metric_json(metric) for metric in self.metrics],
        }

    def metric(self, name: str) -> Metric:
        """The metric of that name. Raises `UnknownName`, which lists the metrics."""
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise UnknownName("metric", name, [metric.name for metric in self.metrics])

    def table(self, name: str) -> Table:
        """The table of that logical name. Raises `UnknownName`, which lists the tables that metrics stand on."""
        for table in self.tables:
            if table.name == name:
                return table
        raise UnknownName("table", name, [table.name for table in self.tables])

    def table_of(self, metrics: Iterable[str]) -> Table:
        """The one table on which these metrics stand. Raises `PlanWrong` when they stand on several."""
        found = {name: self.metric(name).table for name in metrics}
        if len(set(found.values())) != 1:
            places = ", ".join(f"{name} on {table}" for name, table in found.items())
            raise PlanWrong(f"One plan reads one table, but these metrics stand on several: {places}. Ask one by one.")
        return self.table(next(iter(found.values())))


def _table_json(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "label": table.label,
        "description": table.description,
        "time": table.time,
        "dimensions": [{**_column_json(column), "is_time": column.is_time} for column in table.dimensions],
        "filterables": [_column_json(column) for column in table.filterables],
    }


def _column_json(column: Filterable) -> dict[str, Any]:
    return {
        "name": column.name,
        "expr": column.expr,
        "type": str(column.type),
        "label": column.label,
        "description": column.description,
        "synonyms": list(column.synonyms),
    }


def _metric_json(metric: Metric) -> dict[str, Any]:
    return {
        "name": metric.name,
        "table": metric.table,
        "measure": _measure_json(metric.measure),
        "denominator": None if metric.denominator is None else _measure_json(metric.denominator),
        "label": metric.label,
        "description": metric.description,
        "unit": metric.unit,
        "format": metric.format,
        "synonyms": list(metric.synonyms),
        "higher_is": metric.higher_is,
    }


def _measure_json(measure: Measure) -> dict[str, Any]:
    return {"aggregate": measure.aggregate, "expr": measure.expr, "type": str(measure.type)}


def _table_from(document: Mapping[str, Any]) -> Table:
    dimensions = tuple(
        Dimension(**_column_from(column), is_time=column["is_time"]) for column in document["dimensions"]
    )
    filterables = tuple(Filterable(**_column_from(column)) for column in document["filterables"])
    texts = {key: document[key] for key in ("name", "label", "description", "time")}
    return Table(**texts, dimensions=dimensions, filterables=filterables)


def _column_from(document: Mapping[str, Any]) -> dict[str, Any]:
    texts = {key: document[key] for key in ("name", "expr", "label", "description")}
    return {**texts, "type": _type_from(document["type"]), "synonyms": tuple(document["synonyms"])}


def _metric_from(document: Mapping[str, Any]) -> Metric:
    denominator = document["denominator"]
    keys = ("name", "table", "label", "description", "unit", "format", "higher_is")
    return Metric(
        **{key: document[key] for key in keys},
        measure=_measure_from(document["measure"]),
        denominator=None if denominator is None else _measure_from(denominator),
        synonyms=tuple(document["synonyms"]),
    )


def _measure_from(document: Mapping[str, Any]) -> Measure:
    return Measure(document["aggregate"], document["expr"], _type_from(document["type"]))


def _type_from(text: str) -> ValueType:
    found = ValueType.parse(text)
    if found is None:
        raise RequestWrong(f"A stored model has a column of type {text!r}, which this version does not know. Update.")
    return found
