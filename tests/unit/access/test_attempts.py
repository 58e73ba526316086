"""Attempts: how long to wait after too many failures, whoever counts them."""

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import delete

from lakehouse.access.attempts import Attempts
from lakehouse.access.users import Users
from lakehouse.settings import Settings
from lakehouse.state import schema
from lakehouse.state.schema import stamp
from lakehouse.state.store import State
from tests.unit.access.conftest import put, rows, stored_bytes

HOME, OFFICE = "192.0.2.7", "198.51.100.4"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def attempts(state: State) -> Attempts:
    return Attempts(state)


def fail(attempts: Attempts, times: int, name: str = "ana", address: str = HOME) -> list[int]:
    """Fail so many times; returns the waits after each failure."""
    waits = []
    for _ in range(times):
        attempts.failed(name, address)
        waits.append(attempts.wait_seconds(name, address))
    return waits


def test_without_a_failure_nobody_waits(attempts: Attempts) -> None:
    assert attempts.wait_seconds("ana", HOME) == 0


def test_five_failures_are_free_then_the_wait_doubles_up_to_five_minutes(attempts: Attempts) -> None:
    assert fail(attempts, 15) == [0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_an_address_has_twenty_free_failures_whatever_the_names(attempts: Attempts) -> None:
    waits = [fail(attempts, 1, name=f"user{number}")[0] for number in range(24)]

    assert waits == [0] * 20 + [2, 4, 8, 16]
    assert attempts.wait_seconds("somebody else", HOME) == 16
    assert attempts.wait_seconds("somebody else", OFFICE) == 0


def test_the_longest_of_both_waits_counts(attempts: Attempts) -> None:
    fail(attempts, 9, name="ana")
    for number in range(13):
        fail(attempts, 1, name=f"user{number}")

    assert attempts.wait_seconds("ana", HOME) in (15, 16)
    assert attempts.wait_seconds("ben", HOME) in (3, 4)


def test_another_name_and_another_address_do_not_wait(attempts: Attempts) -> None:
    fail(attempts, 8)

    assert attempts.wait_seconds("ana", HOME) == 8
    assert attempts.wait_seconds("ben", HOME) == 0
    assert attempts.wait_seconds("ana", OFFICE) == 0


def test_a_name_is_the_same_however_it_is_typed(attempts: Attempts) -> None:
    for name in ("ana", "Ana", "ANA", " ana", "ana ", "aNa"):
        attempts.failed(name, HOME)

    assert attempts.wait_seconds("ana", HOME) == attempts.wait_seconds("ANA ", HOME) == 2


def test_an_unknown_name_is_treated_like_a_known_one(state: State, attempts: Attempts, users: Users) -> None:
    assert users.get("ana")

    assert fail(attempts, 8, name="ana") == fail(attempts, 8, name="nobody", address=OFFICE)


def test_a_success_clears_the_name_at_its_address_and_nothing_else(state: State, attempts: Attempts) -> None:
    fail(attempts, 8)
    fail(attempts, 8, address=OFFICE)
    for number in range(14):
        fail(attempts, 1, name=f"user{number}")
    put(state, schema.attempts, blocked_until=stamp(datetime.now(UTC)))

    assert attempts.begin("Ana", HOME) == 0
    attempts.succeeded("Ana", HOME)

    assert attempts.wait_seconds("ana", HOME) == 0
    assert fail(attempts, 1) == [8]  # the 22 failures of the address have stayed
    assert fail(attempts, 1, address=OFFICE) == [16]


def test_a_wait_passes(state: State, attempts: Attempts) -> None:
    fail(attempts, 7)

    put(state, schema.attempts, blocked_until=stamp(datetime.now(UTC) + timedelta(seconds=0.4)))
    assert attempts.wait_seconds("ana", HOME) == 1  # also the last part of a second is waited for
    put(state, schema.attempts, blocked_until=stamp(datetime.now(UTC) - timedelta(seconds=0.1)))
    assert attempts.wait_seconds("ana", HOME) == 0

    assert fail(attempts, 1) == [8]


def test_a_clock_that_was_put_back_locks_nobody_out_for_days(state: State, attempts: Attempts) -> None:
    fail(attempts, 7)
    put(state, schema.attempts, blocked_until=stamp(datetime.now(UTC) + timedelta(days=3)))

    assert attempts.wait_seconds("ana", HOME) == 300


@pytest.mark.parametrize(("minutes", "wait"), [(59, 16), (61, 0)])
def test_failures_are_forgotten_after_an_hour(state: State, attempts: Attempts, minutes: int, wait: int) -> None:
    fail(attempts, 8)
    past = stamp(datetime.now(UTC) - timedelta(minutes=minutes))
    put(state, schema.attempts, last=past, blocked_until=past)

    assert fail(attempts, 1) == [wait]


def test_what_is_forgotten_leaves_the_store_also_when_others_fail(state: State, attempts: Attempts) -> None:
    fail(attempts, 3)
    put(state, schema.attempts, last=stamp(datetime.now(UTC) - timedelta(minutes=61)))

    attempts.failed("ben", OFFICE)

    assert [row["failures"] for row in rows(state, schema.attempts)] == [1, 1]


def test_a_password_that_was_typed_as_a_name_is_not_in_the_store(
    settings: Settings, state: State, attempts: Attempts
) -> None:
    fail(attempts, 7, name="My-Secret-Word")

    held = stored_bytes(settings).lower()
    assert b"my-secret-word" not in held
    assert HOME.encode() not in held
    assert all(len(row["key"]) == 64 for row in rows(state, schema.attempts))


def test_addresses_of_one_ipv6_network_are_one(attempts: Attempts) -> None:
    for number in range(22):
        attempts.failed("ana", f"2001:db8:1:2::{number:x}")

    assert attempts.wait_seconds("ben", "2001:db8:1:2:ffff:ffff:ffff:ffff") == 4
    assert attempts.wait_seconds("ben", "2001:DB8:1:2::1") == 4
    assert attempts.wait_seconds("ben", "2001:db8:1:3::1") == 0


def test_an_ipv4_address_is_the_same_inside_ipv6(attempts: Attempts) -> None:
    fail(attempts, 7, address=HOME)

    assert attempts.wait_seconds("ana", f"::ffff:{HOME}") == 4
    assert attempts.wait_seconds("ana", f"::ffff:{OFFICE}") == 0


@pytest.mark.parametrize("address", ["", "unix:", "\ud800", "x" * 10_000])
def test_what_is_no_address_is_counted_too(attempts: Attempts, address: str) -> None:
    assert fail(attempts, 7, name="\ud800", address=address) == [0, 0, 0, 0, 0, 2, 4]


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("192.0.2.7:54321", "192.0.2.7"),
        ("[2001:db8:1:2::5]:443", "2001:db8:1:2::9"),
        ("[2001:db8:1:2::5]", "2001:db8:1:2::9"),
        ("[::ffff:192.0.2.7]:80", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::2"),
    ],
)
def test_an_address_is_the_same_with_a_port_or_brackets(attempts: Attempts, written: str, same: str) -> None:
    fail(attempts, 3, address=written)
    fail(attempts, 4, address=same)

    assert attempts.wait_seconds("ana", written) == attempts.wait_seconds("ana", same) == 4


def test_attempts_at_the_same_moment_do_not_pass_the_limit_together(settings: Settings, attempts: Attempts) -> None:
    passed: list[int] = []

    def attempt() -> None:
        with closing(State(settings.state_url)) as state:
            passed.append(Attempts(state).begin("ana", HOME))  # the slow look at the password would come here

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(passed)[:6] == [0] * 6
    assert min(sorted(passed)[6:]) > 0


def test_an_attempt_that_succeeds_costs_nothing(state: State, attempts: Attempts) -> None:
    for _ in range(50):
        assert attempts.begin("ana", HOME) == 0
        attempts.succeeded("ana", HOME)

    assert [row["failures"] for row in rows(state, schema.attempts)] == [0]


def test_threads_that_count_at_the_same_time_lose_no_failure(settings: Settings, attempts: Attempts) -> None:
    def count() -> None:
        with closing(State(settings.state_url)) as state:
            for _ in range(10):
                Attempts(state).failed("ana", HOME)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with closing(State(settings.state_url)) as state:
        assert [row["failures"] for row in rows(state, schema.attempts)] == [40, 40]
    assert attempts.wait_seconds("ana", HOME) == 300


def test_processes_that_count_at_the_same_time_lose_no_failure(settings: Settings, state: State) -> None:
    code = (
        "from lakehouse.access.attempts import Attempts\nfrom lakehouse.state.store import State\n"
        f"attempts = Attempts(State({settings.state_url!r}))\n"
        "for _ in range(20): attempts.failed('ana', '192.0.2.7')\n"
    )

    counting = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for _ in range(2)]

    assert [process.wait() for process in counting] == [0, 0]
    assert [row["failures"] for row in rows(state, schema.attempts)] == [40, 40]


NAMES, ADDRESSES = ("ana", "ben"), (HOME, OFFICE)
STEPS = st.lists(st.tuples(st.sampled_from("fffs"), st.sampled_from(NAMES), st.sampled_from(ADDRESSES)), max_size=45)


@given(steps=STEPS)
@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_wait_follows_from_the_failures_alone(
    state: State, attempts: Attempts, steps: Sequence[tuple[str, str, str]]
) -> None:
    with state.write() as connection:
        connection.execute(delete(schema.attempts))
    pairs = {(name, address): 0 for name in NAMES for address in ADDRESSES}
    places = dict.fromkeys(ADDRESSES, 0)
    began = time.monotonic()

    for kind, name, address in steps:
        if kind == "f":
            attempts.failed(name, address)
            pairs[name, address] += 1
            places[address] += 1
        elif attempts.begin(name, address) == 0:
            attempts.succeeded(name, address)
            pairs[name, address] = 0

    for (name, address), failures in pairs.items():
        expected = max(wait(failures - 5), wait(places[address] - 20))
        found = attempts.wait_seconds(name, address)
        assert max(0, expected - (time.monotonic() - began) - 1) <= found <= expected
        assert (found > 0) == (expected > 0) or time.monotonic() - began > 1.9


def wait(beyond: int) -> int:
    return min(300, 2**beyond) if beyond > 0 else 0
