"""Publishing and discarding what waits, for doors that answer at once: the portal.

One rule: whoever asks is checked first, and the audit knows of it before anything happens; the door's own record of the
request is the one after.
"""

from typing import Any

from lakehouse.core import Workspace
from lakehouse.publish_queue import given_reason
from pipelines.context import Decided, publish_order
from pipelines.control import announce
from pipelines.runner import start_detached


def publish(workspace: Workspace, run: str, reason: str) -> dict[str, Any]:
    """Start a run that publishes what `run` has left for a decision; returns the record of the new run at once.

    Raises `NotAllowed`, `UnknownName`, `RequestWrong` without a reason or where nothing waits, and `Busy`.
    """
    lakehouse, name = workspace.lakehouse, workspace.principal.name
    order = publish_order(lakehouse.settings, workspace.env, Decided(run, name, given_reason(reason)))
    workspace.queue().check(run)
    announce(workspace, "release publish", run, reason=reason.strip())
    started = start_detached(lakehouse.settings, lakehouse.state, order, name)
    workspace.request.note(run=started)
    return workspace.runs().show(started)


def discard(workspace: Workspace, run: str, reason: str) -> dict[str, Any]:
    """Discard what `run` has left for a decision; returns the record of its release. Raises as `publish` does."""
    queue = workspace.queue()
    given_reason(reason)
    queue.check(run)
    announce(workspace, "release discard", run, reason=reason.strip())
    return queue.discard(run, reason)
