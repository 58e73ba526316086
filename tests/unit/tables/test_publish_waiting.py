"""What waits for a decision: kept whole, published later by another run, discarded by a person or by what is newer."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from staged_tables import intent, put, rows, staged

from lakehouse.access.identity import Principal
from lakehouse.errors import Lost, NotAllowed, RequestWrong, UnknownName
from lakehouse.publish_queue import PublishQueue
from lakehouse.quality import Verdict
from lakehouse.query.scope import ColumnRule, RowRule, Scope
from lakehouse.releases import Release, Releases
from lakehouse.runs import Ending, Runs
from lakehouse.settings import Settings
from lakehouse.state.schema import releases, runs
from lakehouse.state.store import State, open_state
from lakehouse.tables.catalog import TableCatalog
from lakehouse.tables.publish import Build, Decision, Diverged, Publisher, Repaired
from lakehouse.tables.write import EVERYTHING

ADMIN = Principal("ada", "admin")
DECISION = Decision("ada", "It is right so.")
VERDICT = Verdict("t", "unique", "marts.a", "n", ("marts.a",), "pass", 0, "r1", "2026-03-31T08:15:00.000000Z")


class Cut(BaseException):
    """The process ends here, as a kill would end it."""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with closing(open_state(Settings(home=tmp_path / "lake"))) as opened:
        yield opened


@pytest.fixture
def publisher(state: State, catalog: TableCatalog) -> Publisher:
    return Publisher(state, catalog, "dev")


def nothing(_step: str) -> None:
    """No step is looked at."""


def build(catalog: TableCatalog, value: int) -> Build:
    changes = intent(*(staged(catalog, table, {"n": [value]}, EVERYTHING) for table in ("marts.a", "marts.b")))
    return Build(changes=changes, read={}, nodes={"model.a": f"f{value}"}, inputs=f"i{value}", tests={"t": VERDICT})


DIFFERENCES = [
    {"table": "marts.a", "column": None, "kind": "rows", "before": 5, "after": 1, "limit": -0.2, "over": True},
    {"table": "marts.a", "column": "n", "kind": "nulls", "before": 0.0, "after": 1.0, "limit": 0.05, "over": True},
]


def begin(state: State, run: str) -> None:
    Runs(state).begin(run, "dev", "refresh", "test")


def waits(state: State, publisher: Publisher, run: str, made: Build) -> None:
    """A run that ends with a release that waits."""
    begin(state, run)
    publisher.wait(run, made, DIFFERENCES)
    Runs(state).end(run, Ending("awaiting_publish"))


def died(state: State, run: str) -> None:
    with state.write() as connection:
        connection.execute(runs.update().where(runs.c.id == run).values(state="lost"))


def queue(state: State, principal: Principal = ADMIN, scope: Scope | None = None) -> PublishQueue:
    return PublishQueue(state, "dev", principal, scope or Scope())


def standing(state: State) -> list[tuple[str, str, int | None]]:
    columns = releases.c.run, releases.c.state, releases.c.number
    with state.read() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(releases.c.id))]


def current(state: State) -> Release | None:
    return Releases(state, "dev", ZoneInfo("UTC")).current()


def test_nobody_reads_what_waits_and_the_next_run_may_begin(
    state: State, catalog: TableCatalog, publisher: Publisher
) -> None:
    waits(state, publisher, "r1", build(catalog, 1))

    begin(state, "r2")
    assert publisher.repair("r2") is None
    assert current(state) is None
    assert rows(catalog, "marts.a") == []
    assert Runs(state).show("r1")["state"] == "awaiting_publish"


def test_it_is_published_later_with_everything_that_it_was_built_with(
    state: State, catalog: TableCatalog, publisher: Publisher
) -> None:
    waits(state, publisher, "r1", build(catalog, 1))
    begin(state, "p1")
    steps: list[str] = []

    number = publisher.publish_waiting("p1", "r1", DECISION, steps.append)

    found = current(state)
    assert found is not None
    assert (number, found.number, found.run, found.nodes, found.tests) == (
        1,
        1,
        "r1",
        {"model.a": "f1"},
        {"t": VERDICT},
    )
    assert steps == ["intent", "committed", "flipped"]
    assert (rows(catalog, "marts.a"), rows(catalog, "marts.b")) == ([(1,)], [(1,)])
    assert (Runs(state).show("r1")["state"], Runs(state).show("r1")["release"]) == ("success", 1)
    (record,) = queue(state).records()
    assert (record["state"], record["decided_by"], record["reason"]) == ("current", "ada", "It is right so.")


@pytest.mark.parametrize("step", ["intent", "committed", "flipped"])
def test_a_publishing_that_was_cut_short_is_completed_by_the_next_run(
    state: State, catalog: TableCatalog, publisher: Publisher, step: str
) -> None:
    waits(state, publisher, "r1", build(catalog, 1))
    begin(state, "p1")

    def cut(done: str) -> None:
        if done == step:
            raise Cut

    with pytest.raises(Cut):
        publisher.publish_waiting("p1", "r1", DECISION, cut)
    died(state, "p1")
    begin(state, "r2")
    repaired = publisher.repair("r2")

    completed = Repaired("r1", 1, "The unfinished release of run r1 was completed as release 1.")
    assert repaired == (None if step == "flipped" else completed)
    assert standing(state) == [("r1", "current", 1)]
    assert Runs(state).show("r1")["state"] == "success"
    assert rows(catalog, "marts.a") == [(1,)]


def test_what_was_cut_short_and_overtaken_is_discarded_and_its_run_says_so(
    state: State, catalog: TableCatalog, publisher: Publisher
) -> None:
    waits(state, publisher, "r1", build(catalog, 1))
    begin(state, "p1")

    def cut(_step: str) -> None:
        raise Cut

    with pytest.raises(Cut):
        publisher.publish_waiting("p1", "r1", DECISION, cut)
    put(catalog, "marts.b", {"n": [9]})
    died(state, "p1")
    begin(state, "r2")
    publisher.repair("r2")

    assert standing(state) == [("r1", "discarded", None)]
    assert Runs(state).show("r1")["state"] == "cancelled"
    assert "another program had changed its tables" in Runs(state).show("r1")["error"]


def test_what_has_diverged_is_refused_and_waits_until_it_is_discarded(
    state: State, catalog: TableCatalog, publisher: Publisher
) -> None:
    waits(state, publisher, "r1", build(catalog, 1))
    put(catalog, "marts.b", {"n": [9]})
    begin(state, "p1")

    with pytest.raises(Diverged, match=r"run r1 has built can no longer be published.*release discard r1.*or refresh"):
        publisher.publish_waiting("p1", "r1", DECISION, nothing)

    assert standing(state) == [("r1", "waiting", None)]
    assert (queue(state).waiting()[0]["decided_by"], queue(state).waiting()[0]["reason"]) == (None, None)
    assert rows(catalog, "marts.a") == []
    assert Runs(state).show("r1")["state"] == "awaiting_publish"


def test_an_older_one_is_discarded_when_a_newer_one_waits(
    state: State, catalog: TableCatalog, publisher: Publisher
) -> None:
    waits(state, publisher, "r1", build(catalog, 1))

    waits(state, publisher, "r2", build(catalog, 2))

    assert standing(state) == [("r1", "discarded", None), ("r2", "waiting", None)]
    assert Runs(state).show("r1")["state"] == "cancelled"
    assert "discarded by lakeport: run r2 has built newer data" in Runs(state).show("r1")["error"]


@pytest.mark.parametrize("step", ["intent", "committed", "flipped"])
def test_an_older_one_is_discarded_when_a_newer_one_is_published_also_after_a_crash(
    state: State, catalog: TableCatalog, publisher: Publisher, step: str
) -> None:
    waits(state, publisher, "r1", build(catalog, 1))
    begin(state, "r2")

    def cut(done: str) -> None:
        if done == step:
            raise Cut

    with pytest.raises(Cut):
        publisher.publish("r2", build(catalog, 2), cut)
    died(state, "r2")
    begin(state, "r3")
    publisher.repair("r3")

    assert standing(state) == [("r1", "discarded", None), ("r2", "current", 1)]
    assert Runs(state).show("r1")["state"] == "cancelled"


def test_it_cannot_be_published_twice_nor_after_it_was_discarded(
    state: State, catalog: TableCatalog, publisher: Publisher
) -> None:
    waits(state, publisher, "r1", build(catalog, 1))
    queue(state).discard("r1", "Wrong file.")
    begin(state, "p1")

    with pytest.raises(RequestWrong, match="Run r1 waits no more"):
        publisher.publish_waiting("p1", "r1", DECISION, nothing)

    assert standing(state) == [("r1", "discarded", None)]


def test_only_the_active_run_publishes(state: State, catalog: TableCatalog, publisher: Publisher) -> None:
    waits(state, publisher, "r1", build(catalog, 1))
    begin(state, "p1")
    died(state, "p1")
    begin(state, "p2")

    with pytest.raises(Lost):
        publisher.publish_waiting("p1", "r1", DECISION, nothing)

    assert standing(state) == [("r1", "waiting", None)]


def test_a_run_that_died_after_its_release_waited_awaits_publishing(
    state: State, catalog: TableCatalog, publisher: Publisher
) -> None:
    begin(state, "r1")
    publisher.wait("r1", build(catalog, 1), DIFFERENCES)
    with state.write() as connection:
        connection.execute(runs.update().where(runs.c.id == "r1").values(heartbeat="2020-01-01T00:00:00.000000Z"))

    begin(state, "r2")

    assert Runs(state).show("r1")["state"] == "awaiting_publish"


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_decision_needs_a_reason(state: State, catalog: TableCatalog, publisher: Publisher, reason: str) -> None:
    waits(state, publisher, "r1", build(catalog, 1))

    with pytest.raises(RequestWrong, match="reason"):
        queue(state).discard("r1", reason)

    assert standing(state) == [("r1", "waiting", None)]


def test_who_may_not_decide_discards_nothing(state: State, catalog: TableCatalog, publisher: Publisher) -> None:
    waits(state, publisher, "r1", build(catalog, 1))

    with pytest.raises(NotAllowed):
        queue(state, Principal("ana", "analyst")).discard("r1", "I would.")

    assert queue(state, Principal("eva", "engineer")).may_decide
    assert standing(state) == [("r1", "waiting", None)]


def test_an_unknown_run_is_refused_with_those_that_wait(
    state: State, catalog: TableCatalog, publisher: Publisher
) -> None:
    waits(state, publisher, "r1", build(catalog, 1))

    with pytest.raises(UnknownName, match=r"No waiting run named 'r9'\. Known waiting runs: r1\."):
        queue(state).check("r9")


@pytest.mark.parametrize(
    ("scope", "shown"),
    [
        (Scope(), [None, "n"]),
        (Scope(tables=frozenset({"marts.b"})), []),
        (Scope(columns=frozenset({ColumnRule("", "n", "hide")})), [None]),
        (Scope(rows=frozenset({RowRule("n", "=", ("1",))})), None),
    ],
)
def test_differences_tell_nobody_of_what_he_may_not_see(
    state: State, catalog: TableCatalog, publisher: Publisher, scope: Scope, shown: list[str | None] | None
) -> None:
    waits(state, publisher, "r1", build(catalog, 1))

    (record,) = queue(state, scope=scope).waiting()

    found = record["differences"]
    assert (found if found is None else [one["column"] for one in found]) == shown
