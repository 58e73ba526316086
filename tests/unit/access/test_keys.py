"""Keys of a lake: made once, for its owner alone, whoever is first."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lakehouse.access.keys import own_key, write_private


def test_a_key_is_made_once_and_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "key"

    first, second = own_key(file), own_key(file)

    assert first == second
    assert len(first) >= 48
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_many_at_once_find_the_same_whole_key(tmp_path: Path) -> None:
    for number in range(50):
        file = tmp_path / f"key-{number}"
        with ThreadPoolExecutor(8) as threads:
            found = set(threads.map(own_key, [file] * 8))

        assert len(found) == 1
        assert "" not in found


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    file = tmp_path / "key"
    write_private(file, "first")

    write_private(file, "second")

    assert file.read_text() == "first\n"
