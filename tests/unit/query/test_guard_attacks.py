"""Every attack bites an ordinary DuckDB, and the guard refuses it; what is only costly is for `test_pool_bombs`."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from attacks import ATTACKS, SECRET, Attack
from unguarded import VISIBLE, Listener, doomed, filled_in, outcome, world

from lakehouse.errors import StatementWrong
from lakehouse.query.engine import extension_paths
from lakehouse.query.guard import check

STILL_THERE = ("select min(region), max(label) from marts.regions", "select min(region) from marts.orders")
WAITED = 5.0
BOUNDED = [attack for attack in ATTACKS if attack.bounded]


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


def first_or_slow(attacks: Iterable[Attack]) -> list[Any]:
    """The attacks as parameters, all but the first of each class behind the mark `slow`: DuckDB bites as it did."""
    seen: set[str] = set()
    found = []
    for attack in attacks:
        found.append(pytest.param(attack, id=named(attack), marks=pytest.mark.slow if attack.kind in seen else ()))
        seen.add(attack.kind)
    return found


@pytest.mark.parametrize("attack", first_or_slow(attack for attack in ATTACKS if attack.bite != "dies"))
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


@pytest.mark.parametrize("attack", first_or_slow(attack for attack in ATTACKS if attack.bite == "dies"))
def test_a_bomb_ends_a_process_that_nobody_guards(attack: Attack) -> None:
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


def _within_a_second(happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.01)
    return False
