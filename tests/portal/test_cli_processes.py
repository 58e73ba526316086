"""The command line as a process: its script, pipes, signals, a terminal, and the processor time that it may take."""

import fcntl
import json
import os
import pty
import resource
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import LATE_LINE, SAMPLE_COLUMNS
from tests.pipelines.lake import ROOT, Lake, lines, source
from tests.portal.command_line import write_batch

SCRIPT = Path(sys.executable).with_name("lakeport")
UNCHANGED_RUN_SECONDS, UNCHANGED_REFRESH_SECONDS, CHANGED_SECONDS = 1.5, 3.5, 25
"""Processor time that the product promises at most, the run's own process included."""


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("LAKEPORT_")}


def run(*command: str | Path, **options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=ROOT, env=environment() | options, capture_output=True, text=True, encoding="utf-8", check=False
    )


def processor_seconds(*command: str | Path) -> float:
    """What a command and all its children have used, in user and kernel mode."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert run(*command).returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def on_a_terminal(*words: str | Path, columns: int = 80) -> str:
    """What a command writes to a terminal of that width."""
    terminal, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    variables = environment() | {"TERM": "xterm-256color"}
    variables.pop("COLUMNS", None)  # would go before the terminal; a worker of pytest-xdist has it
    written = bytearray()
    with subprocess.Popen(words, stdin=inside, stdout=inside, stderr=inside, env=variables, start_new_session=True):
        os.close(inside)
        try:
            while piece := os.read(terminal, 1 << 16):
                written += piece
        except OSError:  # Linux says so when the other side has been closed
            pass
    os.close(terminal)
    return written.decode()


def test_the_script_and_the_module_are_the_same_command() -> None:
    script, module = run(SCRIPT, "--help"), run(sys.executable, "-m", "portal.cli", "--help")

    assert script.returncode == 0
    assert script.stdout.splitlines()[2:] == module.stdout.splitlines()[2:]


def test_json_is_all_that_a_refresh_prints(demo_home: Path) -> None:
    done = run(SCRIPT, "refresh", "--home", demo_home, "--json")

    assert (done.returncode, json.loads(done.stdout)["state"], done.stderr) == (0, "unchanged", "")


def test_output_is_utf_8_in_every_locale_and_half_a_character_is_an_escape(sample_lake: Lake, tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "batch.jsonl", '{"id": "\\ud800", "sql": "select \'zażółć 日本 😀\' as text"}')

    done = run(
        SCRIPT,
        "query",
        "--batch",
        batch,
        "--home",
        sample_lake.home,
        LC_ALL="C",
        PYTHONUTF8="0",
        PYTHONIOENCODING="ascii",
    )

    assert done.returncode == 0
    assert json.loads(done.stdout)["rows"] == [["zażółć 日本 😀"]]
    assert json.loads(done.stdout)["id"] == "\ud800"


def test_a_reader_that_leaves_early_is_no_error_to_talk_about(sample_lake: Lake) -> None:
    command = f"'{SCRIPT}' query 'select unnest(range(200000))' --json --home '{sample_lake.home}' | head -c 10"

    done = run("bash", "-c", command)

    assert done.stderr == ""


def test_ctrl_c_cancels_a_run(lake: Lake) -> None:
    lake.configure(source(columns=SAMPLE_COLUMNS))
    lake.write("sales.csv", ",".join(SAMPLE_COLUMNS) + "\n" + LATE_LINE * 400_000)
    asked = subprocess.Popen(
        [SCRIPT, "refresh", "--json", "--home", lake.home],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_an_event(lake.home)

    asked.send_signal(signal.SIGINT)
    out, err = asked.communicate(timeout=120)

    assert (asked.returncode, json.loads(out)["state"]) == (5, "cancelled")
    assert "The run was stopped (SIGTERM). Nothing was released." in err


def wait_for_an_event(home: Path) -> Path:
    """The folder of the lake's one run, once that says something."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for file in home.glob(".lakeport/runs/*/events.jsonl"):
            if file.stat().st_size:
                return file.parent
        time.sleep(0.02)
    raise AssertionError("the run has not begun within a minute")


def test_a_query_ended_by_ctrl_c_says_that_it_was_stopped(sample_lake: Lake) -> None:
    slow = "select sum(a.range * b.range) from range(100000000) a, range(100000000) b"
    asked = subprocess.Popen(
        [SCRIPT, "query", slow, "--json", "--home", sample_lake.home],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(4)

    asked.send_signal(signal.SIGINT)
    out, _ = asked.communicate(timeout=60)

    assert (asked.returncode, json.loads(out)["error"]["kind"]) == (5, "Stopped")


@pytest.mark.parametrize("words", [["run", "list"], ["tables"], ["metrics"], ["describe", "marts.order_lines"]])
def test_lists_fit_a_terminal_of_eighty_columns(sample_lake: Lake, words: Sequence[str]) -> None:
    shown = on_a_terminal(SCRIPT, *words, "--home", sample_lake.home)

    rows = [line for line in shown.splitlines() if "│" in line]
    assert rows
    assert all(len(line) <= 80 for line in rows)
    assert "row 1" not in shown


def test_rows_too_wide_for_a_terminal_go_below_each_other(sample_lake: Lake) -> None:
    sql = "select * from marts.order_lines order by line_id limit 2"

    shown = on_a_terminal(SCRIPT, "query", sql, "--home", sample_lake.home)
    wide = on_a_terminal(SCRIPT, "query", sql, "--home", sample_lake.home, columns=250)

    assert "row 2" in shown
    assert "  order_id       ORD-0001" in shown
    assert "row 2" not in wide
    assert "│ ORD-0001" in wide


def test_a_terminal_gets_bars_and_is_left_as_it_was(lake: Lake) -> None:
    lake.configure(source())
    lake.write("sales.csv", lines("a,1"))

    shown = on_a_terminal(SCRIPT, "load", "--home", lake.home)

    assert "1 of 1 sources loaded" in shown
    assert "━" in shown
    assert shown.rindex("\x1b[?25h") > shown.index("\x1b[?25l")  # the cursor is hidden, and shown again
    assert "Loaded, not released yet: 1 rows loaded, 0 quarantined." in shown


def test_an_unchanged_run_takes_less_than_its_promised_processor_time(demo_home: Path) -> None:
    used = processor_seconds(sys.executable, "-m", "pipelines.run", "refresh", "--home", demo_home)

    assert used <= UNCHANGED_RUN_SECONDS


def test_an_unchanged_refresh_takes_less_than_its_promised_processor_time(demo_home: Path) -> None:
    assert processor_seconds(SCRIPT, "refresh", "--home", demo_home) <= UNCHANGED_REFRESH_SECONDS


def test_a_refresh_with_a_change_takes_less_than_its_promised_processor_time(lake: Lake) -> None:
    lake.configure(source(columns=SAMPLE_COLUMNS))
    lake.write("sales.csv", ",".join(SAMPLE_COLUMNS) + "\n" + LATE_LINE)

    assert processor_seconds(SCRIPT, "refresh", "--home", lake.home) <= CHANGED_SECONDS
