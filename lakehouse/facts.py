"""What a release knows of one of its tables: how large it is, how its tests went, where it comes from.

One rule: nobody is told what the own scope does not allow. Whoever has row rules learns no size and no count of all
rows; other tables are named only to those who see them.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from lakehouse.quality import Verdict, visible_verdicts
from lakehouse.query.scope import Scope
from lakehouse.releases import Published, Release, Size


@dataclass(frozen=True)
class Facts:
    """What is known of a table. None stands for what nobody has written down, or what is not to be told.

    `built_from` and `feeds` are the tables before and after it, `changed` is the release that brought its snapshot.
    """

    size: Size | None
    tests: tuple[Verdict, ...] | None
    built_from: tuple[str, ...] | None
    feeds: tuple[str, ...] | None
    snapshot: int | None
    changed: Published | None


def read_facts(
    release: Release, table: str, scope: Scope, seen: Collection[str], changed: Published | None = None
) -> Facts:
    """The facts of a table in a release, for whoever has this scope and sees the tables `seen`."""
    parents = (release.definitions or {}).get("lineage")
    feeds = None if parents is None else (name for name in sorted(parents) if table in parents[name])
    return Facts(
        size=None if scope.rows else release.sizes.get(table),
        tests=_tests(release, table, scope, seen),
        built_from=None if parents is None else _seen(parents.get(table, ()), seen),
        feeds=None if feeds is None else _seen(feeds, seen),
        snapshot=release.pins[table].snapshot,
        changed=changed,
    )


def _tests(release: Release, table: str, scope: Scope, seen: Collection[str]) -> tuple[Verdict, ...] | None:
    """The tests about a table. One who does not see all of what a test reads does not learn of it."""
    if release.tests is None:
        return None
    about = [verdict for verdict in release.tests.values() if verdict.is_about(table)]
    in_full = not scope.rows and not scope.columns
    return tuple(visible_verdicts(about, seen, scope.hidden, in_full=in_full))


def _seen(tables: Iterable[str], seen: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in tables if name in seen)
