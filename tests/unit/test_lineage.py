"""Lineage: tables and what they are built from, as dbt's manifest says."""

from typing import Any

from lakehouse.lineage import read_lineage, tables_read


def model(name: str, *reads: str, materialized: str = "iceberg", schema: str = "marts") -> dict[str, Any]:
    return {
        "resource_type": "model",
        "schema": schema,
        "alias": name,
        "name": name,
        "config": {"materialized": materialized},
        "depends_on": {"nodes": list(reads)},
    }


MANIFEST = {
    "nodes": {
        "model.p.sums": model("sums", "model.p.shown", "model.p.lines"),
        "model.p.shown": model("shown", "model.p.inlined", materialized="view"),
        "model.p.inlined": model("inlined", "source.p.raw.sales", "model.p.lines", materialized="ephemeral"),
        "model.p.lines": model("lines", "source.p.raw.sales", schema="staging"),
        "model.p.calendar": model("calendar"),
        "test.p.one": {"resource_type": "test", "name": "one", "depends_on": {"nodes": ["model.p.shown"]}},
    },
    "sources": {
        "source.p.raw.sales": {"resource_type": "source", "schema": "raw", "identifier": "sales", "name": "s"},
    },
}


def test_what_is_no_table_is_seen_through_and_each_table_is_named_once() -> None:
    assert read_lineage(MANIFEST) == {
        "marts.sums": ["raw.sales", "staging.lines"],
        "staging.lines": ["raw.sales"],
        "marts.calendar": [],
        "raw.sales": [],
    }


def test_a_test_reads_the_tables_behind_its_models() -> None:
    assert tables_read(MANIFEST, "test.p.one") == ["raw.sales", "staging.lines"]
