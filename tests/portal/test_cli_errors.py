"""What the command line says and returns when something is wrong: exit codes 1 to 5, and one document with --json."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lakehouse.runs import Runs
from lakehouse.state.store import open_state
from pipelines.context import JOB
from portal.cli import ask
from tests.conftest import SAMPLE_COLUMNS
from tests.pipelines.lake import Lake, lines, source
from tests.portal.command_line import lakeport

COMMANDS = [
    ("load",),
    ("build",),
    ("refresh",),
    ("query", "select 1"),
    ("plan", '{"metrics": ["revenue"]}'),
    ("metrics",),
    ("tables",),
    ("describe", "marts.order_lines"),
    ("run", "list"),
    ("run", "show"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_lake_every_command_says_how_to_make_one(tmp_path: Path, command: tuple[str, ...]) -> None:
    refused = lakeport(*command, "--json", home=tmp_path)

    assert refused.code == 2
    assert refused.error["text"] == f"There is no lake in {tmp_path}. Make one with `lakeport init {tmp_path}`."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_environment_lists_the_environments(lake: Lake, command: tuple[str, ...]) -> None:
    lake.configure("")

    refused = lakeport(*command, "--env", "moon", "--json", home=lake.home)

    assert (refused.code, refused.error["text"]) == (2, "No environment named 'moon'. Known environments: dev.")


@pytest.mark.parametrize(
    "command", [("query", "select 1"), ("plan", '{"metrics": ["x"]}'), ("metrics",), ("tables",), ("describe", "a.b")]
)
def test_before_the_first_release_there_is_nothing_to_ask(lake: Lake, command: tuple[str, ...]) -> None:
    lake.configure("")

    refused = lakeport(*command, "--json", home=lake.home)

    assert (refused.code, refused.error["kind"]) == (2, "NoRelease")
    assert refused.error["text"] == "Nothing has been released in dev yet. Run `lakeport refresh`."


@pytest.mark.parametrize("command", COMMANDS)
def test_wrong_settings_are_named_with_their_line(lake: Lake, command: tuple[str, ...]) -> None:
    lake.configure("[query]\n\nworkrs = 3\n")

    refused = lakeport(*command, "--json", home=lake.home)

    assert (refused.code, refused.error["kind"]) == (2, "SettingsWrong")
    assert refused.error["text"].startswith(
        "lakeport.toml, line 3: unknown key 'query.workrs'. Did you mean 'workers'? Known keys: free_sql, workers"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("querry", "x"), "No such command 'querry'"),
        (("query", "--limti", "3", "x"), "No such option: --limti"),
        (("query", "--limit", "-1", "x"), "'--limit'"),
        (("query", "--limit", "many", "x"), "'--limit'"),
        (("describe",), "Missing argument"),
        (("demo", "--rows", "0"), "'--rows'"),
        (("init", "--template", "shop"), "Known templates: empty, sales."),
        (("init", "--profile", "cloud"), "Known profiles: embedded."),
    ],
)
def test_a_wrong_word_or_option_is_a_wrong_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)

    refused = lakeport(*words)

    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err


def test_timeouts_must_be_positive(sample_lake: Lake) -> None:
    assert lakeport("query", "select 1", "--timeout", "-1", home=sample_lake.home).code == 2
    assert lakeport("query", "select 1", "--timeout", "nan", home=sample_lake.home).code == 2


def test_an_unknown_source_lists_the_sources(lake: Lake) -> None:
    lake.configure(source())

    refused = lakeport("load", "--source", "seals", "--json", home=lake.home)

    assert (refused.code, refused.error["text"]) == (2, "No source named 'seals'. Known sources: sales.")


def test_an_unknown_run_lists_the_newest(sample_lake: Lake) -> None:
    refused = lakeport("run", "show", "run-9", "--json", home=sample_lake.home)

    assert (refused.code, refused.error["status"]) == (2, 404)
    assert refused.error["text"] == "No run named 'run-9'. Known runs: run-1, run-2."


def test_before_the_first_run_there_is_none_to_show(lake: Lake) -> None:
    lake.configure("")

    refused = lakeport("run", "show", home=lake.home)

    assert (refused.code, refused.err) == (2, "There are no runs of dev yet. Start one with `lakeport refresh`.\n")


def test_a_second_run_at_the_same_time_is_told_which_one_is_active(lake: Lake) -> None:
    lake.configure(source())
    lake.write("sales.csv", lines("a,1"))
    with closing(open_state(lake.settings)) as state:
        Runs(state).begin("the-first", "dev", JOB, "test")

        refused = lakeport("refresh", "--json", home=lake.home)

    assert (refused.code, refused.error["kind"], refused.error["status"]) == (1, "Busy", 409)
    assert refused.error["text"].startswith("Run the-first has been doing the refresh of dev since ")


def test_a_bad_file_is_a_wrong_request_and_its_result_says_so(lake: Lake) -> None:
    lake.configure(source())
    lake.write("sales.csv", "id,m\na,1\n")

    refused = lakeport("load", "--json", home=lake.home)

    assert (refused.code, refused.document["state"]) == (2, "failed")
    assert "sales.csv, line 1: the header has no column 'n'" in refused.document["error"]
    assert refused.document["error"] in refused.err


def test_too_many_bad_rows_are_a_failure(lake: Lake) -> None:
    lake.configure(source())
    lake.write("sales.csv", lines(*(f"a{number},\x1b[31mx" for number in range(20))))

    failed = lakeport("load", home=lake.home)

    assert (failed.code, failed.out) == (1, "")
    assert "20 of 20 records were rejected" in failed.err
    assert "\x1b" not in failed.err


def test_a_model_test_that_fails_releases_nothing(lake: Lake) -> None:
    lake.configure(source(columns={**SAMPLE_COLUMNS, "order_id": 'type = "text", required = false'}))
    header = ",".join(SAMPLE_COLUMNS)
    lake.write("sales.csv", f"{header}\n,C,2024-01-01,Mouse,1,2.00,North\n")

    failed = lakeport("refresh", "--json", home=lake.home)

    assert (failed.code, failed.document["state"], failed.document["release"]) == (1, "failed", None)
    assert failed.document["tests"]["failed"] > 0
    assert failed.err.startswith("load: 1 of 1 sources loaded")
    assert "Nothing was released, because tests or models failed." in failed.err
    assert lakeport("tables", home=lake.home).err.startswith("Nothing has been released in dev yet.")


def test_a_broken_state_store_is_something_that_is_not_there(lake: Lake) -> None:
    lake.configure(source())
    lake.write(".lakeport/state.db", b"no database" * 1000)

    for command in COMMANDS:
        refused = lakeport(*command, "--json", home=lake.home)
        assert (refused.code, refused.error["kind"], refused.error["status"]) == (4, "Unavailable", 503)
        assert "The state store is not a database." in refused.error["text"]


def test_a_newer_state_store_is_left_alone(lake: Lake) -> None:
    lake.configure("")
    open_state(lake.settings).close()
    with closing(sqlite3.connect(lake.home / ".lakeport" / "state.db")) as store:
        store.execute("update alembic_version set version_num = '9999'")
        store.commit()

    refused = lakeport("run", "list", "--json", home=lake.home)

    assert (refused.code, refused.error["kind"]) == (2, "RequestWrong")
    assert "Use the Lakeport that wrote it, or a newer one." in refused.error["text"]


def test_a_lost_data_file_is_something_that_is_not_there(lake: Lake) -> None:
    lake.configure(source(columns=SAMPLE_COLUMNS))
    lake.write("sales.csv", f"{','.join(SAMPLE_COLUMNS)}\nO,C,2024-01-01,Mouse,1,2.00,North\n")
    assert lake.start().ending == ("success", 0)
    for folder, _, names in os.walk(lake.home / ".lakeport" / "warehouse"):
        for name in names:
            if name.endswith(".parquet"):
                Path(folder, name).unlink()

    refused = lakeport("query", "select * from staging.stg_sales", "--json", home=lake.home)

    assert (refused.code, refused.error["kind"]) == (4, "Unavailable")
    assert str(lake.home) not in refused.error["text"]


def test_what_nobody_foresaw_gets_a_reference_into_a_log(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.configure("")
    (lake.home / ".lakeport").mkdir()
    monkeypatch.setattr(ask, "_list", lambda *_: 1 / 0)
    monkeypatch.setattr("lakehouse.core.Workspace.tables", lambda _: [])

    failed = lakeport("tables", "--json", home=lake.home)

    assert failed.code == 1
    reference = failed.error["text"].removeprefix("Unexpected error, reference ")[:8]
    log = (lake.home / ".lakeport" / "logs" / "lakeport.log").read_text(encoding="utf-8")
    assert reference in log
    assert "ZeroDivisionError" in log
    assert "ZeroDivisionError" not in failed.out + failed.err
