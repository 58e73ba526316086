"""What the portal writes into the audit: one record per request that has seen data, or was refused.

One rule: the record is written before the answer leaves. When it cannot be written, the answer is that, and no other.
"""

from collections.abc import Callable

from flask import Flask, Response, current_app, g, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user

from lakehouse.access.audit import Verdict
from lakehouse.access.request import LONGEST_NAME, Request
from lakehouse.access.visits import BY_ITSELF, SEARCH
from lakehouse.core import Lakehouse
from lakehouse.errors import LakeportError
from portal.page import Page, Visit

DOOR = "page"
REFUSED = (401, 403, 429)
AT = "at"
"""What any address keeps the version of the data under."""


def add_recording(
    server: Flask, lakehouse: Lakehouse, env: str, answer: Callable[[Exception], ResponseReturnValue]
) -> None:
    """Record what is asked of the server; `answer` says that something could not be recorded."""

    @server.before_request
    def begin() -> None:
        g.record = Request(id=g.request_id, door=DOOR, address=request.remote_addr or "", env=env)

    @server.after_request
    def finish(response: Response) -> Response:
        if "record" not in g or "is_recorded" in g:
            return response
        status = g.trouble.status if "trouble" in g else response.status_code
        if "workspace" not in g and status not in REFUSED:
            return response
        try:
            _record(lakehouse, status)
        except LakeportError as error:
            return current_app.make_response(answer(error))
        return response


def about(action: str, target: str) -> None:
    """Say what this request is about, as its record will have it."""
    g.record.action, g.record.target = action, target


def remember(page: Page, visit: Visit, *, by_itself: bool) -> None:
    """Add what the address of a page has chosen, as far as the page lets it be recorded; of a long one the version.

    `by_itself` is a page that stands open and is drawn again, which is no sign that somebody has looked at it.
    """
    if by_itself:
        g.record.note(**{BY_ITSELF: True})
    for keys in ((*page.recorded, AT), (AT,)):
        search = visit.only(keys).href().removeprefix(visit.path)
        if search and len(search) <= LONGEST_NAME:
            g.record.note(**{SEARCH: search})
            return


def write_now(lakehouse: Lakehouse, verdict: Verdict, status: int) -> None:
    """Write the record of this request now, before it does something that cannot be taken back."""
    leave_to_route()
    lakehouse.audit.write(g.record, verdict, status)


def leave_to_route() -> None:
    """Leave the record of this request to whoever answers it."""
    g.is_recorded = True


def _record(lakehouse: Lakehouse, status: int) -> None:
    record: Request = g.record
    if not record.action:
        about("callback" if request.path == "/_dash-update-component" else "request", request.path)
    record.principal = record.principal or _name(lakehouse) or ""
    if not record.principal:
        lakehouse.audit.count(record.address, f"{record.action} {status}")
        return
    if "workspace" in g:
        release = vars(g.workspace).get("release")  # the one that was read, if any
        record.release = record.release if release is None else release.number
    if "trouble" in g:
        record.note(error=g.trouble.kind)
    is_refused = status in REFUSED or ("trouble" in g and g.trouble.is_refusal)
    verdict: Verdict = "refused" if is_refused else "allowed" if status < 400 else "failed"
    lakehouse.audit.write(record, verdict, status)


def _name(lakehouse: Lakehouse) -> str | None:
    """Who asks, as far as that is known: also whose session it was, when somebody has ended it."""
    if current_user.is_authenticated:
        return str(current_user.name)
    token = session.get("_user_id")
    return lakehouse.sessions.ended_by(token) if isinstance(token, str) else None
