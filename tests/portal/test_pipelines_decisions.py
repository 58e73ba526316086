"""Releases of prod that wait, published and discarded on the page Pipelines: what readers see then, and who may decide.

One rule: what waits was staged as a build stages it, and is published by the process that the portal starts.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse
from lakehouse.runs import Runs
from portal.app import create_app
from tests.pipelines.lake import Lake
from tests.pipelines.started_runs import until
from tests.portal.landing import LINES, Landing, landing
from tests.portal.ordering import DIFFERENCES, order, recorded, state_of
from tests.portal.signing_in import inside
from tests.portal.visitor import PASSWORD, Visitor

USERS = {"vera": "viewer", "anna": "analyst", "erik": "engineer", "ada": "admin", "adam": "admin"}
ENV = "prod"
SETTINGS = f"""
[environments.dev]
[environments.{ENV}]
[publish.{ENV}]
wait = "always"
[server]
secret_key = "a key of the test, which is long enough for it"
"""
NAMES = (f"waits-{number}" for number in count(1))


@dataclass(frozen=True)
class Prod:
    """An environment in which every release waits, and everybody at a browser of their own."""

    lakehouse: Lakehouse
    landed: Landing
    people: dict[str, Visitor]

    def wait(self) -> str:
        """A run that has ended with a release that waits; its id."""
        run = next(NAMES)
        self.landed.wait(run, DIFFERENCES)
        return run

    def ended(self, run: str) -> dict[str, Any]:
        """The record of a run, once it has ended."""
        until(lambda: Runs(self.lakehouse.state).show(run)["ended"], f"the end of run {run}")
        return Runs(self.lakehouse.state).show(run)

    def read(self) -> tuple[int, str]:
        """The release that a reader gets, and what the reader's page says of its lines."""
        vera = self.people["vera"]
        return vera.get("/_release").get_json()["release"], vera.page("/revenue?period=all").one("lp-lines").text

    @property
    def waiting(self) -> list[str]:
        """The runs whose releases wait."""
        queue = self.lakehouse.as_user(operator(), ENV).queue()
        return [record["run"] for record in queue.waiting()]


@pytest.fixture(scope="module")
def prod(tmp_path_factory: pytest.TempPathFactory, sample_lake: Lake) -> Iterator[Prod]:
    """The environment with its first release."""
    lake = Lake(tmp_path_factory.mktemp("decisions"))
    lake.configure(SETTINGS)
    with landing(lake, sample_lake, env=ENV) as landed, Lakehouse.open(lake.home) as lakehouse:
        landed.land()
        for name, role in USERS.items():
            lakehouse.users.add(name, PASSWORD, role)
        server = create_app(lakehouse, ENV).server
        yield Prod(lakehouse, landed, {name: inside(server, name) for name in USERS})


def lines_of(release: int) -> str:
    return f"of {LINES + release:,} lines"


def test_of_two_who_publish_at_once_one_does_and_readers_see_the_release(prod: Prod) -> None:
    run, before = prod.wait(), prod.landed.number
    read_before = prod.read()

    def publish(name: str) -> tuple[str, Any]:
        return name, order(prod.people[name], f"/_waiting/{run}/publish", reason=f"{name} has looked at it")

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(publish, ("ada", "adam")))
    [(winner, started)] = [one for one in answers if one[1].status_code == 200]
    record = prod.ended(started.get_json()["run"])
    prod.landed.number += 1

    assert sorted(answer.status_code for _, answer in answers) in ([200, 400], [200, 409])
    assert started.get_json()["text"] == f"Run {record['run']} publishes what run {run} has built."
    assert (record["state"], record["release"], record["starter"]) == ("success", before + 1, winner)
    assert state_of(prod.lakehouse, run) == "success"
    assert (read_before[0], prod.read()[0]) == (before, before + 1)
    assert lines_of(before) in read_before[1]
    assert lines_of(before + 1) in prod.read()[1]
    decided = prod.lakehouse.as_user(operator(), ENV).queue().records(1)[0]
    assert (decided["run"], decided["decided_by"], decided["reason"]) == (run, winner, f"{winner} has looked at it")
    assert {(winner, "begun"), (winner, "allowed")} <= set(recorded(prod.lakehouse, "release publish"))
    assert prod.waiting == []
    assert order(prod.people["ada"], f"/_waiting/{run}/publish", reason="again").status_code == 400


def test_what_an_admin_discards_nobody_ever_reads(prod: Prod) -> None:
    run, before = prod.wait(), prod.read()

    answer = order(prod.people["ada"], f"/_waiting/{run}/discard", reason="half of the file was missing")

    assert (answer.status_code, answer.get_json()["text"]) == (200, f"What run {run} has built was discarded.")
    assert (state_of(prod.lakehouse, run), prod.waiting, prod.read()) == ("cancelled", [], before)
    decided = prod.lakehouse.as_user(operator(), ENV).queue().records(1)[0]
    assert (decided["state"], decided["decided_by"], decided["reason"]) == (
        "discarded",
        "ada",
        "half of the file was missing",
    )
    published = order(prod.people["adam"], f"/_waiting/{run}/publish", reason="it is right")
    assert published.status_code == 400
    assert "discarded by ada: half of the file was missing" in published.get_json()["text"]


def test_what_has_diverged_is_not_published_and_waits_until_it_is_discarded(prod: Prod) -> None:
    run, before = prod.wait(), prod.read()
    prod.landed.write_elsewhere()

    started = order(prod.people["ada"], f"/_waiting/{run}/publish", reason="it is right")
    record = prod.ended(started.get_json()["run"])

    assert (record["state"], record["release"]) == ("failed", None)
    page = prod.people["ada"].page(f"/pipelines/runs/{record['run']}").text
    assert f"What run {run} has built can no longer be published: another program has changed its tables" in page
    assert (state_of(prod.lakehouse, run), prod.waiting, prod.read()) == ("awaiting_publish", [run], before)
    discarded = order(prod.people["adam"], f"/_waiting/{run}/discard", reason="somebody has written there")
    assert (discarded.status_code, prod.waiting, prod.read()) == (200, [], before)


@pytest.mark.parametrize("decision", ["publish", "discard"])
@pytest.mark.parametrize("name", ["vera", "anna", "erik"])
def test_nobody_but_an_admin_decides_in_prod(prod: Prod, name: str, decision: str) -> None:
    run = prod.wait()

    answer = order(prod.people[name], f"/_waiting/{run}/{decision}", reason="it is right")

    assert answer.status_code == 403
    assert (state_of(prod.lakehouse, run), prod.waiting) == ("awaiting_publish", [run])


@pytest.mark.parametrize("decision", ["publish", "discard"])
def test_a_decision_without_a_reason_is_none(prod: Prod, decision: str) -> None:
    run = prod.wait()

    answer = order(prod.people["ada"], f"/_waiting/{run}/{decision}", reason="  ")

    assert (answer.status_code, answer.get_json()["text"][:8]) == (400, "Say why:")
    assert (state_of(prod.lakehouse, run), prod.waiting) == ("awaiting_publish", [run])
