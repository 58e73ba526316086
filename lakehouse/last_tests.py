"""How every test of an environment went last: those of the current release, and what has failed since.

One rule: what failed is in no release, so it is taken from the runs after it; of two verdicts the newer one holds.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lakehouse.access import policy
from lakehouse.quality import Verdict, failed_verdict, visible_verdicts

if TYPE_CHECKING:
    from lakehouse.core import Workspace

LOOKED_AT = 50
"""Runs after the release among which failures are looked for."""


def last_tests(workspace: "Workspace") -> list[Verdict] | None:
    """The newest verdict on each test that its owner may know of; None where no run has written any down."""
    policy.check(workspace.principal, "diagnose", "tests")
    failed = list(_failed(workspace))
    release = workspace.release if workspace.has_release else None
    if release is None or release.tests is None:
        return failed or None
    scope = workspace.scope
    in_full = not scope.rows and not scope.columns
    standing = visible_verdicts(release.tests.values(), workspace.pins, scope.hidden, in_full=in_full)
    newer = set(map(_test, failed))
    return [*failed, *(verdict for verdict in standing if _test(verdict) not in newer)]


def _failed(workspace: "Workspace") -> Iterator[Verdict]:
    """What has failed since the current release and was not tested again, the newest first."""
    number, told = workspace.release.number if workspace.has_release else None, set()
    for record in workspace.runs().list(workspace.env, LOOKED_AT):
        if number is not None and record["release"] == number:
            return
        for failure in record.get("failures") or ():
            verdict = failed_verdict(failure, record["run"], record["ended"])
            if _test(verdict) not in told:
                told.add(_test(verdict))
                yield verdict
        if _tests_everything(record):
            return


def _tests_everything(record: dict[str, Any]) -> bool:
    """Whether a run has tested all that differs from the release: what failed before and passes by now is told so."""
    tests = record.get("tests") or {}
    return bool(tests.get("passed") or tests.get("failed")) and not (record["order"] or {}).get("select")


def _test(verdict: Verdict) -> tuple[Any, ...]:
    """Which test a verdict is about, as far as its reader may know it."""
    return verdict.name, verdict.kind, verdict.table, verdict.column
