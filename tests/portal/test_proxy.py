"""The portal behind a reverse proxy: below a path, over HTTPS, and for addresses that only the proxy knows.

One rule: a proxy here passes on what is below its path and nothing else, so a link that leads out of it is found.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from werkzeug.test import Client
from werkzeug.wrappers import Response

from lakehouse.core import Lakehouse
from lakehouse.settings import read_settings
from lakehouse.state.store import open_state
from portal.app import create_app
from tests.pipelines.lake import Lake
from tests.portal.signing_in import ADDRESSES, SESSION, fields, send, stranger, text, try_in
from tests.portal.visitor import PASSWORD, ROUTER, Visitor

BASE = "/lake"
USER = "proxied"
WAYS = ["passed on", "taken away"]

Serve = Callable[..., Flask]


class Proxy:
    """A reverse proxy that shows a server below a path, which it takes away or passes on."""

    def __init__(self, server: Flask, *, takes_away: bool) -> None:
        self._server, self._takes_away = server, takes_away

    def test_client(self) -> Client:
        """A browser on the outside."""
        return Client(self)

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path != BASE and not path.startswith(f"{BASE}/"):
            return Response("The proxy has nothing there.", 502)(environ, start)
        inside = (path.removeprefix(BASE) or "/") if self._takes_away else path
        return self._server.wsgi_app({**environ, "PATH_INFO": inside}, start)


@pytest.fixture(scope="module")
def serve(sample_lake: Lake) -> Iterator[Serve]:
    """Builds the portal on the sample lake, with some of the server's settings."""
    opened = []
    with Lakehouse.open(sample_lake.home) as lakehouse:
        lakehouse.users.add(USER, PASSWORD, "viewer")

    def build(**server: str) -> Flask:
        variables = {f"LAKEPORT_SERVER__{key.upper()}": value for key, value in server.items()}
        settings = read_settings(sample_lake.home, variables)
        opened.append(Lakehouse(settings, open_state(settings)))
        return create_app(opened[-1]).server

    yield build
    for lakehouse in opened:
        lakehouse.close()
    with Lakehouse.open(sample_lake.home) as lakehouse:
        lakehouse.users.remove(USER)


@pytest.fixture(scope="module", params=WAYS)
def below(request: pytest.FixtureRequest, serve: Serve) -> Proxy:
    """The portal below a path."""
    return Proxy(serve(base_path=BASE), takes_away=request.param == "taken away")


@pytest.fixture(scope="module")
def serve_at(serve: Serve) -> dict[str, Flask]:
    """The portal below nothing and below a path."""
    return {base: serve(base_path=base) for base in ("", BASE)}


def browser(below: Proxy) -> Visitor:
    return Visitor(below, BASE, REMOTE_ADDR=next(ADDRESSES))  # type: ignore[arg-type]  # has what Visitor needs


@pytest.fixture
def inside(below: Proxy) -> Visitor:
    """A browser that has logged in below the path."""
    visitor = browser(below)
    assert visitor.log_in(USER).status_code == 302
    return visitor


@pytest.mark.parametrize("path", ["", "/"])
def test_the_path_itself_leads_to_the_login_form(below: Proxy, path: str) -> None:
    answer = browser(below).get(path)

    assert (answer.status_code, answer.headers["Location"]) == (302, f"{BASE}/login")
    assert answer.headers["X-Request-ID"]


@pytest.mark.parametrize("path", ["", "/"])
def test_the_path_itself_is_the_first_page(inside: Visitor, path: str) -> None:
    assert inside.get(path).status_code == 200
    assert inside.page(path).links["Home"] == f"{BASE}/"


def test_a_page_leads_to_the_form_and_the_form_back_to_the_page(below: Proxy) -> None:
    visitor = browser(below)
    asked = visitor.get("/revenue?region=North&at=1")
    form = visitor.client.get(asked.headers["Location"])

    answer = visitor.client.post(f"{BASE}/login", data={**fields(form), "username": USER, "password": PASSWORD})

    assert urlsplit(asked.headers["Location"]).path == f"{BASE}/login"
    assert answer.headers["Location"] == f"{BASE}/revenue?region=North&at=1"


def test_everything_that_a_document_names_is_there(inside: Visitor) -> None:
    for document in (inside.get("/revenue"), inside.get("/account"), inside.get("/nowhere")):
        named = re.findall(r'(?:src|href|action)="([^"]+)"', text(document))
        assert named
        for address in named:
            with closing(inside.client.get(address, follow_redirects=True)) as answer:
                assert answer.status_code == 200, address


def test_callbacks_and_the_links_of_a_page_stay_below_the_path(inside: Visitor) -> None:
    page = inside.page("/revenue?region=North")

    assert page.links["Revenue"] == f"{BASE}/revenue"
    assert all(urlsplit(link).path.startswith(f"{BASE}/") for link in page.links.values() if not link.startswith("#"))
    assert inside.get("/_dash-layout").status_code == 200
    assert inside.get("/_dash-dependencies").status_code == 200


@pytest.mark.parametrize("path", ["/revenue", f"{BASE}x/revenue", f"{BASE}{BASE}/revenue", BASE.upper() + "/revenue"])
def test_the_router_shows_nothing_outside_of_the_path(inside: Visitor, path: str) -> None:
    where = [("shell-location", "pathname", path), ("shell-location", "search", ""), ("shell-theme", "data", None)]

    assert inside.callback(ROUTER, where).status_code == 403


def test_logging_out_leads_to_the_form_below_the_path(inside: Visitor) -> None:
    token = inside.client.get_cookie("_csrf_token", path=BASE)
    assert token is not None

    answer = inside.post("/logout", data={"csrf_token": token.value})

    assert answer.headers["Location"] == f"{BASE}/login"
    assert inside.get("/revenue").status_code == 302


def test_cookies_are_for_the_path_alone(below: Proxy) -> None:
    answer = try_in(browser(below), USER, PASSWORD)

    given = answer.headers.getlist("Set-Cookie")
    assert {one.split("=")[0] for one in given} == {SESSION, "_csrf_token"}
    assert all(f"Path={BASE}" in one.split("; ") for one in given)


ELSEWHERE = (
    *("//evil.example", "//evil.example/revenue", "///evil.example", "\u2028//evil.example", "@evil.example"),
    *("/\\evil.example", "\\\\evil.example", "\\/evil.example", "https://evil.example", "HTTPS:evil.example"),
    *("https:/evil.example", "javascript:alert(1)", "data:text/html,x", "/\t/evil.example", "/\n/evil.example"),
    *("\t//evil.example", " //evil.example", "/\r\nSet-Cookie: a=b", "/\0/evil.example", "user@evil.example"),
    *("evil.example", "?next=//evil.example", ".evil.example", ":80/", ""),
)
HARMLESS = (
    *("/%2F/evil.example", "/%5Cevil.example", "/%09/evil.example", "/@evil.example", "/.//evil.example"),
    *("/;@evil.example", "/..//evil.example", "/ /evil.example"),
)


@pytest.mark.parametrize("base", ["", BASE])
@pytest.mark.parametrize("target", [*ELSEWHERE, *HARMLESS])
def test_a_login_never_leads_to_another_server(serve_at: dict[str, Flask], base: str, target: str) -> None:
    visitor = stranger(serve_at[base], base)
    sent = send(visitor, username=USER, password=PASSWORD, next=target)
    shown = visitor.get("/login", query_string={"next": target})

    for answer in (sent, shown):
        assert answer.status_code == 302
        location = answer.headers["Location"]
        assert location == f"{base}/" or target in HARMLESS
        as_a_browser_reads_it = re.sub(r"[\t\r\n]", "", location).strip().replace("\\", "/")
        assert urlsplit(urljoin("https://portal.example/login", as_a_browser_reads_it)).netloc == "portal.example"


@pytest.mark.parametrize("base", ["", BASE])
@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/revenue?region=North&region=South&at=1", "/revenue?region=North&region=South&at=1"),
        ("/revenue?product=Käse & Brot", "/revenue?product=K%C3%A4se%20&%20Brot"),
        ("/account", "/account"),
        ("/" + "x" * 10_000, "/" + "x" * 10_000),
    ],
)
def test_a_login_goes_on_to_where_one_wanted_to_go(
    serve_at: dict[str, Flask], base: str, target: str, location: str
) -> None:
    visitor = stranger(serve_at[base], base)
    sent = send(visitor, username=USER, password=PASSWORD, next=target)
    shown = visitor.get("/login", query_string={"next": target})

    assert sent.headers["Location"] == base + location
    assert shown.headers["Location"] == base + location


def test_an_address_too_long_for_a_link_is_forgotten_at_the_login(serve_at: dict[str, Flask]) -> None:
    visitor = stranger(serve_at[BASE], BASE)

    short, long = (visitor.get("/revenue", query_string={"product": "ü" * length}) for length in (100, 2_000))

    assert short.headers["Location"].startswith(f"{BASE}/login?next=%2Frevenue%3Fproduct")
    assert long.headers["Location"] == f"{BASE}/login"


FORWARDED = {
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "portal.example",
    "HTTP_X_FORWARDED_PREFIX": "/x",
}


@pytest.mark.parametrize(("proxies", "is_secure"), [("0", False), ("1", True)])
def test_https_is_what_a_trusted_proxy_says(serve: Serve, proxies: str, is_secure: bool) -> None:
    visitor = stranger(serve(trusted_proxies=proxies), **FORWARDED)

    answer = try_in(visitor, USER, PASSWORD)

    assert answer.headers["Location"] == "/"
    assert [("Secure" in one.split("; ")) for one in answer.headers.getlist("Set-Cookie")] == [is_secure] * 2
    assert ("Strict-Transport-Security" in answer.headers) is is_secure
    assert visitor.show("/revenue").status_code == 200


def tries(server: Flask, *addresses: str) -> list[int]:
    """The statuses of wrong passwords from one proxy, which says that they came from these addresses."""
    proxy = next(ADDRESSES)
    return [
        try_in(stranger(server, REMOTE_ADDR=proxy, HTTP_X_FORWARDED_FOR=one), "nobody").status_code for one in addresses
    ]


def test_addresses_that_nobody_vouches_for_do_not_count(serve: Serve) -> None:
    made_up = [f"192.0.2.{number}" for number in range(7)]

    assert tries(serve(trusted_proxies="0"), *made_up) == [401] * 6 + [429]


def test_attempts_count_by_the_address_that_a_trusted_proxy_names(serve: Serve) -> None:
    server = serve(trusted_proxies="1")

    assert tries(server, *(f"192.0.2.{number}" for number in range(7))) == [401] * 7
    assert tries(server, *(f"192.0.2.{number}, 198.51.100.1" for number in range(7))) == [401] * 6 + [429]


def test_a_portal_without_a_trusted_proxy_is_where_its_settings_say(serve: Serve) -> None:
    visitor = stranger(serve(), HTTP_X_SCRIPT_NAME="/x", HTTP_SCRIPT_NAME="/x", HTTP_X_FORWARDED_PREFIX="/x")

    answer = visitor.get("/revenue")

    assert answer.headers["Location"] == "/login?next=%2Frevenue"
    assert 'action="/login"' in text(visitor.get("/login"))
