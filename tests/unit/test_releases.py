"""Releases: which one a version means, and what a reader sees of it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from lakehouse.errors import NoRelease, RequestWrong, Unavailable
from lakehouse.query.pins import Pin
from lakehouse.releases import Releases, check_place
from lakehouse.settings import Settings
from lakehouse.state.schema import releases
from lakehouse.state.store import State, open_state

BERLIN = ZoneInfo("Europe/Berlin")
UTC = ZoneInfo("UTC")
PUBLISHED = {
    1: "2026-03-28T10:00:00.000000Z",
    2: "2026-03-28T23:30:00.000000Z",  # the 29th in Berlin
    3: "2026-03-29T21:59:59.999999Z",  # the last microsecond of the 29th in Berlin, on which the clocks went forward
    4: "2026-04-02T08:00:00.123456Z",
}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    opened = open_state(Settings(home=tmp_path_factory.mktemp("lake")))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def filled(state: State) -> State:
    """Four releases of dev, one of prod, one half-published, one given up; `staging` has only a half-published one."""
    for number, published in PUBLISHED.items():
        put(state, number, published, "current" if number == 4 else "superseded")
    put(state, 1, "2026-01-01T00:00:00.000000Z", "current", env="prod")
    put(state, None, None, "publishing")
    put(state, None, None, "discarded")
    put(state, None, None, "publishing", env="staging")
    return state


def put(state: State, number: int | None, published: str | None, stands: str, env: str = "dev") -> None:
    pins = {
        "raw.sales": {"metadata": f"file:///lake/{number}.json", "snapshot": 100 + (number or 0)},
        "raw.quarantine": {"metadata": "file:///lake/q.json", "snapshot": None},
    }
    row = {"env": env, "number": number, "published": published, "state": stands, "pins": pins}
    with state.write() as connection:
        more = {"run": f"r{number}", "created": "2026-01-01T00:00:00.000000Z", "intent": {}, "nodes": {"n": "f"}}
        connection.execute(releases.insert().values(**row, **more))


def test_the_current_release_is_the_row_that_says_so_with_all_its_pins(filled: State) -> None:
    found = Releases(filled, "dev", UTC).at("now")

    assert (found.number, found.env, found.run, found.published) == (4, "dev", "r4", PUBLISHED[4])
    assert found.pins == {
        "raw.sales": Pin("file:///lake/4.json", 104),
        "raw.quarantine": Pin("file:///lake/q.json", None),
    }
    assert found.nodes == {"n": "f"}
    assert Releases(filled, "dev", UTC).current() == found


@pytest.mark.parametrize("version", ["1", "2", "3", "4", "0004"])
def test_a_number_means_the_release_that_has_it(filled: State, version: str) -> None:
    assert Releases(filled, "dev", UTC).at(version).number == int(version)


@pytest.mark.parametrize(
    ("version", "number"),
    [
        ("2026-03-28T10:00:00Z", 1),
        ("2026-03-28T12:00:00+02:00", 1),
        ("2026-03-28T23:29:59.999999Z", 1),
        ("2026-03-28T23:30:00Z", 2),
        ("2026-03-28T18:30:00-05:00", 2),
        ("2026-04-02T08:00:00.123455Z", 3),
        ("2026-04-02 08:00:00.123456+00:00", 4),
        ("2100-01-01T00:00:00Z", 4),
    ],
)
def test_a_time_means_the_release_that_was_current_then(filled: State, version: str, number: int) -> None:
    assert Releases(filled, "dev", UTC).at(version).number == number


@pytest.mark.parametrize(
    ("zone", "day", "number"),
    [
        (UTC, "2026-03-28", 2),
        (BERLIN, "2026-03-28", 1),
        (UTC, "2026-03-29", 3),
        (BERLIN, "2026-03-29", 3),
        (ZoneInfo("Pacific/Kiritimati"), "2026-03-29", 2),
        (BERLIN, "2026-04-01", 3),
        (BERLIN, "2026-04-02", 4),
    ],
)
def test_a_date_means_the_release_that_was_current_when_that_day_ended_in_the_lakes_zone(
    filled: State, zone: ZoneInfo, day: str, number: int
) -> None:
    assert Releases(filled, "dev", zone).at(day).number == number


@pytest.mark.parametrize("version", ["2026-03-27", "2026-03-28T09:59:59Z", "0001-01-01"])
def test_before_the_first_release_is_an_error_that_names_the_first(filled: State, version: str) -> None:
    with pytest.raises(NoRelease, match=f"by {version}. The first release is 1 of {PUBLISHED[1]}"):
        Releases(filled, "dev", UTC).at(version)


@pytest.mark.parametrize("version", ["0", "5", "999999999"])
def test_an_unknown_number_is_an_error_that_names_the_first_and_the_newest(filled: State, version: str) -> None:
    with pytest.raises(NoRelease, match=rf"No release {int(version)}\. The first release is 1 .* the newest is 4"):
        Releases(filled, "dev", UTC).at(version)


@pytest.mark.parametrize("version", ["now", "1", "2026-03-28", "2026-03-28T10:00:00Z"])
def test_where_nothing_was_released_every_version_says_what_to_do(filled: State, version: str) -> None:
    with pytest.raises(NoRelease, match=r"othing has been released in staging yet\. Run `lakeport refresh`"):
        Releases(filled, "staging", UTC).at(version)

    assert Releases(filled, "staging", UTC).current() is None


@pytest.mark.parametrize(
    "version",
    [
        "",
        " ",
        "yesterday",
        "-1",
        "1.5",
        "2026-02-30",
        "2026-13-01",
        "9999-12-31",
        "1e3",
        "1; drop table runs",
        "١٢x",
        "NOW",
    ],
)
def test_what_is_no_version_is_refused_with_the_choices(filled: State, version: str) -> None:
    with pytest.raises(RequestWrong, match=r"is not a version\. Use a release number, a date such as 2026-03-31"):
        Releases(filled, "dev", UTC).at(version)


def test_a_time_without_a_zone_is_refused_with_the_cure(filled: State) -> None:
    with pytest.raises(RequestWrong, match=r"has no time zone. Write 2026-03-28T10:00:00Z"):
        Releases(filled, "dev", UTC).at("2026-03-28T10:00:00")


def test_a_snapshot_gives_its_table_alone(filled: State) -> None:
    found = Releases(filled, "dev", UTC).at("raw.sales@102")

    assert (found.number, found.pins) == (2, {"raw.sales": Pin("file:///lake/2.json", 102)})


@pytest.mark.parametrize("version", ["raw.sales@7", "raw.quarantine@102", "raw.unknown@102"])
def test_a_snapshot_that_no_release_has_published_is_an_error(filled: State, version: str) -> None:
    with pytest.raises(NoRelease, match="No release has published snapshot"):
        Releases(filled, "dev", UTC).at(version)


def test_a_release_of_before_there_were_verdicts_and_sizes_has_none(filled: State) -> None:
    found = Releases(filled, "dev", UTC).at("4")

    assert (found.tests, found.sizes) == (None, {})


@pytest.mark.parametrize(("number", "sales"), [(1, 1), (3, 3), (4, 4)])
def test_a_table_has_changed_in_the_release_that_brought_its_snapshot(filled: State, number: int, sales: int) -> None:
    found = Releases(filled, "dev", UTC).changes(number)

    assert {table: one.number for table, one in found.items()} == {"raw.sales": sales, "raw.quarantine": 1}
    assert found["raw.sales"].published == PUBLISHED[sales]


def test_a_snapshot_that_comes_back_has_changed_when_it_came_back(tmp_path: Path) -> None:
    with closing(open_state(Settings(home=tmp_path))) as state:
        for number, snapshot in enumerate((7, 8, 7, 7), start=1):
            put(state, number, PUBLISHED[number], "superseded")
            pins = {"raw.sales": {"metadata": "file:///x.json", "snapshot": snapshot}}
            with state.write() as connection:
                connection.execute(releases.update().where(releases.c.number == number).values(pins=pins))

        found = Releases(state, "dev", UTC).changes(4)

    assert {table: one.number for table, one in found.items()} == {"raw.sales": 3}


def test_a_lake_that_was_moved_is_told_so(filled: State) -> None:
    release = Releases(filled, "dev", UTC).at("now")

    check_place(release, "file:///lake")
    with pytest.raises(Unavailable, match="A lake cannot be moved"):
        check_place(release, "file:///lak")
