"""Commands about runs."""

from typing import Annotated

import pyarrow as pa
import typer

from portal.cli.door import Door, guarded
from portal.cli.show import show_table

app = typer.Typer(help="Look at runs.", no_args_is_help=True, add_completion=False, rich_markup_mode=None)

COLUMNS = ("run", "state", "started", "ended", "release", "starter")


@app.command("list")
@guarded("home", "env", "as_json")
def list_runs(
    door: Door, limit: Annotated[int, typer.Option("--limit", min=1, help="How many, newest first.")] = 50
) -> None:
    """List the newest runs."""
    with door.workspace() as workspace:
        records = workspace.runs().list(door.env, limit)
    if door.as_json:
        door.give(records)
    else:
        show_table(pa.table({name: [str(record[name] or "") for record in records] for name in COLUMNS}), limit)


@app.command("show")
@guarded("home", "env", "as_json")
def show_run(door: Door, run: Annotated[str, typer.Argument(metavar="ID", help="A run.")]) -> None:
    """Show one run with its result."""
    with door.workspace() as workspace:
        record = workspace.runs().show(run)
    if door.as_json:
        door.give(record)
        return
    for name, value in record.items():
        typer.echo(f"{name}: {'' if value is None else value}")
