"""Commands about the policy.

One rule: they look, and change nothing; the policy is a file that its lake's operator edits.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from lakehouse.access.identity import ROLES, Principal
from lakehouse.errors import LakeportError
from portal.cli.door import Door, guarded
from portal.cli.show import show_checks

if TYPE_CHECKING:
    from lakehouse.core import Workspace

app = typer.Typer(help="Check the policy.", no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """A callback keeps `check` a command of its own while it is the only one."""


@app.command("check")
@guarded("home", "env", "at", "as_json")
def check(door: Door) -> int:
    """Check policy.toml, and say what each role and user sees of the release."""
    with door.workspace("policy check") as workspace:
        found = list(_checks(workspace))
    if door.as_json:
        door.give(found)
    else:
        show_checks(found)
    return 1 if any(record["state"] == "fail" for record in found) else 0


def _checks(workspace: "Workspace") -> Iterator[dict[str, Any]]:
    policy = workspace.lakehouse.policy.policy()  # raises what is wrong with the file itself
    users = {user.name: user for user in workspace.users().list()}
    for role in ROLES:
        yield from _seen(workspace, f"role {role}", Principal("", role))
    for name, user in users.items():
        if name in policy.users or user.rules:
            yield from _seen(workspace, f"user {name}", user.principal)
    for name in sorted(policy.users.keys() - users.keys()):
        yield _record(f"user {name}", "skip", "There is no such user yet.", f"lakeport user add {name} --role ROLE")
    tables = workspace.release.pins.keys()
    for name, rights in (*policy.roles.items(), *policy.users.items()):
        unknown = [table for table in rights.tables or () if not table.endswith(".*") and table not in tables]
        for table in unknown:
            known = ", ".join(sorted(tables))
            yield _record(f"tables of {name}", "fail", f"The release has no table {table!r}.", f"Tables: {known}.")


def _seen(workspace: "Workspace", who: str, principal: Principal) -> Iterator[dict[str, Any]]:
    """What somebody sees, and each rule that does not fit."""
    as_they = workspace.lakehouse.as_user(principal, workspace.env).at(workspace.version)
    try:
        closed, seen = as_they.closed(), sorted(as_they.pins)
    except LakeportError as error:
        yield _record(who, "fail", str(error), "Mend the policy.")
        return
    rules = [*map(str, sorted(as_they.scope.rows)), *map(str, sorted(as_they.scope.columns))]
    limits = f" under {'; '.join(rules)}" if rules else ""
    shut = f" Closed: {', '.join(closed)}." if closed else ""
    yield _record(who, "pass", f"Sees {', '.join(seen) or 'no table'}{limits}.{shut}", "")
    if closed and not seen:
        yield _record(who, "fail", f"The row rules close every table{limits}.", "Check the names of their columns.")
    for reason in closed.values():
        if "does not fit" in reason:
            yield _record(who, "fail", reason, "Give values that the column's type can hold, or another rule.")


def _record(check: str, state: str, detail: str, cure: str) -> dict[str, Any]:
    return {"check": check, "state": state, "detail": detail, "cure": cure}
