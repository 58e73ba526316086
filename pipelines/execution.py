"""Carries out one run and writes down how it ended.

One rule: a run that has begun ends with a state in the table of runs and a result file, whatever happens to it short
of its process being killed; and even then the next run closes it.
"""

import errno
import logging
import secrets
from contextlib import suppress
from functools import partial
from typing import Any

from sqlalchemy.exc import OperationalError

from lakehouse.errors import DiskFull, LakeportError, Stopped, Unavailable, WorkFailed, causes
from lakehouse.redaction import Redaction
from lakehouse.releases import Releases
from lakehouse.run_records import cut_short
from lakehouse.runs import Ending, Runs
from pipelines import stop
from pipelines.context import RunContext
from pipelines.copies import Copies
from pipelines.gate import unchanged
from pipelines.result import failed_result, outcome_result, unchanged_result, write_result
from pipelines.run_log import LOG_NAME, trim
from pipelines.watch import Watch

log = logging.getLogger(__name__)

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
NO_RIGHTS = (errno.EACCES, errno.EPERM, errno.EROFS)


def execute(context: RunContext) -> tuple[dict[str, Any], int]:
    """Do the work of a run that has begun; returns its result and exit code."""
    watch = Watch(context, partial(_give_up, context))
    try:
        with Runs(context.state).beating(context.run, watch.hear), watch:
            result, exit_code = _work(context)
    except Exception as raised:  # noqa: BLE001  # the one border of this door: no run ends without a state
        result, exit_code = _failure(context, raised)
    watch.closing.acquire()  # whoever has it already ends this process
    stop.ignore()
    trim(context.folder / LOG_NAME)
    if not _written_down(context, result):
        exit_code = exit_code or Unavailable.exit_code
        result.setdefault(
            "error",
            f"The run ended with {result['state']}, but that could not be written down. Make room, check the rights of "
            f"{context.folder}, and run again: the next run closes this one.",
        )
    context.events.end("run", result["state"])
    return result, exit_code


def _failure(context: RunContext, raised: Exception) -> tuple[dict[str, Any], int]:
    """Result and exit code of a run that has raised something."""
    error = _translated(raised)
    state, sentence = "failed", Redaction(context.settings).text(str(error))
    if isinstance(error, Stopped):
        state, sentence = _cut_short(context, sentence)
    context.events.fail("run", sentence)
    return failed_result(context.run, state, sentence), error.exit_code


def _cut_short(context: RunContext, sentence: str) -> tuple[str, str]:
    """State and sentence of a run that was stopped: by somebody who has said so in the store, or by a signal alone."""
    with suppress(LakeportError):
        by = Runs(context.state).show(context.run)["cancelled_by"]
        if by is not None:
            return cut_short(by)
    return "cancelled", sentence


def _give_up(context: RunContext, by: str) -> None:
    """Write down that the run was ended, since it does not come back to do so itself."""
    state, sentence = cut_short(by)
    _written_down(context, failed_result(context.run, state, sentence))


def _written_down(context: RunContext, result: dict[str, Any]) -> bool:
    """Write how the run ended to its result file and to the table of runs; whether both have worked."""
    released = result["release"] if result["state"] == "success" else None
    worked = True
    try:
        write_result(context.folder, result)
        context.events.mark("run", "result written")
    except OSError as error:
        log.error("The result cannot be written", exc_info=error)
        worked = False
    try:
        steps = context.events.said.told()
        Runs(context.state).end(context.run, Ending(result["state"], result, result.get("error"), released, steps))
    except Unavailable as error:
        log.error("The end of the run cannot be written", exc_info=error)
        worked = False
    return worked


def _work(context: RunContext) -> tuple[dict[str, Any], int]:
    decided = context.order.decided
    settled = None if decided else unchanged(context.settings, context.state, context.order)
    if settled is not None:
        Copies(context).restore()
        return unchanged_result(context.run, settled.release, settled.awaiting), 0
    from pipelines.publish import publish_waiting  # brings PyIceberg
    from pipelines.refresh import Refresh

    outcome = Refresh(context).work() if decided is None else publish_waiting(context, decided)
    current = Releases(context.state, context.env, context.settings.zone).current()
    result = outcome_result(context.run, outcome, current.number if current else None)
    if "error" in result:  # what dbt and the tools say may hold what they were given
        result["error"] = Redaction(context.settings).text(result["error"])
    return result, outcome.exit_code


def _disk_full(error: BaseException) -> bool:
    if isinstance(error, OperationalError):
        return "disk is full" in str(error.orig)
    return isinstance(error, DiskFull) or (isinstance(error, OSError) and error.errno in NO_SPACE)


def _translated(error: Exception) -> LakeportError:
    """The error as whoever started the run may see it; anything unforeseen goes to the log under a reference."""
    behind = list(causes(error))
    if any(_disk_full(cause) for cause in behind):
        return DiskFull()
    stopped = next((cause for cause in behind if isinstance(cause, Stopped)), None) or stop.earlier()
    if stopped is not None:
        return stopped
    if isinstance(error, LakeportError):
        return error
    if isinstance(error, OperationalError):  # the state store translates its own
        return Unavailable(f"The catalog cannot be used. Check that its folder is writable ({error.orig}).")
    if isinstance(error, OSError) and error.errno in NO_RIGHTS:
        return Unavailable(f"{error.filename} cannot be written: {error.strerror}. Check its rights and run again.")
    reference = secrets.token_hex(4)
    log.error("Unexpected error, reference %s", reference, exc_info=error)
    return WorkFailed(f"Unexpected error, reference {reference}. The run's log has the details.")
