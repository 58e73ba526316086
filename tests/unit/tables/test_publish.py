"""Releases are published whole by the run that is active, and repaired by the next one."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from staged_tables import intent, put, rows, staged

from lakehouse.errors import Lost
from lakehouse.quality import Verdict
from lakehouse.query.pins import Pin
from lakehouse.releases import Release, Releases, Size
from lakehouse.runs import Ending, Runs
from lakehouse.settings import Settings
from lakehouse.state.schema import releases, runs
from lakehouse.state.store import State, open_state
from lakehouse.tables.catalog import TableCatalog
from lakehouse.tables.commit import Overtaken
from lakehouse.tables.publish import Build, Publisher, Repaired
from lakehouse.tables.write import EVERYTHING

READ = {"raw.sales": Pin("file:///somewhere/raw.json", 5)}


class Cut(BaseException):
    """The process ends here, as a kill would end it."""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with closing(open_state(Settings(home=tmp_path / "lake"))) as opened:
        Runs(opened).begin("r1", "dev", "refresh", "test")
        yield opened


@pytest.fixture
def publisher(state: State, catalog: TableCatalog) -> Publisher:
    return Publisher(state, catalog, "dev")


def build(catalog: TableCatalog, value: int) -> Build:
    changes = intent(*(staged(catalog, table, {"n": [value]}, EVERYTHING) for table in ("marts.a", "marts.b")))
    return Build(
        changes=changes, read=READ, nodes={"model.a": f"f{value}"}, inputs=f"i{value}", tests={"test.a": VERDICT}
    )


VERDICT = Verdict("t", "unique", "marts.a", "n", ("marts.a",), "pass", 0, "r1", "2026-03-31T08:15:00.000000Z")


def publish_until(publisher: Publisher, made: Build, step: str, run: str = "r1") -> None:
    """Publish, and die right after a step."""

    def mark(done: str) -> None:
        if done == step:
            raise Cut

    with pytest.raises(Cut):
        publisher.publish(run, made, mark)


def succeed(state: State, run: str, following: str) -> None:
    """Take a run over as if its process had died."""
    with state.write() as connection:
        connection.execute(runs.update().where(runs.c.id == run).values(state="lost"))
    Runs(state).begin(following, "dev", "refresh", "test")


def standing(state: State) -> list[tuple[str, int | None]]:
    with state.read() as connection:
        return [tuple(row) for row in connection.execute(select(releases.c.state, releases.c.number))]


def current(state: State) -> Release | None:
    return Releases(state, "dev", ZoneInfo("UTC")).current()


def test_a_release_pins_what_was_built_and_what_was_read(
    state: State, catalog: TableCatalog, publisher: Publisher
) -> None:
    steps: list[str] = []

    number = publisher.publish("r1", build(catalog, 1), steps.append)

    found, head = current(state), catalog.head("marts.a")
    assert found is not None
    assert head is not None
    assert steps == ["intent", "committed", "flipped"]
    assert (number, found.number, found.run) == (1, 1, "r1")
    assert set(found.pins) == {"raw.sales", "marts.a", "marts.b"}
    assert found.pins["raw.sales"] == READ["raw.sales"]
    assert found.pins["marts.a"] == Pin(head.metadata_location, head.metadata.current_snapshot_id)


def test_numbers_count_up_and_the_former_release_is_superseded(
    state: State, catalog: TableCatalog, publisher: Publisher
) -> None:
    numbers = [publisher.publish("r1", build(catalog, value), lambda _step: None) for value in (1, 2, 3)]

    assert numbers == [1, 2, 3]
    assert standing(state) == [("superseded", 1), ("superseded", 2), ("current", 3)]


def test_what_another_program_overtook_is_discarded_at_once(
    state: State, catalog: TableCatalog, publisher: Publisher
) -> None:
    made = build(catalog, 1)
    put(catalog, "marts.b", {"n": [9]})

    with pytest.raises(Overtaken):
        publisher.publish("r1", made, lambda _step: None)

    assert standing(state) == [("discarded", None)]
    assert rows(catalog, "marts.a") == []


@pytest.mark.parametrize("step", ["intent", "committed"])
def test_a_release_that_was_cut_short_is_completed_by_the_next_run(
    state: State, catalog: TableCatalog, publisher: Publisher, step: str
) -> None:
    publish_until(publisher, build(catalog, 1), step)
    before = current(state)
    succeed(state, "r1", "r2")

    repaired = publisher.repair("r2")

    found = current(state)
    assert before is None
    assert repaired == Repaired("r1", 1, "The unfinished release of run r1 was completed as release 1.")
    assert found is not None
    assert (found.number, found.run) == (1, "r1")
    assert (rows(catalog, "marts.a"), rows(catalog, "marts.b")) == ([(1,)], [(1,)])
    assert (Runs(state).show("r1")["state"], Runs(state).show("r1")["release"]) == ("success", 1)
    assert publisher.repair("r2") is None


def test_a_release_that_was_cut_short_and_overtaken_is_given_up_by_the_next_run(
    state: State, catalog: TableCatalog, publisher: Publisher
) -> None:
    publish_until(publisher, build(catalog, 1), "intent")
    put(catalog, "marts.a", {"n": [9]})
    succeed(state, "r1", "r2")

    repaired = publisher.repair("r2")

    assert repaired == Repaired("r1", None, "The unfinished release of run r1 was overtaken and discarded.")
    assert standing(state) == [("discarded", None)]
    assert rows(catalog, "marts.b") == []


def test_a_completed_release_pins_its_own_snapshot_under_a_later_foreign_one(
    state: State, catalog: TableCatalog, publisher: Publisher
) -> None:
    publish_until(publisher, build(catalog, 1), "committed")
    head = catalog.head("marts.a")
    put(catalog, "marts.a", {"n": [9]})
    succeed(state, "r1", "r2")

    publisher.repair("r2")

    found = current(state)
    assert found is not None
    assert head is not None
    assert found.pins["marts.a"].snapshot == head.metadata.current_snapshot_id


def test_a_run_that_was_taken_over_publishes_nothing(state: State, catalog: TableCatalog, publisher: Publisher) -> None:
    succeed(state, "r1", "r2")

    with pytest.raises(Lost):
        publisher.publish("r1", build(catalog, 1), lambda _step: None)

    assert standing(state) == []
    assert rows(catalog, "marts.a") == []


@pytest.mark.parametrize("step", ["intent", "committed"])
def test_a_run_that_is_taken_over_while_it_publishes_does_not_undo_what_was_repaired(
    state: State, catalog: TableCatalog, publisher: Publisher, step: str
) -> None:
    def taken_over(done: str) -> None:
        if done == step:
            succeed(state, "r1", "r2")
            publisher.repair("r2")

    with pytest.raises(Lost):
        publisher.publish("r1", build(catalog, 1), taken_over)

    assert standing(state) == [("current", 1)]
    assert rows(catalog, "marts.a") == [(1,)]


@pytest.mark.parametrize("step", ["intent", "committed", "flipped"])
def test_a_release_has_its_verdicts_and_sizes_also_when_it_was_completed_later(
    state: State, catalog: TableCatalog, publisher: Publisher, step: str
) -> None:
    publish_until(publisher, build(catalog, 1), step)
    succeed(state, "r1", "r2")
    publisher.repair("r2")

    found = current(state)

    assert found is not None
    assert found.tests == {"test.a": VERDICT}
    assert found.sizes.keys() == {"marts.a", "marts.b"}  # of what the catalog does not know, nobody knows the size
    files = list(Path(found.pins["marts.a"].metadata.removeprefix("file://")).parents[1].glob("data/*.parquet"))
    assert found.sizes["marts.a"] == Size(1, sum(file.stat().st_size for file in files), 1)


def test_a_size_is_carried_on_with_its_snapshot(state: State, catalog: TableCatalog, publisher: Publisher) -> None:
    publisher.publish("r1", build(catalog, 1), lambda _step: None)
    first = current(state)
    assert first is not None
    Runs(state).end("r1", Ending("success"))
    Runs(state).begin("r2", "dev", "refresh", "test")
    changes = intent(staged(catalog, "marts.b", {"n": [1, 2, 3]}, EVERYTHING))

    publisher.publish("r2", Build(changes=changes, read={"marts.a": first.pins["marts.a"]}), lambda _step: None)

    found = current(state)
    assert found is not None
    assert found.sizes["marts.a"] == first.sizes["marts.a"]
    assert found.sizes["marts.b"].rows == 3


def test_environments_count_for_themselves(state: State, catalog: TableCatalog, tmp_path: Path) -> None:
    Publisher(state, catalog, "dev").publish("r1", build(catalog, 1), lambda _step: None)
    Runs(state).end("r1", Ending("success"))
    Runs(state).begin("p1", "prod", "refresh", "test")

    number = Publisher(state, catalog, "prod").publish("p1", build(catalog, 2), lambda _step: None)

    assert number == 1
    assert sorted(standing(state)) == [("current", 1), ("current", 1)]
