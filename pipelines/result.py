"""What a run reports when it ends: the JSON that `lakeport refresh --json` prints and the run's result file holds."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.loads import Load

if TYPE_CHECKING:
    from pipelines.refresh import Outcome

FILE_NAME = "result.json"


def unchanged_result(run: str, release: int | None, awaiting: str | None) -> dict[str, Any]:
    """The result of a run that found nothing to do; `release` is the current one.

    `awaiting` is the run whose release waits and holds what is there; None where the current release does.
    """
    return {**_result(run, "unchanged", release, {}, {}), "awaiting": awaiting}


def outcome_result(run: str, outcome: "Outcome", current: int | None) -> dict[str, Any]:
    """The result of a run that looked closer; `current` is the release that readers see now."""
    release = outcome.release or (current if outcome.state == "unchanged" else None)
    result = _result(run, outcome.state, release, outcome.loads, outcome.rows)
    result["tests"] = {"passed": outcome.passed, "failed": len(outcome.failed)}
    result |= {"repaired": outcome.repaired, "written_elsewhere": outcome.foreign, "failures": outcome.failures}
    if outcome.left:
        result["left"] = {table: list(held) for table, held in outcome.left.items()}
    if outcome.tested is not None:
        result["tested"] = outcome.tested
    if outcome.differences is not None:
        result["differences"] = outcome.differences
    if outcome.published is not None:
        result["published"] = outcome.published
    if outcome.error is not None:
        result["error"] = outcome.error
    return result


def failed_result(run: str, state: str, error: str) -> dict[str, Any]:
    """The result of a run that ended before it had an outcome."""
    return {**_result(run, state, None, {}, {}), "error": error}


def left_sentences(result: Mapping[str, Any]) -> list[str]:
    """What a run has left to a later one, because of what was selected, or because it is not in the release."""
    left: Mapping[str, Sequence[str]] = result.get("left") or {}
    if not left:
        return []
    if result.get("tested"):
        return [f"Tests of what is not in the release were not run: {', '.join(left)}."]
    said = [
        f"{table} has newer rows that are not released, since what has read the old ones was not selected: "
        f"{', '.join(readers)}."
        for table, readers in left.items()
        if readers
    ]
    rest = [table for table, readers in left.items() if not readers]
    return [*said, *([f"A refresh without a selection brings up to date: {', '.join(rest)}."] if rest else [])]


def _result(
    run: str, state: str, release: int | None, loads: Mapping[str, Load], rows: Mapping[str, int]
) -> dict[str, Any]:
    def total(name: str) -> int:
        return sum(load.counts[name] for load in loads.values())

    return {
        "run": run,
        "state": state,
        "release": release,
        "rows_read": total("read"),
        "rows_loaded": total("loaded"),
        "rows_quarantined": total("quarantined"),
        "tables": {table: {"rows": count} for table, count in sorted(rows.items())},
        "tests": {"passed": 0, "failed": 0},
        "sources": {name: dict(load.counts) for name, load in sorted(loads.items())},
        "repaired": [],
        "written_elsewhere": [],
        "failures": [],
    }


def write_result(folder: Path, result: Mapping[str, Any]) -> None:
    """Write the result file; it is there whole or not at all."""
    part = folder / f"{FILE_NAME}.part"
    part.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(folder / FILE_NAME)
