"""Logging in and out, and one's own password: what the forms take, whom they let in, and what they say to others.

One rule: whoever may not come in learns nothing from the answer, neither from its words nor from its time.
"""

import re
import statistics
import sys
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from lakehouse.core import Lakehouse
from lakehouse.state.schema import attempts
from portal.app import create_app
from tests.pipelines.lake import Lake
from tests.portal.signing_in import (
    ADDRESSES,
    SESSION,
    cookie,
    fields,
    inside,
    is_in,
    pass_time,
    said,
    send,
    stranger,
    text,
    try_in,
)
from tests.portal.visitor import PASSWORD, Visitor

NAMES = ("ann", "ben", "carl", "dora", "eva")
NEW = "a new horse with another battery"
WRONG = "The name or the password is wrong."
EXPIRED = "The form had expired. Try once more."


@pytest.fixture(scope="module")
def lakehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    lake = Lake(tmp_path_factory.mktemp("doors"))
    lake.configure("")
    with Lakehouse.open(lake.home) as lakehouse:
        for name in NAMES:
            lakehouse.users.add(name, PASSWORD, "viewer")
        lakehouse.users.add("off", PASSWORD, "admin")
        lakehouse.users.set("off", disabled=True)
        yield lakehouse


@pytest.fixture(scope="module")
def server(lakehouse: Lakehouse) -> Flask:
    return create_app(lakehouse).server


@pytest.fixture
def visitor(server: Flask) -> Visitor:
    return stranger(server)


def test_the_form_has_the_fields_that_scripts_fill_in(visitor: Visitor) -> None:
    answer = visitor.get("/login?next=/revenue")

    assert set(fields(answer)) == {"username", "password", "next", "csrf_token"}
    assert '<form class="lp-form" method="post" action="/login">' in text(answer)
    assert fields(answer)["next"] == "/revenue"


@pytest.mark.parametrize("name", ["ann", "ANN", "  Ann ", "\tann\r\n"])
def test_a_name_is_the_same_in_capitals_and_with_spaces_around_it(visitor: Visitor, name: str) -> None:
    answer = try_in(visitor, name, PASSWORD)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert is_in(visitor)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("nobody", PASSWORD),
        ("off", PASSWORD),
        ("off", "wrong"),
        ("", ""),
        ("", PASSWORD),
        ("ann", ""),
        ("ann", PASSWORD.upper()),
        ("ann", f" {PASSWORD}"),
        ("a" * 10_000, PASSWORD),
        ("ann", PASSWORD + "a" * 10_000),
        ("ann\0", PASSWORD),
        ("ann", f"{PASSWORD}\0"),
        ("аnn", PASSWORD),  # the first letter is Cyrillic
        ("\u202eann", PASSWORD),
        ("ann\ufffd", "\U0001f600\ufdfa"),
        ("ann' or '1'='1", "' or '1'='1"),
        ("operator:ann", PASSWORD),
    ],
)
def test_whatever_is_wrong_the_answer_is_the_same(server: Flask, name: str, password: str) -> None:
    expected = try_in(stranger(server), "ann")

    answer = try_in(visitor := stranger(server), name, password)

    assert (answer.status_code, said(answer)) == (expected.status_code, said(expected)) == (401, WRONG)
    assert bare(answer) == bare(expected)
    assert fields(answer)["password"] == ""
    assert not is_in(visitor)


def bare(answer: TestResponse) -> str:
    """A form without what was typed, without its token, and without where the cursor stands."""
    return re.sub(r' value="[^"]*"| autofocus| (?=>)', "", text(answer))


def test_bytes_that_are_no_text_are_a_wrong_name(visitor: Visitor) -> None:
    token = fields(visitor.get("/login"))["csrf_token"]
    body = b"username=ann%ED%A0%80%FF&password=%FF&csrf_token=" + token.encode()

    answer = visitor.post("/login", data=body, content_type="application/x-www-form-urlencoded")

    assert (answer.status_code, said(answer)) == (401, WRONG)


def test_a_form_that_is_shown_again_keeps_the_name_and_where_it_leads(visitor: Visitor) -> None:
    answer = send(visitor, username='<b>"ann"</b>', next="/revenue?region=North")

    assert fields(answer)["username"] == '<b>"ann"</b>'
    assert fields(answer)["next"] == "/revenue?region=North"
    assert "<b>" not in text(answer)


@pytest.mark.parametrize("token", ["", "forged", None], ids=["none", "forged", "of another browser"])
def test_a_form_without_its_token_is_shown_anew_and_works_then(
    server: Flask, lakehouse: Lakehouse, token: str | None
) -> None:
    visitor, sent = stranger(server), fields(stranger(server).get("/login"))["csrf_token"] if token is None else token
    tried = count_of_attempts(lakehouse)

    answer = send(visitor, username="ann", password=PASSWORD, csrf_token=sent)

    assert (answer.status_code, said(answer)) == (403, EXPIRED)
    assert fields(answer)["username"] == "ann"
    assert count_of_attempts(lakehouse) == tried
    assert not is_in(visitor)
    assert visitor.post("/login", data={**fields(answer), "password": PASSWORD}).status_code == 302


def count_of_attempts(lakehouse: Lakehouse) -> int:
    with lakehouse.state.read() as connection:
        return connection.execute(select(func.coalesce(func.sum(attempts.c.failures), 0))).scalar_one()


def test_a_browser_without_cookies_cannot_log_in(server: Flask) -> None:
    form = fields(stranger(server).get("/login"))

    answer = stranger(server).post("/login", data={**form, "username": "ann", "password": PASSWORD})

    assert (answer.status_code, said(answer)) == (403, EXPIRED)


def test_fifty_wrong_passwords_are_slowed_down(server: Flask, lakehouse: Lakehouse) -> None:
    home = next(ADDRESSES)
    at_home = [stranger(server, REMOTE_ADDR=home) for _ in range(4)]

    answers = [try_in(at_home[0], ("ben", " BEN")[number % 2]) for number in range(50)]

    assert [answer.status_code for answer in answers] == [401] * 6 + [429] * 44
    right = try_in(at_home[0], "ben", PASSWORD)
    assert (right.status_code, int(right.headers["Retry-After"])) in ((429, 1), (429, 2))
    assert said(right) == f"Too many attempts. Try again in {right.headers['Retry-After']} s."
    assert try_in(at_home[1], "ann", PASSWORD).status_code == 302  # another name
    assert try_in(stranger(server), "ben", PASSWORD).status_code == 302  # another address
    pass_time(lakehouse)
    assert try_in(at_home[0], "ben").status_code == 401  # and it goes on from where it was
    assert int(try_in(at_home[0], "ben").headers["Retry-After"]) in (3, 4)
    pass_time(lakehouse)
    assert try_in(at_home[2], "ben", PASSWORD).status_code == 302  # a right one makes it forget
    assert [try_in(at_home[3], "ben").status_code for _ in range(7)] == [401] * 6 + [429]


def test_a_long_wait_is_said_in_minutes(server: Flask, lakehouse: Lakehouse) -> None:
    visitor = stranger(server)
    for _ in range(14):
        pass_time(lakehouse)
        assert try_in(visitor, "nobody").status_code == 401

    answer = try_in(visitor, "nobody")

    assert said(answer) == "Too many attempts. Try again in 5 min."


def test_an_address_that_tries_many_names_waits_with_all_of_them(server: Flask) -> None:
    visitor = stranger(server)
    for number in range(21):
        assert try_in(visitor, f"name{number}").status_code == 401

    assert try_in(visitor, "ann", PASSWORD).status_code == 429
    assert try_in(stranger(server), "ann", PASSWORD).status_code == 302


def test_a_known_name_takes_as_long_as_an_unknown_one(server: Flask) -> None:
    visitor = stranger(server)
    form = fields(visitor.get("/login"))
    seconds: dict[str, list[float]] = {"ann": [], "off": [], "nobody": [], "no name at all": []}

    for _ in range(15):
        for name, measured in seconds.items():
            visitor.environ["REMOTE_ADDR"] = next(ADDRESSES)
            began = time.process_time()
            assert visitor.post("/login", data={**form, "username": name, "password": "wrong"}).status_code == 401
            measured.append(time.process_time() - began)

    medians = {name: statistics.median(measured) for name, measured in seconds.items()}
    sys.stdout.write(
        "".join(f"\n{name:15} {1000 * median:.1f} ms of processor time" for name, median in medians.items())
    )
    assert max(medians.values()) <= 1.2 * min(medians.values())


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_the_cookie_of_a_session_is_for_the_server_alone(server: Flask, scheme: str, secure: bool) -> None:
    visitor = stranger(server, **{"wsgi.url_scheme": scheme})

    answer = try_in(visitor, "ann", PASSWORD)

    [given] = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith(f"{SESSION}=")]
    expected = {"HttpOnly", "Path=/", "SameSite=Lax", *(["Secure"] if secure else [])}
    assert set(given.split("; ")[1:]) == expected


def test_a_cookie_from_before_the_login_opens_nothing_after_it(server: Flask) -> None:
    visitor, thief = stranger(server), stranger(server)
    visitor.get("/login")
    before = cookie(visitor)
    thief.client.set_cookie(SESSION, before)

    assert try_in(visitor, "ann", PASSWORD).status_code == 302

    assert cookie(visitor) != before
    assert not is_in(thief)


def test_nothing_that_was_typed_stands_in_a_cookie(server: Flask) -> None:
    visitor = stranger(server)

    given = try_in(visitor, "carl", PASSWORD).headers.getlist("Set-Cookie")

    for part in "".join(given).replace("=", ".").split("."):
        assert b"carl" not in urlsafe_b64decode(f"{re.sub(r'[^A-Za-z0-9_-]', '', part)}==="), part


def test_logging_out_ends_this_session_and_no_other(server: Flask) -> None:
    phone, desk = inside(server, "carl"), inside(server, "carl")
    token = desk.client.get_cookie("_csrf_token")
    assert token is not None

    answer = desk.post("/logout", data={"csrf_token": token.value})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/login")
    assert not is_in(desk)
    assert is_in(phone)


@pytest.mark.parametrize("options", [{}, {"data": {"csrf_token": "forged"}}])
def test_logging_out_needs_the_token_of_the_page(server: Flask, options: dict[str, dict[str, str]]) -> None:
    visitor = inside(server, "carl")

    answer = visitor.post("/logout", **options)

    assert answer.status_code == 403
    assert "This page is out of date. Load it again and try once more." in text(answer)
    assert is_in(visitor)


def test_a_link_cannot_log_anybody_out(server: Flask) -> None:
    visitor = inside(server, "carl")

    assert visitor.get("/logout").status_code == 404
    assert visitor.get("/logout", headers={"X-HTTP-Method-Override": "POST"}).status_code == 404
    assert is_in(visitor)


@pytest.mark.parametrize("sign", ["\U0001f600", "e\u0301", "\u1112\u1161\u11ab"], ids=["emoji", "accents", "syllables"])
def test_the_longest_password_can_be_typed_in_every_script(server: Flask, lakehouse: Lakehouse, sign: str) -> None:
    password = sign * 256
    lakehouse.users.add("long", password, "viewer")
    try:
        visitor = stranger(server)
        longest = [int(number) for number in re.findall(r'maxlength="(\d+)" required', text(visitor.get("/login")))]

        assert try_in(visitor, "long", password).status_code == 302
        assert max(longest) >= len(password.encode("utf-16-le")) // 2
    finally:
        lakehouse.users.remove("long")


def change(visitor: Visitor, old: str, new: str, again: str | None = None) -> TestResponse:
    return send(visitor, "/account", password=old, new=new, again=new if again is None else again)


@pytest.mark.parametrize(
    ("old", "new", "again", "sentence"),
    [
        ("wrong", NEW, NEW, "The present password is wrong."),
        ("", NEW, NEW, "The present password is wrong."),
        (PASSWORD, NEW, NEW + "x", "The two new passwords are not the same. Type them again."),
        (PASSWORD, "short", "short", "The password is too short. Use at least 8 characters."),
        (PASSWORD, "", "", "The password is too short. Use at least 8 characters."),
        (PASSWORD, "x" * 257, "x" * 257, "The password is too long. Use at most 256 characters."),
        (PASSWORD, "x" * 10_000, "x" * 10_000, "The password is too long. Use at most 256 characters."),
    ],
)
def test_a_password_that_cannot_be_changed_stays(server: Flask, old: str, new: str, again: str, sentence: str) -> None:
    visitor = inside(server, "dora")

    answer = change(visitor, old, new, again)

    assert (answer.status_code, said(answer)) == (422, sentence)
    assert try_in(stranger(server), "dora", PASSWORD).status_code == 302


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(server: Flask) -> None:
    phone, desk = inside(server, "eva"), inside(server, "eva")

    answer = change(desk, PASSWORD, NEW)

    assert (answer.status_code, said(answer)) == (200, "Your password is changed. Other sessions of yours have ended.")
    assert is_in(desk)
    assert not is_in(phone)
    assert try_in(stranger(server), "eva", PASSWORD).status_code == 401
    assert try_in(stranger(server), "eva", NEW).status_code == 302
    assert change(desk, NEW, PASSWORD).status_code == 200


def test_a_stranger_at_an_open_session_cannot_guess_its_password(server: Flask, lakehouse: Lakehouse) -> None:
    visitor = inside(server, "dora")
    for _ in range(6):
        assert change(visitor, "wrong", NEW).status_code == 422

    answer = change(visitor, PASSWORD, NEW)

    assert (answer.status_code, said(answer)) == (
        429,
        f"Too many attempts. Try again in {answer.headers['Retry-After']} s.",
    )
    pass_time(lakehouse)
    assert change(visitor, PASSWORD, PASSWORD).status_code == 200
    assert change(visitor, "wrong", NEW).status_code == 422  # the failures before are forgotten
    assert change(visitor, "wrong", NEW).status_code == 422
