"""What somebody has asked in SQL, read back from the audit.

One rule: the audit is the only place that keeps statements, so there is one retention and nothing to forget elsewhere;
what it keeps of a statement only in part is said to be no whole one.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lakehouse.access.request import HIDDEN, Request

STATEMENT_ACTION = "query"
STATEMENT_DOOR = "page"

MOST_RECORDS = 200
"""Records that are looked through for statements that differ."""


@dataclass(frozen=True)
class Statement:
    """A statement and how it was answered; `rows` is None where it was not."""

    asked: datetime
    text: str
    is_whole: bool
    """False: too long for the audit, or something in it looked like a secret, so it cannot be run again from here."""
    rows: int | None
    complete: bool
    seconds: float


def pending(request: Request) -> list[dict[str, Any]]:
    """The statements of a request that is not recorded yet, as its record will have them."""
    asked = [json.loads(question.text()) for question in request.questions if question.plan is None]
    at = datetime.now(UTC).isoformat()
    return [{"at": at, "door": STATEMENT_DOOR, "detail": json.dumps({"asked": asked})}] if asked else []


def newest(records: Iterable[Mapping[str, Any]], limit: int) -> list[Statement]:
    """The statements of some records, which come newest first, each text once."""
    found: dict[str, Statement] = {}
    for record in records:
        if record["door"] != STATEMENT_DOOR:
            continue
        for asked in reversed(json.loads(record["detail"]).get("asked", [])):
            if "sql" in asked and asked["sql"] not in found:
                found[asked["sql"]] = _statement(record["at"], asked)
        if len(found) >= limit:
            break
    return list(found.values())[:limit]


def _statement(at: str, asked: Mapping[str, Any]) -> Statement:
    return Statement(
        asked=datetime.fromisoformat(at),
        text=asked["sql"],
        is_whole="sql_sha256" not in asked and HIDDEN not in asked["sql"],
        rows=asked.get("rows"),
        complete=asked.get("complete", False),
        seconds=asked.get("ms", 0) / 1000,
    )
