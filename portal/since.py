"""What has changed since somebody was here last: the releases since then, their tables, and their numbers.

One rule: both sides are read under the user's present rights, and numbers are compared over the same fixed days, so
that a difference is a row that came late or was corrected, and never a day that was added.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from lakehouse.access.visits import LastVisit
from lakehouse.core import Workspace
from lakehouse.metrics.terms import Metric
from lakehouse.releases import Published
from portal.headline import Headline, Value
from portal.periods import Span
from portal.readable import if_readable

SHOWN_RELEASES = 5
LAYER = "marts."
"""Which tables are named: those that numbers are read from."""


@dataclass(frozen=True)
class Step:
    """One release since then: its tests as passed and failed, and the tables that it has changed."""

    release: Published
    passed: int
    failed: int
    changed: tuple[str, ...]


@dataclass(frozen=True)
class Shift:
    """A metric over the fixed days: what it was at the last visit, and what it is now."""

    metric: Metric
    then: Value
    now: Value


@dataclass(frozen=True)
class Rows:
    """How many rows of a table the user may see, then and now; None where it was not there or cannot be read."""

    table: str
    then: int | None
    now: int | None


class Since:
    """The changes between the last visit and the current release. There must be both, and a release at either."""

    def __init__(self, workspace: Workspace, last: LastVisit) -> None:
        assert last.release is not None  # noqa: S101  # without one there is nothing to compare with
        self.workspace, self.last = workspace, last
        self.before = workspace.at(str(last.release))

    @property
    def count(self) -> int:
        """How many releases there were since then; they are numbered without gaps."""
        return self.workspace.release.number - self.before.release.number

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The newest of these releases, newest first."""
        newest = self.workspace.releases(min(self.count, SHOWN_RELEASES) + 1)
        return tuple(self._step(release, earlier) for release, earlier in pairwise(newest))

    @cached_property
    def rows(self) -> tuple[Rows, ...]:
        """The tables that are not what they were, with their rows."""
        return tuple(
            Rows(table, _count(self.before, table), _count(self.workspace, table))
            for table in self._changed(self.before, self.workspace)
        )

    @cached_property
    def days(self) -> tuple[Span, Span] | None:
        """The first and the last day in the data, then and now; None where one of them cannot be read any more."""
        then, now = if_readable(lambda: Headline(self.before).bounds), Headline(self.workspace).bounds
        return (then, now) if then is not None and now is not None else None

    @cached_property
    def shifts(self) -> tuple[Shift, ...]:
        """The metrics that are defined at both releases, over all days up to the last one of then."""
        if self.days is None:
            return ()
        then, now = self.days
        fixed = Span(min(then.first, now.first), then.last)
        earlier, later = Headline(self.before), Headline(self.workspace)
        both = [metric for metric in later.metrics if metric.name in earlier.names]
        names = [metric.name for metric in both]
        if not names:
            return ()
        old = if_readable(lambda: earlier.over(names, fixed))
        if old is None:
            return ()
        new = later.over(names, fixed)
        return tuple(Shift(metric, old[metric.name], new[metric.name]) for metric in both)

    def _step(self, release: Published, earlier: Published) -> Step:
        passed, failed = self.workspace.runs().tests(release.run) or (0, 0)
        changed = self._changed(*(self.workspace.at(str(one.number)) for one in (earlier, release)))
        return Step(release, passed, failed, changed)

    def _changed(self, earlier: Workspace, later: Workspace) -> tuple[str, ...]:
        """The tables that the user may see now whose data differ between two releases."""
        before, after = earlier.release.pins, later.release.pins
        seen: Sequence[str] = [table for table in self.workspace.tables() if table.startswith(LAYER)]
        return tuple(table for table in seen if before.get(table) != after.get(table))


def _count(workspace: Workspace, table: str) -> int | None:
    return if_readable(lambda: workspace.row_count(table)) if table in workspace.tables() else None
