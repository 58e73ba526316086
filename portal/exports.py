"""`GET /export/<page>[/<tile>].<csv|parquet|xlsx>`: what a page shows, as a file, under the rights of whoever asks.

One rule: an export reads what its page reads, at the page's address and version, and says whether it is all. The audit
has one record before the first byte leaves, and one when the last one has left or nobody wanted it any more.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from flask import Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import MethodNotAllowed, NotFound

from lakehouse.core import Lakehouse, Workspace
from lakehouse.query.spool import Spooled
from portal import scribe
from portal.files import KINDS, Facts
from portal.page import MOST_VALUES, OpenWorkspace, Page, Visit
from portal.recording import about, leave_to_route
from portal.scribe import Order
from portal.workbook import fitting

RAW = "raw"
"""What an address says to have every text as it is, also one that a spreadsheet would compute."""


@dataclass(frozen=True)
class Wanted:
    """What file is asked for: its name without an ending, its kind, and whether texts stay as they are.

    `folder` is where it may be built.
    """

    name: str
    kind: str
    is_raw: bool
    folder: Path


def add_exports(server: Flask, lakehouse: Lakehouse, open_workspace: OpenWorkspace) -> None:
    """Give the server its exports; the guard has said which page they belong to."""

    def export(page: str, kind: str, tile: str = "") -> ResponseReturnValue:
        asked: Page = g.page
        if tile not in asked.exports or kind not in KINDS:
            raise NotFound
        about("export", request.path)
        if (request.method == "POST") != asked.exports_by_post:
            raise MethodNotAllowed
        visit = _visit(current_app.config["LAKEPORT_BASE"] + asked.path)
        workspace = open_workspace(visit.version)
        leave_to_route()
        name = "-".join(part for part in (page, tile) if part)
        wanted = Wanted(name, kind, visit.one(RAW) == "1", lakehouse.settings.folder)
        visit = visit.without(RAW)
        with ExitStack() as kept:
            kept.enter_context(lakehouse.audit.recorded(g.record, changes=True))
            found = kept.enter_context(asked.exports[tile](workspace, visit))
            return _answer(wanted, found, _facts(found, workspace, visit, kind), kept)

    server.add_url_rule("/export/<page>.<kind>", "export", export, methods=["GET", "POST"])
    server.add_url_rule("/export/<page>/<tile>.<kind>", "export_tile", export, methods=["GET", "POST"])


def _visit(path: str) -> Visit:
    """The visit of the page whose address, or whose form, says what the file is to hold."""
    if request.method == "POST":
        given = [(key, value) for key, value in request.form.items(multi=True) if key != "csrf_token"]
        return Visit(path, tuple(given[:MOST_VALUES]))
    return Visit.from_search(path, request.query_string.decode("latin-1"))


def _facts(found: Spooled, workspace: Workspace, visit: Visit, kind: str) -> Facts:
    """What the file says of itself."""
    page = f"{request.host_url.rstrip('/')}{visit.href()}"
    release = workspace.release
    facts = Facts(release.number, str(release.published), found.rows, found.complete, page)
    return fitting(facts) if kind == "xlsx" else facts


def _answer(wanted: Wanted, found: Spooled, facts: Facts, kept: ExitStack) -> Response:
    """The file as an answer. `kept` is what is open for it, until the last byte or until the reader has gone."""
    name = facts.file_name(wanted.name, wanted.kind)
    g.record.note(file=name)
    order = Order(wanted.kind, wanted.is_raw, facts)
    written = kept.enter_context(scribe.written(order, found, wanted.folder))
    # What is wrong with the first rows is said in words; an answer that has begun can only break off.
    body = chain([next(written)], written)
    left = kept.pop_all()

    def send() -> Iterator[bytes]:
        yield from body
        left.close()

    response = Response(send(), mimetype=KINDS[wanted.kind])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Lakeport-Export"] = facts.header()

    @response.call_on_close
    def ended() -> None:
        gone = GeneratorExit("The reader has gone.")
        left.__exit__(GeneratorExit, gone, None)  # does nothing when it was closed at the last byte

    return response
