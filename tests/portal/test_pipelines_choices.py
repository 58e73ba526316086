"""What can be asked of a run in the portal, and where it is told what was asked, and why.

One rule: runs are written down by hand, as their processes would.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete

from lakehouse.core import Lakehouse
from lakehouse.disclosure import Disclosure
from lakehouse.query.scope import Scope
from lakehouse.runs import Ending, Runs
from lakehouse.state.schema import definitions, now, releases, runs
from portal.app import create_app
from tests.pipelines.lake import Lake, source
from tests.portal.signing_in import inside
from tests.portal.visitor import PASSWORD, Shown, Visitor

USERS = {"vera": "viewer", "erik": "engineer"}
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    """A lake with a source, and somebody of two roles."""
    lake = Lake(tmp_path_factory.mktemp("choices"))
    lake.configure(source())
    with Lakehouse.open(lake.home) as lakehouse:
        for name, role in USERS.items():
            lakehouse.users.add(name, PASSWORD, role)
        yield lakehouse


@pytest.fixture(scope="module")
def people(opened: Lakehouse) -> dict[str, Visitor]:
    server = create_app(opened).server
    return {name: inside(server, name) for name in USERS}


@pytest.fixture
def lakehouse(opened: Lakehouse) -> Iterator[Lakehouse]:
    """The lake, in which nothing has run or was released."""
    yield opened
    with opened.state.write() as connection:
        for written in (runs, releases, definitions):
            connection.execute(delete(written))


def ended(lakehouse: Lakehouse, run: str, ending: Ending) -> None:
    """A refresh that has ended."""
    Runs(lakehouse.state).begin(run, "dev", "refresh", "erik", {"job": "refresh", "source": None, "full": False})
    Runs(lakehouse.state).end(run, ending)


def choices(page: Shown, name: str) -> list[str]:
    """The values that a control of a form offers."""
    controls = [one for one in page.walk() if one["type"] == "Select" and one["props"].get("name") == name]
    return [one["props"]["value"] for one in Shown(controls[-1:]).walk() if one["type"] == "Option"]


def test_models_and_tests_are_offered_once_there_is_a_release(lakehouse: Lakehouse, people: dict[str, Visitor]) -> None:
    before = people["erik"].page("/pipelines")
    ended(lakehouse, "r1", Ending("success", release=1))
    names = ("raw.sales", "staging.lines", "marts.by_day")
    pins = {name: {"metadata": f"{lakehouse.settings.warehouse}/{name}.json", "snapshot": 1} for name in names}
    model: dict[str, Any] = {"tables": [], "metrics": []}
    document = {"model": model, "tables": {}, "lineage": {}}
    row = {"env": "dev", "number": 1, "run": "r1", "state": "current", "created": now(), "published": now()}
    with lakehouse.state.write() as connection:
        connection.execute(definitions.insert().values(id="d", document=document))
        connection.execute(releases.insert().values(**row, pins=pins, intent={}, nodes={}, definitions="d"))

    after = people["erik"].page("/pipelines")

    assert (choices(before, "job"), choices(before, "model")) == (["refresh", "load", "build"], [])
    assert choices(after, "job") == ["refresh", "load", "build", "tests"]
    assert choices(after, "model") == ["", "marts.by_day", "staging.lines"]
    assert choices(after, "reach") == ["", "above", "below", "above below"]


def test_what_a_run_was_asked_for_and_why_is_told(lakehouse: Lakehouse, people: dict[str, Visitor]) -> None:
    asked = {"job": "refresh", "source": None, "full": False, "select": ["+by_day"], "reason": EVIL}
    Runs(lakehouse.state).begin("r1", "dev", "refresh", "erik", asked)
    page = people["erik"].page("/pipelines")
    left = {"raw.sales": ["marts.lines"], "marts.lines": []}
    Runs(lakehouse.state).end("r1", Ending("success", {"release": 2, "left": left}, release=2))
    one = people["erik"].page("/pipelines/runs/r1")

    assert f"“{EVIL}”" in page.text
    assert "Run r1, refresh (+by_day) of dev" in page.text
    assert "Load all sources, what is new; then build and test what has changed of +by_day, and publish." in one.text
    assert f"Reason{EVIL}" in one.text
    assert "since what has read the old ones was not selected: marts.lines." in one.text
    assert "A refresh without a selection brings up to date: marts.lines." in one.text
    assert EVIL not in people["erik"].show("/pipelines/runs/r1").get_data(as_text=True)


def test_tests_alone_are_a_step_of_their_own_and_say_nothing_of_the_numbers(
    lakehouse: Lakehouse, people: dict[str, Visitor]
) -> None:
    ended(lakehouse, "r1", Ending("unchanged"))
    asked = {"job": "build", "source": None, "full": False, "tests_only": True}
    Runs(lakehouse.state).begin("r2", "dev", "refresh", "erik", asked)
    going = people["erik"].page("/pipelines")
    Runs(lakehouse.state).end("r2", Ending("failed", {"tests": {"passed": 3, "failed": 1}}, "Tests failed."))

    assert "Run r2, tests of dev" in going.text
    bars = [one["props"]["aria-label"] for one in going.walk() if one["props"].get("role") == "progressbar"]
    assert bars == ["Whole run", "Test"]
    assert "1 of 4 tests failed" in people["erik"].page("/pipelines").one("lp-runs").text
    assert "Test what is released; build nothing." in people["erik"].page("/pipelines/runs/r2").text
    assert "failed" not in people["vera"].page("/pipelines").text


def test_what_was_left_names_no_table_that_may_not_be_seen(lakehouse: Lakehouse) -> None:
    left = {"raw.sales": ["marts.lines", "marts.secret"], "marts.secret": [], "marts.lines": []}
    ended(lakehouse, "r1", Ending("success", {"left": left}))
    record = Runs(lakehouse.state).show("r1")
    scope = Scope(tables=frozenset({"raw.sales", "marts.lines"}))

    told = [Disclosure(scope, may_diagnose=may, tables={}).record(record) for may in (True, False)]

    assert [one["left"] for one in told] == [{"raw.sales": ["marts.lines"], "marts.lines": []}, None]
