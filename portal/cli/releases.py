"""Commands about releases: which there are, and publishing or discarding what waits for a decision.

One rule: a decision has a reason, and whoever makes it may do so in the environment.
"""

from typing import Annotated, Any

import pyarrow as pa
import typer

from lakehouse.drift import Difference
from lakehouse.publish_queue import given_reason
from pipelines.context import Decided, publish_order
from pipelines.runner import start
from portal.cli.door import Door, guarded
from portal.cli.show import show_table
from portal.cli.work import see_through, tell

app = typer.Typer(
    help="Look at releases; publish or discard what waits.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

COLUMNS = ("state", "release", "created", "run", "decided by", "why")

Run = Annotated[str, typer.Argument(metavar="RUN", help="The run whose release waits.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with the release.")]


@app.command("list")
@guarded("home", "env", "as_user", "as_json")
def list_releases(
    door: Door, limit: Annotated[int, typer.Option("--limit", min=1, help="How many, newest first.")] = 50
) -> None:
    """List the newest releases: what waits, what was published, what was discarded."""
    with door.workspace("release list") as workspace:
        records = workspace.queue().records(limit)
    if door.as_json:
        door.give(records)
        return
    shown = {name: [_short(name, record) for record in records] for name in COLUMNS}
    show_table(pa.table(shown, schema=pa.schema([(name, pa.string()) for name in COLUMNS])), limit)


@app.command("publish")
@guarded("home", "env", "as_user", "as_json", "quiet")
def publish(door: Door, run: Run, reason: Reason) -> int:
    """Publish what a run has built and left for a decision."""
    with door.workspace("release publish", run, changes=True) as workspace:
        said = given_reason(reason)
        workspace.request.note(reason=said)
        workspace.queue().check(run)
        name = workspace.principal.name
        order = publish_order(door.settings, door.env, Decided(run, name, said))
        ended = see_through(door, start(door.settings, order, name), workspace.request)
    return tell(door, ended)


@app.command("discard")
@guarded("home", "env", "as_user", "as_json", "quiet")
def discard(door: Door, run: Run, reason: Reason) -> None:
    """Discard what a run has built and left for a decision; readers stay where they are."""
    with door.workspace("release discard", run, changes=True) as workspace:
        workspace.request.note(reason=reason)
        record = workspace.queue().discard(run, reason)
    if door.as_json:
        door.give(record)
    else:
        door.say(f"Discarded: what run {run} has built. Readers see what they saw; the next refresh builds anew.")


def _short(name: str, record: dict[str, Any]) -> str:
    """The value as a column of a narrow terminal has it; times to the second, in UTC."""
    if name == "why":
        over = [Difference(**one).sentence() for one in record["differences"] or () if one["over"]]
        return "; ".join([*([record["reason"]] if record["reason"] else []), *over])
    if name == "created":
        return str(record["created"])[:19].replace("T", " ") + "Z"
    value = record[{"release": "number", "decided by": "decided_by"}.get(name, name)]
    return "" if value is None else str(value)
