"""Somebody who calls a served portal as an open page does: one connection that is kept, cookies, callbacks.

One rule: every answer is given back whole, whatever it says; who asked decides what is wrong with it.
"""

import http.client
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.portal.visitor import PASSWORD, ROUTER

FORM = "application/x-www-form-urlencoded"
LATE_SECONDS = 60.0


@dataclass(frozen=True)
class Answered:
    """What came back: its status, its headers by name in small letters, and all of its bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def release(self) -> int:
        """The release that the answer says it was read from."""
        return int(self.headers["x-lakeport-release"])

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def shown(self) -> str:
        """Of a page its filters and its content: what depends neither on who asks nor on when."""
        assert self.status == 200, self.body
        top, main = self.document["response"]["shell-page"]["children"]
        return json.dumps([top["props"]["children"][-1], main])


class Caller:
    """One browser. Used by one thread at a time."""

    def __init__(self, port: int, *, is_patient: bool = True) -> None:
        """Who is patient opens a connection again that the server has closed; for others that is an error."""
        self.cookies = dict[str, str]()
        self._is_patient = is_patient
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LATE_SECONDS)

    def ask(self, path: str, body: str | None = None, kind: str = "application/json") -> Answered:
        """GET, or POST where there is a body."""
        said = {
            "Accept": "application/json",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        }
        said |= {"Content-Type": kind, "X-CSRFToken": self.cookies.get("_csrf_token", "")} if body is not None else {}
        method = "GET" if body is None else "POST"
        try:
            self._connection.request(method, path, body, said)
            answer = self._connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            if not self._is_patient:
                raise
            self._connection.close()
            self._connection.request(method, path, body, said)
            answer = self._connection.getresponse()
        for given in answer.msg.get_all("Set-Cookie") or ():
            name, _, value = given.partition(";")[0].partition("=")
            self.cookies[name] = value
        return Answered(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def log_in(self, name: str) -> None:
        """Fill the form in, and take the token for callbacks from the first document."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.ask("/login").body.decode())
        assert token is not None
        form = {"username": name, "password": PASSWORD, "csrf_token": token[1]}
        for answer, status in ((self.ask("/login", urlencode(form), FORM), 302), (self.ask("/revenue"), 200)):
            assert answer.status == status, answer.body[:500]

    def log_out(self) -> Answered:
        """Leave."""
        return self.ask("/logout", urlencode({"csrf_token": self.cookies["_csrf_token"]}), FORM)

    def show(self, address: str) -> Answered:
        """The router's answer for an address."""
        path, question, search = address.partition("?")
        given = {"pathname": path, "search": question + search}
        inputs = [{"id": "shell-location", "property": name, "value": value} for name, value in given.items()]
        inputs.append({"id": "shell-theme", "property": "data", "value": None})
        outputs = [{"id": one, "property": "children"} for one in ("shell-menu", "shell-page")]
        body = {"output": ROUTER, "outputs": outputs, "inputs": inputs, "state": [], "changedPropIds": []}
        return self.ask("/_dash-update-component", json.dumps(body))

    @property
    def line(self) -> int:
        """The port at this end of the connection that is open."""
        return int(self._connection.sock.getsockname()[1])

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
