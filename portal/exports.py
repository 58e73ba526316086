"""`GET /export/<page>[/<tile>].<csv|parquet>`: what a page shows, as a file, under the rights of whoever asks.

One rule: an export reads what its page reads, at the page's address and version, and says whether it is all. The audit
has one record before the first byte leaves, and one when the last one has left or nobody wanted it any more.
"""

from collections.abc import Iterator
from contextlib import ExitStack

from flask import Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import MethodNotAllowed, NotFound

from lakehouse.core import Lakehouse, Workspace
from lakehouse.query.answer import Answer
from portal.files import KINDS, as_csv, as_parquet, file_name
from portal.page import MOST_VALUES, OpenWorkspace, Page, Visit
from portal.recording import about, leave_to_route

RAW = "raw"
"""What an address says to have every text as it is, also one that a spreadsheet would compute."""


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
        with ExitStack() as recording:
            recording.enter_context(lakehouse.audit.recorded(g.record, changes=True))
            answer = asked.exports[tile](workspace, visit.without(RAW))
            name = file_name("-".join(part for part in (page, tile) if part), workspace.release.number, answer, kind)
            g.record.note(file=name)
            pieces = _pieces(answer, workspace, kind, is_raw=visit.one(RAW) == "1")
            return _sent(pieces, recording.pop_all(), name, kind, _facts(answer, workspace))

    server.add_url_rule("/export/<page>.<kind>", "export", export, methods=["GET", "POST"])
    server.add_url_rule("/export/<page>/<tile>.<kind>", "export_tile", export, methods=["GET", "POST"])


def _visit(path: str) -> Visit:
    """The visit of the page whose address, or whose form, says what the file is to hold."""
    if request.method == "POST":
        given = [(key, value) for key, value in request.form.items(multi=True) if key != "csrf_token"]
        return Visit(path, tuple(given[:MOST_VALUES]))
    return Visit.from_search(path, request.query_string.decode("latin-1"))


def _facts(answer: Answer, workspace: Workspace) -> dict[str, str]:
    """What a file says of itself."""
    release = workspace.release
    complete = "true" if answer.complete else "false"
    return {"release": str(release.number), "rows": str(answer.table.num_rows), "complete": complete}


def _pieces(answer: Answer, workspace: Workspace, kind: str, *, is_raw: bool) -> Iterator[bytes]:
    if kind == "csv":
        return as_csv(answer, is_raw=is_raw)
    return as_parquet(answer, {**_facts(answer, workspace), "published": workspace.release.published})


def _sent(pieces: Iterator[bytes], recording: ExitStack, name: str, kind: str, facts: dict[str, str]) -> Response:
    """The file as an answer; its end is recorded whether it was sent to its last byte or not."""

    def send() -> Iterator[bytes]:
        yield from pieces
        recording.close()

    response = Response(send(), mimetype=KINDS[kind])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Lakeport-Export"] = "; ".join(f"{key}={value}" for key, value in facts.items())

    @response.call_on_close
    def ended() -> None:
        left = GeneratorExit("The reader has gone.")
        recording.__exit__(GeneratorExit, left, None)  # does nothing when it was closed at the last byte

    return response
