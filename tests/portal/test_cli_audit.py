"""The command line in the audit: the records each command leaves, and how `lakeport audit` lists and verifies them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from typer.testing import CliRunner

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse
from lakehouse.state.schema import audit
from portal.cli.app import app
from tests.pipelines.lake import Lake
from tests.portal.command_line import Said, lakeport, write_batch

PASSWORD = "correct horse battery"  # noqa: S105  # of users that the tests make
ME = operator().name


@pytest.fixture
def home(lake: Lake) -> Path:
    """A lake with nothing in it but one user: ana, an analyst."""
    lake.configure("")
    assert typed("user", "add", "ana", "--role", "analyst", home=lake.home).code == 0
    return lake.home


def typed(*words: str, home: Path) -> Said:
    """A command that is given the password."""
    result = CliRunner().invoke(app, [*words, "--password-stdin", "--home", str(home)], input=f"{PASSWORD}\n")
    return Said(result.exit_code, result.stdout, result.stderr)


def records(home: Path) -> list[dict[str, Any]]:
    with Lakehouse.open(home) as lake, lake.state.read() as connection:
        return [dict(row) for row in connection.execute(select(audit).order_by(audit.c.number)).mappings()]


def left_by(home: Path, *words: str) -> list[tuple[Any, ...]]:
    """What a command has left: who, as whom, what, and what came of it."""
    before = len(records(home))
    lakeport(*words, home=home)
    names = ("principal", "operator", "action", "target", "verdict", "status")
    return [tuple(row[name] for name in names) for row in records(home)[before:]]


@pytest.mark.parametrize(
    ("words", "action", "target", "status"),
    [
        (("query", "select count(*) from marts.order_lines"), "query", "", 200),
        (("plan", '{"metrics": ["revenue"]}'), "plan", "", 200),
        (("metrics",), "metrics", "", 200),
        (("tables", "--json"), "tables", "", 200),
        (("describe", "marts.order_lines"), "describe", "marts.order_lines", 200),
        (("describe", "marts.nothing"), "describe", "marts.nothing", 404),
        (("plan", '{"metrics": ["profit"]}'), "plan", "", 404),
        (("query", "select 1", "--at", "999"), "query", "", 404),
        (("run", "list"), "run list", "", 200),
        (("audit", "list"), "audit list", "", 200),
        (("audit", "verify"), "audit verify", "", 200),
    ],
)
def test_a_command_that_asks_leaves_one_record(
    demo_home: Path, words: tuple[str, ...], action: str, target: str, status: int
) -> None:
    verdict = "allowed" if status == 200 else "failed"

    assert left_by(demo_home, *words) == [(ME, "", action, target, verdict, status)]


def test_a_question_stands_in_its_record(demo_home: Path) -> None:
    lakeport("query", "select region, count(*) from marts.order_lines group by region", home=demo_home)

    (question,) = json.loads(records(demo_home)[-1]["detail"])["asked"]
    assert question["sql"] == "select region, count(*) from marts.order_lines group by region"
    assert (question["rows"], question["release"], question["complete"]) == (5, 1, True)
    assert "North" not in str(records(demo_home)[-1])


def test_with_as_a_command_has_the_rights_of_that_user_and_both_names(demo_home: Path) -> None:
    allowed = left_by(demo_home, "plan", '{"metrics": ["revenue"]}', "--as", "vera")
    refused = left_by(demo_home, "query", "select 1", "--as", "vera")
    unknown = left_by(demo_home, "tables", "--as", "nobody")

    assert allowed == [("vera", ME, "plan", "", "allowed", 200)]
    assert refused == [("vera", ME, "query", "", "refused", 403)]
    assert unknown == [(ME, "", "tables", "", "failed", 404)]
    assert lakeport("query", "select 1", "--as", "vera", home=demo_home).code == 3
    as_vera = lakeport("tables", "--as", "vera", "--json", home=demo_home).document
    assert {table["name"].split(".")[0] for table in as_vera} == {"marts"}


def test_somebody_who_is_disabled_has_no_rights_to_act_with(home: Path) -> None:
    lakeport("user", "set", "ana", "--disable", home=home)

    refused = lakeport("tables", "--as", "ana", home=home)

    assert (refused.code, refused.err) == (3, "ana may not log in to this lake. Ask an admin for access.\n")
    assert [(row["principal"], row["verdict"]) for row in records(home)[-1:]] == [("ana", "refused")]


def test_a_batch_has_a_record_for_every_line_and_two_around_them(demo_home: Path, tmp_path: Path) -> None:
    lines = [{"id": 1, "sql": "select 1"}, {"id": 2, "sql": "select nothing"}, "no JSON", {"id": 4, "sql": "select 4"}]
    left = left_by(demo_home, "query", "--batch", write_batch(tmp_path / "b.jsonl", *lines))

    assert [row[4] for row in left] == ["begun", "allowed", "failed", "failed", "allowed", "allowed"]
    assert {row[3] for row in left} == {"batch of b.jsonl"}
    details = [json.loads(row["detail"]) for row in records(demo_home)[-6:]]
    assert [detail.get("line") for detail in details] == [None, 1, 2, 3, 4, None]
    assert len({row["request"] for row in records(demo_home)[-6:]}) == 1


@pytest.mark.parametrize(
    ("words", "action"),
    [
        (("user", "set", "ana", "--role", "admin"), "user set"),
        (("user", "remove", "ana"), "user remove"),
        (("user", "password", "ana", "--password-stdin"), "user password"),
    ],
)
def test_what_changes_a_user_has_a_record_before_and_one_after(home: Path, words: Sequence[str], action: str) -> None:
    before = len(records(home))
    typed(*[word for word in words if word != "--password-stdin"], home=home) if "password" in words else lakeport(
        *words, home=home
    )

    left = [(row["action"], row["target"], row["verdict"]) for row in records(home)[before:]]
    assert left == [(action, "ana", "begun"), (action, "ana", "allowed")]
    assert PASSWORD not in str(records(home))


def test_a_change_that_is_wrong_is_recorded_as_failed(home: Path) -> None:
    assert left_by(home, "user", "set", "nobody", "--role", "admin") == [
        (ME, "", "user set", "nobody", "begun", 0),
        (ME, "", "user set", "nobody", "failed", 404),
    ]


def test_a_run_has_a_record_before_and_one_after_with_its_id(demo_home: Path) -> None:
    before = len(records(demo_home))
    done = lakeport("refresh", "--json", home=demo_home)
    begun, ended = records(demo_home)[before:]

    assert [(row["action"], row["target"], row["verdict"]) for row in (begun, ended)] == [
        ("run", "refresh", "begun"),
        ("run", "refresh", "allowed"),
    ]
    told = json.loads(ended["detail"])
    assert (told["run"], told["state"], told["exit_code"]) == (done.document["run"], "unchanged", 0)


def test_a_run_that_fails_is_recorded_as_failed(home: Path) -> None:
    (home / "lakeport.toml").write_text('[sources.s]\npath = "missing.csv"\ncolumns = { a = { type = "text" } }\n')

    left = left_by(home, "load")

    assert [row[2:5] for row in left] == [("run", "load", "begun"), ("run", "load", "failed")]


def test_records_are_listed_and_found(home: Path) -> None:
    shown = lakeport("audit", "list", home=home)
    document = lakeport("audit", "list", "--json", "--action", "user add", "--principal", ME, home=home).document

    assert "user add" in shown.out
    assert [record["verdict"] for record in document] == ["allowed", "begun"]
    assert document[0]["detail"]["role"] == "analyst"
    assert lakeport("audit", "list", "--json", "--limit", "1", home=home).document[0]["action"] == "audit list"
    assert lakeport("audit", "list", "--json", "--since", "2999-01-01", home=home).document == []
    assert lakeport("audit", "list", "--json", "--counted", home=home).document == []
    assert lakeport("audit", "list", "--since", "never", home=home).code == 2


def test_a_whole_audit_is_verified_with_its_head(home: Path) -> None:
    first = lakeport("audit", "verify", "--json", home=home)
    again = lakeport("audit", "verify", "--head", first.document["head"], home=home)

    assert (first.code, first.document["records"], first.document["first_bad"]) == (0, 2, None)
    assert again.code == 0
    assert again.out.startswith("3 records are whole. Head: 3:")


@pytest.mark.parametrize(("removed", "sentence"), [(1, "Record 1 was changed."), (2, "Record 2 is missing")])
def test_an_audit_that_was_tampered_with_is_exit_code_one(home: Path, removed: int, sentence: str) -> None:
    with Lakehouse.open(home) as lake, lake.state.write() as connection:
        where = audit.c.number == removed
        connection.execute(
            update(audit).where(where).values(target="ben") if removed == 1 else delete(audit).where(where)
        )

    found, as_json = lakeport("audit", "verify", home=home), lakeport("audit", "verify", "--json", home=home)

    assert (found.code, as_json.code, as_json.document["first_bad"]) == (1, 1, removed)
    assert sentence in found.err
    assert sentence in as_json.document["text"]
