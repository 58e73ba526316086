"""What every answer carries: a request id, the data's release, and the headers that keep a browser safe.

One rule: the policy for content allows this server and nothing else; no page needs more.
"""

import secrets
from collections.abc import Callable, Sequence

from flask import Flask, Response, g, request
from flask_login import current_user
from flask_wtf.csrf import generate_csrf

SAFE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
YEAR_SECONDS = 31_536_000


def add_headers(server: Flask, script_hashes: Callable[[], Sequence[str]]) -> None:
    """Give every answer its headers; `script_hashes` gives those of Dash's own inline scripts."""

    @server.before_request
    def begin() -> None:
        g.request_id = secrets.token_hex(8)

    @server.after_request
    def finish(response: Response) -> Response:
        headers = response.headers
        headers["X-Request-ID"] = g.get("request_id", "")
        for name, value in SAFE.items():
            headers.setdefault(name, value)
        if request.is_secure:
            headers["Strict-Transport-Security"] = f"max-age={YEAR_SECONDS}"
        release = vars(g.workspace).get("release") if "workspace" in g else None  # the one that was read, if any
        if release is not None:
            headers["X-Lakeport-Release"] = str(release.number)
        if response.mimetype == "text/html":
            headers["Content-Security-Policy"] = _content_policy(script_hashes())
            _give_csrf_cookie(response, server.config["SESSION_COOKIE_PATH"])
        if not _is_static(response):
            headers["Cache-Control"] = "no-store"
        return response


def _content_policy(hashes: Sequence[str]) -> str:
    scripts = " ".join(["'self'", *hashes])
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def _is_static(response: Response) -> bool:
    """Fingerprinted files keep for a year, by what Dash adds to their address."""
    path = request.path
    if response.status_code not in (200, 304) or not path.startswith(("/assets/", "/_dash-component-suites/")):
        return False
    if path.startswith("/assets/") and request.args.get("m"):
        response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
    response.headers.setdefault("Cache-Control", "no-cache")  # without a fingerprint: asked for again, by its tag
    return True


def _give_csrf_cookie(response: Response, path: str) -> None:
    """Dash's renderer reads this cookie and sends it back as a header with every callback."""
    if response.status_code < 500 and current_user.is_authenticated:  # asking who this is may be what has failed
        response.set_cookie("_csrf_token", generate_csrf(), secure=request.is_secure, samesite="Lax", path=path)
