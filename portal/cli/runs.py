"""Commands about runs."""

from datetime import datetime
from typing import Annotated, Any

import pyarrow as pa
import typer

from lakehouse.core import Workspace
from lakehouse.errors import RequestWrong
from portal.cli.door import Door, guarded
from portal.cli.show import show_pairs, show_table

app = typer.Typer(help="Look at runs.", no_args_is_help=True, add_completion=False, rich_markup_mode=None)

COLUMNS = ("state", "release", "started", "took", "run")


@app.command("list")
@guarded("home", "env", "as_json")
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
@guarded("home", "env", "as_json")
def show_run(
    door: Door, run: Annotated[str | None, typer.Argument(metavar="[ID]", help="A run; the newest without it.")] = None
) -> None:
    """Show one run with its result."""
    with door.workspace("run show", run or "") as workspace:
        record = workspace.runs().show(run or _newest(workspace, door.env))
    if door.as_json:
        door.give(record)
    else:
        show_pairs(record.items())


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
