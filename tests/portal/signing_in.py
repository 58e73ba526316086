"""Signing in by the form, as a visitor does: what tests of several parts of the portal need.

One rule: every visitor has an address of its own, unless a test gives one, so that no test slows another one down.
"""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import count

from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from lakehouse.core import Lakehouse
from lakehouse.state.schema import attempts, stamp
from tests.portal.visitor import Visitor

SESSION = "lakeport_session"
ADDRESSES = (f"198.18.{number // 250}.{number % 250 + 1}" for number in count())
"""An address for every visitor."""


def stranger(server: Flask, base: str = "", **environ: str) -> Visitor:
    """A browser at an address that nobody had before, unless one is given."""
    return Visitor(server, base, **{"REMOTE_ADDR": next(ADDRESSES), **environ})


def inside(server: Flask, name: str) -> Visitor:
    """A browser that has just logged in."""
    visitor = stranger(server)
    assert visitor.log_in(name).status_code == 302
    return visitor


def fields(answer: TestResponse) -> dict[str, str]:
    """The fields of the form in an answer, and what they hold."""
    found = re.findall(
        r'<input name="(\w+)"(?: value="([^"]*)")?|<input type="hidden" name="(\w+)" value="([^"]*)"', text(answer)
    )
    return {shown or hidden: unescape(value or kept) for shown, value, hidden, kept in found}


def text(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def said(answer: TestResponse) -> str:
    """The sentence over the form."""
    found = re.search(r'role="(?:alert|status)">([^<]*)<', text(answer))
    return unescape(found[1]) if found else ""


def send(visitor: Visitor, path: str = "/login", **values: str) -> TestResponse:
    """Fill a form in as it was shown, and send it."""
    return visitor.post(path, data={**fields(visitor.get(path)), **values})


def try_in(visitor: Visitor, name: str, password: str = "wrong") -> TestResponse:  # noqa: S107  # no secret
    return send(visitor, username=name, password=password)


def cookie(visitor: Visitor) -> str:
    found = visitor.client.get_cookie(SESSION)
    assert found is not None
    return str(found.value)


def is_in(visitor: Visitor) -> bool:
    return visitor.get("/revenue").status_code == 200


def pass_time(lakehouse: Lakehouse) -> None:
    """Let every wait be over."""
    before = stamp(datetime.now(UTC) - timedelta(seconds=1))
    with lakehouse.state.write() as connection:
        connection.execute(update(attempts).values(blocked_until=before))
