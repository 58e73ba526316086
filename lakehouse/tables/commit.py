"""Commits changes of several tables as one, and finishes what a crash has left half-way.

One rule: a change is written down as an intent before it is committed, so that after a crash it is either finished or
discarded, never doubled. Loads and releases both stand on this.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from pyiceberg.exceptions import (
    CommitFailedException,
    CommitStateUnknownException,
    NoSuchTableError,
    ValidationException,
)
from sqlalchemy.exc import DBAPIError

from lakehouse.errors import Unavailable, WorkFailed
from lakehouse.tables import internals
from lakehouse.tables.catalog import TableCatalog

Intent = Mapping[str, Mapping[str, Any]]
"""Logical table name -> {"requirements", "updates", "snapshot"}; JSON."""

UNKNOWN = (CommitStateUnknownException, OSError, DBAPIError)
"""Outcomes after which the change may or may not have been applied: `finish` looks."""


class Outcome(Enum):
    """What `finish` found or did."""

    WAS_DONE = "was done"
    DONE_NOW = "done now"
    DISCARDED = "discarded"


class Overtaken(WorkFailed):
    """Someone else changed a table first: a definite no, nothing was applied."""


def commit(catalog: TableCatalog, intent: Intent) -> None:
    """Commit all changes of an intent, or none.

    Raises `Overtaken` on a definite no, `Unavailable` when the outcome is unknown.
    """
    try:
        internals.commit_together(catalog.catalog, {catalog.identifier(table): item for table, item in intent.items()})
    except (CommitFailedException, ValidationException, NoSuchTableError) as error:
        raise Overtaken(f"Another program changed a table meanwhile ({error}). Run again.") from error
    except UNKNOWN as error:
        raise Unavailable("The catalog did not answer in time; the next run repairs what is left open.") from error


def finish(catalog: TableCatalog, intent: Intent) -> Outcome:
    """Bring an intent of a run that has died to an end: done when its tables allow it, else discarded as a whole.

    Raises `WorkFailed` when it was applied in part and overtaken: readers stay where they are, a person must decide.
    """
    missing = {table: item for table, item in intent.items() if not _has(catalog, table, item["snapshot"])}
    if not missing:
        return Outcome.WAS_DONE
    try:
        commit(catalog, missing)
    except Overtaken as error:
        if len(missing) < len(intent):
            raise WorkFailed(
                f"An earlier commit was applied in part and overtaken. Not applied: {', '.join(sorted(missing))}."
            ) from error
        return Outcome.DISCARDED
    return Outcome.DONE_NOW


def _has(catalog: TableCatalog, table: str, snapshot: int) -> bool:
    head = catalog.head(table)
    return head is not None and head.snapshot_by_id(snapshot) is not None
