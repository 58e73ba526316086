"""Drift: how far the tables of a build have moved away from the last release, in rows and in NULLs per column.

One rule: it compares counts and decides nothing. A table or column that is new, is gone or was empty has nothing to be
compared with; that it may be so is what dbt's tests and contracts say.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Literal

from lakehouse.settings import PublishSettings


@dataclass(frozen=True)
class Counts:
    """The rows of a table, and for each column how many of them are NULL there."""

    rows: int
    nulls: Mapping[str, int]


@dataclass(frozen=True)
class Difference:
    """What has moved: the rows of a table, or the share of NULLs in one of its columns.

    Of rows, `before` and `after` are counts and `limit` is the share of those before that may go (-0.2) or come (1).
    Of NULLs, both are shares from 0 to 1, and `limit` is how far they may lie apart. `over` is what goes beyond.
    """

    table: str
    column: str | None
    kind: Literal["rows", "nulls"]
    before: float
    after: float
    limit: float
    over: bool

    def to_json(self) -> dict[str, Any]:
        """The difference as a JSON document."""
        return asdict(self)

    def sentence(self) -> str:
        """The difference in words, such as `marts.order_lines: rows fell by 60.3 %, from 1,000 to 397`."""
        if self.kind == "rows":
            moved = (self.after - self.before) / self.before
            verb = "fell" if moved < 0 else "rose"
            return f"{self.table}: rows {verb} by {_percent(abs(moved))}, from {self.before:,} to {self.after:,}"
        return f"{self.table}.{self.column}: NULLs went from {_percent(self.before)} to {_percent(self.after)}"


def differences(table: str, before: Counts, after: Counts, limits: PublishSettings) -> list[Difference]:
    """How a table has moved: its rows where their number is another, and the NULLs that went beyond their limit."""
    if not before.rows:
        return []
    found = [] if before.rows == after.rows else [_rows(table, before.rows, after.rows, limits)]
    if not after.rows:
        return found
    for column in sorted(before.nulls.keys() & after.nulls.keys()):
        old, new = Fraction(before.nulls[column], before.rows), Fraction(after.nulls[column], after.rows)
        if abs(new - old) > _exact(limits.max_nulls_moved):
            shares = round(float(old), 6), round(float(new), 6)
            found.append(Difference(table, column, "nulls", *shares, limits.max_nulls_moved, over=True))
    return found


def in_order(found: Iterable[Difference]) -> list[Difference]:
    """What goes beyond its limit first; then by table, rows before columns."""
    return sorted(found, key=lambda one: (not one.over, one.table, one.column or ""))


def _rows(table: str, before: int, after: int, limits: PublishSettings) -> Difference:
    limit = -limits.max_rows_lost if after < before else limits.max_rows_gained
    over = abs(after - before) > abs(_exact(limit)) * before
    return Difference(table, None, "rows", before, after, limit, over)


def _percent(share: float) -> str:
    return f"{100 * share:,.1f} %"


def _exact(limit: float) -> Fraction:
    """The number as it was written: 0.29 of 100 rows are 29, which the nearest binary number falls short of."""
    return Fraction(str(limit))
