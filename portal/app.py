"""Builds the portal: the only place that knows every part of it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dash import Dash
from dash.exceptions import CallbackException, DependencyException
from flask import Flask, g, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_compress import Compress
from flask_login import current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import BadRequest, Forbidden, NotFound
from werkzeug.middleware.proxy_fix import ProxyFix

from lakehouse.core import Lakehouse, Workspace
from lakehouse.settings import ServerSettings
from portal import auth, bundle, follow, shell
from portal.address import known_hosts
from portal.errors import show_error, trouble
from portal.exports import add_exports
from portal.guard import PUBLIC, Guard
from portal.headers import add_headers
from portal.health import add_health
from portal.locales import written_as
from portal.page import Page, offered, open_to
from portal.pages import PAGES
from portal.pipelines import routes
from portal.prefix import below
from portal.recording import add_recording
from portal.screens import Screens
from portal.warm import warm

HERE = Path(__file__).parent
ASSETS = next(folder for folder in (HERE / "assets", HERE.parent / "assets") if folder.is_dir())
LARGEST_BODY_BYTES = 1 << 20
HEADINGS = {403: "No access", 404: "No such page"}
OTHERWISE = "That did not work"
MEANT: dict[type[Exception], Exception] = {
    DependencyException: NotFound(),
    CallbackException: BadRequest(),  # what was posted is not the callback that was declared
}
"""What Dash means by its errors."""


class Portal(Dash):
    """Dash with a document of our own: its language, its theme before the first paint, and its base path."""

    def interpolate_index(self, *args: Any, **parts: Any) -> str:
        """The document that loads everything else."""
        return render_template("index.html", **parts, **shell.outline())


def create_app(lakehouse: Lakehouse, env: str = "dev", pages: Sequence[Page] = PAGES) -> Dash:
    """A fresh portal on one environment of a lake: safe to call many times in one process."""
    warm()
    server = _server(lakehouse.settings.server)
    app = _dash(server, lakehouse.settings.server.base_path)
    pages = offered(lakehouse.settings, pages)
    by_path, csrf = {page.path: page for page in pages}, CSRFProtect()
    server.config["LAKEPORT_PAGES"] = by_path
    guard = Guard(by_path, csrf, known_hosts(lakehouse.settings.server))

    def open_workspace(version: str) -> Workspace:
        workspace = lakehouse.as_user(current_user.principal, env, g.record).at(version)
        g.workspace = workspace
        return workspace

    add_headers(server, app.csp_hashes)
    add_recording(server, lakehouse, env, _answer)
    auth.add_login(server, lakehouse, env, csrf)
    server.before_request(guard.check)
    server.before_request(partial(_first_page, by_path))
    auth.add_routes(server, lakehouse, csrf)
    add_health(server, lakehouse, env)
    follow.add_follow(server, lakehouse, env)
    add_exports(server, lakehouse, open_workspace)
    routes.add_routes(server, lakehouse, open_workspace, lambda: lakehouse.as_user(current_user.principal, env))
    bundle.add_bundles(server, ASSETS, lakehouse.settings.server.base_path)
    guard.endpoints.update(auth.ENDPOINTS, **bundle.ENDPOINTS, **follow.ENDPOINTS, **routes.ENDPOINTS, health=PUBLIC)
    server.register_error_handler(Exception, _answer)
    server.wsgi_app = written_as(lakehouse.settings.lake.locale, server.wsgi_app)  # type: ignore[method-assign]
    shell.add_router(app, by_path, open_workspace, Screens(lakehouse.settings.query.cache_mb << 20))
    guard.own(app, None)
    for page in pages:
        if page.callbacks is not None:
            page.callbacks(app, open_workspace)
        guard.own(app, page)
    return app


def _server(settings: ServerSettings) -> Flask:
    server = Flask("portal", static_folder=None, template_folder=str(HERE / "templates"))
    server.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=LARGEST_BODY_BYTES,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_ALGORITHM_STREAMING=["br"],
        COMPRESS_BR_LEVEL=5,
        LAKEPORT_BASE=settings.base_path,
        LAKEPORT_NOTICE=settings.notice,
    )
    Compress(server)
    proxies = settings.trusted_proxies
    server.wsgi_app = below(settings.base_path, server.wsgi_app)  # type: ignore[method-assign]
    if proxies:
        server.wsgi_app = ProxyFix(server.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    base = settings.base_path

    @server.context_processor
    def known_to_templates() -> dict[str, Any]:
        return {"base": base, "theme": shell.theme(), "notice": settings.notice, "asset": asset}

    def asset(name: str) -> str:
        return f"{base}/assets/{name}?m={(ASSETS / name).stat().st_mtime}"

    return server


def _dash(server: Flask, base: str) -> Dash:
    app = Portal(
        "portal",
        server=server,  # type: ignore[arg-type]  # Dash's annotation leaves Flask out
        assets_folder=str(ASSETS),
        assets_ignore=".",  # the document names what it needs, most of it in bundles
        routes_pathname_prefix="/",
        requests_pathname_prefix=f"{base}/",
        suppress_callback_exceptions=True,  # else Dash runs every layout at the first request
        title="Lakeport",
        update_title="",
        on_error=show_error,
        enable_mcp=False,  # an environment variable could switch it on
        add_log_handler=False,
    )
    app.layout = shell.skeleton
    return app


def _first_page(pages: dict[str, Page]) -> ResponseReturnValue | None:
    """`/` leads to the first page that the user may open, as long as no page has that address."""
    if request.path != "/" or request.path in pages:
        return None
    allowed = open_to(current_user.principal, pages.values())
    if not allowed:
        raise Forbidden
    return redirect(f"{request.script_root}{allowed[0].path}")


def _answer(error: Exception) -> ResponseReturnValue:
    """The border of routes: JSON for scripts, a document for people."""
    said = trouble(MEANT.get(type(error), error))
    if request.path.startswith("/_") or request.accept_mimetypes.best == "application/json":
        return jsonify(said.document()), said.status
    heading = OTHERWISE if isinstance(error, CSRFError) else HEADINGS.get(said.status, OTHERWISE)
    frame = shell.outline() if said.status < 500 else {}  # asking who this is may be what has failed
    return render_template("error.html", heading=heading, text=said.text, **frame), said.status
