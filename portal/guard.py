"""Who may reach which endpoint and which callback, decided before anything of them runs.

One rule: what has no owner here is refused. An endpoint is public, or needs a login, or an action that one may take, or
belongs to a page; a callback belongs to the page that declared it and needs what that page needs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from dash import Dash
from flask import current_app, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import BadRequest, Forbidden, NotFound, Unauthorized

from lakehouse.access import policy
from portal.address import is_called
from portal.page import Page, page_at
from portal.recording import about

CALLBACK = "/_dash-update-component"
DOCUMENTS = ("/", "/<path:path>")
PUBLIC = "public"
WATCHED = "health"
"""Asked by machines that know an address at most."""
SIGNED_IN = "signed in"
BACKGROUND = ("release", "runs")
BY_ITSELF = "X-Lakeport-Background"
"""An endpoint, or a header, of what an open page asks by itself: no sign that somebody is there."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
LONGEST_ADDRESS = 8_000
"""Of an address in characters; the server refuses requests whose first line is a little longer."""

EXPORTS = ("export", "export_tile")
"""Endpoints that belong to the page whose name is in their address."""

DASH_ENDPOINTS = {
    "_dash_assets.static": PUBLIC,
    "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>": PUBLIC,
    "/_favicon.ico": PUBLIC,
    "/_dash-layout": SIGNED_IN,
    "/_dash-dependencies": SIGNED_IN,
}
"""Dash's own endpoints that the portal uses; `/_reload-hash` is for development and stays refused."""


@dataclass(frozen=True)
class Owned:
    """A callback's page (None: the router, which needs what the page at its path needs), and how much is posted."""

    page: Page | None
    inputs: int
    state: int


@dataclass
class Guard:
    """The owners of all endpoints and callbacks of one app.

    An endpoint's owner is `PUBLIC`, `SIGNED_IN`, or the action of `policy.NEEDS` that whoever asks must be allowed.
    """

    pages: Mapping[str, Page]
    csrf: CSRFProtect
    hosts: Sequence[str] = ()
    """Names that a request may call this server by; without any, all."""
    endpoints: dict[str, str] = field(default_factory=lambda: dict(DASH_ENDPOINTS))
    callbacks: dict[str, Owned] = field(default_factory=dict)
    """By output."""

    def own(self, app: Dash, page: Page | None) -> None:
        """Give every callback that was declared since the last time to a page."""
        for output, entry in app.callback_map.items():
            self.callbacks.setdefault(output, Owned(page, len(entry["inputs"]), len(entry["state"])))

    def check(self) -> ResponseReturnValue | None:
        """Let the request pass (None), redirect it to the login form, or raise 400, 401, 403 or 404."""
        endpoint = request.endpoint or ""
        self._check_sender(endpoint)
        if endpoint == CALLBACK or self.endpoints.get(endpoint) != PUBLIC:
            if not current_user.is_authenticated:
                if endpoint in (*DOCUMENTS, "account") and request.method in SAFE_METHODS:
                    return redirect(login_address())
                raise Unauthorized
            if request.method not in SAFE_METHODS:
                self.csrf.protect()
            self._check_need(endpoint)
        return None

    def _check_sender(self, endpoint: str) -> None:
        """Refuse what calls this server by a name of somebody else, and what another site makes a browser send."""
        if self.hosts and endpoint != WATCHED and not is_called(request.host, self.hosts):
            raise BadRequest
        origin = request.headers.get("Origin")
        if origin is not None and request.method not in SAFE_METHODS and urlsplit(origin).netloc != request.host:
            raise Forbidden

    def _check_need(self, endpoint: str) -> None:
        if endpoint == CALLBACK:
            self._check_callback()
        elif endpoint in DOCUMENTS:
            about("page", request.path)
            page = page_at(self.pages, request.path)
            if page is None and request.path != "/":
                raise NotFound
            if page is not None:
                self._check_page(page)
        elif endpoint in EXPORTS:
            about("export", request.path)
            page = self.pages.get(f"/{(request.view_args or {}).get('page')}")
            if page is None:
                raise NotFound
            self._check_page(page)
        else:
            self._check_endpoint(endpoint)

    def _check_endpoint(self, endpoint: str) -> None:
        need = self.endpoints.get(endpoint)
        if need is None:
            raise NotFound if not endpoint else Forbidden
        if need != SIGNED_IN and not policy.allows(current_user.principal, need):
            about(endpoint, request.path)
            raise Forbidden

    def _check_callback(self) -> None:
        body = _posted()
        output = body.get("output")
        about("callback", str(output))
        if not isinstance(output, str) or output not in self.callbacks:
            raise Forbidden
        owned = self.callbacks[output]
        if owned.page is None:
            g.place = _posted_path(body)
            about("page", g.place)
        page = owned.page or page_at(self.pages, g.place)
        if page is None:
            raise Forbidden
        self._check_page(page)
        if not _fits(body, output, owned):
            raise BadRequest

    def _check_page(self, page: Page) -> None:
        if not policy.allows(current_user.principal, page.needs):
            raise Forbidden
        g.page = page


def is_background() -> bool:
    """Whether a page asks this by itself. Whoever claims it wrongly only lets their own session end sooner."""
    return request.endpoint in BACKGROUND or BY_ITSELF in request.headers


def _posted() -> dict[str, Any]:
    try:
        body = request.get_json(silent=True)
    except RecursionError as error:  # thousands of brackets in each other, which nothing of ours would send
        raise BadRequest from error
    if not isinstance(body, dict):
        raise BadRequest
    return body


def _fits(body: Mapping[str, Any], output: str, owned: Owned) -> bool:
    """Whether the body has the shape in which Dash's renderer posts this callback; Dash would fail at another one."""
    outputs, changed = body.get("outputs"), body.get("changedPropIds", [])
    has_no_output = "." not in output
    return (
        _are_entries(body.get("inputs", []), owned.inputs)
        and _are_entries(body.get("state", []), owned.state)
        and (has_no_output or _are_entries(outputs if output[:2] == ".." else [outputs], output.count("...") + 1))
        and isinstance(changed, list)
        and all(isinstance(name, str) for name in changed)
    )


def _are_entries(entries: object, count: int) -> bool:
    """Whether these are so many components, each with one of its properties, or with a list where ids are patterns."""
    return isinstance(entries, list) and len(entries) == count and all(map(_is_entry, entries))


def _is_entry(entry: object) -> bool:
    if isinstance(entry, list):
        return all(isinstance(one, dict) and _is_entry(one) for one in entry)
    return (
        isinstance(entry, dict) and isinstance(entry.get("id"), str | dict) and isinstance(entry.get("property"), str)
    )


def _posted_path(body: Mapping[str, object]) -> str:
    """The path that the router is asked to show: below the base path, as pages know it; empty without exactly one."""
    inputs = body.get("inputs")
    given = [
        entry.get("value")
        for entry in (inputs if isinstance(inputs, list) else [])
        if isinstance(entry, dict) and entry.get("property") == "pathname"
    ]
    path = given[0] if len(given) == 1 and isinstance(given[0], str) else ""
    return below_base(path) if path else ""


def below_base(path: str) -> str:
    """A browser's path without the base path."""
    base: str = current_app.config["LAKEPORT_BASE"]
    return path.removeprefix(base) or "/" if f"{path}/".startswith(f"{base}/") else ""


def login_address() -> str:
    """The login form, which goes on to where the request wanted to go, unless its address would be too long."""
    form = f"{current_app.config['LAKEPORT_BASE']}/login"
    wanted = request.full_path.rstrip("?") if request.query_string else request.path
    address = f"{form}?{urlencode({'next': wanted})}"
    return form if wanted == "/" or len(address) > LONGEST_ADDRESS else address
