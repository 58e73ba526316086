"""Processes that Lakeport starts for itself: what they know, and whom they let go first."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.child import NICE, bare_environment, go_behind

AUTOGROUPS = Path("/proc/sys/kernel/sched_autogroup_enabled")


@pytest.fixture
def process() -> Iterator[int]:
    """A process in a session of its own that does nothing."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as started:
        yield started.pid
        started.kill()


def test_a_process_that_goes_behind_is_nice(process: int) -> None:
    go_behind(process)

    assert os.getpriority(os.PRIO_PROCESS, process) == NICE


@pytest.mark.skipif(not AUTOGROUPS.exists(), reason="this system does not share its processors among sessions")
def test_its_session_is_nice_to_others_too(process: int) -> None:
    group = Path(f"/proc/{process}/autogroup")
    before = Path("/proc/self/autogroup").read_text(encoding="utf-8")

    go_behind(process)

    assert group.read_text(encoding="utf-8").endswith(f"nice {NICE}\n")
    assert Path("/proc/self/autogroup").read_text(encoding="utf-8") == before


def test_one_in_the_session_of_others_leaves_these_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as shared:
        before = Path("/proc/self/autogroup").read_text(encoding="utf-8") if AUTOGROUPS.exists() else ""
        go_behind(shared.pid)
        after = Path("/proc/self/autogroup").read_text(encoding="utf-8") if AUTOGROUPS.exists() else ""
        shared.kill()

    assert before == after


def test_its_environment_has_no_secret_and_finds_lakeport(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEPORT_SERVER__SECRET", "not for children")

    known = bare_environment()
    found = subprocess.run(
        [sys.executable, "-P", "-c", "import lakehouse; print(lakehouse.__file__)"],
        env=known,
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )

    assert not any("LAKEPORT" in name for name in known)
    assert found.stdout.strip().endswith("lakehouse/__init__.py")
