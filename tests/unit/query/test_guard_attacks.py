"""Every attack bites an ordinary DuckDB, and the guard refuses it, or the limits of a worker stop it."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from attacks import ATTACKS, SECRET, Attack
from query_lake import OpenPool, rows
from unguarded import VISIBLE, Listener, doomed, filled_in, outcome, world

from lakehouse.errors import LakeportError, StatementWrong
from lakehouse.query.engine import extension_paths
from lakehouse.query.guard import check
from lakehouse.query.pool import Question

STILL_THERE = ("select min(region), max(label) from marts.regions", "select min(region) from marts.orders")
WAITED = 5.0
QUICK_BOMBS = ("million terms", "huge text", "endless rows")
BOUNDED = [attack for attack in ATTACKS if attack.bounded]
SOON = [attack for attack in ATTACKS if attack.bite == "dies" and attack.name in QUICK_BOMBS]
LATER = [attack for attack in ATTACKS if attack.bite == "dies" and attack.name not in QUICK_BOMBS]


def named(attack: Attack) -> str:
    return f"{attack.kind}: {attack.name}"


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    opened = Listener()
    yield opened
    opened.close()


@pytest.fixture
def unguarded(tmp_path: Path, listener: Listener) -> Iterator[duckdb.DuckDBPyConnection]:
    """The world of the attacks, with extensions as a server would have them and the listener as their origin."""
    with world(tmp_path) as connection:
        for name in ("custom_extension_repository", "autoinstall_extension_repository"):
            connection.execute(f"set {name} = 'http://127.0.0.1:{listener.port}'")
        connection.execute(f"set extension_directory = '{tmp_path}/extensions'")
        yield connection


def test_there_are_attacks_of_twelve_classes_with_names_of_their_own() -> None:
    found = Counter(attack.kind for attack in ATTACKS)

    assert len(ATTACKS) >= 150
    assert len(found) == 12
    assert min(found.values()) >= 10
    assert len({(attack.kind, attack.name) for attack in ATTACKS}) == len({attack.sql for attack in ATTACKS})


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack.bite != "dies"], ids=named)
def test_an_attack_bites_where_nobody_guards(
    attack: Attack, unguarded: duckdb.DuckDBPyConnection, tmp_path: Path, listener: Listener
) -> None:
    sql, before = filled_in(attack, tmp_path, listener.port), listener.asked
    if "iceberg" in sql:
        for path in extension_paths():
            unguarded.execute(f"load '{path}'")

    found = outcome(unguarded, sql)

    how, _, what = attack.bite.partition(" ")
    if how == "shows":
        assert what in found
    elif how == "makes":
        assert (tmp_path / what).exists()
    elif how == "asks":
        assert _within_a_second(lambda: listener.asked > before), found
    elif how == "then":
        question, _, expected = what.partition(" => ")
        assert expected in outcome(unguarded, question)
    else:
        assert how == "breaks"
        assert any("Error" in outcome(unguarded, question) for question in STILL_THERE)


@pytest.mark.parametrize("attack", SOON, ids=named)
def test_a_bomb_ends_a_process_that_nobody_guards(attack: Attack) -> None:
    assert doomed(attack.sql)


@pytest.mark.fuzz
@pytest.mark.parametrize("attack", LATER, ids=named)
def test_every_bomb_ends_a_process_that_nobody_guards(attack: Attack) -> None:
    assert doomed(attack.sql)


def test_a_process_survives_an_ordinary_question() -> None:
    assert not doomed("select count(*) from range(1000)")


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if not attack.bounded], ids=named)
def test_an_attack_is_refused_without_being_executed(
    attack: Attack, unguarded: duckdb.DuckDBPyConnection, tmp_path: Path, listener: Listener
) -> None:
    sql, before, files = filled_in(attack, tmp_path, listener.port), listener.asked, set(tmp_path.rglob("*"))
    started = time.monotonic()

    with pytest.raises(StatementWrong) as caught:
        check(unguarded, sql, VISIBLE)

    said = str(caught.value)
    assert SECRET not in said
    assert not re.search(r"_NODE|query_node|Traceback|r_[0-9a-f]{24}", said)
    assert said.endswith((".", ")"))
    assert len(said) < 700
    assert time.monotonic() - started < WAITED
    assert (listener.asked, set(tmp_path.rglob("*"))) == (before, files)
    assert [outcome(unguarded, question) for question in STILL_THERE] == ["[('N', 'South')]", "[('N',)]"]


@pytest.mark.parametrize("attack", BOUNDED, ids=named)
def test_what_is_only_costly_passes_the_guard(attack: Attack, unguarded: duckdb.DuckDBPyConnection) -> None:
    assert check(unguarded, attack.sql, VISIBLE).tables == frozenset()


@pytest.mark.parametrize(
    "attack",
    [pytest.param(attack, marks=() if attack.name in QUICK_BOMBS else pytest.mark.fuzz) for attack in BOUNDED],
    ids=named,
)
def test_the_limits_of_a_worker_stop_what_is_costly(attack: Attack, open_pool: OpenPool) -> None:
    pool = open_pool(workers=1, threads=1, memory_mb=256, address_space_mb=2048, timeout_seconds=1)
    rows(pool, "select 1")
    started = time.monotonic()

    with pytest.raises(LakeportError) as caught:
        pool.ask(Question(attack.sql, {}))

    assert caught.value.exit_code in (2, 5)
    assert time.monotonic() - started < 1 + 2 + WAITED
    assert rows(pool, "select 2 as x") == [{"x": 2}]


def _within_a_second(happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.01)
    return False
