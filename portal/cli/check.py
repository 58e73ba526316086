"""`lakeport doctor`: whether everything is there that a lake needs."""

import typer

from portal.cli.door import Door, guarded
from portal.doctor import examine

SIGNS = {"pass": "ok  ", "fail": "FAIL", "skip": "skip"}
NOT_THERE = 4


@guarded("home", "as_json")
def doctor(door: Door) -> int:
    """Check versions, extensions, folder, disk and secrets."""
    found = examine(door.home)
    if door.as_json:
        door.give(found)
    else:
        for check in found:
            typer.echo(f"{SIGNS[check['state']]} {check['check']}: {check['detail']}")
            if check["state"] == "fail":
                typer.echo(f"     {check['cure']}")
    return NOT_THERE if any(check["state"] == "fail" for check in found) else 0
