"""Who learns what from runs, through every door: people under rules learn nothing that the rules keep from them.

One rule: what nobody under a rule may learn is written into a run as numbers and words that stand nowhere else, and is
looked for in everything that a door gives; whoever is under no rule finds it there.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from lakehouse.core import Lakehouse, Workspace
from lakehouse.disclosure import NOT_TOLD
from lakehouse.errors import NotAllowed
from lakehouse.failures import failing_tests
from lakehouse.runs import Ending, Runs
from pipelines.context import run_folder
from pipelines.control import RunControl
from pipelines.events import Events
from portal.app import create_app
from tests.pipelines.lake import Lake, source
from tests.portal.command_line import lakeport
from tests.portal.signing_in import inside
from tests.portal.visitor import PASSWORD, Visitor

POLICY = """
[users.rowena]
rows = [["region", "=", "North"]]

[users.colin.columns]
region = "hide"

[users.tabea]
tables = ["marts.orders", "raw.sales", "raw.quarantine"]
"""
ENGINEERS = ("erik", "rowena", "colin", "tabea")
ROWS, QUOTED = 717_171, "Atlantis"
"""A number of rows, and a value of the column region."""

NUMBERS, WORDS = (str(ROWS), f"{ROWS:,}"), (QUOTED,)
ORDER = {"job": "refresh", "source": None, "full": False}
TEST = f"accepted_values_orders_region__{QUOTED}"
FAILURE = {"test": TEST, "kind": "accepted_values", "table": "marts.orders", "column": "region"}
OTHER = {"test": "unique_orders_order_id", "kind": "unique", "table": "marts.orders", "column": "order_id"}
COUNTS = {"read": ROWS, "loaded": ROWS, "quarantined": ROWS, "rejected": [f"line 7, region: {QUOTED}"], "vanished": []}
SHARES = {"table": "marts.orders", "column": "region", "kind": "nulls", "before": 0.1, "after": 0.2, "limit": 0.05}
MOVED = {"table": "marts.orders", "column": None, "kind": "rows", "before": 1, "after": ROWS, "limit": 1}
RESULT: dict[str, Any] = {
    "rows_read": ROWS,
    "rows_loaded": ROWS,
    "rows_quarantined": ROWS,
    "tables": {table: {"rows": ROWS} for table in ("marts.orders", "marts.people", "raw.sales")},
    "tests": {"passed": 41, "failed": 2},
    "sources": {"sales": COUNTS},
    "repaired": [],
    "failures": [
        {**one, "message": f"Got {ROWS} results, {QUOTED}", "failures": ROWS, "reads": ["marts.orders"], "file": None}
        for one in (FAILURE, OTHER)
    ],
    "differences": [{**SHARES, "over": True}, {**MOVED, "over": True}],
    "something_new": f"{ROWS} of {QUOTED}",
}


@pytest.fixture(scope="module")
def lakehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    """A lake with a run that has failed, one that goes on, and engineers under no rule and under one each."""
    lake = Lake(tmp_path_factory.mktemp("told"))
    lake.configure("[environments.dev]", source())
    (lake.home / "policy.toml").write_text(POLICY, encoding="utf-8")
    with Lakehouse.open(lake.home) as opened:
        for name in ENGINEERS:
            opened.users.add(name, PASSWORD, "engineer")
        opened.users.add("vera", PASSWORD, "viewer")
        failed = work(opened, "failed")
        end = Ending("failed", RESULT, error=f"Nothing was released.\n{TEST}: {QUOTED}", steps=failed.said.told())
        Runs(opened.state).end("failed", end)
        active = work(opened, "active")
        yield opened
        failed.close()
        active.close()


def work(lakehouse: Lakehouse, run: str) -> Events:
    """A run that this process does, which has loaded, and has not ended its build."""
    Runs(lakehouse.state).begin(run, "dev", "refresh", "erik", ORDER)
    folder = run_folder(lakehouse.settings, run)
    folder.mkdir(parents=True)
    (folder / "output.log").write_text(f"{ROWS} rows of {QUOTED}\n", encoding="utf-8")
    (folder / "result.json").write_text(json.dumps(RESULT), encoding="utf-8")
    events = Events(run, folder / "events.jsonl")
    events.start("load")
    events.mark("load", "sales started")
    events.progress("load", "sales", ROWS, ROWS, "records")
    events.progress("load", "sales", ROWS, ROWS, "bytes")
    events.mark("load", "sales settled")
    events.end("load", "1 of 1 sources loaded")
    events.start("build")
    for node, unit, status in (("orders", "models", "success"), (TEST, "tests", "fail")):
        events.mark("build", f"{node} started")
        events.progress("build", f"{node} {status}", 1, 1, unit)
        events.progress("build", f"{node} {status}", 2, 2, "nodes")
    events.mark("build", f"{TEST}_again started")
    return events


@pytest.fixture(scope="module")
def server(lakehouse: Lakehouse) -> Flask:
    return create_app(lakehouse).server


@pytest.fixture(scope="module")
def people(server: Flask) -> dict[str, Visitor]:
    return {name: inside(server, name) for name in (*ENGINEERS, "vera")}


def workspace(lakehouse: Lakehouse, name: str) -> Workspace:
    return lakehouse.as_user(lakehouse.users.get(name).principal)


def everything(lakehouse: Lakehouse, name: str) -> str:
    """All that a workspace gives of runs."""
    own = workspace(lakehouse, name)
    runs, control = own.runs(), RunControl(own)
    told: list[Any] = [runs.list("dev"), runs.active("dev"), runs.show("failed"), runs.show("active")]
    if own.may("diagnose"):
        told += [control.progress(run).to_json() for run in ("failed", "active")]
        told += map(vars, failing_tests(own, "failed"))
    return json.dumps(told)


def pages(visitor: Visitor) -> str:
    """All that a browser gets of runs."""
    addresses = ["/", "/pipelines", *(f"/pipelines?section={name}" for name in ("sources", "tests", "quarantine"))]
    addresses += [f"/pipelines/runs/{run}" for run in ("failed", "active")]
    drawn = [visitor.page(address).text for address in addresses]
    asked = [f"/_runs{of}" for of in ("", "?of=active")]
    asked += [f"/_runs/failed/files/{name}" for name in ("output.log", "events.jsonl", "result.json")]
    return "\n".join([*drawn, *(visitor.get(one).get_data(as_text=True) for one in asked)])


def found(text: str, signs: tuple[str, ...]) -> bool:
    return any(sign in text for sign in signs)


@pytest.mark.parametrize(
    ("name", "numbers", "words"),
    [
        ("erik", True, True),
        ("rowena", False, False),
        ("colin", True, False),  # may count the rows of a table whose column is hidden
        ("tabea", True, True),  # may learn what failed on the tables that she sees
        ("vera", False, False),
    ],
)
def test_no_door_tells_of_runs_what_rules_keep(
    lakehouse: Lakehouse, people: dict[str, Visitor], name: str, numbers: bool, words: bool
) -> None:
    home = lakehouse.settings.home
    said = [lakeport("run", *what, "--as", name, "--json", home=home).out for what in (["list"], ["show", "failed"])]
    doors = {
        "workspace": everything(lakehouse, name),
        "http": pages(people[name]),
        "command line": "\n".join(said),
    }

    assert {door: found(text, NUMBERS) for door, text in doors.items()} == dict.fromkeys(doors, numbers)
    assert {door: found(text, WORDS) for door, text in doors.items()} == dict.fromkeys(doors, words)


def test_row_rules_take_every_number_of_rows(lakehouse: Lakehouse) -> None:
    record = workspace(lakehouse, "rowena").runs().show("failed")

    assert [record[name] for name in ("rows_read", "rows_loaded", "rows_quarantined", "differences")] == [None] * 4
    assert record["tables"] == {table: {"rows": None} for table in RESULT["tables"]}
    assert record["sources"]["sales"] == {**dict.fromkeys(COUNTS), "vanished": []}
    assert [step["done"] for step in record["steps"]] == [None, 2]
    assert (record["state"], record["order"], record["starter"]) == ("failed", ORDER, "erik")
    assert (record["tests"], record["error"]) == ({"passed": 41, "failed": 2}, NOT_TOLD)
    assert record["something_new"] is None


def test_failed_tests_stand_by_their_kind_and_those_of_hidden_columns_not_at_all(lakehouse: Lakehouse) -> None:
    told = {name: failing_tests(workspace(lakehouse, name), "failed") for name in ENGINEERS}

    assert [(one.test, one.failures) for one in told["erik"]] == [(TEST, ROWS), ("unique_orders_order_id", ROWS)]
    kinds = {name: [(one.test, one.message, one.failures) for one in told[name]] for name in ("rowena", "colin")}
    assert kinds["rowena"] == [("accepted_values", None, None), ("unique", None, None)]
    assert kinds["colin"] == [("unique", None, None)]


def test_a_hidden_column_keeps_what_quotes_data_and_leaves_what_may_be_counted(lakehouse: Lakehouse) -> None:
    record = workspace(lakehouse, "colin").runs().show("failed")

    assert record["tables"]["marts.orders"] == {"rows": ROWS}
    assert [one["kind"] for one in record["differences"]] == ["rows"]
    assert (record["rows_read"], record["sources"]["sales"]["read"]) == (None, None)  # the quarantine is closed to him


def test_tables_that_somebody_does_not_see_are_not_named(lakehouse: Lakehouse) -> None:
    told = {name: workspace(lakehouse, name).runs().show("failed") for name in ("erik", "tabea")}

    assert set(told["erik"]["tables"]) - set(told["tabea"]["tables"]) == {"marts.people"}
    assert (told["tabea"]["error"], told["tabea"]["something_new"]) == (NOT_TOLD, None)


def test_whoever_may_only_watch_learns_how_a_run_went_and_no_more(lakehouse: Lakehouse) -> None:
    record = workspace(lakehouse, "vera").runs().show("failed")

    told = {name for name, value in record.items() if value not in (None, [])}
    assert told == {"run", "state", "env", "job", "started", "heartbeat", "ended", "tests", "order"}
    assert record["order"] == {"job": "refresh"}


def test_steps_times_and_names_are_told_under_rules_too(lakehouse: Lakehouse, people: dict[str, Visitor]) -> None:
    for run in ("failed", "active"):
        page = people["rowena"].page(f"/pipelines/runs/{run}").text

        assert "sales" in page
        assert "orders" in page
        assert "elapsed" in page or "From the start of the run" in page
    assert "for whoever sees every row and column" in people["rowena"].page("/pipelines/runs/failed").text


@pytest.mark.parametrize("name", ["rowena", "colin", "tabea"])
def test_logs_and_files_are_for_whoever_sees_everything(
    lakehouse: Lakehouse, people: dict[str, Visitor], name: str
) -> None:
    with pytest.raises(NotAllowed, match=f"{name} may not read the log of run failed, which may quote"):
        RunControl(workspace(lakehouse, name)).log("failed")
    refused = lakeport("run", "log", "failed", "--as", name, "--json", home=lakehouse.settings.home)

    assert (refused.code, refused.error["kind"]) == (3, "NotAllowed")
    assert people[name].get("/_runs/failed/files/output.log").status_code == 404
    assert people["erik"].get("/_runs/failed/files/output.log").status_code == 200
