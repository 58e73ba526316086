"""A browser without a screen: what it sends to the portal, and what it finds in the answers.

One rule: it speaks HTTP only, as a browser does, and knows nothing of the portal's insides.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.test import TestResponse

from tests.portal.markup import with_content

ROUTER = "..shell-menu.children...shell-page.children.."
PASSWORD = "correct horse battery staple"  # noqa: S105  # of users that tests make

Given = tuple[Any, str, Any]
"""A component's id, one of its properties, and the value that it has."""


class Visitor:
    """One browser with its cookies."""

    def __init__(self, server: Flask, base: str = "", **environ: Any) -> None:
        self.client = server.test_client()
        self.base = base
        self.environ = {"REMOTE_ADDR": "127.0.0.1", **environ}

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(self.base + path, environ_overrides=self.environ, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self.client.post(self.base + path, environ_overrides=self.environ, **options)

    def log_in(self, name: str, password: str = PASSWORD, target: str = "") -> TestResponse:
        """Fill the form in and send it."""
        form = self.get("/login").get_data(as_text=True)
        token = re.search(r'name="csrf_token" value="([^"]+)"', form)
        data = {"username": name, "password": password, "next": target, "csrf_token": token[1] if token else ""}
        answer = self.post("/login", data=data)
        if answer.status_code == 302:
            self.get("/revenue")  # the document, which gives the browser its token for callbacks
        return answer

    @property
    def token(self) -> str:
        """What proves that a request was made by a page of this session; the first document brings it."""
        cookie = self.client.get_cookie("_csrf_token", path=self.base or "/")
        if cookie is None:
            self.get("/")
            self.get("/account")
            cookie = self.client.get_cookie("_csrf_token", path=self.base or "/")
        assert cookie is not None
        return cookie.value

    def callback(
        self, output: str, inputs: list[Given], state: Sequence[Given] = (), outputs: Any = None, **headers: str
    ) -> TestResponse:
        """Fire one callback: (component, property, value) for each input and state; `outputs` for ids of patterns."""
        body = {
            "output": output,
            "outputs": outputs or _outputs(output),
            "inputs": [{"id": one, "property": kind, "value": value} for one, kind, value in inputs],
            "state": [{"id": one, "property": kind, "value": value} for one, kind, value in state],
            "changedPropIds": [f"{one}.{kind}" for one, kind, _ in inputs],
        }
        cookie = self.client.get_cookie("_csrf_token", path=self.base or "/")
        token = {"X-CSRFToken": cookie.value} if cookie is not None else {}
        return self.post("/_dash-update-component", json=body, headers={**token, **headers})

    def show(self, address: str) -> TestResponse:
        """The router's answer for an address."""
        parts = urlsplit(address)
        search = f"?{parts.query}" if parts.query else ""
        where = [("shell-location", "pathname", self.base + parts.path), ("shell-location", "search", search)]
        return self.callback(ROUTER, [*where, ("shell-theme", "data", None)])

    def page(self, address: str) -> "Shown":
        """What a page shows. The answer must be one."""
        answer = self.show(address)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return drawn(answer)


class Shown:
    """A tree of components as the browser gets it."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree

    def walk(self) -> Iterator[dict[str, Any]]:
        """Every component, in the order of the document."""
        return _walk(self.tree)

    def of_class(self, name: str) -> list["Shown"]:
        """Components with a class."""
        return [Shown(one) for one in self.walk() if name in str(one["props"].get("className", "")).split()]

    def one(self, name: str) -> "Shown":
        found = self.of_class(name)
        assert len(found) == 1, (name, len(found))
        return found[0]

    def by_id(self, name: str) -> "Shown":
        found = [Shown(one) for one in self.walk() if one["props"].get("id") == name]
        assert len(found) == 1, (name, len(found))
        return found[0]

    @property
    def props(self) -> dict[str, Any]:
        props: dict[str, Any] = self.tree["props"]
        return props

    @property
    def text(self) -> str:
        """The words, without the spaces around them."""
        return " ".join("".join(_words(self.tree)).split())

    @property
    def links(self) -> dict[str, str]:
        """Address by text, of every link."""
        return {Shown(one).text: one["props"]["href"] for one in self.walk() if one["props"].get("href")}


def drawn(answer: TestResponse) -> Shown:
    """What the router has answered: the menu, and the page in its frame."""
    response = answer.get_json()["response"]
    return Shown(with_content([response[part]["children"] for part in ("shell-menu", "shell-page")]))


def _outputs(output: str) -> Any:
    if not output.startswith(".."):
        component, _, kind = output.rpartition(".")
        return {"id": component, "property": kind}
    return [_outputs(one) for one in output.strip(".").split("...")]


def _walk(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, list):
        for one in tree:
            yield from _walk(one)
    elif isinstance(tree, dict) and "props" in tree:
        yield tree
        yield from _walk(tree["props"].get("children"))


def _words(tree: Any) -> Iterator[str]:
    if isinstance(tree, str | int | float):
        yield str(tree)
    elif isinstance(tree, list):
        for one in tree:
            yield from _words(one)
    elif isinstance(tree, dict) and "props" in tree:
        block = tree["type"] in ("P", "Li", "Div", "Tr", "Td", "Th", "H1", "H2", "Section", "Span", "A")
        yield " " if block else ""
        yield from _words(tree["props"].get("children"))
        yield " " if block else ""
