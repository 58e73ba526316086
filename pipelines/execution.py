"""Carries out one run and writes down how it ended.

One rule: a run that has begun ends with a state in the table of runs and a result file, whatever happens to it short
of its process being killed; and even then the next run closes it.
"""

import errno
import logging
import secrets
from typing import Any

from sqlalchemy.exc import OperationalError

from lakehouse.errors import DiskFull, LakeportError, Stopped, Unavailable, WorkFailed, causes
from lakehouse.releases import Releases
from lakehouse.runs import Ending, Runs
from pipelines import stop
from pipelines.context import RunContext
from pipelines.gate import unchanged
from pipelines.result import failed_result, outcome_result, unchanged_result, write_result

log = logging.getLogger(__name__)

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
NO_RIGHTS = (errno.EACCES, errno.EPERM, errno.EROFS)


def execute(context: RunContext) -> tuple[dict[str, Any], int]:
    """Do the work of a run that has begun; returns its result and exit code."""
    try:
        with Runs(context.state).beating(context.run):
            result, exit_code = _work(context)
    except Exception as raised:  # noqa: BLE001  # the one border of this door: no run ends without a state
        error = _translated(raised)
        state = "cancelled" if isinstance(error, Stopped) else "failed"
        result, exit_code = failed_result(context.run, state, str(error)), error.exit_code
        context.events.fail("run", str(error))
    stop.ignore()
    if not _written_down(context, result):
        exit_code = exit_code or Unavailable.exit_code
        result.setdefault(
            "error",
            f"The run ended with {result['state']}, but that could not be written down. Make room, check the rights of "
            f"{context.folder}, and run again: the next run closes this one.",
        )
    context.events.end("run", result["state"])
    return result, exit_code


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
        Runs(context.state).end(context.run, Ending(result["state"], result, result.get("error"), released))
    except Unavailable as error:
        log.error("The end of the run cannot be written", exc_info=error)
        worked = False
    return worked


def _work(context: RunContext) -> tuple[dict[str, Any], int]:
    release = unchanged(context.settings, context.state, context.order)
    if release is not None:
        return unchanged_result(context.run, release), 0
    from pipelines.refresh import Refresh  # brings PyIceberg

    outcome = Refresh(context).work()
    current = Releases(context.state, context.env, context.settings.zone).current()
    return outcome_result(context.run, outcome, current.number if current else None), outcome.exit_code


def _disk_full(error: BaseException) -> bool:
    if isinstance(error, OperationalError):
        return "disk is full" in str(error.orig)
    return isinstance(error, DiskFull) or (isinstance(error, OSError) and error.errno in NO_SPACE)


def _translated(error: Exception) -> LakeportError:
    """The error as whoever started the run may see it; anything unforeseen goes to the log under a reference."""
    behind = list(causes(error))
    if any(_disk_full(cause) for cause in behind):
        return DiskFull()
    stopped = next((cause for cause in behind if isinstance(cause, Stopped)), None)
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
