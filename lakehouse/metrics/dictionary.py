"""The data dictionary: what each table and column means, as dbt's manifest describes it.

One rule: it is kept with every release, so that an old release is explained in the words of its time.
"""

import re
from collections.abc import Mapping
from typing import Any

Dictionary = Mapping[str, Mapping[str, Any]]
"""Table -> {"name", "label", "description", "grain", "layer", "rows", "columns"}; JSON.

`columns` is column -> {"label", "description"}.
"""

PUBLIC = "public"
"""What `config.meta.rows` says of a table whose rows are for everybody, since it lacks the columns of row rules."""

_GRAIN = re.compile(r"\bGrain: ([^.;]+)")


def read_dictionary(manifest: Mapping[str, Any]) -> Dictionary:
    """The tables that a dbt manifest describes, models and sources alike."""
    nodes = [*manifest.get("nodes", {}).values(), *manifest.get("sources", {}).values()]
    described = [node for node in nodes if node["resource_type"] in ("model", "seed", "snapshot", "source")]
    return {entry["name"]: entry for entry in map(_entry, described)}


def unknown_table(table: str) -> Mapping[str, Any]:
    """The entry of a table that the dbt project does not describe."""
    layer, _, name = table.partition(".")
    return {
        "name": table,
        "label": _words(name),
        "description": "",
        "grain": "",
        "layer": layer,
        "rows": "",
        "columns": {},
    }


def _entry(node: Mapping[str, Any]) -> dict[str, Any]:
    name = node.get("alias") or node.get("identifier") or node["name"]
    description = _sentence(node.get("description"))
    grain = _GRAIN.search(description)
    return {
        "name": f"{node['schema']}.{name}",
        "label": _meta(node).get("label") or _words(name),
        "description": description,
        "grain": grain[1].strip() if grain else "",
        "layer": node["schema"],
        "rows": PUBLIC if _meta(node).get("rows") == PUBLIC else "",
        "columns": {column: _column(column, found) for column, found in node.get("columns", {}).items()},
    }


def _column(name: str, found: Mapping[str, Any]) -> dict[str, str]:
    return {"label": _meta(found).get("label") or _words(name), "description": _sentence(found.get("description"))}


def _meta(document: Mapping[str, Any]) -> Mapping[str, Any]:
    meta: Mapping[str, Any] = (document.get("config") or {}).get("meta") or document.get("meta") or {}
    return meta


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())


def _words(name: str) -> str:
    return name.replace("_", " ").strip().capitalize()
