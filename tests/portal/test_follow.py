"""`GET /_release`: an open page learns of a newer release, and asking leaves no trace.

One rule: what is asked is asked as a page asks it, with the number that it shows as the tag.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from lakehouse.core import Lakehouse
from lakehouse.state.schema import audit, releases, sessions, stamp
from portal.app import create_app
from portal.guard import BY_ITSELF
from tests.pipelines.lake import Lake
from tests.portal.signing_in import SESSION, inside, stranger
from tests.portal.visitor import PASSWORD, Visitor

NAME = "follow-ann"
LONG_AGO = timedelta(minutes=30)


@pytest.fixture(scope="module")
def lakehouse(sample_lake: Lake) -> Iterator[Lakehouse]:
    with Lakehouse.open(sample_lake.home) as lakehouse:
        lakehouse.users.add(NAME, PASSWORD, "viewer")
        yield lakehouse
        lakehouse.users.remove(NAME)


@pytest.fixture(scope="module")
def server(lakehouse: Lakehouse) -> Flask:
    return create_app(lakehouse).server


@pytest.fixture
def ann(server: Flask) -> Visitor:
    return inside(server, NAME)


def ask(visitor: Visitor, shown: str = "") -> TestResponse:
    """Ask as the page of a release does; as one that knows none yet."""
    return visitor.get("/_release", headers={"If-None-Match": f'"{shown}"'} if shown else {})


def seen(lakehouse: Lakehouse) -> str:
    """When the newest session of the user was used last."""
    newest = select(sessions.c.seen).where(sessions.c.user == NAME).order_by(sessions.c.created.desc()).limit(1)
    with lakehouse.state.read() as connection:
        return str(connection.execute(newest).scalar_one())


def age_session(lakehouse: Lakehouse, **ages: timedelta) -> None:
    """Let the sessions of the user look as if they had been there for longer."""
    back = {column: stamp(datetime.now(UTC) - age) for column, age in ages.items()}
    with lakehouse.state.write() as connection:
        connection.execute(update(sessions).where(sessions.c.user == NAME).values(**back))


def test_a_page_learns_the_number_of_the_current_release(ann: Visitor) -> None:
    answer = ask(ann)

    assert (answer.status_code, answer.get_json()) == (200, {"release": 2})
    assert answer.headers["ETag"] == '"2"'
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("shown", "status"), [("2", 304), ("1", 200), ("none", 200), ("3", 200)])
def test_the_release_that_is_shown_is_answered_with_nothing_when_it_is_the_current_one(
    ann: Visitor, shown: str, status: int
) -> None:
    answer = ask(ann, shown)

    assert answer.status_code == status
    assert answer.get_data() == (b"" if status == 304 else b'{"release":2}\n')


def test_before_the_first_release_there_is_none(lakehouse: Lakehouse, ann: Visitor) -> None:
    current = releases.c.state == "current"
    with lakehouse.state.write() as connection:
        number = connection.execute(select(releases.c.id).where(current)).scalar_one()
        connection.execute(update(releases).where(current).values(state="superseded"))
    try:
        answers = ask(ann), ask(ann, "none"), ask(ann, "2")
    finally:
        with lakehouse.state.write() as connection:
            connection.execute(update(releases).where(releases.c.id == number).values(state="current"))

    assert [answer.status_code for answer in answers] == [200, 304, 200]
    assert answers[2].get_json() == {"release": None}


def test_asking_is_not_recorded(lakehouse: Lakehouse, ann: Visitor) -> None:
    def records() -> int:
        with lakehouse.state.read() as connection:
            return int(connection.execute(select(func.count()).select_from(audit)).scalar_one())

    before = records()
    statuses = [ask(ann, shown).status_code for shown in ("", "1", "2")]

    assert statuses == [200, 200, 304]
    assert records() == before


def test_asking_does_not_prolong_a_session_and_a_page_does(lakehouse: Lakehouse, ann: Visitor) -> None:
    age_session(lakehouse, seen=LONG_AGO)
    before = seen(lakehouse)

    ask(ann)
    after_asking = seen(lakehouse)
    ann.get("/revenue", headers={BY_ITSELF: "1"})
    after_drawing_by_itself = seen(lakehouse)
    ann.get("/revenue")

    assert (after_asking, after_drawing_by_itself) == (before, before)
    assert seen(lakehouse) > before


def test_who_is_not_logged_in_is_told_so(server: Flask) -> None:
    answer = ask(stranger(server), "2")

    assert answer.status_code == 401
    assert "not logged in" in answer.get_json()["text"]


@pytest.mark.parametrize("aged", [{"seen": timedelta(minutes=121)}, {"created": timedelta(hours=25)}], ids=str)
def test_a_session_that_ended_by_itself_is_over_here_too(
    lakehouse: Lakehouse, ann: Visitor, aged: dict[str, timedelta]
) -> None:
    before = ask(ann, "2").status_code
    age_session(lakehouse, **aged)

    assert (before, ask(ann, "2").status_code) == (304, 401)


def test_somebody_disabled_or_logged_out_is_refused_at_once(lakehouse: Lakehouse, server: Flask) -> None:
    disabled, gone = inside(server, NAME), inside(server, NAME)
    cookie = gone.client.get_cookie(SESSION)
    assert cookie is not None
    gone.post("/logout", headers={"X-CSRFToken": gone.token})
    gone.client.set_cookie(SESSION, cookie.value)  # a copy that somebody kept
    lakehouse.users.set(NAME, disabled=True)
    try:
        statuses = [ask(visitor, "2").status_code for visitor in (disabled, gone)]
    finally:
        lakehouse.users.set(NAME, disabled=False)

    assert statuses == [401, 401]


@pytest.mark.parametrize(("address", "release"), [("/revenue", "2"), ("/revenue?at=2", None), ("/revenue?at=now", "2")])
def test_a_page_says_which_release_it_shows_and_at_a_version_that_it_follows_none(
    ann: Visitor, address: str, release: str | None
) -> None:
    main = ann.page(address).one("lp-content").props

    assert main.get("data-lp-release") == release
    assert main["data-lp-shown"].startswith("release 2, as of ")


def test_a_page_that_shows_an_error_waits_for_the_next_release_but_not_in_the_past(ann: Visitor) -> None:
    now, past = (ann.page(f"/revenue?grain=century{at}").one("lp-content").props for at in ("", "&at=1"))
    unknown = ann.page("/revenue?at=99").one("lp-content").props

    assert now["data-lp-release"] == "2"
    assert "data-lp-release" not in past
    assert "data-lp-release" not in unknown


def test_the_page_that_a_new_release_is_drawn_for_holds_its_number(ann: Visitor) -> None:
    shown = ann.show("/revenue")
    number = shown.headers["X-Lakeport-Release"]

    assert f'"data-lp-release":"{number}"' in json.dumps(shown.get_json(), separators=(",", ":"))
