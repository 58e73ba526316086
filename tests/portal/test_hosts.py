"""Whom the portal takes requests from: names that it is called by, and origins of what changes something."""

from collections.abc import Callable

import pytest
from flask import Flask
from visitor import PASSWORD, Visitor

from lakehouse.core import Lakehouse
from lakehouse.settings import ServerSettings, read_settings
from lakehouse.state.store import open_state
from portal.address import known_hosts
from portal.app import create_app
from tests.pipelines.lake import Lake

Serve = Callable[..., Flask]


@pytest.fixture(scope="module")
def serve(sample_lake: Lake) -> Serve:
    def served(**server: object) -> Flask:
        settings = read_settings(sample_lake.home)
        changed = settings.model_copy(update={"server": settings.server.model_copy(update=server)})
        return create_app(Lakehouse(changed, open_state(changed))).server

    return served


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8050", 200), ("127.0.0.1", 200), ("[::1]:8050", 200), ("evil.example", 400), ("localhost.evil", 400)],
)
def test_on_loopback_only_names_of_this_machine_are_answered(serve: Serve, host: str, status: int) -> None:
    assert Visitor(serve()).get("/login", headers={"Host": host}).status_code == status


def test_the_settings_name_other_hosts(serve: Serve) -> None:
    visitor = Visitor(serve(hosts=("lake.example.com", ".intern.example")))

    hosts = ("lake.example.com", "a.intern.example:443", "localhost", "lake.example.com.evil")

    assert [visitor.get("/login", headers={"Host": host}).status_code for host in hosts] == [200, 200, 400, 400]


def test_health_is_answered_under_any_name(serve: Serve) -> None:
    assert Visitor(serve()).get("/health", headers={"Host": "10.0.0.7"}).status_code == 200


@pytest.mark.parametrize(
    ("server", "names"),
    [
        ({}, ("127.0.0.1", "::1", "localhost", "127.0.0.1")),
        ({"host": "0.0.0.0"}, ()),  # noqa: S104  # a setting, nothing listens
        ({"trusted_proxies": 1}, ()),
        ({"hosts": ("a.example",), "trusted_proxies": 1}, ("a.example",)),
    ],
)
def test_which_names_hold(server: dict[str, object], names: tuple[str, ...]) -> None:
    assert known_hosts(ServerSettings(**server)) == names


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://localhost", 401), ("http://evil.example", 403), ("null", 403), ("http://localhost:81", 403), ("", 403)],
)
def test_a_login_that_another_site_sends_is_refused(serve: Serve, origin: str, status: int) -> None:
    visitor = Visitor(serve())
    page = visitor.get("/login").get_data(as_text=True)
    token = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    fields = {"username": "nobody", "password": PASSWORD, "csrf_token": token}

    assert visitor.post("/login", data=fields, headers={"Origin": origin}).status_code == status


def test_reading_is_not_asked_for_its_origin(serve: Serve) -> None:
    assert Visitor(serve()).get("/login", headers={"Origin": "http://evil.example"}).status_code == 200
