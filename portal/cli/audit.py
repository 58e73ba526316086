"""Commands about the audit: who has asked for what, and whether its records are whole.

One rule: nothing here changes a record.
"""

import json
from typing import Annotated, Any

import pyarrow as pa
import typer

from portal.cli.door import Door, guarded, printable
from portal.cli.show import show_table

app = typer.Typer(
    help="Look at the audit and verify it.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)

COLUMNS = ("number", "at", "principal", "action", "target", "verdict")
COUNTED = ("minute", "address", "kind", "count")
BROKEN = 1


@app.command("list")
@guarded("home", "as_json")
def list_records(
    door: Door,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many, newest first.")] = 50,
    principal: Annotated[str | None, typer.Option("--principal", help="Of this user or operator.")] = None,
    action: Annotated[str | None, typer.Option("--action", help="Such as page, query, sign-in or user set.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="From this date or time on.")] = None,
    counted: Annotated[
        bool, typer.Option("--counted", help="Show the refusals without a known user, which are only counted.")
    ] = False,
) -> None:
    """List the newest records."""
    with door.any_environment().workspace("audit list", "counted" if counted else "") as workspace:
        audit = workspace.audit()
        found = audit.refusals(limit) if counted else audit.records(limit, principal, action, since)
    records = found if counted else [{**record, "detail": json.loads(record["detail"])} for record in found]
    if door.as_json:
        door.give(records)
        return
    columns = COUNTED if counted else COLUMNS
    shown = {name: [_short(name, record) for record in records] for name in columns}
    show_table(pa.table(shown, schema=pa.schema([(name, pa.string()) for name in columns])), limit)


@app.command("verify")
@guarded("home", "as_json", "quiet")
def verify(
    door: Door,
    head: Annotated[
        str | None, typer.Option("--head", metavar="NUMBER:HASH", help="A head that was noted, which must be there.")
    ] = None,
) -> int:
    """Check that no record was changed, removed or put in another place."""
    from lakehouse.core import Lakehouse

    everywhere = door.any_environment()
    with Lakehouse.open(door.home) as lake:
        request = everywhere.request("audit verify", head or "")
        found = everywhere.enter(lake, request).audit().verify(head)
        if found.bad is None:  # a chain that is broken may have no place to go on from, and the answer matters more
            lake.audit.write(request, "allowed", 200)
    if door.as_json:
        told = {"records": found.records, "head": found.head, "first_bad": found.bad, "text": found.sentence or None}
        door.give(told)
    if found.bad is not None:
        typer.echo(printable(found.sentence), err=True)
        return BROKEN
    if not door.as_json:
        door.say(f"{found.records:,} records are whole. Head: {found.head}")
    return 0


def _short(name: str, record: dict[str, Any]) -> str:
    """The value as a column of a narrow terminal has it; times to the second, in UTC."""
    if name == "at":
        return str(record["at"])[:19].replace("T", " ") + "Z"
    if name == "principal" and record["operator"]:
        return f"{record['principal']} ({record['operator']})"
    return str(record[name])
