"""Hot copies through a real pool: they answer as Iceberg does, also without it, and are never believed blindly."""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from query_lake import Lake, rows, write_lake

from lakehouse.errors import StatementWrong, Unavailable
from lakehouse.query.engine import connect
from lakehouse.query.hot import HotCopies, hot_folder
from lakehouse.query.pins import Pin
from lakehouse.query.pool import QueryPool
from lakehouse.query.scope import ColumnRule, RowRule, Scope
from lakehouse.settings import QuerySettings

TABLE = "marts.sales"
ALL = f"select * from {TABLE} order by day, n"
STATEMENTS = (
    ALL,
    f"select region, sum(amount) as amount, count(distinct n) as n from {TABLE} group by region order by region",
    f"select max(day) as day, avg(n) as n from {TABLE} where region = 'N' and amount between 1 and 4",
    f"select t from {TABLE} as t order by t.n limit 3",
)
SCOPES = (
    Scope(),
    Scope(rows=frozenset({RowRule("region", "=", ("N",))})),
    Scope(
        rows=frozenset({RowRule("n", "<", ("12",))}),
        columns=frozenset({ColumnRule("", "amount", "hide"), ColumnRule("", "region", "hash")}),
    ),
)


class Place:
    """A small warehouse of its own, a folder for copies, and the pool that was opened on both last."""

    def __init__(self, folder: Path) -> None:
        self.lake: Lake = write_lake(folder)
        self.own = folder / "own"
        self.copies = HotCopies(hot_folder(self.own))
        self.pool = self._opened()

    def copy(self, pin: Pin, table: str = TABLE) -> Path:
        """Write a copy; returns its file."""
        with closing(connect("512MB", 1)) as connection:
            self.copies.write(connection, table, pin)
        return self.copies.path(table, pin)

    def opened(self, **limits: Any) -> QueryPool:
        """A new pool, whose workers know nothing of what was before."""
        self.pool.close()
        self.pool = self._opened(**limits)
        return self.pool

    def _opened(self, **limits: Any) -> QueryPool:
        settings = QuerySettings(workers=1, cache_mb=0, memory_mb=512, **limits)
        return QueryPool(settings, [str(self.lake.folder)], "a key", self.own)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.pool.close()


def answers(pool: QueryPool, pin: Pin) -> list[Any]:
    """What every scope gets for every statement, as a person and as the portal ask it; errors as their words."""
    found: list[Any] = []
    for scope in SCOPES:
        for statement in STATEMENTS:
            for trusted in (False, True):
                try:
                    found.append(rows(pool, statement, pins={TABLE: pin}, scope=scope, trusted=trusted))
                except StatementWrong as error:
                    found.append(str(error))
    return found


def test_a_copy_answers_as_iceberg_does_also_while_the_store_is_away(place: Place) -> None:
    pin = place.lake.february
    cold = answers(place.pool, pin)
    place.copy(pin)
    place.lake.folder.rename(place.lake.folder.with_name("away"))

    assert answers(place.opened(), pin) == cold
    assert any(isinstance(answer, list) for answer in cold)
    with pytest.raises(Unavailable, match="cannot be read at the moment"):
        rows(place.pool, ALL, pins={TABLE: place.lake.january})


def test_a_copy_stands_for_its_own_pin_alone(place: Place) -> None:
    place.copy(place.lake.january)

    assert len(rows(place.pool, ALL, pins={TABLE: place.lake.february})) == 21
    assert len(rows(place.pool, ALL, pins={TABLE: place.lake.january})) == 20
    assert rows(place.pool, ALL, pins={TABLE: place.lake.empty}) == []


def test_a_table_without_rows_is_copied_too(place: Place) -> None:
    place.copy(place.lake.empty)
    place.lake.folder.rename(place.lake.folder.with_name("away"))

    assert rows(place.pool, ALL, pins={TABLE: place.lake.empty}) == []


def test_copies_are_for_their_owner_only(place: Place) -> None:
    file = place.copy(place.lake.january)

    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def _other_rows(file: Path) -> None:
    file.unlink()
    with duckdb.connect(str(file)) as connection:
        connection.execute("create table rows as select date '2024-01-01' as day, 'N' as region, 1 as amount, 1 as n")
        connection.execute("create table origin as select 'file:///elsewhere' as metadata, 1::bigint as snapshot")


DAMAGES = {
    "cut": lambda file: os.truncate(file, 9000),
    "empty": lambda file: file.write_bytes(b""),
    "text": lambda file: file.write_text("no database " * 1000),
    "of another table": _other_rows,
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "noise": lambda file: file.write_bytes(file.read_bytes()[:12_288] + b"\xff" * (file.stat().st_size - 12_288)),
}


@pytest.mark.parametrize(
    "damage", [pytest.param(name, marks=pytest.mark.slow if name != "noise" else ()) for name in DAMAGES]
)
def test_a_damaged_copy_is_not_used(place: Place, damage: str) -> None:
    file = place.copy(place.lake.february)
    DAMAGES[damage](file)

    assert len(rows(place.pool, ALL, pins={TABLE: place.lake.february})) == 21


@pytest.mark.parametrize("trusted", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_copy_that_is_damaged_while_it_is_open_is_left_for_iceberg(place: Place, trusted: bool) -> None:
    pin = place.lake.february
    file = place.copy(pin)
    asked = {"pins": {TABLE: pin}, "scope": SCOPES[1], "trusted": trusted}
    rows(place.pool, f"select 1 from {TABLE} limit 0", **asked)
    with file.open("r+b") as opened:
        opened.seek(12_288)
        opened.write(os.urandom(file.stat().st_size - 12_288))

    for _ in range(2):
        assert len(rows(place.pool, ALL, **asked)) == 11


def test_without_its_setting_no_copy_is_read(place: Place) -> None:
    place.copy(place.lake.february)
    place.lake.folder.rename(place.lake.folder.with_name("away"))

    with pytest.raises(Unavailable):
        rows(place.opened(hot_table_mb=0), ALL, pins={TABLE: place.lake.february})


def test_nobody_reaches_a_copy_around_its_view(place: Place) -> None:
    pin = place.lake.february
    file = place.copy(pin)
    rows(place.pool, ALL, pins={TABLE: pin}, scope=SCOPES[1])
    name = f"h_{file.stem.rpartition('.')[2]}"
    sources = [f"{name}.rows", f"{name}.main.rows", f"{name}.main.origin", f"read_duckdb('{file}')", f"'{file}'"]

    for source in sources:
        statement = f"select * from {source}"
        with pytest.raises(StatementWrong) as caught:
            rows(place.pool, statement, pins={TABLE: pin}, scope=SCOPES[1])
        assert str(file.parent) not in str(caught.value)


def test_copies_are_closed_with_the_last_release_that_reads_them(place: Place) -> None:
    pin = place.lake.february
    place.copy(pin)
    for number in range(40):
        pins = {TABLE: pin, f"marts.other_{number}": pin}
        assert rows(place.pool, f"select sum(amount) as a from {TABLE}", pins=pins) == [{"a": Decimal("54.75")}]


def test_sweeping_leaves_what_is_kept_and_what_is_not_ours(place: Place) -> None:
    kept, dropped = place.copy(place.lake.january), place.copy(place.lake.february)
    fresh, old, foreign = (kept.parent / name for name in ("marts.a.1.part", "marts.b.2.part.wal", "notes.txt"))
    for file in (fresh, old, foreign):
        file.touch()
    long_ago = time.time() - 7200
    os.utime(old, (long_ago, long_ago))

    place.copies.sweep([(TABLE, place.lake.january)])

    assert not dropped.exists()
    assert {file.name for file in kept.parent.iterdir()} == {kept.name, fresh.name, foreign.name}


def test_sweeping_where_nothing_is_does_nothing(tmp_path: Path) -> None:
    HotCopies(tmp_path / "none").sweep([])

    assert not (tmp_path / "none").exists()
