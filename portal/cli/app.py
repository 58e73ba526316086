"""The list of commands, in the order in which one meets them."""

import io
import sys

import typer

from portal.cli import ask, audit, check, demo, policy, releases, runs, schedules, serve, users, work

app = typer.Typer(
    name="lakeport",
    help="A small team's lakehouse with a front door.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (
    work.init,
    demo.demo,
    work.load,
    work.build,
    work.refresh,
    ask.query,
    ask.plan,
    ask.metrics,
    ask.tables,
    ask.describe,
    serve.serve,
):
    app.command()(command)
app.add_typer(runs.app, name="run")
app.add_typer(releases.app, name="release")
app.add_typer(schedules.app, name="schedule")
app.add_typer(users.app, name="user")
app.add_typer(policy.app, name="policy")
app.add_typer(audit.app, name="audit")
app.command()(check.doctor)


def main() -> None:
    """Entry point of `lakeport`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Scripts read UTF-8 whatever the locale; half a surrogate pair becomes the escape that JSON has for it.
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")
    app()
