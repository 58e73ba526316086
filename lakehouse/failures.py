"""Tests that failed in a run, and the rows for which they did, as the run has left them in its folder.

One rule: failing rows are raw data of a build that nobody has released, and no rules have been put on them. They are
for people who may decide in the environment and are under no rules at all.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.access import policy

if TYPE_CHECKING:
    from lakehouse.core import Workspace

FOLDER = "failures"


@dataclass(frozen=True)
class FailingTest:
    """A test that failed, or a model or test that could not be computed: then nobody has counted its failures.

    Without a `message` neither that nor the count is told: `lakehouse.disclosure` says to whom they are.

    `rows` are the first of the rows that the test has found, as values of JSON under `columns` of `{"name", "type"}`;
    None where there are none, or whoever asks may not see them. `complete` says whether these are all of them.
    """

    test: str
    message: str | None
    failures: int | None
    reads: tuple[str, ...] = ()
    columns: Sequence[Mapping[str, str]] | None = None
    rows: Sequence[Sequence[Any]] | None = None
    complete: bool = True


def failing_tests(workspace: "Workspace", run: str) -> list[FailingTest]:
    """The tests that failed in a run of the workspace's environment, with rows where this person may see them.

    That takes the right to decide in the environment, no rule on rows or columns, and to see all tables that were read.
    """
    policy.check(workspace.principal, "diagnose", "tests")
    record = workspace.runs().show(run)
    decides = record["env"] == workspace.env and workspace.may("operate")
    folder = workspace.lakehouse.settings.run_folder(run)
    found = [_read(folder, named) for named in record.get("failures") or ()]
    return [one if decides and one.message is not None else _without_rows(one) for one in found]


def _without_rows(test: FailingTest) -> FailingTest:
    return replace(test, columns=None, rows=None)


def _read(folder: Path, named: Mapping[str, Any]) -> FailingTest:
    told = FailingTest(named["test"], named["message"], named["failures"], tuple(named["reads"]))
    if named["file"] is None:
        return told
    try:
        kept = json.loads((folder / named["file"]).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # the folder was tidied up
        return told
    return replace(told, columns=kept["columns"], rows=kept["rows"], complete=kept["complete"])
