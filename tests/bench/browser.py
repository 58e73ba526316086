"""One browser's connection to a served portal: it logs in, has pages drawn, and keeps its connection and its cookies.

One rule: an answer that is no good one is an error, also when it is a page that says so.
"""

import http.client
import json
import re
from typing import Any
from urllib.parse import urlencode

import brotli

from tests.portal.visitor import PASSWORD, ROUTER

CALLBACKS = "/_dash-update-component"
TROUBLE = b"cannot be shown"
"""Stands on a page that could not be drawn."""


class Client:
    """A browser of one user."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies = dict[str, str]()
        self.request = ""
        """The id of the last request."""
        self.release = ""
        """The release that the last answer was read from; empty where it has none."""

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> bytes:
        """The answer's body, as it came over the line."""
        sent = {"Cookie": self.cookie, "Accept-Encoding": "br", **headers}
        self.connection.request(method, path, body, sent)
        answer = self.connection.getresponse()
        for name, value in answer.getheaders():
            if name == "Set-Cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.split(";")[0]
        content = answer.read()
        assert answer.status < 400, (answer.status, path)
        self.request = answer.getheader("X-Request-ID", "")
        self.release = answer.getheader("X-Lakeport-Release", "")
        return content

    @property
    def cookie(self) -> str:
        """All cookies, as they are sent."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def log_in(self, name: str) -> None:
        """Fill the form in and send it, and load a document."""
        form = self.ask("GET", "/login", **{"Accept-Encoding": "identity"}).decode()
        token = re.search(r'name="csrf_token" value="([^"]+)"', form)
        assert token is not None
        fields = {"username": name, "password": PASSWORD, "csrf_token": token[1]}
        self.ask("POST", "/login", urlencode(fields), **{"Content-Type": "application/x-www-form-urlencoded"})
        self.ask("GET", "/revenue")

    def callback(self, body: str) -> bytes:
        """The answer of a callback."""
        headers = {"Content-Type": "application/json", "X-CSRFToken": self.cookies["_csrf_token"]}
        return self.ask("POST", CALLBACKS, body, **headers)

    def page(self, search: str) -> bytes:
        """The revenue page at a query string."""
        return self.callback(page_body(search))

    def tile(self, least: int) -> bytes:
        """The smallest callback: one plan, one tile."""
        output = {"id": "tile-place", "property": "children"}
        inputs = [value("tile-least", "value", least)]
        return self.callback(callback_body("tile-place.children", output, inputs))

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self.connection.close()


def page_body(search: str) -> str:
    """What a browser posts to have the revenue page drawn at a query string."""
    where = [value("shell-location", "pathname", "/revenue"), value("shell-location", "search", search)]
    outputs = [{"id": one, "property": "children"} for one in ("shell-menu", "shell-page")]
    return callback_body(ROUTER, outputs, [*where, value("shell-theme", "data", None)])


def callback_body(output: str, outputs: Any, inputs: list[dict[str, Any]]) -> str:
    """What a browser posts to fire a callback."""
    changed = [f"{one['id']}.{one['property']}" for one in inputs]
    return json.dumps({"output": output, "outputs": outputs, "inputs": inputs, "state": [], "changedPropIds": changed})


def value(component: str, kind: str, given: Any) -> dict[str, Any]:
    """A property of a component, as a callback is told of it."""
    return {"id": component, "property": kind, "value": given}


def text_of(answer: bytes) -> bytes:
    """An answer without its compression, which must be a page that could be drawn."""
    text: bytes = brotli.decompress(answer)
    assert TROUBLE not in text, text.partition(TROUBLE)[2][:500]
    return text
