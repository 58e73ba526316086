"""Every error that Lakeport raises on purpose.

One rule: `str(error)` is safe to show to whoever asked. It says what happened, to what, and what to do next; details
that only an operator may see travel as the cause (`raise ... from error`).
"""

from collections.abc import Iterator


class LakeportError(Exception):
    """Base class: carries the HTTP status and the exit code of the command line."""

    status = 500
    exit_code = 1
    is_refusal = False
    """Whether somebody wanted what he may not do, rather than something that went wrong."""


class WorkFailed(LakeportError):
    """The work was understood and began, but did not succeed; nothing was published."""


class RequestWrong(LakeportError):
    """The request or the input is wrong: a bad option, plan, statement, setting or name."""

    status = 400
    exit_code = 2


class SettingsWrong(RequestWrong):
    """`lakeport.toml` or a `LAKEPORT_` variable holds a key or value that is not understood."""


class UnknownName(RequestWrong):
    """A name that nothing carries. The message lists the names that exist."""

    status = 404

    def __init__(self, kind: str, name: str, known: list[str]) -> None:
        choices = f"Known {kind}s: {', '.join(sorted(known))}." if known else f"There are no {kind}s yet."
        super().__init__(f"No {kind} named {name!r}. {choices}")
        self.kind, self.name, self.known = kind, name, sorted(known)


class FileRefused(RequestWrong):
    """A source file that cannot be loaded as declared; nothing of it was loaded.

    `line` is the physical line (from 1) where the trouble was found, or None when it concerns the whole file.
    """

    status = 422

    def __init__(self, file: str, line: int | None, found: str, cure: str) -> None:
        place = file if line is None else f"{file}, line {line}"
        super().__init__(f"{place}: {found}. {cure}")
        self.file, self.line, self.found, self.cure = file, line, found, cure


class StatementWrong(RequestWrong):
    """SQL that DuckDB does not accept."""


class StatementRefused(StatementWrong):
    """SQL that DuckDB would accept and the guard does not: something in it is not for questions."""

    is_refusal = True


class PlanWrong(RequestWrong):
    """A plan that names something unknown, or has a value of the wrong type."""


class NoRelease(RequestWrong):
    """Nothing has been released at the time that was asked for, or at all, which is `nothing_yet`."""

    status = 404

    def __init__(self, text: str, *, nothing_yet: bool = False) -> None:
        super().__init__(text)
        self.nothing_yet = nothing_yet


class NotAllowed(LakeportError):
    """The user may not do this. The message never says whether the thing exists."""

    status = 403
    exit_code = 3
    is_refusal = True

    def __init__(self, user: str, action: str, target: str) -> None:
        super().__init__(f"{user} may not {action} {target}. Ask an admin for access.")
        self.user, self.action, self.target = user, action, target


class Unavailable(LakeportError):
    """Something that is needed is not there: a folder, disk space, an extension, a server."""

    status = 503
    exit_code = 4


class PolicyWrong(Unavailable):
    """A rule of the policy that does not fit the data: nothing is shown rather than too much."""


class DiskFull(Unavailable):
    """There was no room for something that a run had to write."""

    def __init__(self) -> None:
        super().__init__("The disk is full. Make room and run again; nothing was released.")


class Busy(LakeportError):
    """Another run of the same job and environment is active (`run` is its id), or as many exports as one may have."""

    status = 409
    exit_code = 1

    def __init__(self, text: str, run: str = "") -> None:
        super().__init__(text)
        self.run = run


class TooLate(RequestWrong):
    """A run that has ended, or has begun to publish, cannot be cancelled any more."""

    status = 409


class Stopped(LakeportError):
    """The work was cancelled, timed out or went over a limit."""

    status = 504
    exit_code = 5


class Lost(WorkFailed):
    """This run no longer owns its job: another one took over because its heartbeat had stopped."""


def as_told(name: str, text: str) -> LakeportError:
    """The error that another process of ours has named, by its class here, with its text."""
    kind: type[LakeportError] = globals().get(name, Unavailable)
    return kind(text)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what lies behind it, each once: tools wrap what happens inside them, sometimes in a circle."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
