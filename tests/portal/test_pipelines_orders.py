"""What somebody orders on the page Pipelines: to start, to cancel, to publish, to discard; who may, and who learns it.

One rule: two portals of one lake stand for two web processes, and nothing is told from one to the other.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import delete

from lakehouse.core import Lakehouse
from lakehouse.runs import Ending, Runs
from lakehouse.state.schema import now, releases, runs
from portal.app import create_app
from tests.pipelines.lake import Lake, lines, source
from tests.pipelines.started_runs import until
from tests.portal.ordering import DIFFERENCES, order, recorded, state_of
from tests.portal.signing_in import inside
from tests.portal.visitor import PASSWORD, Visitor

USERS = {"vera": "viewer", "anna": "analyst", "erik": "engineer", "adam": "admin"}
ROWS = 400_000
WHY = "check <b>the new price list</b>"
ORDERS = ("/_runs/start", "/_runs/r1/cancel", "/_waiting/r1/publish", "/_waiting/r1/discard")


@pytest.fixture(scope="module")
def webs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Lakehouse]]:
    """A lake whose load takes long enough to be cancelled, opened twice."""
    lake = Lake(tmp_path_factory.mktemp("orders"))
    lake.configure("[environments.prod]\n[environments.staging]\n[environments.dev]", source())
    lake.write("sales.csv", lines(*(f"a{number},{number}" for number in range(ROWS))))
    with Lakehouse.open(lake.home) as first, Lakehouse.open(lake.home) as second:
        for name, role in USERS.items():
            first.users.add(name, PASSWORD, role)
        yield [first, second]


@pytest.fixture(scope="module")
def people(webs: list[Lakehouse]) -> dict[str, list[Visitor]]:
    """Everybody, at each of the portals."""
    servers = [create_app(lakehouse).server for lakehouse in webs]
    return {name: [inside(server, name) for server in servers] for name in USERS}


@pytest.fixture
def lakehouse(webs: list[Lakehouse]) -> Iterator[Lakehouse]:
    """The lake, in which nothing has run and nothing waits."""
    yield webs[0]
    with webs[0].state.write() as connection:
        connection.execute(delete(runs))
        connection.execute(delete(releases))


def waits(lakehouse: Lakehouse, env: str, run: str = "r1") -> None:
    """A run whose release waits for a decision, as a refresh leaves it."""
    Runs(lakehouse.state).begin(run, env, "refresh", "erik", {"job": "refresh", "source": None, "full": False})
    Runs(lakehouse.state).end(run, Ending("awaiting_publish", {"tests": {"passed": 42, "failed": 0}}))
    row: dict[str, Any] = {"env": env, "run": run, "state": "waiting", "created": now(), "differences": DIFFERENCES}
    with lakehouse.state.write() as connection:
        connection.execute(releases.insert().values(**row, pins={}, intent={}, nodes={}))


def test_equal_clicks_start_one_run_that_everybody_follows_and_who_may_cancels(
    lakehouse: Lakehouse, people: dict[str, list[Visitor]]
) -> None:
    clicks = [(people[name][web], name) for name in ("erik", "adam") for web in range(2)]
    with ThreadPoolExecutor(len(clicks)) as pool:
        asked = {"env": "dev", "job": "load", "reason": WHY}
        answers = list(pool.map(lambda click: order(click[0], "/_runs/start", **asked), clicks))

    started = [answer.get_json() for answer in answers if answer.status_code == 200]
    refused = [answer.get_json()["text"] for answer in answers if answer.status_code == 409]
    assert (len(started), len(refused)) == (1, 3)
    run = started[0]["run"]
    assert all(f"Run {run} " in text for text in refused)

    def parts(visitor: Visitor) -> str:
        return str(visitor.get("/_runs").get_json()["parts"].get(run, ""))

    until(lambda: "Load sales" in parts(clicks[0][0]), "the load")
    assert all("Load sales" in parts(visitor) for visitor, _ in clicks)
    assert all(visitor.get("/_runs").get_json()["parts"] == {} for visitor in people["vera"])
    shown = people["adam"][1].page("/pipelines").text
    assert (run in shown, f"“{WHY}”" in shown) == (True, True)
    assert WHY not in people["adam"][1].show("/pipelines").get_data(as_text=True)  # as words, and no HTML

    cancelled = order(people["adam"][1], f"/_runs/{run}/cancel")

    assert cancelled.get_json() == {"run": run, "text": f"Run {run} was asked to end."}
    until(lambda: state_of(lakehouse, run) not in ("queued", "running"), "the end")
    assert state_of(lakehouse, run) == "cancelled"
    for visitor, _ in clicks:
        page = visitor.page(f"/pipelines/runs/{run}").text
        assert "Cancelled by adam" in page.replace("Cancelled byadam", "Cancelled by adam")
    starter = Runs(lakehouse.state).show(run)["starter"]
    noted = [record["detail"] for record in lakehouse.audit.records(60) if record["action"] == "run start"]
    assert WHY in [json.loads(detail).get("reason") for detail in noted]
    begun = [entry for entry in recorded(lakehouse, "run start") if entry[0] == starter]
    assert {verdict for _, verdict in begun} >= {"begun", "allowed"}
    assert recorded(lakehouse, "run cancel")[:2] == [("adam", "allowed"), ("adam", "begun")]


@pytest.mark.parametrize(("name", "env"), [("vera", "dev"), ("anna", "dev"), ("erik", "prod")])
@pytest.mark.parametrize("address", ORDERS)
def test_who_may_not_operate_there_orders_nothing(
    lakehouse: Lakehouse, people: dict[str, list[Visitor]], address: str, name: str, env: str
) -> None:
    waits(lakehouse, env)

    answer = order(people[name][0], address, env=env, reason="because")

    assert answer.status_code == 403
    assert [(run["run"], run["state"]) for run in Runs(lakehouse.state).list(env)] == [("r1", "awaiting_publish")]
    assert lakehouse.audit.records(1)[0]["verdict"] == "refused"


def test_in_prod_engineers_look_at_what_waits(lakehouse: Lakehouse, people: dict[str, list[Visitor]]) -> None:
    waits(lakehouse, "prod")

    page = people["erik"][0].page("/pipelines").text

    assert "An admin decides in prod." in page
    assert "Run r1 , prod, just now" in page


def test_what_waits_says_how_it_differs_and_is_discarded_with_a_reason(
    lakehouse: Lakehouse, people: dict[str, list[Visitor]]
) -> None:
    waits(lakehouse, "prod")
    adam = people["adam"][0]
    page = adam.page("/pipelines")

    without = order(adam, "/_waiting/r1/discard", reason="  ")
    discarded = order(adam, "/_waiting/r1/discard", reason="half of the file was missing")

    assert "42 of 42 tests passed. It differs more than the limits allow, so nothing was published." in page.text
    assert "marts.orders 262 104 −60.3 %" in page.one("lp-decision").text
    assert "A table may lose 20.0 % of its rows." in page.text
    assert (without.status_code, without.get_json()["text"][:8]) == (400, "Say why:")
    assert discarded.get_json()["text"] == "What run r1 has built was discarded."
    assert state_of(lakehouse, "r1") == "cancelled"
    assert "half of the file was missing" in people["erik"][1].page("/pipelines/runs/r1").text
    assert recorded(lakehouse, "release discard")[:2] == [("adam", "allowed"), ("adam", "begun")]
    assert order(adam, "/_waiting/r1/discard", reason="again").status_code == 400


def test_what_cannot_be_done_is_said_and_names_what_can(lakehouse: Lakehouse, people: dict[str, list[Visitor]]) -> None:
    waits(lakehouse, "dev", "ended")
    erik = people["erik"][0]
    said = {
        (404, "No environment named 'test'."): order(erik, "/_runs/start", env="test"),
        (404, "No job named 'drop'."): order(erik, "/_runs/start", env="dev", job="drop"),
        (404, "No source named 'crm'."): order(erik, "/_runs/start", env="dev", source="crm"),
        (404, "No run named 'r9'."): order(erik, "/_runs/r9/cancel"),
        (409, "Run ended has ended already"): order(erik, "/_runs/ended/cancel"),
    }

    for (status, text), answer in said.items():
        assert (answer.status_code, answer.get_json()["text"][: len(text)]) == (status, text)
    assert [record["run"] for record in Runs(lakehouse.state).list("dev")] == ["ended"]


@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        ({"model": ["marts.a"]}, 404, "Nothing has been released in dev yet, so the models that are not selected"),
        ({"job": "tests"}, 404, "Nothing has been released in dev yet, so there is nothing to test."),
        ({"model": ["", "a"], "job": "load"}, 400, "A load builds nothing, so it takes no models."),
        ({"model": ["a;b"], "reach": "above below"}, 400, "'+a;b+' selects nothing."),
        ({"model": ["a;b"], "reach": "below"}, 400, "'a;b+' selects nothing."),
        ({"job": "tests", "source": "sales"}, 400, "A build loads nothing, so it takes neither a source nor full."),
        ({"reason": "x" * 501}, 400, "The reason has 501 characters; at most 500 are kept."),
    ],
)
def test_choices_of_the_form_are_looked_at_again(
    lakehouse: Lakehouse, people: dict[str, list[Visitor]], fields: Any, status: int, text: str
) -> None:
    answer = order(people["erik"][0], "/_runs/start", env="dev", **fields)

    assert (answer.status_code, answer.get_json()["text"][: len(text)]) == (status, text)
    assert Runs(lakehouse.state).list("dev") == []


@pytest.mark.parametrize("address", ORDERS)
def test_another_site_orders_nothing_and_a_link_neither(
    lakehouse: Lakehouse, people: dict[str, list[Visitor]], address: str
) -> None:
    waits(lakehouse, "dev")
    erik = people["erik"][0]

    assert erik.post(address, data={"env": "dev", "reason": "because"}).status_code == 403
    assert erik.get(address).status_code in (403, 404, 405)
    assert state_of(lakehouse, "r1") == "awaiting_publish"
    assert len(Runs(lakehouse.state).list("dev")) == 1
