"""What a release says of its tables: metrics, data dictionary, lineage.

One rule: a table that a run leaves as it is keeps what was said of it when it was built, since another text may name
columns that it does not have.
"""

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, Any

from lakehouse.lineage import read_lineage
from lakehouse.metrics.dictionary import read_dictionary
from lakehouse.metrics.model import Model
from lakehouse.releases import Release

if TYPE_CHECKING:
    from pipelines.build import Built

Definitions = Mapping[str, Any]


def release_definitions(built: "Built", before: Release | None) -> Definitions:
    """The definitions of the release that a build makes after the release `before`."""
    found = {
        "model": Model.from_manifest(built.semantics, built.manifest).to_json(),
        "tables": read_dictionary(built.manifest),
        "lineage": read_lineage(built.manifest),
    }
    old = before.definitions if before is not None else None
    if not built.plan.untouched or old is None:
        return found
    there = built.plan.keeps.keys() | built.plan.raw.keys() | built.staged.keys()
    return joined_definitions(found, old, built.plan.untouched, there)


def joined_definitions(new: Definitions, old: Definitions, untouched: Set[str], there: Set[str]) -> Definitions:
    """What is said of a release whose tables are `there`: of the `untouched` ones the old, of the others the new."""

    def named(part: str) -> dict[str, Any]:
        kept = {table: said for table, said in old[part].items() if table in untouched}
        return {table: said for table, said in new[part].items() if table not in untouched} | kept

    def listed(part: str, of: str) -> list[Any]:
        """Of two metrics with one name the one on a table that was built is meant."""
        made = {entry["name"]: entry for entry in new["model"][part] if entry[of] in there - untouched}
        kept = {entry["name"]: entry for entry in old["model"][part] if entry[of] in untouched}
        in_order = dict.fromkeys([entry["name"] for entry in new["model"][part]] + list(kept))
        found = (made.get(name) or kept.get(name) for name in in_order)
        return [entry for entry in found if entry is not None]

    model = {"tables": listed("tables", "name"), "metrics": listed("metrics", "table")}
    return {"model": model, "tables": named("tables"), "lineage": named("lineage")}
