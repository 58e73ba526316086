"""Our style sheets as one file and our scripts as another: a browser that has nothing yet asks for two, not for twenty.

One rule: a bundle is its parts as they stand, in the order of their names; its address holds the hash of its content.
"""

import hashlib
from pathlib import Path

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from portal.guard import PUBLIC

ENDPOINTS = {"bundle": PUBLIC}
KINDS = {"css": "text/css", "js": "text/javascript"}
NOT_IN_IT = ("theme.js",)
"""Loaded by itself, before the first paint."""


def add_bundles(server: Flask, assets: Path, base: str) -> None:
    """Give the server `/assets/all.css` and `/assets/all.js`, and templates `bundle("css")`, the address of one."""
    whole = {kind: _whole(assets, kind) for kind in KINDS}
    tags = {kind: hashlib.sha256(content).hexdigest()[:16] for kind, content in whole.items()}

    @server.get("/assets/all.<kind>")
    def bundle(kind: str) -> ResponseReturnValue:
        if kind not in KINDS:
            raise NotFound
        response = Response(whole[kind], mimetype=KINDS[kind])
        response.set_etag(tags[kind])
        return response.make_conditional(request)

    server.jinja_env.globals["bundle"] = lambda kind: f"{base}/assets/all.{kind}?m={tags[kind]}"


def _whole(assets: Path, kind: str) -> bytes:
    parts = sorted(part for part in assets.glob(f"*.{kind}") if part.name not in NOT_IN_IT)
    return b"\n".join(part.read_bytes() for part in parts)
