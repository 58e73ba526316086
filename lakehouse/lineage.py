"""Lineage: which tables a table is built from, as dbt's manifest tells it.

One rule: only tables of the lake are named. What is none of its own, a view or an ephemeral model, is seen through.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Lineage = Mapping[str, list[str]]
"""Table -> the tables that it is built from, by name; JSON. It is kept with every release."""


def read_lineage(manifest: Mapping[str, Any]) -> Lineage:
    """The lineage of all tables that a dbt manifest describes."""
    nodes = {**manifest.get("nodes", {}), **manifest.get("sources", {})}
    return {table_name(node): tables_read(manifest, name) for name, node in nodes.items() if _is_table(node)}


def tables_read(manifest: Mapping[str, Any], unique_id: str) -> list[str]:
    """The tables that a model or test reads, by name."""
    return sorted(set(_read(manifest, unique_id)))


def table_name(node: Mapping[str, Any]) -> str:
    """The logical name of a model or source: `marts.order_lines`."""
    return f"{node['schema']}.{node.get('alias') or node.get('identifier') or node['name']}"


def _read(manifest: Mapping[str, Any], unique_id: str) -> Iterator[str]:
    for parent in (manifest["nodes"].get(unique_id) or {}).get("depends_on", {}).get("nodes", []):
        node = manifest["nodes"].get(parent) or manifest["sources"].get(parent)
        if node is not None and _is_table(node):
            yield table_name(node)
        else:
            yield from _read(manifest, parent)


def _is_table(node: Mapping[str, Any]) -> bool:
    if node["resource_type"] == "source":
        return True
    return node["resource_type"] in ("model", "seed", "snapshot") and node["config"].get("materialized") == "iceberg"
