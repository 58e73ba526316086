"""A disk that is full ends a refresh with one clear sentence, and nothing released."""

import subprocess
from collections.abc import Callable, Iterator

import pytest
from prepared_lakes import Prepared, prepare

pytestmark = pytest.mark.faults

FULL = "The disk is full. Make room and run again; nothing was released."


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """A lake on a disk of its own."""
    folder = tmp_path_factory.mktemp("small")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield prepare("full", folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize(
    "point",
    [
        "after-state-commit:1",
        "batch:1",
        "mark:sales extracted",
        "mark:sales intended",
        "mark:parsed",
        "candidate:staging.stg_sales",
        "end:build",
        "mark:intent",
        "mark:committed",
    ],
)
def test_a_refresh_on_a_full_disk_says_so_and_the_next_one_is_well(small: Prepared, point: str) -> None:
    lake = small.lake
    lake.put_back()

    ended = lake.refresh(f"fill:{point}")
    seen = lake.figures()
    (lake.home / "ballast").unlink()
    again = lake.refresh()

    assert (ended.code, ended.error) == (4, FULL)
    assert seen == small.before
    assert again.code == 0
    assert (lake.content(), lake.snapshots()) == (small.content, small.snapshots)
    assert lake.half_done() == []


def test_a_release_stays_when_only_its_record_finds_no_room(small: Prepared) -> None:
    lake = small.lake
    lake.put_back()

    ended = lake.refresh("fill:mark:flipped")
    seen = lake.figures()
    (lake.home / "ballast").unlink()
    again = lake.refresh()

    assert ended.code == 4
    assert ended.error.startswith("The run ended with success, but that could not be written down.")
    assert seen == small.after
    assert (again.code, again.result["state"]) == (0, "unchanged")
    assert lake.half_done() == []


def test_a_lake_that_cannot_be_written_says_so(prepared: Callable[[str], Prepared]) -> None:
    """Rights do not bind the owner of a machine, a disk that is mounted for reading does."""
    lake = prepared("edited").lake
    lake.put_back()
    bound = subprocess.run(["mount", "--bind", str(lake.home), str(lake.home)], capture_output=True)
    if bound.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(lake.home)], check=True)
        ended = lake.refresh()
    finally:
        subprocess.run(["umount", "--lazy", str(lake.home)], check=True)

    assert ended.code == 4
    assert "cannot be used" in ended.error
    assert len(ended.error.splitlines()) == 1
