"""The model that dbt's artefacts give, and what of them is refused."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from lakehouse.errors import PlanWrong, RequestWrong, UnknownName
from lakehouse.metrics.compile import compile_plan
from lakehouse.metrics.model import Model
from lakehouse.metrics.plan import parse_plan
from tests.unit.metrics.order_lines import connection, line

Artefacts = tuple[dict[str, Any], dict[str, Any]]
Change = Callable[[dict[str, Any]], object]


def changed(artefacts: Artefacts, change: Change) -> Model:
    """The model after one change to the semantic manifest."""
    semantic, manifest = copy.deepcopy(artefacts)
    change(semantic)
    return Model.from_manifest(semantic, manifest)


def measure(semantic: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in semantic["semantic_models"][0]["measures"] if one["name"] == name)
    return found


def test_the_packaged_project_has_its_five_metrics(model: Model) -> None:
    found = {metric.name: (metric.label, str(metric.type), metric.unit, metric.format) for metric in model.metrics}

    assert found == {
        "revenue": ("Revenue", "decimal(38,2)", "currency", ",.2f"),
        "orders": ("Orders", "integer", "orders", ",d"),
        "customers": ("Customers", "integer", "customers", ",d"),
        "units": ("Units", "integer", "units", ",d"),
        "average_order_value": ("Average order value", "decimal(18,2)", "currency", ",.2f"),
    }
    assert {metric.table for metric in model.metrics} == {"marts.order_lines"}
    assert all(metric.description and metric.synonyms and metric.higher_is == "better" for metric in model.metrics)


def test_the_packaged_table_says_what_can_be_grouped_and_filtered(model: Model) -> None:
    table = model.table("marts.order_lines")

    assert table.time == "order_date"
    assert {d.name: (str(d.type), d.is_time) for d in table.dimensions} == {
        "order_date": ("date", True),
        "region": ("text", False),
        "product": ("text", False),
        "customer_id": ("text", False),
        "stock_code": ("text", False),
    }
    assert {c.name: str(c.type) for c in table.filterables} == {"quantity": "integer", "amount": "decimal(18,2)"}
    assert all(c.label and c.description for c in (*table.dimensions, *table.filterables))


def test_every_column_of_the_packaged_models_is_described(artefacts: Artefacts) -> None:
    nodes = [node for node in artefacts[1]["nodes"].values() if node["resource_type"] == "model"]
    columns = [(node["name"], column) for node in nodes for column in node["columns"].values()]

    assert len(columns) > 40
    assert [(name, column["name"]) for name, column in columns if not column["description"]] == []
    assert [node["name"] for node in nodes if "Grain:" not in node["description"]] == []


def test_a_model_survives_json(model: Model) -> None:
    assert Model.from_json(json.loads(json.dumps(model.to_json()))) == model


def test_unknown_names_list_the_choices(model: Model) -> None:
    with pytest.raises(UnknownName, match=r"No metric named 'profit'. Known metrics: average_order_value, customers"):
        model.metric("profit")
    with pytest.raises(UnknownName, match=r"Known tables: marts\.order_lines"):
        model.table("marts.nothing")


def second_table(semantic: dict[str, Any]) -> None:
    """Adds the semantic model `returns` with a count, an average, and extremes of its own."""
    semantic["semantic_models"].append(
        {
            "name": "returns",
            "node_relation": {"schema_name": "marts", "alias": "returns"},
            "defaults": None,
            "dimensions": [
                {"name": "reason", "type": "categorical", "expr": "upper(why)"},
                {"name": "pieces", "type": "categorical", "expr": "n", "config": {"meta": {"type": "integer"}}},
                {"name": "single", "type": "categorical", "expr": "n = 1", "config": {"meta": {"type": "boolean"}}},
            ],
            "measures": [
                {"name": "lines", "agg": "sum", "expr": "1"},
                {"name": "known", "agg": "sum", "expr": "CASE WHEN why IS NOT NULL THEN 1 ELSE 0 END"},
                {"name": "mean", "agg": "average", "expr": "n", "config": {"meta": {"type": "integer"}}},
                {"name": "most", "agg": "max", "expr": "n * 2", "config": {"meta": {"type": "integer"}}},
            ],
        }
    )
    semantic["metrics"] += [
        {"name": f"returned_{name}", "type": "simple", "type_params": {"measure": {"name": name}}}
        for name in ("lines", "known", "mean", "most")
    ]


def test_a_lake_may_have_several_tables_and_other_aggregates(artefacts: Artefacts) -> None:
    model = changed(artefacts, second_table)
    names = [metric.name for metric in model.metrics if metric.table == "marts.returns"]
    connected = connection([])
    connected.execute("create table marts.returns as select * from (values ('a', 1), ('A', 2), (null, 7)) t(why, n)")

    compiled = compile_plan(parse_plan({"metrics": names, "by": ["reason"]}, model), model)
    relation = connected.sql(compiled.sql)

    assert [str(kind) for kind in relation.types] == [column.type for column in compiled.columns]
    assert [tuple(map(str, row)) for row in relation.fetchall()] == [
        ("A", "2", "2", "1.50", "4"),
        ("None", "1", "0", "7.00", "14"),
    ]
    assert compiled.table == "marts.returns"


def test_dimensions_may_be_numbers_and_truths(artefacts: Artefacts) -> None:
    model = changed(artefacts, second_table)
    connected = connection([])
    connected.execute("create table marts.returns as select * from (values ('a', 1), ('b', 2), ('b', 2)) t(why, n)")
    where = [["single", "=", False], ["pieces", "in", [1, 2]]]

    plan = parse_plan({"metrics": ["returned_lines"], "by": ["single", "pieces"], "where": where}, model)
    relation = connected.sql(compile_plan(plan, model).sql)

    assert [str(kind) for kind in relation.types] == ["BOOLEAN", "BIGINT", "BIGINT"]
    assert relation.fetchall() == [(False, 2, 2)]
    with pytest.raises(PlanWrong, match=r"'single' is boolean\. Operators that fit: =, !=, in, not in, is null"):
        parse_plan({"metrics": ["returned_lines"], "where": [["single", "<", True]]}, model)


def test_only_the_main_time_dimension_is_matched_by_position(artefacts: Artefacts) -> None:
    booked = {"name": "booked", "type": "time", "expr": "order_date", "type_params": {"time_granularity": "day"}}
    model = changed(artefacts, lambda semantic: semantic["semantic_models"][0]["dimensions"].append(booked))
    document = {
        "metrics": ["units"],
        "by": ["booked:month"],
        "time": {"from": "2024-03-01", "to": "2024-04-01"},
        "compare": {"from": "2024-02-01", "to": "2024-03-01"},
    }

    sql = compile_plan(parse_plan(document, model), model).sql
    found = connection([line(1, "2024-03-05", quantity=3), line(2, "2024-02-05", quantity=2)]).sql(sql).fetchall()

    assert [(str(month), now, before) for month, now, before, _ in found] == [
        ("2024-02-01", None, 2),
        ("2024-03-01", 3, None),
    ]


def test_one_plan_stands_on_one_table(artefacts: Artefacts) -> None:
    model = changed(artefacts, second_table)

    with pytest.raises(PlanWrong, match=r"revenue on marts.order_lines, returned_lines on marts.returns"):
        parse_plan({"metrics": ["revenue", "returned_lines"]}, model)
    with pytest.raises(PlanWrong, match=r"'time' needs a main time dimension, but marts.returns has none"):
        parse_plan({"metrics": ["returned_lines"], "time": {"from": "2024-01-01", "to": "2024-02-01"}}, model)


def test_an_average_is_rounded_half_away_from_zero(artefacts: Artefacts) -> None:
    def average(semantic: dict[str, Any]) -> None:
        measure(semantic, "line_totals").update(agg="average", expr="amount")
        semantic["metrics"] = [one for one in semantic["metrics"] if one["name"] == "revenue"]

    model = changed(artefacts, average)
    rows = [line(1, "2024-01-01", amount="-0.02", quantity=0), line(2, "2024-01-01", amount="0.01", quantity=0)]
    for row in rows:
        row["line_total"] = 0

    sql = compile_plan(parse_plan({"metrics": ["revenue"]}, model), model).sql

    assert str(connection(rows).sql(sql).fetchall()) == "[(Decimal('-0.01'),)]"


REFUSED: dict[str, tuple[Change, str]] = {
    "an aggregate that is not exact": (
        lambda s: measure(s, "units_sold").update(agg="median"),
        "Metric 'units' aggregates by median.*Known aggregates: sum, count, count_distinct, average, min, max",
    ),
    "a derived metric": (
        lambda s: s["metrics"][4].update(type="derived"),
        "'average_order_value' is of type derived.*Use simple or ratio",
    ),
    "a ratio of a ratio": (
        lambda s: s["metrics"][4]["type_params"]["numerator"].update(name="average_order_value"),
        "The numerator of metric 'average_order_value'.*must be a simple metric",
    ),
    "a filter on a metric": (
        lambda s: s["metrics"][0].update(filter={"where_filters": ["x"]}),
        "'revenue' uses filter",
    ),
    "a filter on a measure": (
        lambda s: s["metrics"][0]["type_params"]["measure"].update(filter={"where_filters": ["x"]}),
        "'revenue' uses filter",
    ),
    "filled gaps": (
        lambda s: s["metrics"][0]["type_params"]["measure"].update(fill_nulls_with=0, join_to_timespine=True),
        "'revenue' uses join_to_timespine",
    ),
    "a metric without a measure": (
        lambda s: s["metrics"][0]["type_params"].update(measure=None),
        "'revenue' names no measure",
    ),
    "a measure that is not additive over time": (
        lambda s: measure(s, "units_sold").update(non_additive_dimension={"name": "order_date"}),
        "'units' stands on measure 'units_sold' with a time dimension of its own",
    ),
    "a measure of unknown type": (
        lambda s: measure(s, "line_totals").update(expr="quantity * amount"),
        "Measure 'line_totals' of metric 'revenue' needs the type of 'quantity . amount'",
    ),
    "a sum of texts": (
        lambda s: measure(s, "line_totals").update(expr="region"),
        "needs the type of 'region'",
    ),
    "a type that is not exact": (
        lambda s: measure(s, "line_totals").update(config={"meta": {"type": "double"}}),
        "measure 'line_totals' has the type 'double'.*integer, decimal",
    ),
    "an hourly time dimension": (
        lambda s: s["semantic_models"][0]["dimensions"][0]["type_params"].update(time_granularity="hour"),
        "Time dimension 'order_date' is a date of grain hour",
    ),
    "two descriptions of one table": (
        lambda s: s["semantic_models"].append(s["semantic_models"][0]),
        "Several semantic models describe marts.order_lines",
    ),
    "a metric named like a column": (
        lambda s: s["metrics"][0].update(name="quantity"),
        "'quantity' is a metric and a column of marts.order_lines",
    ),
    "a direction that is none": (
        lambda s: s["metrics"][0]["config"]["meta"].update(higher_is="good"),
        "higher_is: 'good'. Choices: better, worse, neutral",
    ),
    "synonyms that are no list": (
        lambda s: s["metrics"][0]["config"]["meta"].update(synonyms="sales"),
        "synonyms of metric 'revenue' must be a list",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_computed_is_refused_by_name(artefacts: Artefacts, case: str) -> None:
    change, text = REFUSED[case]
    if case == "a metric named like a column":
        artefacts = copy.deepcopy(artefacts)
        artefacts[0]["metrics"] = artefacts[0]["metrics"][:1]

    with pytest.raises(RequestWrong, match=text):
        changed(artefacts, change)


def test_a_filterable_column_needs_a_type(artefacts: Artefacts) -> None:
    semantic, manifest = copy.deepcopy(artefacts)
    manifest["nodes"]["model.lakeport.order_lines"]["columns"]["quantity"]["data_type"] = None
    semantic["metrics"] = []

    with pytest.raises(RequestWrong, match=r"Filterable column 'quantity' has no data_type. Declare it: text, integer"):
        Model.from_manifest(semantic, manifest)
