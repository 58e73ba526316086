"""`GET /_runs/<run>/files/<name>` and `/_runs/<run>/quarantine.csv`: what a run has left, as files.

One rule: a file is one of a list of names, is given without secrets, and never as anything that a browser would show
as a page.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask, Response, g, request
from werkzeug.exceptions import NotFound

from lakehouse.core import Workspace
from lakehouse.disclosure import Disclosure
from lakehouse.query.scope import QUARANTINE
from lakehouse.redaction import Redaction
from pipelines.context import run_folder
from pipelines.run_log import whole_log
from portal.files import as_csv
from portal.page import OpenWorkspace
from portal.pipelines.look import in_env
from portal.pipelines.words import Record
from portal.recording import about

MOST_BYTES = 64 << 20
MOST_ROWS = 100_000


@dataclass(frozen=True)
class Artefact:
    """A file of a run: what it is called where it is given, and its kind."""

    words: str
    kind: str


ARTEFACTS = {
    "output.log": Artefact("Log", "text/plain; charset=utf-8"),
    "events.jsonl": Artefact("Events", "application/x-ndjson; charset=utf-8"),
    "result.json": Artefact("Result", "application/json"),
    "manifest.json": Artefact("dbt manifest", "application/json"),
    "run_results.json": Artefact("dbt results", "application/json"),
}


def artefacts(room: Workspace, record: Record) -> list[str]:
    """The files of a run that whoever asks may have: all or none, since each may quote any row."""
    if not Disclosure.to(room).is_whole:
        return []
    folder = run_folder(room.lakehouse.settings, record["run"])
    return [name for name in ARTEFACTS if (folder / name).is_file()]


def add_downloads(server: Flask, open_workspace: OpenWorkspace) -> None:
    """Give the server the files of runs; the guard has said that whoever asks may diagnose runs."""

    def opened(run: str) -> tuple[Workspace, Record]:
        about("run file", request.path)
        workspace = open_workspace("now")
        record = workspace.runs().show(run)
        room = g.workspace = in_env(workspace, record["env"])
        return room, record

    @server.get("/_runs/<run>/files/<name>")
    def run_file(run: str, name: str) -> Response:
        room, record = opened(run)
        if name not in artefacts(room, record):
            raise NotFound
        response = Response(_text(room, run, name), mimetype=ARTEFACTS[name].kind)
        return _as_file(response, f"run-{run}.{name}")

    @server.get("/_runs/<run>/quarantine.csv")
    def run_quarantine(run: str) -> Response:
        room, record = opened(run)
        if record["release"] is None:
            raise NotFound
        answer = room.at(str(record["release"])).sample(QUARANTINE, MOST_ROWS)
        pieces: Iterator[bytes] = as_csv(answer.table.schema, answer.table.to_batches(), is_raw=False)
        count = answer.table.num_rows
        whole = "all" if answer.complete and count < MOST_ROWS else "first"
        response = Response(pieces, mimetype="text/csv; charset=utf-8")
        return _as_file(response, f"quarantine.release-{record['release']}.{whole}-{count}-rows.csv")


def _text(room: Workspace, run: str, name: str) -> str:
    settings = room.lakehouse.settings
    folder, redaction = run_folder(settings, run), Redaction(settings)
    if name == "output.log":
        return whole_log(folder, redaction)
    with (folder / name).open("rb") as file:
        return redaction.text(file.read(MOST_BYTES).decode("utf-8", "replace"))


def _as_file(response: Response, name: str) -> Response:
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
