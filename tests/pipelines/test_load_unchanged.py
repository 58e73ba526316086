"""When nothing has to be loaded, and when it only looks so."""

import hashlib
import os
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from lakehouse.state import schema
from lakehouse.state.store import open_state
from pipelines import inputs
from tests.pipelines.lake import Lake, lines, source


@pytest.fixture
def loaded(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake with one loaded file, whose hash was kept: its times are trusted at once, not after two seconds."""
    monkeypatch.setattr(inputs, "SETTLED_SECONDS", 0.0)
    lake.configure(source(key=["id"]))
    lake.write("sales.csv", lines("a,1", "b,2"))
    assert lake.load().ending == ("success", 0)
    return lake


def times(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_atime_ns, stat.st_mtime_ns


def kept_hashes(lake: Lake) -> list[tuple[str, str]]:
    """The files whose hash is trusted as long as their times are the same."""
    with closing(open_state(lake.settings)) as state, state.read() as connection:
        return [(row.path, row.sha256) for row in connection.execute(select(schema.files))]


def test_the_same_files_are_not_loaded_again(loaded: Lake) -> None:
    ran = loaded.load()

    assert ran.ending == ("unchanged", 0)
    assert (ran.result["rows_read"], ran.result["sources"], ran.result["tables"]) == (0, {}, {})
    assert (loaded.snapshots(), loaded.snapshots("raw.quarantine")) == (1, 0)


def test_a_file_with_a_new_time_and_the_same_content_is_not_loaded_again(loaded: Lake) -> None:
    os.utime(loaded.home / "sales.csv", (1, 1))

    assert loaded.load().ending == ("unchanged", 0)
    assert loaded.snapshots() == 1


def test_a_copy_with_the_same_content_in_the_files_place_is_not_loaded_again(loaded: Lake) -> None:
    copy = loaded.write("copy", lines("a,1", "b,2"))
    copy.replace(loaded.home / "sales.csv")

    assert loaded.load().ending == ("unchanged", 0)
    assert loaded.snapshots() == 1


def test_a_change_that_keeps_size_and_time_is_noticed(loaded: Lake) -> None:
    path = loaded.home / "sales.csv"
    before = times(path)
    path.write_text(lines("a,1", "b,3"), encoding="utf-8")
    os.utime(path, ns=before)
    assert times(path) == before

    assert loaded.load().ending == ("success", 0)
    assert loaded.rows() == [("a", 1), ("b", 3)]


def test_another_file_of_the_same_size_and_time_in_its_place_is_noticed(loaded: Lake) -> None:
    path = loaded.home / "sales.csv"
    other = loaded.write("other", lines("a,1", "b,4"))
    os.utime(other, ns=times(path))
    other.replace(path)

    assert loaded.load().ending == ("success", 0)
    assert loaded.rows() == [("a", 1), ("b", 4)]


def test_a_file_that_was_changed_just_now_is_read_again_the_next_time(lake: Lake) -> None:
    lake.configure(source())
    path = lake.write("sales.csv", lines("a,1"))
    lake.load()

    assert kept_hashes(lake) == []

    os.utime(path, (1, 1))
    while time.time() - path.stat().st_ctime <= inputs.SETTLED_SECONDS:
        time.sleep(0.1)
    lake.load()

    assert kept_hashes(lake) == [(str(path), hashlib.sha256(path.read_bytes()).hexdigest())]


def test_a_file_under_another_name_is_loaded_since_rows_name_their_file(loaded: Lake) -> None:
    loaded.configure(source(key=["id"], path="*.csv"))
    (loaded.home / "sales.csv").rename(loaded.home / "renamed.csv")

    ran = loaded.load()

    assert ran.result["sources"]["sales"]["vanished"] == ["sales.csv"]
    assert loaded.rows("raw.sales", "id", "_file") == [("a", "renamed.csv"), ("b", "renamed.csv")]


@pytest.mark.parametrize("setting", [{"max_rejected": 0.5}, {"path": "./sales.csv"}, {"allow_empty": True}])
def test_a_setting_that_shapes_no_row_loads_nothing(loaded: Lake, setting: dict[str, Any]) -> None:
    loaded.configure(source(key=["id"], **setting))

    assert loaded.load().ending == ("unchanged", 0)


def test_a_setting_that_shapes_rows_loads_again(loaded: Lake) -> None:
    loaded.configure(source(key=["n"]))

    assert loaded.load().ending == ("success", 0)
    assert loaded.rows("raw.sales", "line_id") == [("1",), ("2",)]


def test_a_table_that_is_gone_is_loaded_again(loaded: Lake) -> None:
    loaded.drop("raw.sales")

    assert loaded.load().ending == ("success", 0)
    assert loaded.rows() == [("a", 1), ("b", 2)]
    assert loaded.snapshots() == 1
