"""Runs as processes of their own: followed, stopped, killed, refused. And lakes as they are made."""

import os
import signal
from contextlib import closing
from pathlib import Path

import pytest

from lakehouse.errors import SettingsWrong, Unavailable, UnknownName, WorkFailed
from lakehouse.runs import Runs
from lakehouse.state.store import open_state
from pipelines.context import JOB, Order
from pipelines.create import create_lake
from pipelines.runner import Running, start
from tests.pipelines.lake import Lake, lines, source


def begin(lake: Lake, rows: int, source_name: str | None = None) -> Running:
    lake.configure(source())
    lake.write("sales.csv", lines(*(f"a{number},{number}" for number in range(rows))))
    return start(lake.settings, Order("dev", build=False, source=source_name), "operator:test")


def test_a_run_is_followed_to_its_result(lake: Lake) -> None:
    running = begin(lake, 3)

    events = list(running.events())
    ended = running.wait()

    assert all(set(event) == {"at", "run", "step", "event", "done", "total", "unit", "message"} for event in events)
    assert {event["run"] for event in events} == {running.run}
    assert (ended.exit_code, ended.trouble) == (0, "")
    assert ended.result is not None
    assert (ended.result["run"], ended.result["state"], ended.result["rows_loaded"]) == (running.run, "success", 3)


def test_a_run_is_in_a_session_of_its_own(lake: Lake) -> None:
    running = begin(lake, 3)

    session = os.getsid(running.process.pid)
    running.wait()

    assert session == running.process.pid != os.getsid(0)


def test_a_run_that_is_killed_is_a_failure_with_a_sentence_and_the_next_one_repairs(lake: Lake) -> None:
    running = begin(lake, 300_000)
    next(running.events())

    os.kill(running.process.pid, signal.SIGKILL)
    ended = running.wait()

    assert (ended.exit_code, ended.result) == (1, None)
    assert ended.trouble == f"Run {running.run} was killed (signal 9). The next run repairs what it has left."
    assert type(ended.error()) is WorkFailed
    assert lake.start("load").ending == ("success", 0)
    with closing(open_state(lake.settings)) as state:
        assert Runs(state).show(running.run)["state"] == "lost"


def test_a_run_that_is_stopped_says_cancelled_and_loads_nothing(lake: Lake) -> None:
    running = begin(lake, 300_000)
    next(running.events())

    running.stop()
    ended = running.wait()

    assert (ended.exit_code, ended.trouble) == (5, "The run was stopped (SIGTERM). Nothing was released.")
    assert ended.result is not None
    assert ended.result["state"] == "cancelled"
    assert lake.rows() == []


def test_a_run_that_may_not_begin_has_no_result_and_says_why(lake: Lake) -> None:
    lake.configure(source())
    with closing(open_state(lake.settings)) as state:
        Runs(state).begin("the-first", "dev", JOB, "test")
        ended = begin(lake, 1).wait()

    assert (ended.exit_code, ended.result) == (1, None)
    assert ended.trouble.startswith("Run the-first has been doing the refresh of dev since ")
    assert type(ended.error()).__name__ == "Busy"


def test_a_wrong_order_has_no_result_and_says_why(lake: Lake) -> None:
    ended = begin(lake, 1, "seals").wait()

    assert (ended.exit_code, ended.result) == (2, None)
    assert ended.error().status == 400
    assert str(ended.error()) == "No source named 'seals'. Known sources: sales."


def test_a_folder_called_pipelines_is_not_taken_for_ours(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "__init__.py").write_text("raise SystemExit(9)", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert begin(lake, 1).wait().exit_code == 0


def test_a_new_lake_can_be_refreshed_once_its_file_is_there(tmp_path: Path) -> None:
    home = create_lake(tmp_path / "shop", "sales")

    assert Lake(home).settings.sources["sales"].path == "data/sales.csv"
    assert create_lake(tmp_path / "other", "empty") == tmp_path / "other"
    assert Lake(tmp_path / "other").settings.sources == {}


def test_an_unknown_template_lists_the_templates(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"No template named 'shop'\. Known templates: empty, sales\."):
        create_lake(tmp_path, "shop")


def test_a_lake_that_cannot_be_finished_leaves_no_settings_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEPORT_QUERY__WORKERS", "none")
    with pytest.raises(SettingsWrong):
        create_lake(tmp_path, "sales")
    monkeypatch.delenv("LAKEPORT_QUERY__WORKERS")
    monkeypatch.setenv("LAKEPORT_LAKE__STATE", f"sqlite:///{tmp_path}/nowhere/state.db")
    with pytest.raises(Unavailable):
        create_lake(tmp_path, "sales")
    monkeypatch.delenv("LAKEPORT_LAKE__STATE")

    assert create_lake(tmp_path, "sales") == tmp_path
