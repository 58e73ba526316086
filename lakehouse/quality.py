"""Quality: how every test of a release went when it last ran.

One rule: a verdict stands with the release that it was found for. A test that is not run again, because neither it nor
what it reads has changed, keeps the verdict and the time that it has in the release before.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from lakehouse.lineage import table_name, tables_read

PASS, WARN, FAIL, ERROR = "pass", "warn", "fail", "error"

NAMELESS = "test"
"""The kind of a test that failed in a run which has kept no more of it than its name."""


@dataclass(frozen=True)
class Verdict:
    """How one test went: `pass` or `warn`; `fail`, or `error` where it could not be computed.

    What failed is in no release; the result of its run names it.

    `kind` is `not_null`, `unique` and the like, and of a test in SQL of its own its name. `table` is what it is about,
    empty when it compares several; `reads` are all tables that it reads. `failures` counts rows; None where that is not
    to be told.
    """

    name: str
    kind: str
    table: str
    column: str
    reads: tuple[str, ...]
    status: str
    failures: int | None
    run: str
    at: str

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Verdict":
        """The verdict that `to_json` wrote."""
        return cls(**{**document, "reads": tuple(document["reads"])})

    def to_json(self) -> dict[str, Any]:
        """The verdict as a JSON document."""
        return {**asdict(self), "reads": list(self.reads)}

    def is_about(self, table: str) -> bool:
        """Whether the test says something of this table."""
        return self.table == table or (not self.table and table in self.reads)

    def says_as(self, other: "Verdict") -> bool:
        """Whether a reader would learn the same from both but for the time."""
        return replace(self, run=other.run, at=other.at) == other


Verdicts = Mapping[str, Verdict]
"""dbt's id of a test -> its verdict."""


@dataclass(frozen=True)
class Ran:
    """How a test went in one run."""

    status: str
    failures: int
    run: str
    at: str


def read_verdicts(manifest: Mapping[str, Any], ran: Mapping[str, Ran], before: Verdicts) -> dict[str, Verdict]:
    """The verdicts of all tests of a manifest: of those that ran as they went, of the others as they stood `before`."""
    tests = [name for name, node in manifest["nodes"].items() if node["resource_type"] == "test"]
    new = {name: _verdict(manifest, name, ran[name]) for name in tests if name in ran}
    return {name: new.get(name) or before[name] for name in tests if name in new or name in before}


def about_test(manifest: Mapping[str, Any], unique_id: str) -> dict[str, Any]:
    """What a test, or a model that could not be built, is about: kind, table, column, and the tables that it reads."""
    node = manifest["nodes"][unique_id]
    metadata = node.get("test_metadata") or {}
    is_test = node["resource_type"] == "test"
    return {
        "kind": metadata.get("name") or node["name"],
        "table": _table(manifest, node, metadata) if is_test else table_name(node),
        "column": node.get("column_name") or "",
        "reads": tables_read(manifest, unique_id),
    }


def failed_verdict(failure: Mapping[str, Any], run: str, at: str) -> Verdict:
    """The verdict on what failed in a run, as the run's result has it."""
    return Verdict(
        name=failure["test"],
        kind=failure.get("kind") or NAMELESS,
        table=failure.get("table") or "",
        column=failure.get("column") or "",
        reads=tuple(failure["reads"]),
        status=failure.get("status") or (ERROR if failure["failures"] is None else FAIL),
        failures=failure["failures"],
        run=run,
        at=at,
    )


def say_the_same(first: Verdicts, second: Verdicts) -> bool:
    """Whether a reader would learn the same from both but for the times."""
    return first.keys() == second.keys() and all(verdict.says_as(second[name]) for name, verdict in first.items())


def visible_verdicts(
    verdicts: Iterable[Verdict], tables: Iterable[str], hidden: Callable[[str], frozenset[str]], *, in_full: bool
) -> list[Verdict]:
    """The verdicts as somebody may see them who sees these tables, without the `hidden` columns of each.

    A test that reads another table or is about a hidden column is not there. Unless its reader sees the tables
    `in_full`, it is named by its kind, since dbt writes values into names, and its failures, which count all rows, are
    left out.
    """
    seen = frozenset(tables)
    shown = [verdict for verdict in verdicts if seen.issuperset(verdict.reads) and not _tells(verdict, hidden)]
    return shown if in_full else [replace(verdict, name=verdict.kind, failures=None) for verdict in shown]


def _tells(verdict: Verdict, hidden: Callable[[str], frozenset[str]]) -> bool:
    """Whether the test is about a hidden column, or its name, which is made of names of columns, holds one."""
    columns = frozenset[str]().union(*(hidden(table) for table in verdict.reads))
    return verdict.column in columns or any(column in verdict.name.lower() for column in columns)


def _verdict(manifest: Mapping[str, Any], unique_id: str, ran: Ran) -> Verdict:
    about = about_test(manifest, unique_id)
    return Verdict.from_json({"name": manifest["nodes"][unique_id]["name"], **about, **asdict(ran)})


def _table(manifest: Mapping[str, Any], node: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    """What a test was declared on. dbt attaches it to models only; of a source its argument `model` holds the name."""
    attached = manifest["nodes"].get(node.get("attached_node"))
    if attached is not None:
        return table_name(attached)
    model = str((metadata.get("kwargs") or {}).get("model") or "")
    for source in manifest["sources"].values():
        if f"source('{source['source_name']}', '{source['name']}')" in model:
            return table_name(source)
    return ""
