"""The log of a run: kept short while others write to it, and read without secrets."""

import os
from pathlib import Path

from lakehouse.redaction import Redaction
from lakehouse.settings import Settings
from pipelines.run_log import LOG_NAME, read_log, trim, whole_log


def numbered(folder: Path, lines: int) -> Path:
    file = folder / LOG_NAME
    file.write_text("".join(f"line {number}\n" for number in range(lines)), encoding="utf-8")
    return file


def test_a_log_that_is_too_large_keeps_its_beginning_and_its_end_and_says_what_was_cut(tmp_path: Path) -> None:
    file = numbered(tmp_path, 10_000)
    size = file.stat().st_size

    assert trim(file, 3_000)

    lines = file.read_text(encoding="utf-8").splitlines()
    said = next(line for line in lines if line.startswith("["))
    kept = [line for line in lines if line.startswith("line ")]
    assert (kept[0], kept[-1]) == ("line 0", "line 9999")
    assert all(line in {f"line {number}" for number in range(10_000)} for line in kept)
    gone = size - sum(len(line) + 1 for line in kept) + 1  # the last kept line before the cut has lost its end of line
    assert said == f"[{gone} bytes were left out here, since the log had become too large]"
    assert file.stat().st_size < 3_000
    assert not trim(file, 3_000)


def test_who_writes_at_the_end_goes_on_there_after_a_cut(tmp_path: Path) -> None:
    file = numbered(tmp_path, 10_000)
    writer = os.open(file, os.O_WRONLY | os.O_APPEND)

    trim(file, 3_000)
    os.write(writer, b"and on\n")
    os.close(writer)

    assert file.read_bytes().endswith(b"line 9999\nand on\n")


def test_the_last_lines_are_read_without_secrets(tmp_path: Path) -> None:
    numbered(tmp_path, 100_000)
    with (tmp_path / LOG_NAME).open("a", encoding="utf-8") as log:
        log.write("password=hunter2\n")

    redaction = Redaction(Settings(home=tmp_path))

    assert read_log(tmp_path, redaction, 2) == ["line 99999", "password=***"]
    assert whole_log(tmp_path, redaction).startswith("line 0\n")
    assert "hunter2" not in whole_log(tmp_path, redaction)


def test_a_run_without_a_log_has_said_nothing(tmp_path: Path) -> None:
    assert read_log(tmp_path, Redaction(Settings(home=tmp_path)), 10) == []
    assert not trim(tmp_path / LOG_NAME)
