"""Publishes what an earlier run has built and left for a decision.

One rule: it builds nothing. What was tested is published as it is, or not at all; a crash is repaired like that of a
refresh.
"""

from contextlib import closing

from lakehouse.tables.catalog import TableCatalog
from lakehouse.tables.publish import Decision, Publisher
from pipelines.context import Decided, RunContext
from pipelines.copies import Copies
from pipelines.refresh import Outcome


def publish_waiting(context: RunContext, decided: Decided) -> Outcome:
    """Publish the release that waits, after what an earlier run has left half-published.

    Raises `RequestWrong` when it waits no more, `Diverged` when another program has changed its tables.
    """
    outcome, copies = Outcome(), Copies(context)
    with closing(TableCatalog(context.settings, context.env)) as catalog:
        publisher = Publisher(context.state, catalog, context.env, copies.write)
        repaired = publisher.repair(context.run)
        if repaired is not None:
            outcome.repaired.append(repaired.sentence)
            context.events.mark("repair", repaired.sentence)
        if repaired is not None and repaired.run == decided.run and repaired.number is not None:
            outcome.release = repaired.number  # somebody has decided so before, and the process died over it
        else:
            context.last_call()
            decision = Decision(decided.by, decided.reason)
            marked = (context.run, decided.run, decision)
            outcome.release = publisher.publish_waiting(*marked, lambda step: context.events.mark("release", step))
            context.events.end("release", f"release {outcome.release}")
    copies.sweep()
    outcome.published = decided.run
    return outcome
