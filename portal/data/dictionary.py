"""What the page Data tells: every table and metric that its reader may see, and those that hold some words.

One rule: it is read through the workspace alone, so it names nothing that its reader may not see.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from lakehouse.core import Workspace
from lakehouse.facts import Facts
from lakehouse.metrics.terms import Metric
from portal.readable import if_readable

LAYERS = ("marts", "staging", "raw")
"""Layers in the order in which their tables are listed; others come after them, by name."""


@dataclass(frozen=True)
class Entry:
    """One table as a list has it; `rows` counts those that its reader may see, None where they cannot be read.

    `columns` are names of columns that hold words which were looked for.
    """

    name: str
    label: str
    description: str
    grain: str
    layer: str
    rows: int | None
    facts: Facts
    columns: tuple[str, ...] = ()


class Dictionary:
    """The tables and metrics of one workspace which hold all of some words; without words all of them."""

    def __init__(self, workspace: Workspace, words: str = "") -> None:
        self.workspace, self.words = workspace, tuple(words.casefold().split())

    @cached_property
    def by_layer(self) -> dict[str, list[Entry]]:
        """The tables of each layer that has some, by name."""
        found: dict[str, list[Entry]] = {}
        for name in self.workspace.tables():
            entry = self._entry(name)
            if entry is not None:
                found.setdefault(entry.layer, []).append(entry)
        return {layer: found[layer] for layer in sorted(found, key=_place)}

    @cached_property
    def metrics(self) -> list[Metric]:
        """The metrics, in the order of the dbt project."""
        return [metric for metric in self.workspace.metrics() if self._holds(_texts(metric))]

    def rows(self, table: str) -> int | None:
        """How many rows of a table its reader may see; None where they cannot be read."""
        return if_readable(lambda: self.workspace.row_count(table))

    def _entry(self, name: str) -> Entry | None:
        about = self.workspace.about(name)
        texts = [name, about["label"], about["description"]]
        columns = self._columns(name) if self.words else {}
        if not self._holds([*texts, *columns.values()]):
            return None
        return Entry(
            **{key: about[key] for key in ("name", "label", "description", "grain", "layer")},
            rows=self.rows(name),
            facts=self.workspace.facts(name),
            columns=tuple(column for column, text in columns.items() if _has_one(self.words, text)),
        )

    def _columns(self, table: str) -> dict[str, str]:
        """Column -> its texts; none of a table that cannot be read."""
        columns = if_readable(lambda: self.workspace.columns(table)) or []
        return {one["name"]: f"{one['name']} {one['label']} {one['description']}" for one in columns}

    def _holds(self, texts: Iterable[str]) -> bool:
        text = "\n".join(texts).casefold()
        return all(word in text for word in self.words)


def _texts(metric: Metric) -> list[str]:
    return [metric.name, metric.label, metric.description, *metric.synonyms]


def _has_one(words: Iterable[str], text: str) -> bool:
    return any(word in text.casefold() for word in words)


def _place(layer: str) -> tuple[int, str]:
    return (LAYERS.index(layer) if layer in LAYERS else len(LAYERS)), layer
