"""The chain of the audit: no tampering stays unseen, many writers keep one chain, what is too old leaves it whole."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update

from lakehouse.access.audit import Audit
from lakehouse.access.chain import record_hash
from lakehouse.access.request import Request
from lakehouse.errors import RequestWrong, Unavailable
from lakehouse.settings import Settings
from lakehouse.state import schema
from lakehouse.state.schema import stamp
from lakehouse.state.store import State
from tests.pipelines.lake import ROOT
from tests.unit.access.conftest import RECORDS, rows


def test_a_chain_that_nobody_touched_is_whole(filled: Audit) -> None:
    found = filled.verify()

    assert (found.records, found.bad, found.sentence) == (RECORDS, None, "")
    assert filled.verify(found.head).bad is None
    assert Audit.verify(filled).head.startswith(f"{RECORDS}:")


COLUMNS = [column.name for column in schema.audit.columns if column.name not in ("number", "previous", "hash")]


@pytest.mark.parametrize("column", [*COLUMNS, "previous", "hash"])
@pytest.mark.parametrize("number", [1, 5, RECORDS])
def test_a_record_that_was_changed_is_found(state: State, filled: Audit, column: str, number: int) -> None:
    value: Any = 7 if column in ("status", "release") else "x"
    with state.write() as connection:
        connection.execute(update(schema.audit).where(schema.audit.c.number == number).values({column: value}))

    found = filled.verify()

    assert found.bad == number
    assert f"Record {number} " in found.sentence


@pytest.mark.parametrize(
    ("gone", "bad"), [((1,), 1), ((5,), 5), ((RECORDS,), RECORDS), ((1, 2, 3), 1), (range(9, 13), 9), (range(1, 13), 1)]
)
def test_a_record_that_was_removed_is_found_also_after_others_were_added(
    state: State, filled: Audit, gone: Any, bad: int
) -> None:
    with state.write() as connection:
        connection.execute(delete(schema.audit).where(schema.audit.c.number.in_(list(gone))))

    found = filled.verify()
    filled.write(Request(), "allowed", 200)

    assert (found.bad, filled.verify().bad) == (bad, bad)


def test_records_in_another_order_are_found(state: State, filled: Audit) -> None:
    with state.write() as connection:
        for now, then in ((4, 99), (7, 4), (99, 7)):
            connection.execute(update(schema.audit).where(schema.audit.c.number == now).values(number=then))

    assert filled.verify().bad == 4


@pytest.mark.parametrize("number", [0, -3, RECORDS + 1])
def test_a_record_that_was_put_at_an_end_is_found(state: State, filled: Audit, number: int) -> None:
    copy = {**rows(state, schema.audit)[-1], "number": number}
    with state.write() as connection:
        connection.execute(insert(schema.audit).values(copy))

    assert filled.verify().bad == number


@pytest.mark.parametrize("beginning", [True, False], ids=["from the beginning", "from the end"])
def test_a_chain_that_was_cut_with_its_head_is_found(state: State, filled: Audit, beginning: bool) -> None:
    noted = filled.verify().head
    five = rows(state, schema.audit)[4]
    moved = {"first": 6, "anchor": five["hash"]} if beginning else {"last": 5, "hash": five["hash"]}
    over = schema.audit.c.number <= 5 if beginning else schema.audit.c.number > 5
    with state.write() as connection:
        connection.execute(delete(schema.audit).where(over))
        connection.execute(update(schema.audit_head).values(**moved))

    assert filled.verify(noted).bad == (5 if beginning else 6)


def test_a_chain_that_was_written_anew_is_found_by_a_head_that_was_noted(state: State, filled: Audit) -> None:
    noted = filled.verify().head
    start = {"first": 1, "anchor": "0" * 64, "last": 0, "hash": "0" * 64}
    with state.write() as connection:
        connection.execute(delete(schema.audit))
        connection.execute(update(schema.audit_head).values(**start))
    for _ in range(RECORDS + 1):
        filled.write(Request(principal="somebody else"), "allowed", 200)

    assert filled.verify().bad is None
    assert filled.verify(noted).bad == RECORDS


def test_without_its_head_nothing_is_recorded_and_verifying_says_so(state: State, filled: Audit) -> None:
    with state.write() as connection:
        connection.execute(delete(schema.audit_head))

    assert filled.verify().sentence == "The head of the audit is missing."
    with pytest.raises(Unavailable, match="has lost its head"):
        filled.write(Request(), "allowed", 200)


@pytest.mark.parametrize("head", ["", "7", "7:abc", "x:" + "0" * 64, "-1:" + "0" * 64])
def test_a_head_that_is_none_is_refused(filled: Audit, head: str) -> None:
    with pytest.raises(RequestWrong, match="no head of the audit"):
        filled.verify(head)


TAMPERING = st.tuples(
    st.sampled_from(["change", "remove", "swap", "double"]),
    st.integers(1, RECORDS),
    st.integers(1, RECORDS),
    st.sampled_from([*COLUMNS, "previous", "hash"]),
)


@given(tampering=TAMPERING)
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_done_to_the_records_the_first_bad_one_is_named(
    state: State, filled: Audit, tampering: tuple[str, int, int, str]
) -> None:
    kind, one, other, column = tampering
    before = rows(state, schema.audit)
    after = {row["number"]: dict(row) for row in before}
    if kind == "change":
        after[one][column] = "tampered" if column not in ("status", "release") else -7
    elif kind == "remove":
        del after[one]
    elif kind == "swap":
        after[one], after[other] = {**after[other], "number": one}, {**after[one], "number": other}
    else:
        after[one] = {**after[other], "number": one}
    differing = [row["number"] for row in before if after.get(row["number"]) != row]

    _replace(state, list(after.values()))
    found = filled.verify()
    _replace(state, before)

    assert found.bad == (min(differing) if differing else None)
    assert filled.verify().bad is None


def _replace(state: State, records: list[dict[str, Any]]) -> None:
    with state.write() as connection:
        connection.execute(delete(schema.audit))
        connection.execute(insert(schema.audit), records)


def test_several_processes_write_one_chain(settings: Settings, audit: Audit) -> None:
    code = (
        "from lakehouse.access.audit import Audit\nfrom lakehouse.access.request import Request\n"
        "from lakehouse.settings import RetentionSettings\nfrom lakehouse.state.store import State\n"
        f"audit = Audit(State({settings.state_url!r}), RetentionSettings())\n"
        "for number in range(150): audit.write(Request(target=str(number)), 'allowed', 200)\n"
    )

    writing = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for _ in range(3)]

    assert [process.wait() for process in writing] == [0, 0, 0]
    found = audit.verify()
    assert (found.records, found.bad) == (450, None)


def past(state: State, days: float, until: int) -> None:
    """Make records older, as time would: their chain is written anew with other times."""
    old = rows(state, schema.audit)
    start = {"first": 1, "anchor": "0" * 64, "last": 0, "hash": "0" * 64, "swept": "2000-01-01"}
    previous = "0" * 64
    for row in old:
        if row["number"] <= until:
            row["at"] = stamp(datetime.now(UTC) - timedelta(days=days))
        row["previous"] = previous
        row["hash"] = previous = record_hash({name: value for name, value in row.items() if name != "hash"})
    _replace(state, old)
    with state.write() as connection:
        connection.execute(update(schema.audit_head).values(**{**start, "last": len(old), "hash": previous}))


@pytest.mark.parametrize(("days", "kept"), [(399.9, range(1, 14)), (400.1, range(6, 15))])
def test_what_is_too_old_goes_and_the_chain_stays_whole(state: State, filled: Audit, days: float, kept: range) -> None:
    past(state, days, until=5)

    filled.write(Request(target="today"), "allowed", 200)

    found = rows(state, schema.audit)
    assert [row["number"] for row in found] == list(kept)
    assert found[-1]["target"] == "today"
    assert [row["target"][:2] for row in found if row["action"] == "retention"] == (["5:"] if days > 400 else [])
    assert filled.verify().bad is None


def test_old_records_go_at_most_once_a_day(state: State, filled: Audit) -> None:
    past(state, 401, until=5)
    with state.write() as connection:
        connection.execute(update(schema.audit_head).values(swept=stamp(datetime.now(UTC))[:10]))

    filled.write(Request(), "allowed", 200)

    assert rows(state, schema.audit)[0]["number"] == 1


def test_also_when_all_of_it_is_too_old_the_chain_goes_on(state: State, filled: Audit) -> None:
    past(state, 500, until=RECORDS)

    filled.write(Request(), "allowed", 200)
    past_noted = filled.verify().head

    assert [row["number"] for row in rows(state, schema.audit)] == [RECORDS + 1, RECORDS + 2]
    assert filled.verify(past_noted).bad is None
    with pytest.raises(RequestWrong, match="Record 3 is no longer kept; the first one is 13"):
        filled.verify("3:" + "0" * 64)
