"""Carries out one run and writes down how it ended.

One rule: a run that has begun ends with a state in the table of runs and a result file, whatever happens to it short
of its process being killed; and even then the next run closes it.
"""

import errno
import logging
import secrets
from typing import Any

from lakehouse.errors import LakeportError, Stopped, Unavailable, WorkFailed
from lakehouse.releases import Releases
from lakehouse.runs import Ending, Runs
from pipelines.context import RunContext
from pipelines.gate import unchanged
from pipelines.result import failed_result, outcome_result, unchanged_result, write_result

log = logging.getLogger(__name__)

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
NO_RIGHTS = (errno.EACCES, errno.EPERM, errno.EROFS)


def execute(context: RunContext) -> tuple[dict[str, Any], int]:
    """Do the work of a run that has begun; returns its result and exit code."""
    runs = Runs(context.state)
    try:
        with runs.beating(context.run):
            result, exit_code = _work(context)
    except Exception as raised:  # noqa: BLE001  # the one border of this door: no run ends without a state
        error = _translated(raised)
        state = "cancelled" if isinstance(error, Stopped) else "failed"
        result, exit_code = failed_result(context.run, state, str(error)), error.exit_code
        context.events.fail("run", str(error))
    write_result(context.folder, result)
    context.events.mark("run", "result written")
    released = result["release"] if result["state"] == "success" else None
    runs.end(context.run, Ending(result["state"], result, result.get("error"), released))
    context.events.end("run", result["state"])
    return result, exit_code


def _work(context: RunContext) -> tuple[dict[str, Any], int]:
    release = unchanged(context.settings, context.state, context.order)
    if release is not None:
        return unchanged_result(context.run, release), 0
    from pipelines.refresh import Refresh  # brings PyIceberg

    outcome = Refresh(context).work()
    current = Releases(context.state, context.env, context.settings.zone).current()
    return outcome_result(context.run, outcome, current.number if current else None), outcome.exit_code


def _translated(error: Exception) -> LakeportError:
    """The error as whoever started the run may see it; anything unforeseen goes to the log under a reference."""
    if isinstance(error, LakeportError):
        return error
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return Unavailable("The disk is full. Make room and run again; nothing was released.")
    if isinstance(error, OSError) and error.errno in NO_RIGHTS:
        return Unavailable(f"{error.filename} cannot be written: {error.strerror}. Check its rights and run again.")
    reference = secrets.token_hex(4)
    log.error("Unexpected error, reference %s", reference, exc_info=error)
    return WorkFailed(f"Unexpected error, reference {reference}. The run's log has the details.")
