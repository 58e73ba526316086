"""`/health`: what it says of a lake that is well, not there yet, or broken, to somebody who is not logged in."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from lakehouse.core import Lakehouse
from lakehouse.settings import FILE_NAME
from portal.app import create_app
from tests.pipelines.lake import Lake
from tests.portal.signing_in import inside, text
from tests.portal.visitor import PASSWORD, Visitor

WELL = {"state": "ok", "release": "ok", "data": "ok"}
NO_DATABASE = "This was the state store. " * 100
PRODUCTION = '[environments.dev]\n[environments.prod]\n[server]\nsecret_key = "a key of the test, long enough for it"\n'


@pytest.fixture
def copied(sample_lake: Lake, tmp_path: Path) -> Iterator[Lakehouse]:
    """A lake with the releases of the sample, which can be broken; `prod` has none."""
    home = tmp_path / "copied"
    shutil.copytree(sample_lake.home, home)
    (home / FILE_NAME).write_text(PRODUCTION, encoding="utf-8")
    with Lakehouse.open(home) as lakehouse:
        yield lakehouse


def health(server: Flask) -> tuple[int, Any]:
    """Status and document."""
    answer = Visitor(server).get("/health")
    return answer.status_code, answer.get_json()


def lose_state(lakehouse: Lakehouse) -> None:
    """Put a text where the state store was."""
    lakehouse.state.close()
    (lakehouse.settings.folder / "state.db").write_text(NO_DATABASE, encoding="utf-8")


def test_a_lake_with_a_release_is_well(sample_lake: Lake) -> None:
    with Lakehouse.open(sample_lake.home) as lakehouse:
        assert health(create_app(lakehouse).server) == (200, {"status": "ok", "parts": WELL})


def test_a_lake_without_a_release_serves_and_says_so(lake: Lake) -> None:
    lake.configure("")

    with Lakehouse.open(lake.home) as lakehouse:
        said = health(create_app(lakehouse).server)

    assert said == (200, {"status": "degraded", "parts": {"state": "ok", "release": "none", "data": "none"}})


def test_an_environment_has_a_health_of_its_own(copied: Lakehouse) -> None:
    said = health(create_app(copied, "prod").server)

    assert said == (200, {"status": "degraded", "parts": {**WELL, "release": "none"}})


def test_a_lake_whose_data_are_away_serves_and_says_so_until_they_are_back(copied: Lakehouse) -> None:
    server = create_app(copied).server
    warehouse, elsewhere = copied.settings.folder / "warehouse", copied.settings.folder / "away"

    warehouse.rename(elsewhere)
    away = health(server)
    elsewhere.rename(warehouse)
    back = health(server)

    assert away == (200, {"status": "degraded", "parts": {**WELL, "data": "away"}})
    assert back == (200, {"status": "ok", "parts": WELL})


def test_a_lake_without_its_state_cannot_serve(copied: Lakehouse) -> None:
    server = create_app(copied).server
    lose_state(copied)

    status, said = health(server)

    assert (status, said["status"], said["parts"]) == (503, "down", {**WELL, "state": "down", "release": "unknown"})


def test_a_lake_whose_state_was_removed_under_it_cannot_serve(copied: Lakehouse) -> None:
    server = create_app(copied).server
    before = health(server)
    (copied.settings.folder / "state.db").unlink()

    after, again = health(server), health(server)

    assert before[0] == 200
    assert after[0] == again[0] == 503
    assert not (copied.settings.folder / "state.db").exists()


def test_a_lake_whose_state_is_damaged_cannot_serve(copied: Lakehouse) -> None:
    server = create_app(copied).server
    copied.state.close()
    file = copied.settings.folder / "state.db"
    size = file.stat().st_size
    file.write_bytes(file.read_bytes()[:4096] + b"\xff" * (size - 4096))

    assert health(server)[0] == 503


def test_without_its_state_a_page_and_the_login_are_a_sentence(copied: Lakehouse) -> None:
    copied.users.add("ann", PASSWORD, "viewer")
    visitor = inside(create_app(copied).server, "ann")
    lose_state(copied)

    answers = [visitor.get("/revenue"), visitor.get("/account"), visitor.get("/login"), visitor.show("/revenue")]

    for answer in answers:
        assert answer.status_code == 503
        assert "The state store is not a database. Restore it from a copy." in text(answer)
        assert answer.headers["X-Request-ID"]


def test_files_are_served_without_the_state(copied: Lakehouse) -> None:
    visitor = Visitor(create_app(copied).server)
    lose_state(copied)

    with closing(visitor.get("/assets/lakeport.css")) as answer:
        assert answer.status_code == 200


def test_it_says_neither_where_the_lake_is_nor_why_it_is_down(copied: Lakehouse) -> None:
    server = create_app(copied).server
    well = Visitor(server).get("/health")
    lose_state(copied)

    down = Visitor(server).get("/health")

    for answer in (well, down):
        assert set(answer.get_json()) == {"status", "parts"}
        assert not [word for word in (str(copied.settings.home), "sqlite", "database", "/") if word in text(answer)]
        assert "Set-Cookie" not in answer.headers
