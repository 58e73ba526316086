"""`GET /_runs`: what has changed on an open page about runs, for as long as it stands open.

One rule: pages ask it by themselves, so it leaves no record of an answer, keeps nobody logged in and no state in this
process, and says 304 to whoever knows the answer. Every web process answers from the state store and the runs' folders,
so that all of them, and everybody, see the same; what somebody may not see is not in the answer.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.http import quote_etag

from lakehouse.core import Workspace
from pipelines.progress import Progress
from pipelines.schedule_control import ScheduleControl
from portal.markup import markup
from portal.page import Visit
from portal.pipelines.current import part_body, progress_of
from portal.pipelines.look import Look
from portal.pipelines.words import Record, is_active

ADDRESS = "/_runs"
NEWEST = 3
"""Runs of an environment by whose states it is known that something has begun, ended or been decided."""

OpenNow = Callable[[], Workspace]
"""The lake as whoever asks may see it now, without a record of their asking."""


def add_live(server: Flask, open_now: OpenNow) -> None:
    """Give the server its `/_runs`; the guard has said that somebody is logged in."""

    @server.get(ADDRESS)
    def runs() -> ResponseReturnValue:
        look = Look.at_once(open_now(), Visit("/pipelines"))
        of = request.args.get("of", "")
        shape, told = drawn(look, of), [(record, progress_of(look, record)) for record in shown_parts(look, of)]
        tag = _digest([shape, [progress_key(progress) for _, progress in told]])
        if request.if_none_match.contains_weak(tag):
            return Response(status=304, headers={"ETag": quote_etag(tag, weak=True)})
        is_alone = bool(of)
        parts = {
            record["run"]: markup(part_body(look, record, progress, is_alone=is_alone)) for record, progress in told
        }
        response = jsonify(drawn=shape, parts=parts)
        response.set_etag(tag, weak=True)  # clocks are in the answer and not in the tag; and compressing keeps it
        return response


def shown_parts(look: Look, of: str) -> list[Record]:
    """The active runs of which somebody may see how far they are; with `of` that one alone."""
    if not look.is_engineers:
        return []
    active = [record for room in look.rooms for record in room.runs().active(room.env)]
    return [record for record in active if of in ("", record["run"])]


def drawn(look: Look, of: str = "") -> str:
    """What must change before the page has to be drawn again: runs that begin and end, decisions, schedules."""
    if of:
        if not look.is_engineers:
            return ""
        record = look.workspace.runs().show(of)
        return _digest([of, "active" if is_active(record) else record["state"], record["release"]])
    told: list[Any] = [[room.env, _states(room), _waiting(room)] for room in look.rooms]
    return _digest([*told, ScheduleControl(look.workspace).marks()])


def progress_key(progress: Progress) -> Any:
    """What changes when something has happened in a run, and not because time has passed."""
    clocks = ("elapsed_seconds", "left_seconds")
    return {name: value for name, value in progress.to_json().items() if name not in clocks}


def _states(room: Workspace) -> list[list[Any]]:
    newest = room.runs().list(room.env, NEWEST)
    return [[record["run"], "active" if is_active(record) else record["state"], record["release"]] for record in newest]


def _waiting(room: Workspace) -> list[str]:
    return [record["run"] for record in room.queue().waiting()]


def _digest(told: Any) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:32]
