"""`GET /_release`: which release is current, for pages that stand open and want to show it as soon as it is.

One rule: pages ask it every second by themselves, so it costs one read, leaves no record of an answer, and does not
keep anybody logged in (`guard.is_background`).
"""

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from lakehouse.core import Lakehouse
from portal.guard import SIGNED_IN

ENDPOINTS = {"release": SIGNED_IN}
"""Who may reach the route of this module: the number of a release says nothing about its rows."""

NONE = "none"
"""What stands for the number before the first release."""


def add_follow(server: Flask, lakehouse: Lakehouse, env: str) -> None:
    """Give the server its `/_release`: 304 to whoever sends the current release as the tag that it knows."""

    @server.get("/_release")
    def release() -> ResponseReturnValue:
        current = lakehouse.releases(env).current()
        number = current.number if current is not None else None
        response = jsonify(release=number)
        response.set_etag(NONE if number is None else str(number))
        return response.make_conditional(request)
