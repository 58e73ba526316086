"""Commands that start, follow and cancel runs which go on by themselves."""

from contextlib import closing

import pytest

from lakehouse.access.identity import Role
from lakehouse.access.users import Users
from lakehouse.state.store import open_state
from tests.pipelines.lake import Lake, lines, source
from tests.portal.command_line import lakeport


def add_user(lake: Lake, name: str, role: Role) -> None:
    with closing(open_state(lake.settings)) as state:
        Users(state).add(name, "long enough", role)


def test_a_run_is_started_shown_cancelled_and_has_a_log(lake: Lake) -> None:
    lake.configure(source())
    lake.write("sales.csv", lines(*(f"a{number},{number}" for number in range(300_000))))

    started = lakeport("run", "start", "load", "--json", home=lake.home).document
    second = lakeport("run", "start", "load", "--json", home=lake.home)
    shown = lakeport("run", "show", started["run"], "--json", home=lake.home).document
    cancelled = lakeport("run", "cancel", started["run"], "--json", home=lake.home).document
    late = lakeport("run", "cancel", started["run"], "--json", home=lake.home)
    log = lakeport("run", "log", started["run"], "--lines", "5", "--json", home=lake.home).document

    assert started["order"] == {"job": "load", "source": None, "full": False}
    assert (second.code, second.error["kind"]) == (1, "Busy")
    assert started["run"] in second.error["text"]
    assert (shown["state"] in ("queued", "running"), shown["percent"] < 100) == (True, True)
    assert (cancelled["state"], cancelled["cancelled_by"]) == ("cancelled", started["starter"])
    assert (late.code, late.error["kind"]) == (2, "TooLate")
    assert (log["run"], isinstance(log["log"], str)) == (started["run"], True)


def test_who_may_not_operate_starts_and_cancels_nothing(lake: Lake) -> None:
    lake.configure(source(), "[environments.dev]\n[environments.prod]")
    roles: tuple[tuple[str, Role], ...] = (("ann", "analyst"), ("eve", "engineer"))
    for name, role in roles:
        add_user(lake, name, role)

    analyst = lakeport("run", "start", "--as", "ann", "--json", home=lake.home)
    engineer = lakeport("run", "start", "--as", "eve", "--env", "prod", "--json", home=lake.home)
    looked = lakeport("run", "log", "r1", "--as", "ann", "--json", home=lake.home)
    cancelled = lakeport("run", "cancel", "r1", "--as", "ann", "--json", home=lake.home)

    assert [said.code for said in (analyst, engineer, looked, cancelled)] == [3, 3, 3, 3]
    assert engineer.error["text"] == "eve may not operate the refresh in prod. Ask an admin for access."
    assert lakeport("run", "list", "--json", home=lake.home).document == []


def test_a_wrong_order_is_refused_before_anything_starts(lake: Lake) -> None:
    lake.configure(source())

    job = lakeport("run", "start", "wash", "--json", home=lake.home)
    seals = lakeport("run", "start", "load", "--source", "seals", "--json", home=lake.home)

    assert (job.code, job.error["text"]) == (2, "No job named 'wash'. Known jobs: build, load, refresh.")
    assert (seals.code, seals.error["text"]) == (2, "No source named 'seals'. Known sources: sales.")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "start", "build", "--tests-only"), "Nothing has been released in dev yet, so there is nothing to"),
        (("run", "start", "--select", "sums", "--select", "+a,b+"), "Nothing has been released in dev yet, so the"),
        (("run", "start", "load", "--select", "sums"), "A load builds nothing, so it takes no models."),
        (("refresh", "--select", "a;b"), "'a;b' selects nothing."),
        (("build", "--reason", "x" * 501), "The reason has 501 characters; at most 500 are kept."),
        (("load", "--source", "seals", "--reason", "why"), "No source named 'seals'."),
    ],
)
def test_what_cannot_be_asked_of_a_run_is_refused_before_one_begins(
    lake: Lake, words: tuple[str, ...], said: str
) -> None:
    lake.configure(source())

    refused = lakeport(*words, "--json", home=lake.home)

    assert (refused.code, refused.error["text"][: len(said)]) == (2, said)
    assert lakeport("run", "list", "--json", home=lake.home).document == []
