"""Visits: where one ends and the next begins, which release was seen then, and how little is read for it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.access.audit import Audit
from lakehouse.access.request import Asked, Request
from lakehouse.access.visits import (
    FEW_RECORDS,
    MOST_RECORDS,
    PAUSE,
    SEARCH,
    LastVisit,
    View,
    last_visit,
    read_visits,
)
from lakehouse.state import schema
from lakehouse.state.schema import stamp
from lakehouse.state.store import State
from tests.unit.access.conftest import put

NOW = datetime(2026, 3, 31, 9, 14, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def view(minutes_ago: int, release: int | None = 7, search: str = "") -> View:
    return View(NOW - minutes_ago * MINUTE, "/revenue", search, release)


def record(minutes_ago: int, **values: Any) -> dict[str, Any]:
    at = stamp(NOW - minutes_ago * MINUTE)
    plain = {"at": at, "door": "page", "env": "dev", "verdict": "allowed", "target": "/revenue", "release": 7}
    return {**plain, "detail": "{}", **values}


def newest(records: Sequence[Mapping[str, Any]], asked: list[int]) -> Callable[[int], Sequence[Mapping[str, Any]]]:
    """Gives the newest of some records, and writes down how many were asked for."""

    def give(most: int) -> Sequence[Mapping[str, Any]]:
        asked.append(most)
        return records[:most]

    return give


@pytest.mark.parametrize(
    ("views", "expected"),
    [
        ([], None),
        ([view(0), view(5)], None),
        ([view(0), view(29), view(58)], None),
        ([view(30)], LastVisit(NOW - 30 * MINUTE, 7)),
        ([view(3), view(60), view(61)], LastVisit(NOW - 60 * MINUTE, 7)),
        ([view(3, 9), view(60, 8), view(120, 7)], LastVisit(NOW - 60 * MINUTE, 8)),
        ([view(60, None)], LastVisit(NOW - 60 * MINUTE, None)),
        ([view(60, 3, "?at=3&region=North"), view(61, 8)], LastVisit(NOW - 60 * MINUTE, 8)),
        ([view(60, 3, "?at=3")], LastVisit(NOW - 60 * MINUTE, 3)),
    ],
    ids=[
        "nothing yet",
        "one visit",
        "short pauses make no new visit",
        "a pause until now",
        "a pause before this visit",
        "the newest of several visits",
        "before the first release",
        "the past was looked at last",
        "nothing but the past",
    ],
)
def test_a_visit_ends_with_a_pause(views: list[View], expected: LastVisit | None) -> None:
    assert last_visit(views, NOW) == expected


@given(st.lists(st.integers(0, 90), max_size=30))
def test_the_last_visit_ends_before_the_first_pause_that_one_comes_to(gaps: list[int]) -> None:
    at, views = NOW, []
    for gap in gaps:
        at -= gap * MINUTE
        views.append(View(at, "/", "", 1))

    found = last_visit(views, NOW)

    pauses = [place for place, gap in enumerate(gaps) if gap * MINUTE >= PAUSE]
    assert found == (LastVisit(views[pauses[0]].at, 1) if pauses else None)


def test_looks_that_showed_nothing_of_this_environment_are_none() -> None:
    others = [
        record(1, verdict="refused"),
        record(2, verdict="failed"),
        record(3, env="prod"),
        record(4, door="embed"),
        record(5, detail='{"by_itself":true,"search":"?at=1"}'),
    ]

    found = read_visits(newest([*others, record(90, target="/sql")], []), "dev", NOW)

    assert [one.path for one in found.views] == ["/sql"]
    assert found.last == LastVisit(NOW - 90 * MINUTE, 7)


def test_more_than_a_few_records_are_read_only_where_no_pause_is_among_them() -> None:
    today, yesterday = [record(place) for place in range(FEW_RECORDS)], [record(20 * 60 + place) for place in range(9)]
    few: list[int] = []
    many: list[int] = []

    short = read_visits(newest([*today[:5], *yesterday], few), "dev", NOW)
    long = read_visits(newest([*today, *yesterday], many), "dev", NOW)

    assert short.last == long.last == LastVisit(NOW - 20 * 60 * MINUTE, 7)
    assert (few, many) == ([FEW_RECORDS], [FEW_RECORDS, MOST_RECORDS])
    assert len(long.views) == FEW_RECORDS


def test_a_visit_that_does_not_end_is_cut() -> None:
    endless = [record(place) for place in range(2 * MOST_RECORDS)]

    assert read_visits(newest(endless, []), "dev", NOW).last == LastVisit(NOW - (MOST_RECORDS - 1) * MINUTE, 7)


def test_they_are_read_from_the_audit_with_what_was_chosen(state: State, audit: Audit) -> None:
    looks = ("ana", "", "/revenue"), ("ben", "", "/sql"), ("ana", "operator:root", "/data")
    for principal, operator, target in looks:
        request = Request(
            door="page", principal=principal, operator=operator, env="dev", action="page", target=target, release=3
        )
        with request.asked(Asked(plan={"metrics": ["revenue"]}, release=3)):
            request.note(**{SEARCH: "?region=North"})
        audit.write(request, "allowed", 200)
    put(state, schema.audit, at=stamp(NOW - 40 * MINUTE))

    found = read_visits(lambda most: audit.own("ana", "page", most), "dev", NOW)

    assert found.views == (View(NOW - 40 * MINUTE, "/revenue", "?region=North", 3),)
    assert found.last == LastVisit(NOW - 40 * MINUTE, 3)
