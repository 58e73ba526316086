"""How an error reaches whoever asked, in words; its details go to the log under a reference.

One rule: nothing else in the portal turns an error into words. Pages, callbacks and routes never catch.
"""

import logging
import secrets
from dataclasses import dataclass, replace

from dash import set_props
from flask import g
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from lakehouse.errors import LakeportError
from portal.components.states import TOAST_TEXT

log = logging.getLogger(__name__)

HTTP_SENTENCES = {
    400: "The request was not understood.",
    401: "You are not logged in, or your login has ended. Log in again.",
    403: "You may not do this. Ask an admin for access.",
    404: "There is no such page.",
    405: "This address does not take such a request.",
    413: "The request is too large.",
    429: "Too many requests. Wait a moment and try again.",
}
OUT_OF_DATE = "This page is out of date. Load it again and try once more."


@dataclass(frozen=True)
class Trouble:
    """An error as it is shown: a sentence, the HTTP status, and a reference when the log has more."""

    text: str
    status: int
    reference: str = ""
    is_refusal: bool = False
    kind: str = ""
    """The name of the error; what it says may hold data, so the audit has this instead."""

    def document(self) -> dict[str, str]:
        """The error as scripts see it."""
        return {"text": self.text, **({"reference": self.reference} if self.reference else {})}


def trouble(error: BaseException) -> Trouble:
    """What to say of an error. Ours speak for themselves; any other gets a reference to find in the log."""
    g.trouble = said = replace(_said(error), kind=type(error).__name__)  # also for the record of this request
    return said


def _said(error: BaseException) -> Trouble:
    if isinstance(error, LakeportError):
        return Trouble(str(error), error.status, is_refusal=error.is_refusal)
    if isinstance(error, CSRFError):
        return Trouble(OUT_OF_DATE, 403)
    if isinstance(error, HTTPException) and error.code is not None and error.code < 500:
        return Trouble(HTTP_SENTENCES.get(error.code, error.name + "."), error.code)
    reference = secrets.token_hex(4)
    log.error("Unexpected error, reference %s", reference, exc_info=error)
    return Trouble(f"Unexpected error, reference {reference}. The portal's log has the details.", 500, reference)


def show_error(error: Exception) -> None:
    """The border of callbacks: the toast says what happened, and the page stays as it is."""
    set_props(TOAST_TEXT, {"children": trouble(error).text})
