"""Commits of several tables: all or none, and what is left half-way is finished or given up."""

import pytest
from sqlalchemy import Connection, event
from staged_tables import intent, put, rows, snapshots, staged

from lakehouse.errors import Unavailable, WorkFailed
from lakehouse.tables.catalog import TableCatalog
from lakehouse.tables.commit import Intent, Outcome, Overtaken, commit, finish


@pytest.fixture
def both(catalog: TableCatalog) -> Intent:
    """An intent that changes two tables which hold one row each."""
    for table in ("raw.t", "marts.u"):
        put(catalog, table, {"n": [0]})
    return intent(staged(catalog, "raw.t", {"n": [1]}), staged(catalog, "marts.u", {"n": [1]}))


def held(catalog: TableCatalog) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    return rows(catalog, "raw.t"), rows(catalog, "marts.u")


def test_all_tables_are_committed(catalog: TableCatalog, both: Intent) -> None:
    commit(catalog, both)

    assert held(catalog) == ([(0,), (1,)], [(0,), (1,)])


def test_an_intent_is_committed_once(catalog: TableCatalog, both: Intent) -> None:
    commit(catalog, both)

    with pytest.raises(Overtaken, match="Another program changed a table meanwhile"):
        commit(catalog, both)

    assert held(catalog) == ([(0,), (1,)], [(0,), (1,)])
    assert (snapshots(catalog, "raw.t"), snapshots(catalog, "marts.u")) == (2, 2)


@pytest.mark.parametrize("gone", ["raw.t", "marts.u"])
def test_a_table_that_has_gone_or_was_made_anew_is_a_definite_no(
    catalog: TableCatalog, both: Intent, gone: str
) -> None:
    catalog.catalog.drop_table(catalog.identifier(gone))
    with pytest.raises(Overtaken):
        commit(catalog, both)
    put(catalog, gone, {"n": [7]})
    before = held(catalog)

    with pytest.raises(Overtaken):
        commit(catalog, both)

    assert held(catalog) == before
    assert finish(catalog, both) is Outcome.DISCARDED


def test_a_catalog_that_fails_on_the_way_leaves_an_unknown_outcome(catalog: TableCatalog, both: Intent) -> None:
    seen: list[str] = []

    def second_pointer(connection: Connection, cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("UPDATE iceberg_tables"):
            seen.append(statement)
            if len(seen) == 2:
                raise OSError("the disk has gone")

    event.listen(catalog.catalog.engine, "after_cursor_execute", second_pointer)
    with pytest.raises(Unavailable, match="the next run repairs what is left open"):
        commit(catalog, both)
    event.remove(catalog.catalog.engine, "after_cursor_execute", second_pointer)

    assert held(catalog) == ([(0,)], [(0,)])
    assert finish(catalog, both) is Outcome.DONE_NOW
    assert held(catalog) == ([(0,), (1,)], [(0,), (1,)])


def test_what_was_committed_is_found_so(catalog: TableCatalog, both: Intent) -> None:
    commit(catalog, both)

    assert finish(catalog, both) is Outcome.WAS_DONE
    assert (snapshots(catalog, "raw.t"), snapshots(catalog, "marts.u")) == (2, 2)


def test_what_was_committed_is_found_so_under_later_snapshots(catalog: TableCatalog, both: Intent) -> None:
    commit(catalog, both)
    put(catalog, "raw.t", {"n": [9]})

    assert finish(catalog, both) is Outcome.WAS_DONE
    assert held(catalog) == ([(0,), (1,), (9,)], [(0,), (1,)])


def test_what_was_not_committed_is_committed_now(catalog: TableCatalog, both: Intent) -> None:
    assert finish(catalog, both) is Outcome.DONE_NOW
    assert held(catalog) == ([(0,), (1,)], [(0,), (1,)])


@pytest.mark.parametrize("overtaken", ["raw.t", "marts.u"])
def test_what_was_overtaken_is_given_up_as_a_whole(catalog: TableCatalog, both: Intent, overtaken: str) -> None:
    put(catalog, overtaken, {"n": [5]})
    before = held(catalog)

    assert finish(catalog, both) is Outcome.DISCARDED
    assert held(catalog) == before


def test_what_was_committed_in_part_is_completed(catalog: TableCatalog, both: Intent) -> None:
    """A catalog behind a server may die between two tables; SQLite never does."""
    commit(catalog, {"marts.u": both["marts.u"]})

    assert finish(catalog, both) is Outcome.DONE_NOW
    assert held(catalog) == ([(0,), (1,)], [(0,), (1,)])


def test_what_was_committed_in_part_and_overtaken_is_left_to_a_person(catalog: TableCatalog, both: Intent) -> None:
    commit(catalog, {"marts.u": both["marts.u"]})
    put(catalog, "raw.t", {"n": [5]})

    with pytest.raises(WorkFailed, match=r"applied in part and overtaken. Not applied: raw\.t"):
        finish(catalog, both)

    assert held(catalog) == ([(0,), (5,)], [(0,), (1,)])


def test_an_intent_without_a_change_was_done(catalog: TableCatalog) -> None:
    assert finish(catalog, {}) is Outcome.WAS_DONE
