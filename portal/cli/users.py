"""Commands about users.

One rule: a password comes from a terminal without an echo or from standard input, never from an argument, and is shown
nowhere.
"""

import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import pyarrow as pa
import typer

from lakehouse.access.rights import row_rule
from lakehouse.access.users import User, Users, written
from lakehouse.errors import RequestWrong, Stopped
from lakehouse.query.scope import RowRule
from portal.cli.door import Door, guarded
from portal.cli.show import show_table

app = typer.Typer(help="Make users and change them.", no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="A user.")]
Rule = Annotated[
    list[str] | None,
    typer.Option("--rule", help="Rows the user may see: COLUMN=VALUE,VALUE. Several rules all hold.", metavar="RULE"),
]
FromInput = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
]


@app.command("add")
@guarded("home", "as_json", "quiet")
def add_user(
    door: Door,
    name: Annotated[str, typer.Argument(help="The name to log in with.")],
    role: Annotated[str, typer.Option("--role", help="viewer, analyst, engineer or admin.")],
    rule: Rule = None,
    password_stdin: FromInput = False,
) -> None:
    """Add a user."""
    rules = _rules(rule or [])
    with _users(door, "user add", name, role=role, rules=list(map(str, rules))) as users:
        users.check_new(name, role)
        user = users.add(name, _password(password_stdin), role, rules)
    _tell(door, user, f"{user.name} can log in now, as {user.role}.")


@app.command("list")
@guarded("home", "as_json")
def list_users(door: Door) -> None:
    """List the users."""
    with _users(door, "user list") as users:
        found = users.list()
    if door.as_json:
        door.give([_document(user) for user in found])
    else:
        columns = {
            "name": [user.name for user in found],
            "role": [str(user.role) for user in found],
            "login": ["disabled" if user.disabled else "enabled" for user in found],
            "created": [user.created[:19].replace("T", " ") + "Z" for user in found],
            "rules": ["; ".join(map(str, user.rules)) for user in found],
        }
        show_table(pa.table(columns, schema=pa.schema([(name, pa.string()) for name in columns])), len(found))


@app.command("set")
@guarded("home", "as_json", "quiet")
def set_user(
    door: Door,
    name: Name,
    role: Annotated[str | None, typer.Option("--role", help="viewer, analyst, engineer or admin.")] = None,
    disabled: Annotated[
        bool | None, typer.Option("--disable/--enable", help="Whether the user is kept from logging in.")
    ] = None,
    rule: Rule = None,
    no_rules: Annotated[bool, typer.Option("--no-rules", help="Take the user's own row rules away.")] = False,
) -> None:
    """Change a user's role, own row rules, or whether the user can log in."""
    if no_rules and rule:
        raise RequestWrong("--rule and --no-rules exclude each other. Give the rules that are to hold, or none.")
    rules = () if no_rules else _rules(rule) if rule else None
    if role is None and disabled is None and rules is None:
        raise RequestWrong("Say what to change: --role, --rule, --no-rules, --disable or --enable.")
    with _users(door, "user set", name, role=role, disabled=disabled, rules=rules and list(map(str, rules))) as users:
        user = users.set(name, role, disabled, rules)
    _tell(door, user, f"{user.name} is {user.role} and {'cannot' if user.disabled else 'can'} log in.")


@app.command("remove")
@guarded("home", "as_json", "quiet")
def remove_user(door: Door, name: Name) -> None:
    """Remove a user and end the user's sessions."""
    with _users(door, "user remove", name) as users:
        removed = users.get(name).name
        users.remove(removed)
    if door.as_json:
        door.give({"removed": removed})
    else:
        door.say(f"{removed} is removed.")


@app.command("password")
@guarded("home", "as_json", "quiet")
def set_password(door: Door, name: Name, password_stdin: FromInput = False) -> None:
    """Give a user a new password and end the user's sessions."""
    with _users(door, "user password", name) as users:
        user = users.get(name)
        users.set_password(user.name, _password(password_stdin))
    _tell(door, user, f"{user.name} has a new password; open sessions have ended.")


@contextmanager
def _users(door: Door, action: str, name: str = "", **changes: Any) -> Iterator[Users]:
    """The lake's users; they belong to no environment, so whichever there is will do."""
    with door.any_environment().workspace(action, name, changes=bool(name)) as workspace:
        workspace.request.note(**{key: value for key, value in changes.items() if value is not None})
        yield workspace.users()


def _rules(given: Sequence[str]) -> list[RowRule]:
    """`COLUMN=V1,V2` as row rules. Raises `RequestWrong`; a value with a comma in it belongs into the policy's file."""
    found = []
    for text in given:
        column, equals, values = text.partition("=")
        if not equals or not values:
            raise RequestWrong(f"--rule {text!r} is no rule. Write COLUMN=VALUE,VALUE, such as region=North,South.")
        try:
            found.append(row_rule([column.strip(), "in", values.split(",")]))
        except ValueError as error:
            raise RequestWrong(f"--rule {text!r}: {error}.") from error
    return found


def _password(from_input: bool) -> str:
    """The password that standard input holds, or that somebody types twice. Raises `RequestWrong` and `Stopped`."""
    if from_input:
        return _first_line()
    if not sys.stdin.isatty():
        raise RequestWrong(
            "There is no terminal to type a password at. Give it on standard input, with --password-stdin."
        )
    try:
        typed, again = getpass.getpass("Password: "), getpass.getpass("Once more: ")
    except EOFError as error:
        raise Stopped("No password was given, and nothing was changed.") from error
    if typed != again:
        raise RequestWrong("The two passwords are not the same, and nothing was changed. Try again.")
    return typed


def _first_line() -> str:
    line = sys.stdin.buffer.readline()
    if not line:
        raise RequestWrong("Standard input is empty. Give the password in its first line.")
    try:
        return line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError:  # the error is not kept, since it holds the line
        raise RequestWrong("The first line of standard input is not UTF-8 text.") from None


def _tell(door: Door, user: User, sentence: str) -> None:
    if door.as_json:
        door.give(_document(user))
    else:
        door.say(sentence)


def _document(user: User) -> dict[str, Any]:
    """The user as scripts see it: without secrets."""
    return {
        "name": user.name,
        "role": user.role,
        "disabled": user.disabled,
        "created": user.created,
        "rules": written(user.rules),
    }
