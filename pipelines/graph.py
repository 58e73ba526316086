"""The models and tests of a dbt project, and what each of them reads.

One rule: only tables of the lake are told. What is none of its own, a view or an ephemeral model, is seen through, and
has to be there when something that reads it is built.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

from lakehouse.query.pins import Pin
from pipelines.selection import MODELS, model_named, names_of, parse_word

TABLE, EPHEMERAL = "iceberg", "ephemeral"


class Graph:
    """The nodes of one parsed project; `project` is the fingerprint of what shapes all of them."""

    def __init__(self, manifest: Any, project: str) -> None:
        self._project, self._sources = project, manifest.sources
        kinds = (*MODELS, "test")
        self.nodes: Mapping[str, Any] = {
            node.unique_id: node for node in manifest.nodes.values() if node.resource_type in kinds
        }
        self.models = [name for name, node in self.nodes.items() if node.resource_type in MODELS]
        self.tests = [name for name, node in self.nodes.items() if node.resource_type == "test"]
        self.tables = {
            _table(self.nodes[name]): name for name in self.models if self.nodes[name].config.materialized == TABLE
        }
        self._table_of = {node: table for table, node in self.tables.items()}
        self._table_of |= {source.unique_id: source_table(source) for source in manifest.sources.values()}

    def fingerprints(self, raw: Mapping[str, Pin], known: Mapping[str, str]) -> dict[str, str]:
        """Node -> fingerprint of its code and settings, of the project around it, and the same of all that it reads.

        `raw` are the raw tables at the snapshots that are read; `known` are nodes whose tables stay as they are.
        """
        found = dict(known)

        def fingerprint(unique_id: str) -> str:
            if unique_id not in found:
                if unique_id in self._sources:
                    found[unique_id] = str(raw[source_table(self._sources[unique_id])].snapshot)
                else:
                    node = self.nodes[unique_id]
                    reads = sorted(fingerprint(name) for name in node.depends_on.nodes)
                    config = json.dumps(node.config.to_dict(), sort_keys=True, default=str)
                    parts = [self._project, unique_id, node.raw_code, config, *reads]
                    found[unique_id] = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
            return found[unique_id]

        return {unique_id: fingerprint(unique_id) for unique_id in self.nodes}

    def tables_of(self, nodes: Iterable[str]) -> frozenset[str]:
        """The tables that these models are; a view is none."""
        return frozenset(self._table_of[node] for node in nodes if node in self._table_of)

    def reads(self, unique_id: str) -> frozenset[str]:
        """The tables that a model or test reads, by name."""
        return frozenset(self._reads(unique_id))

    def _reads(self, unique_id: str) -> Iterator[str]:
        for parent in self._parents(unique_id):
            if parent in self._table_of:
                yield self._table_of[parent]
            else:
                yield from self._reads(parent)

    def _parents(self, unique_id: str) -> Sequence[str]:
        return self.nodes[unique_id].depends_on.nodes if unique_id in self.nodes else ()

    def selected(self, selection: Iterable[str]) -> set[str]:
        """The models that the words of a selection mean. Raises `UnknownName` with the choices."""
        known = names_of((name, self.nodes[name].name, _table(self.nodes[name])) for name in self.models)
        above = {name: [one for one in self._parents(name) if one in self.nodes] for name in self.models}
        below: dict[str, list[str]] = {name: [] for name in self.models}
        for name, parents in above.items():
            for parent in parents:
                below[parent].append(name)
        found: set[str] = set()
        for word in map(parse_word, selection):
            node = model_named(word.name, known)
            found.add(node)
            found |= _reached(above, node) if word.with_parents else set()
            found |= _reached(below, node) if word.with_children else set()
        return found

    def missing(self, nodes: Iterable[str], there: Set[str]) -> set[str]:
        """The models behind these whose tables are not `there`, down to those that read none of the kind."""
        found: set[str] = set()
        todo = list(nodes)
        while todo:
            for table in self.reads(todo.pop()):
                node = self.tables.get(table)
                if node is not None and table not in there and node not in found:
                    found.add(node)
                    todo.append(node)
        return found

    def views(self, nodes: Iterable[str]) -> set[str]:
        """What these read that is no table of the lake, and so is gone when a run ends: it is built with them."""
        found: set[str] = set()
        todo = list(nodes)
        while todo:
            for parent in self._parents(todo.pop()):
                if parent in self.nodes and parent not in self._table_of and parent not in found:
                    found.add(parent)
                    todo.append(parent)
        return {name for name in found if self.nodes[name].config.materialized != EPHEMERAL}


def source_table(source: Any) -> str:
    """The raw table that a source of the project stands for."""
    return f"{source.schema}.{source.identifier}"


def _table(node: Any) -> str:
    return f"{node.schema}.{node.alias}"


def _reached(edges: Mapping[str, Sequence[str]], start: str) -> set[str]:
    found: set[str] = set()
    todo = [start]
    while todo:
        new = set(edges[todo.pop()]) - found
        found |= new
        todo.extend(new)
    return found
