"""What every answer carries, whatever was asked; and errors, which say what a person may know and no more.

One rule: documents are read as a browser reads them: a script that its policy does not cover would not run.
"""

import base64
import hashlib
import json
import logging
import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from dash import Dash, Input, Output, State, html
from flask import Flask

from lakehouse.core import Lakehouse, Workspace
from portal.app import create_app
from portal.page import OpenWorkspace, Page, Screen, Visit
from portal.pages import PAGES
from tests.pipelines.lake import Lake
from tests.portal.signing_in import inside, stranger, text
from tests.portal.visitor import ROUTER, Visitor, drawn

NAME = "headers-ann"
SECRET = "hunter2-in-the-text"  # noqa: S105  # of an error that tests raise
BUTTON, SAID, TYPED = "broken-button", "broken-said", "broken-typed"
ROUTED = [
    {"id": "shell-location", "property": "pathname", "value": "/revenue"},
    {"id": "shell-location", "property": "search", "value": ""},
    {"id": "shell-theme", "property": "data", "value": None},
]
DRAWN = [{"id": "shell-menu", "property": "children"}, {"id": "shell-page", "property": "children"}]


def _broken_layout(_workspace: Workspace, visit: Visit) -> Screen:
    if visit.one("with") == "button":
        return Screen([html.Button(id=BUTTON), html.P(id=SAID)])
    raise KeyError(SECRET)


def _broken_callbacks(app: Dash, _open_workspace: OpenWorkspace) -> None:
    @app.callback(Output(SAID, "children"), Input(BUTTON, "n_clicks"), State(TYPED, "value"), prevent_initial_call=True)
    def fail(_clicks: int | None, _typed: object) -> str:
        raise KeyError(SECRET)


BROKEN = Page("/broken", "Broken", "warning", needs="read", layout=_broken_layout, callbacks=_broken_callbacks)


@pytest.fixture(scope="module")
def app(sample_lake: Lake) -> Iterator[Dash]:
    with Lakehouse.open(sample_lake.home) as lakehouse:
        lakehouse.users.add(NAME, "correct horse battery staple", "viewer")
        yield create_app(lakehouse, pages=(*PAGES, BROKEN))
        lakehouse.users.remove(NAME)


@pytest.fixture(scope="module")
def server(app: Dash) -> Flask:
    return app.server


@pytest.fixture
def visitor(server: Flask) -> Visitor:
    return inside(server, NAME)


def named(visitor: Visitor, start: str) -> str:
    """The first address in a document that begins so."""
    found = re.search(rf'(?:src|href)="({re.escape(start)}[^"]*)"', text(visitor.get("/revenue")))
    assert found is not None
    return found[1]


def post(visitor: Visitor, body: str | bytes, content_type: str = "application/json", **headers: str) -> Any:
    """Post something to the address of callbacks, with the token that its page has."""
    cookie = visitor.client.get_cookie("_csrf_token")
    assert cookie is not None
    token = {"X-CSRFToken": cookie.value, **headers}
    return visitor.post("/_dash-update-component", data=body, content_type=content_type, headers=token)


def test_every_answer_carries_the_headers_that_keep_a_browser_safe(server: Flask, visitor: Visitor) -> None:
    somebody = stranger(server)
    answers = [
        *(somebody.get(path) for path in ("/", "/revenue", "/login", "/health", "/_dash-layout", "/nowhere")),
        *(visitor.get(path) for path in ("/", "/revenue", "/login", "/account", "/_dash-layout", "/nowhere")),
        *(visitor.get(named(visitor, start)) for start in ("/assets/", "/_dash-component-suites/")),
        *(visitor.get(path) for path in ("/assets/nothing.css", "/_dash-component-suites/dash/nothing.js")),
        *(visitor.show("/revenue"), visitor.show("/broken"), post(visitor, "nothing"), post(visitor, b"x" * (2 << 20))),
        *(somebody.post("/login"), somebody.post("/nowhere"), visitor.client.options("/revenue")),
    ]

    assert {answer.status_code for answer in answers} >= {200, 302, 400, 401, 403, 404, 413}
    ids = [answer.headers["X-Request-ID"] for answer in answers]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in ids)
    for answer in answers:
        headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "Strict-Transport-Security" not in headers
        assert ("Content-Security-Policy" in headers) is (answer.mimetype == "text/html")
        answer.close()


def test_a_request_id_of_the_asker_is_not_taken_over(visitor: Visitor) -> None:
    assert visitor.get("/revenue", headers={"X-Request-ID": "mine"}).headers["X-Request-ID"] != "mine"


def test_https_is_kept_for_a_year_where_there_is_https(server: Flask) -> None:
    answer = stranger(server, **{"wsgi.url_scheme": "https"}).get("/login")

    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def directives(policy: str) -> dict[str, list[str]]:
    return {name: values for name, *values in (part.split() for part in policy.split(";"))}


def test_the_first_document_of_a_process_allows_its_own_scripts_and_no_others(app: Dash) -> None:
    """Dash knows its inline scripts once it has served something, so the very first document is the one to look at."""
    with closing(stranger(app.server).get("/login")) as first:
        policies = [directives(first.headers["Content-Security-Policy"])]
    visitor = inside(app.server, NAME)
    documents = [visitor.get(path) for path in ("/revenue", "/account", "/nowhere")]
    policies += [directives(document.headers["Content-Security-Policy"]) for document in documents]

    for policy in policies:
        assert policy["default-src"] == ["'self'"]
        assert policy["script-src"][0] == "'self'"
        assert all(source.startswith("'sha256-") for source in policy["script-src"][1:])
        assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == ["'none'"]
        assert policy["form-action"] == ["'self'"]
    for document, policy in zip(documents, policies[1:], strict=True):
        for attributes, script in re.findall(r"<script([^>]*)>(.*?)</script>", text(document), re.DOTALL):
            if "src=" not in attributes and "application/json" not in attributes:
                digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
                assert f"'sha256-{digest}'" in policy["script-src"]
        assert not re.search(r"<[^>]+\son\w+=|javascript:", text(document))
    assert re.search(r"<script[^>]*>[^<]*DashRenderer", text(documents[0]))


def test_documents_and_data_are_never_kept(server: Flask, visitor: Visitor) -> None:
    answers = [
        *(visitor.get(path) for path in ("/revenue", "/account", "/_dash-layout", "/_dash-dependencies", "/nowhere")),
        *(visitor.show("/revenue"), stranger(server).get("/login"), stranger(server).get("/health")),
        *(visitor.get("/assets/nothing.css?m=1"), visitor.get("/_dash-component-suites/dash/nothing.v1m1.js")),
    ]

    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}


@pytest.mark.parametrize("start", ["/assets/all.css", "/assets/theme.js", "/_dash-component-suites/dash/dcc/"])
def test_files_keep_for_a_year_under_their_fingerprint(visitor: Visitor, start: str) -> None:
    with closing(visitor.get(named(visitor, start))) as answer:
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers["Vary"]  # else a browser would fetch it again after each login


@pytest.mark.parametrize(
    "path", ["/assets/lakeport.css", "/assets/all.css", "/_dash-component-suites/dash/dcc/async-graph.js"]
)
def test_a_file_without_a_fingerprint_is_asked_for_again(visitor: Visitor, path: str) -> None:
    with closing(visitor.get(path)) as first:
        known = {"If-None-Match": first.headers["ETag"]}
    with closing(visitor.get(path, headers=known)) as again:
        status = again.status_code

    assert first.headers["Cache-Control"] == "no-cache"
    assert status == 304


def test_answers_with_data_name_their_release(visitor: Visitor) -> None:
    shown = visitor.show("/revenue"), visitor.show("/revenue?at=1"), visitor.show("/revenue?at=99")

    assert [answer.headers.get("X-Lakeport-Release") for answer in shown] == ["2", "1", None]
    assert "X-Lakeport-Release" not in visitor.get("/revenue").headers


def reference_in(said: str) -> str:
    found = re.search(r"reference ([0-9a-f]{8})", said)
    assert found is not None, said
    return found[1]


def test_an_error_in_a_page_is_a_reference_to_the_log(visitor: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = visitor.show("/broken")

    shown = drawn(answer)
    assert answer.status_code == 200
    assert "Broken cannot be shown" in shown.text
    assert SECRET not in text(answer)
    assert "KeyError" not in text(answer)
    assert f"Unexpected error, reference {reference_in(shown.text)}\n" in caplog.text
    assert f"KeyError: '{SECRET}'" in caplog.text


def test_an_error_in_a_callback_is_said_over_the_page(visitor: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = visitor.callback(f"{SAID}.children", [(BUTTON, "n_clicks", 1)], [(TYPED, "value", SECRET)])

    said = answer.get_json()["sideUpdate"]["lp-toast-text"]["children"]
    assert answer.status_code == 200
    assert SECRET not in text(answer)
    assert f"Unexpected error, reference {reference_in(said)}\n" in caplog.text


def test_errors_are_sentences_in_json_for_scripts_and_documents_for_people(visitor: Visitor) -> None:
    for_scripts = [visitor.get("/_nothing"), visitor.get("/nowhere", headers={"Accept": "application/json"})]
    for_people = visitor.get("/nowhere", headers={"Accept": "text/html,*/*;q=0.8"})

    for answer in for_scripts:
        assert (answer.status_code, answer.get_json()) == (404, {"text": "There is no such page."})
    assert for_people.status_code == 404
    assert "<h1>No such page</h1>" in text(for_people)


def body(**changes: object) -> str:
    """What a browser posts to have the revenue page drawn, with some of it changed; None takes a key away."""
    whole = {"output": ROUTER, "outputs": DRAWN, "inputs": ROUTED, "changedPropIds": ["shell-location.pathname"]}
    return json.dumps({key: value for key, value in {**whole, **changes}.items() if value is not None})


DEEP = 100_000


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (body(), 200),
        (body(changedPropIds=None), 200),
        ("", 400),
        ("nothing", 400),
        ("null", 400),
        ("[]", 400),
        ('"text"', 400),
        ("1e999", 400),
        (b"\xff\xfe{}", 400),
        ("[" * DEEP + "]" * DEEP, 400),
        ('{"a":' * DEEP + "1" + "}" * DEEP, 400),
        (body()[:-1] + ', "state": ' + "[" * DEEP + "]" * DEEP + "}", 400),
        (b" " * ((1 << 20) + 1), 413),
        ("{}", 403),
        (body(output=5), 403),
        (body(output=["shell-page.children"]), 403),
        (body(inputs=None), 403),
        (body(inputs={}), 403),
        (body(inputs=ROUTED[:1]), 400),
        (body(inputs=[*ROUTED, *ROUTED[1:]]), 400),
        (body(inputs=[ROUTED[0], 1, None]), 400),
        (body(inputs=[ROUTED[0], {"id": 5, "property": "search"}, ROUTED[2]]), 400),
        (body(inputs=[ROUTED[0], {"id": "shell-location"}, ROUTED[2]]), 400),
        (body(inputs=[ROUTED[0], [[]], ROUTED[2]]), 400),
        (body(outputs=None), 400),
        (body(outputs=[]), 400),
        (body(outputs=DRAWN[0]), 400),
        (body(outputs=DRAWN[::-1]), 400),
        (body(outputs=[5, 5]), 400),
        (body(state="text"), 400),
        (body(state=ROUTED), 400),
        (body(changedPropIds=5), 400),
        (body(changedPropIds=[None]), 400),
    ],
)
def test_no_body_makes_the_portal_fail(visitor: Visitor, sent: str | bytes, status: int) -> None:
    answer = post(visitor, sent)

    assert answer.status_code == status, text(answer)
    assert set(answer.get_json()) == ({"text"} if status != 200 else {"response", "multi"})


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_that_does_not_say_that_it_is_json_is_none(visitor: Visitor, kind: str) -> None:
    assert post(visitor, body(), kind).status_code == 400


def test_an_odd_value_is_a_matter_of_the_page(visitor: Visitor) -> None:
    for value in (5, [], {"a": "b"}, "?at=" + "9" * 10_000, "?region=\x00", "?\ud800=\ud800", "?" + "a=b&" * 501):
        answer = post(visitor, body(inputs=[ROUTED[0], {**ROUTED[1], "value": value}, ROUTED[2]]))
        assert answer.status_code == 200


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_other_methods_open_no_doors(server: Flask, visitor: Visitor, method: str) -> None:
    somebody = stranger(server)
    for path in ("/", "/revenue", "/account", "/nowhere"):
        assert somebody.client.open(path, method=method).status_code == 302
    for path in ("/_dash-layout", "/_dash-dependencies", "/_dash-update-component", "/logout"):
        assert somebody.client.open(path, method=method).status_code in (302, 401)
    assert visitor.client.open("/_dash-update-component", method=method).status_code in (400, 404)
    assert visitor.client.open("/revenue", method="TRACE").status_code == 404


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_method_is_the_one_that_was_used(server: Flask, visitor: Visitor, header: str) -> None:
    posted_as_get = visitor.post("/_dash-update-component", data=body(), headers={header: "GET"})
    read_as_post = visitor.get("/login?_method=POST", headers={header: "POST"})

    assert posted_as_get.status_code == 403  # its token is still asked for
    assert read_as_post.status_code == 302
    assert stranger(server).post("/revenue", headers={header: "GET"}).status_code == 401
