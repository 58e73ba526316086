"""What every command shares: the options after its name, the lake it works on, and how it speaks.

One rule: a command raises; only `guarded` turns an error into words and an exit code. What it has found out in a
workspace it prints after leaving it, since the audit has its record only then.
"""

import inspect
import json
import logging
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.access.identity import Principal, operator
from lakehouse.access.request import Request
from lakehouse.errors import LakeportError, NotAllowed, RequestWrong, Stopped, UnknownName, WorkFailed
from lakehouse.settings import FILE_NAME, FOLDER_NAME, Settings, read_settings

if TYPE_CHECKING:
    from lakehouse.core import Lakehouse, Workspace

log = logging.getLogger(__name__)

DOOR = "command line"

Home = Annotated[Path, typer.Option("--home", envvar="LAKEPORT_HOME", help="The folder of the lake.")]
Env = Annotated[str, typer.Option("--env", help="The environment.")]
As = Annotated[str, typer.Option("--as", help="Act with the rights of this user.")]
At = Annotated[str, typer.Option("--at", help="Version of the data: release, date, time with zone, TABLE@SNAPSHOT.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print results only.")]

OPTIONS: dict[str, tuple[Any, Any]] = {
    "home": (Home, Path()),
    "env": (Env, "dev"),
    "as_user": (As, ""),
    "at": (At, "now"),
    "as_json": (Json, False),
    "quiet": (Quiet, False),
}


@dataclass(frozen=True)
class Door:
    """One command's view of the lake and of whoever typed it."""

    home: Path = Path()
    env: str = "dev"
    as_user: str = ""
    at: str = "now"
    as_json: bool = False
    quiet: bool = False

    @property
    def settings(self) -> Settings:
        """The lake's settings; the lake must be there, and the environment one of them."""
        settings = read_settings(self.home)
        if not (settings.home / FILE_NAME).exists() and not settings.folder.exists():
            raise RequestWrong(f"There is no lake in {settings.home}. Make one with `lakeport init {settings.home}`.")
        if self.env not in settings.environments:
            raise UnknownName("environment", self.env, list(settings.environments))
        return settings

    @property
    def principal(self) -> Principal:
        """Whoever sits at this machine."""
        return operator()

    def request(self, action: str, target: str = "") -> Request:
        """What the audit is to know of this command."""
        return Request(door=DOOR, principal=self.principal.name, env=self.env, action=action, target=target)

    def any_environment(self) -> "Door":
        """The same on some environment of the lake: for what belongs to none."""
        return replace(self, env=next(iter(read_settings(self.home).environments), self.env))

    @contextmanager
    def workspace(self, action: str, target: str = "", *, changes: bool = False) -> Iterator["Workspace"]:
        """The lake at the version that was asked for; the audit has the record of it when the block is left.

        With `changes` it has one before, too: for what changes something, or gives more than one answer.
        """
        from lakehouse.core import Lakehouse

        with Lakehouse.open(self.home) as lake:
            request = self.request(action, target)
            with lake.audit.recorded(request, changes=changes):
                yield self.enter(lake, request)

    def enter(self, lake: "Lakehouse", request: Request) -> "Workspace":
        """The workspace of whoever typed the command, or of the user whose rights are to hold."""
        principal = self.principal
        if self.as_user:
            user = lake.users.get(self.as_user)
            request.principal, request.operator = user.name, principal.name
            if user.disabled:
                raise NotAllowed(user.name, "log in to", "this lake")
            principal = user.principal
        return lake.as_user(principal, self.env, request).at(self.at)

    def say(self, text: str) -> None:
        """Something by the way; never part of the result."""
        if not self.quiet:
            typer.echo(printable(text), err=self.as_json)

    def give(self, document: Any) -> None:
        """The result as one JSON document."""
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))


def guarded(*options: str) -> Callable[[Callable[..., int | None]], Callable[..., None]]:
    """Give a command the shared options that are named, as its first argument `door`, and its errors an exit code."""

    def decorate(command: Callable[..., int | None]) -> Callable[..., None]:
        own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
        shared = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            for name, (kind, default) in OPTIONS.items()
            if name in options
        ]

        @wraps(command)
        def run(**values: Any) -> None:
            door = Door(**{name: values.pop(name) for name in options})
            raise typer.Exit(_exit_code(door, command, values))

        parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        run.__signature__ = inspect.Signature([*parameters, *shared])  # type: ignore[attr-defined]
        run.__annotations__ = {item.name: item.annotation for item in (*parameters, *shared)}
        return run

    return decorate


def _exit_code(door: Door, command: Callable[..., int | None], values: dict[str, Any]) -> int:
    try:
        return command(door, **values) or 0
    except LakeportError as raised:
        error = raised
    except KeyboardInterrupt:
        error = Stopped("Stopped, as you asked.")
    except (typer.Exit, typer.Abort, BrokenPipeError):
        raise
    except Exception as raised:  # noqa: BLE001  # the one border of this door
        error = _unexpected(door, raised)
    if door.as_json:
        door.give({"error": error_document(error)})
    typer.echo(printable(str(error)), err=True)
    return error.exit_code


def _unexpected(door: Door, raised: Exception) -> LakeportError:
    """What is said of an error that nobody foresaw; its details go to a log under a reference."""
    reference, file = secrets.token_hex(4), _log_file(door.home / FOLDER_NAME)
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    log.addHandler(handler)
    log.error("Unexpected error, reference %s", reference, exc_info=raised)
    log.removeHandler(handler)
    handler.close()
    return WorkFailed(f"Unexpected error, reference {reference}. {file} has the details.")


def _log_file(folder: Path) -> Path:
    """The lake's log; a file of its own where there is no lake, since a folder for it would look like one."""
    if not folder.is_dir():
        return Path(tempfile.mkstemp(prefix="lakeport-", suffix=".log")[1])
    (folder / "logs").mkdir(exist_ok=True)
    return folder / "logs" / "lakeport.log"


def printable(text: str) -> str:
    """The text with its control characters shown instead of obeyed; only line ends stay."""
    return "".join(
        sign if sign.isprintable() or sign == "\n" else sign.encode("unicode_escape").decode() for sign in text
    )


def error_document(error: LakeportError) -> dict[str, Any]:
    """An error as scripts see it."""
    return {"kind": type(error).__name__, "status": error.status, "text": str(error)}
