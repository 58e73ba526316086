"""What happens to records that were rejected: how many are tolerated, and where to look at them.

One rule: a load that rejects more than its source tolerates fails as a whole, and leaves the rejected records as a
file in the run's folder, since nothing of it reaches the quarantine table.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from lakehouse.errors import WorkFailed
from lakehouse.query.scope import QUARANTINE
from lakehouse.settings import SourceSettings

QUARANTINE_TABLE = QUARANTINE
ALWAYS_TOLERATED = 10
"""Rejected records that never fail a load, however small its files are."""
NAMED = 3


class Rejected:
    """The rejected records of one source in one run."""

    def __init__(self, source: str, settings: SourceSettings, folder: Path) -> None:
        self._source, self._settings, self._folder = source, settings, folder

    def tolerate(self, records: int, rejected: pa.Table) -> None:
        """Raise `WorkFailed`, naming the first ones, when more of `records` are rejected than tolerated."""
        share = self._settings.max_rejected
        if rejected.num_rows <= max(ALWAYS_TOLERATED, int(share * records)):
            return
        path = self._folder / f"rejected-{self._source}.csv"
        pyarrow.csv.write_csv(rejected, path)
        first = "; ".join(first_rejected(rejected))
        raise WorkFailed(
            f"sources.{self._source}: {rejected.num_rows:,} of {records:,} records were rejected, more than "
            f"max_rejected = {share:g} tolerates. Nothing of it was loaded. The first: {first}. All of them: {path}."
        )


def first_rejected(rejected: pa.Table) -> list[str]:
    """What is wrong with the first few records, a sentence each."""
    return [_sentence(row) for row in rejected.slice(0, NAMED).to_pylist()]


def _sentence(row: dict[str, object]) -> str:
    column = f", {row['column_name']}" if row["column_name"] else ""
    return f"{row['file']}, line {row['line']}{column}: {row['reason']}"
