"""The steps of a run as people think of them: each source that is loaded, the models, the tests, and publishing.

One rule: a step is done when the run says that it has ended, never because its bar is full.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pipelines.progress import Progress
from pipelines.steps import Count, Part, Step
from portal import wording
from portal.pipelines.words import Record

State = Literal["done", "now", "next", "failed"]
TESTS = "tests"
"""What is called a job here and is a build of tests only."""


@dataclass(frozen=True)
class Row:
    """One step: its name, how far it is in per cent (None: nobody knows of how much), in words, and its times."""

    name: str
    state: State
    percent: int | None
    amount: str
    started: str | None = None
    ended: str | None = None


def step_rows(progress: Progress, record: Record) -> list[Row]:
    """The steps of a run in their order, as far as they are known."""
    steps = {step.step: step for step in progress.steps}
    is_over = record["ended"] is not None
    order = record.get("order") or {}
    job = TESTS if order.get("tests_only") else str(order.get("job") or record["job"])
    rows = [*_loading(progress, steps.get("load"), job), *_building(progress, steps.get("build"), job)]
    release = steps.get("release")
    if job in ("refresh", "build", "publish") and (release is not None or not is_over):
        rows.append(_row("Publish", release, None, ""))
    if not is_over:
        return rows
    # What had begun when the run ended has ended with it.
    broken: State = "failed" if record["state"] in ("failed", "lost", "cancelled") else "done"
    return [_closed(row, broken) for row in rows if row.state != "next"]


def _loading(progress: Progress, step: Step | None, job: str) -> Iterator[Row]:
    if job not in ("refresh", "load"):
        return
    parts = {part.name: part for part in progress.parts if part.step == "load"}
    if not progress.sources:
        yield _row("Load", step, None, "nothing new" if step is not None and step.ended else "")
    for name, count in progress.sources.items():
        yield _row(f"Load {name}", parts.get(name) or step, count, _counted(count, "row", "rows"))


def _building(progress: Progress, step: Step | None, job: str) -> Iterator[Row]:
    models, tests = progress.models, progress.tests
    if job == TESTS:
        yield _row("Test", step, tests, _counted(tests, "test", "tests"))
    if job not in ("refresh", "build"):
        return
    yield _row("Build", step, models, _counted(models, "model", "models"))
    is_testing = step is not None and tests is not None and tests.done > 0
    yield _row("Test", step if is_testing else None, tests, _counted(tests, "test", "tests"))


def _row(name: str, step: Step | Part | None, count: Count | None, amount: str) -> Row:
    if step is None:
        return Row(name, "next", 0, amount)
    if step.ended is not None:
        return Row(name, "done", 100, amount, step.started, step.ended)
    is_whole = count is not None and bool(count.total) and count.done >= (count.total or 0)
    return Row(name, "done" if is_whole else "now", _percent(count), amount, step.started)


def _closed(row: Row, broken: State) -> Row:
    return row if row.state == "done" else Row(row.name, broken, row.percent, row.amount, row.started, row.ended)


def _percent(count: Count | None) -> int | None:
    return min(100, 100 * count.done // count.total) if count is not None and count.total else None


def _counted(count: Count | None, one: str, many: str) -> str:
    """How many: "6 of 9 models", "42 tests" before any is done, "1,200 rows" where nobody knows of how many."""
    if count is None:
        return ""
    if count.total is None:
        return wording.count(count.done, one, many) if count.done else ""
    if not count.done:
        return wording.count(count.total, one, many)
    return f"{wording.exact(count.done)} of {wording.count(count.total, one, many)}"


def said(record: Record, rows: Sequence[Row]) -> str:
    """Where a run is, as it is read out: it changes with the step, not with each row."""
    begun = [row for row in rows if row.state != "next"]
    now = next((row.name for row in begun if row.state == "now"), f"{begun[-1].name} is done" if begun else "starting")
    return f"Run {record['run']} of {record['env']}: {now}."
