"""Commands about runs: which there are, what they say, and starting and cancelling them.

One rule: a run that is started here goes on by itself; who wants to stay beside one uses `lakeport refresh`.
"""

from datetime import datetime
from typing import Annotated, Any

import pyarrow as pa
import typer

from lakehouse.core import Workspace
from lakehouse.errors import RequestWrong
from lakehouse.state.schema import ACTIVE
from pipelines.context import JOB
from pipelines.control import RunControl
from portal.cli.door import Door, guarded, printable
from portal.cli.show import show_pairs, show_table
from portal.cli.work import Full, Reason, Select, Source, TestsOnly

Run = Annotated[str, typer.Argument(metavar="ID", help="The run.")]

app = typer.Typer(
    help="Start, look at and cancel runs.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)

COLUMNS = ("state", "release", "started", "took", "run")


@app.command("start")
@guarded("home", "env", "as_user", "as_json", "quiet")
def start_run(
    door: Door,
    job: Annotated[str, typer.Argument(metavar="[JOB]", help="refresh, load or build.")] = JOB,
    source: Source = None,
    select: Select = None,
    full: Full = False,
    tests_only: TestsOnly = False,
    reason: Reason = "",
) -> None:
    """Start a run, and do not wait for it."""
    with door.workspace("run start", job) as workspace:
        record = RunControl(workspace).start(
            job, source=source, select=select or (), full=full, tests_only=tests_only, reason=reason
        )
    if door.as_json:
        door.give(record)
    else:
        door.say(f"Run {record['run']} has started. Follow it with `lakeport run show {record['run']}`.")


@app.command("list")
@guarded("home", "env", "as_user", "as_json")
def list_runs(
    door: Door, limit: Annotated[int, typer.Option("--limit", min=1, help="How many, newest first.")] = 50
) -> None:
    """List the newest runs."""
    with door.workspace("run list") as workspace:
        records = workspace.runs().list(door.env, limit)
    if door.as_json:
        door.give(records)
    else:
        show_table(pa.table({name: [_short(name, record) for record in records] for name in COLUMNS}), limit)


@app.command("show")
@guarded("home", "env", "as_user", "as_json")
def show_run(
    door: Door, run: Annotated[str | None, typer.Argument(metavar="[ID]", help="A run; the newest without it.")] = None
) -> None:
    """Show one run with its result."""
    with door.workspace("run show", run or "") as workspace:
        record = workspace.runs().show(run or _newest(workspace, door.env))
        if record["state"] in ACTIVE and record["env"] == door.env:
            progress = RunControl(workspace).progress(record["run"])
            record |= {"percent": progress.percent, "left_seconds": progress.left_seconds}
    if door.as_json:
        door.give(record)
    else:
        show_pairs(record.items())


@app.command("log")
@guarded("home", "env", "as_user", "as_json")
def show_log(
    door: Door,
    run: Run,
    lines: Annotated[int | None, typer.Option("--lines", min=1, help="The last lines only.")] = None,
) -> None:
    """Show what the tools of a run have printed, without secrets."""
    with door.workspace("run log", run) as workspace:
        text = RunControl(workspace).log(run, lines)
    if door.as_json:
        door.give({"run": run, "log": text})
    elif text:
        typer.echo(printable(text.removesuffix("\n")))


@app.command("cancel")
@guarded("home", "env", "as_user", "as_json", "quiet")
def cancel_run(door: Door, run: Run) -> None:
    """Cancel a run, and wait until it has ended."""
    with door.workspace("run cancel", run) as workspace:
        said = RunControl(workspace).cancel(run, wait=True)
        record = workspace.runs().show(run)
    if door.as_json:
        door.give(record)
    else:
        door.say(record["error"] if record["ended"] and record["error"] else said)


def _newest(workspace: Workspace, env: str) -> str:
    newest = workspace.runs().list(env, 1)
    if not newest:
        raise RequestWrong(f"There are no runs of {env} yet. Start one with `lakeport refresh`.")
    return str(newest[0]["run"])


def _short(name: str, record: dict[str, Any]) -> str:
    """The value as a column of a narrow terminal has it; times to the second, in UTC."""
    if name == "took":
        if record["ended"] is None:
            return ""
        took = datetime.fromisoformat(record["ended"]) - datetime.fromisoformat(record["started"])
        return f"{took.total_seconds():,.0f} s"
    value = "" if record[name] is None else str(record[name])
    return value[:19].replace("T", " ") + "Z" if name == "started" else value
