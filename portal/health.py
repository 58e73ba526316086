"""`GET /health`: whether the portal can serve, for whoever watches it.

One rule: nobody has to log in for it, so it says no more than which part is well.
"""

from pathlib import Path

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue

from lakehouse.core import Lakehouse
from lakehouse.errors import LakeportError


def add_health(server: Flask, lakehouse: Lakehouse, env: str) -> str:
    """Give the server its `/health`; returns the endpoint's name."""
    settings = lakehouse.settings

    @server.get("/health")
    def health() -> ResponseReturnValue:
        parts = {"state": "ok", "release": "ok", "data": "ok"}
        try:
            lakehouse.state.check()
            release = lakehouse.releases(env).current()
        except LakeportError:
            parts.update(state="down", release="unknown")
        else:
            parts["release"] = "ok" if release is not None else "none"
        folder = settings.warehouse.removeprefix("file://")
        if settings.warehouse.startswith("file://") and not Path(folder).is_dir():
            parts["data"] = "away" if parts["release"] == "ok" else "none"
        serves = parts["state"] == "ok"
        well = all(part == "ok" for part in parts.values())
        status = "ok" if well else "degraded" if serves else "down"
        return jsonify(status=status, parts=parts), 200 if serves else 503

    return "health"
