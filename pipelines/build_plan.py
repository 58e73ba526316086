"""What a build has to do, decided from the fingerprints of the models and those that the current release has.

One rule: all tables of a release that read a raw table have read the same snapshot of it. Where a selection leaves one
of them as it is, the release keeps that raw table as it is too, whatever has been loaded since.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property

from lakehouse.quality import Verdicts
from lakehouse.query.pins import Pin
from lakehouse.releases import Release
from pipelines.graph import Graph

RAW = "raw."


@dataclass(frozen=True)
class BuildPlan:
    """What dbt is to do, and what the release has beside that."""

    todo: Sequence[str]  # models and tests, by dbt's ids
    raw: Mapping[str, Pin]  # raw tables as the release has them, and as models read them
    keeps: Mapping[str, Pin]  # tables that the release takes over from the one before
    nodes: Mapping[str, str] = field(default_factory=dict)  # node -> its fingerprint, for the release
    stands: int = 0  # tests that are not run, since the same code has passed on the same snapshots
    untouched: Set[str] = frozenset()  # tables that a selection leaves as they are, with what is said of them
    left: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Tables that a build without the selection would change -> of a raw table, the untouched ones that read it."""

    is_whole: bool = True  # whether a build without a selection would find nothing more to do


@dataclass(frozen=True)
class _Before:
    """The current release, as far as a build depends on it."""

    pins: Mapping[str, Pin]
    nodes: Mapping[str, str]
    tests: Verdicts
    lineage: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, release: Release | None) -> "_Before":
        if release is None:
            return cls({}, {}, {}, {})
        lineage = (release.definitions or {}).get("lineage") or {}
        return cls(release.pins, release.nodes, release.tests or {}, lineage)

    def raw_behind(self, table: str) -> set[str]:
        """The raw tables from which a table was built, over however many steps; all, where nobody knows."""
        if table not in self.lineage:
            return {name for name in self.pins if name.startswith(RAW)}
        found: set[str] = set()
        todo = [table]
        while todo:
            new = set(self.lineage.get(todo.pop(), ())) - found
            found |= new
            todo.extend(new)
        return {name for name in found if name.startswith(RAW)}


def plan_build(
    graph: Graph, raw: Mapping[str, Pin], release: Release | None, selection: Sequence[str] = ()
) -> BuildPlan:
    """What is to be built on raw tables at these pins, after the current release.

    With a selection only the models that it means are built, and those that they read and the release does not have.
    Raises `UnknownName` for a word that means no model.
    """
    before = _Before.of(release)
    if not selection:
        return _Planning(graph, before, raw, frozenset(graph.models), untouched={}).plan()
    chosen = graph.selected(selection)
    chosen |= graph.missing(chosen, before.pins.keys())
    built = {table: pin for table, pin in before.pins.items() if not table.startswith(RAW)}
    untouched = {table: pin for table, pin in built.items() if graph.tables.get(table) not in chosen}
    return _Planning(graph, before, raw, chosen, untouched).part()


def plan_tests(graph: Graph, release: Release, selection: Sequence[str] = ()) -> BuildPlan:
    """Every test on what the release has; with a selection those of the models that it means."""
    meant = graph.tables_of(graph.selected(selection))
    reads = {test: graph.reads(test) for test in graph.tests}
    wanted = [test for test in graph.tests if not selection or reads[test] & meant]
    tests = [test for test in wanted if reads[test] <= release.pins.keys()]
    lacking = frozenset[str]().union(*(reads[test] for test in wanted)) - release.pins.keys()
    raw = {table: pin for table, pin in release.pins.items() if table.startswith(RAW)}
    keeps = {table: pin for table, pin in release.pins.items() if table not in raw}
    return BuildPlan([*sorted(graph.views(tests)), *tests], raw, keeps, left={table: [] for table in sorted(lacking)})


class _Planning:
    """A build of the `chosen` models, where they have changed, while `untouched` tables stay as they are."""

    def __init__(
        self, graph: Graph, before: _Before, raw: Mapping[str, Pin], chosen: Set[str], untouched: Mapping[str, Pin]
    ) -> None:
        self._graph, self._before, self._heads = graph, before, raw
        self._chosen, self._untouched = chosen, untouched
        self._held = self._held_back()
        self._raw = {**raw, **{table: before.pins[table] for table in self._held}}
        stay = (graph.tables[table] for table in untouched if table in graph.tables)
        self._prints = graph.fingerprints(self._raw, {node: before.nodes.get(node, "") for node in stay})

    def plan(self) -> BuildPlan:
        """The plan where everything was chosen."""
        standing = {test for test in self._graph.tests if self._stands(test)}
        return self._made([test for test in self._graph.tests if test not in standing], standing)

    def part(self) -> BuildPlan:
        """The plan where some models were chosen: the tests that run are theirs and those of what reads them."""
        standing = {test for test in self._graph.tests if self._stands(test)}
        near = self._near()
        tests = [test for test in self._graph.tests if test not in standing and self._concerns(test, near)]
        plan = self._made(tests, standing)
        whole = self._graph.fingerprints(self._heads, {})
        left = {table for table, node in self._graph.tables.items() if plan.nodes.get(node) != whole[node]}
        left |= self._held.keys() | (self._untouched.keys() - self._graph.tables.keys())
        return replace(
            plan,
            keeps={**plan.keeps, **self._untouched},
            untouched=frozenset(self._untouched),
            left={table: self._held.get(table, []) for table in sorted(left)},
            is_whole=not left and plan.nodes == whole,
        )

    def _made(self, tests: Sequence[str], standing: Set[str]) -> BuildPlan:
        graph, prints = self._graph, self._prints
        models = [node for node in graph.models if node in self._chosen and not self._stays(node)]
        views = graph.views([*models, *tests]) - set(models)
        skipped = set(graph.tests) - standing - set(tests)
        absent = {node for table, node in graph.tables.items() if table not in self._there}
        nodes = {node: prints[node] for node in graph.nodes if node not in skipped | absent}
        nodes |= {test: self._before.nodes[test] for test in skipped if test in self._before.nodes}
        keeps = {table: node for table, node in graph.tables.items() if node in self._chosen and node not in models}
        return BuildPlan(
            todo=[*models, *sorted(views), *tests],
            raw=self._raw,
            keeps={table: self._before.pins[table] for table in keeps},
            nodes=nodes,
            stands=len(standing),
        )

    def _held_back(self) -> dict[str, list[str]]:
        """The raw tables that stay as the release has them, and the untouched tables that have read them so."""
        behind = {table: self._before.raw_behind(table) for table in self._untouched}
        pins, heads = self._before.pins, self._heads
        moved = {table for table in pins if table not in heads or heads[table].snapshot != pins[table].snapshot}
        read = frozenset[str]().union(*behind.values()) & moved
        return {table: sorted(reader for reader in behind if table in behind[reader]) for table in sorted(read)}

    def _stays(self, node: str) -> bool:
        """Whether a model is as the release has it."""
        same = self._prints[node] == self._before.nodes.get(node)
        return same and self._graph.tables_of([node]) <= self._before.pins.keys()

    def _stands(self, test: str) -> bool:
        """Whether the verdict of a test stands: the same code has passed on the same snapshots."""
        return self._prints[test] == self._before.nodes.get(test) and test in self._before.tests

    @cached_property
    def _there(self) -> Set[str]:
        """The tables that the release will have."""
        return self._raw.keys() | self._untouched.keys() | self._graph.tables_of(self._chosen)

    def _near(self) -> Set[str]:
        """The chosen tables, those that read them, and the raw tables that are newer than in the release."""
        chosen = self._graph.tables_of(self._chosen)
        readers = {table for table, node in self._graph.tables.items() if self._graph.reads(node) & chosen}
        pins = self._before.pins
        newer = {table for table, pin in self._raw.items() if table not in pins or pin.snapshot != pins[table].snapshot}
        return chosen | readers | newer

    def _concerns(self, test: str, near: Set[str]) -> bool:
        """Whether a test says something of these tables, and all that it reads is there."""
        reads = self._graph.reads(test)
        return bool(reads & near) and reads <= self._there
