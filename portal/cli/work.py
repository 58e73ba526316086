"""Commands that change the lake: init, and the runs load, build and refresh."""

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Unpack

import typer

from lakehouse.access.audit import Audit
from lakehouse.access.request import Request
from lakehouse.drift import Difference
from lakehouse.errors import RequestWrong
from lakehouse.state.schema import AWAITING
from lakehouse.state.store import open_state
from pipelines.context import Asked, checked_order
from pipelines.create import create_lake
from pipelines.result import left_sentences
from pipelines.runner import Ended, Running, start
from portal.cli.door import Door, error_document, guarded, printable
from portal.cli.show import show_progress

Source = Annotated[str | None, typer.Option("--source", help="Load this source only.")]
Full = Annotated[bool, typer.Option("--full", help="Load every file again.")]
Select = Annotated[
    list[str] | None,
    typer.Option(
        "--select", metavar="MODEL", help="Build this one only; +MODEL with what it reads, MODEL+ what reads it."
    ),
]
TestsOnly = Annotated[bool, typer.Option("--tests-only", help="Test what is released, and build nothing.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for whoever looks at the run.")]


@guarded("home", "as_json", "quiet")
def init(
    door: Door,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="The folder of the new lake, instead of --home.")
    ] = None,
    template: Annotated[
        str, typer.Option("--template", help="What lakeport.toml begins with: sales or empty.")
    ] = "sales",
    profile: Annotated[
        str, typer.Option("--profile", help="Where the lake runs: embedded, on this machine.")
    ] = "embedded",
) -> None:
    """Make a new lake."""
    if profile != "embedded":
        raise RequestWrong(f"No profile named {profile!r}. Known profiles: embedded.")
    home = create_lake(folder or door.home, template)
    if door.as_json:
        door.give({"home": str(home)})
    else:
        door.say(f"A lake is in {home}. Put its files where lakeport.toml says, then run `lakeport refresh`.")


@guarded("home", "env", "as_json", "quiet")
def load(door: Door, source: Source = None, full: Full = False, reason: Reason = "") -> int:
    """Load changed files into raw tables, and release nothing yet."""
    return follow(door, "load", source=source, full=full, reason=reason)


@guarded("home", "env", "as_json", "quiet")
def build(door: Door, select: Select = None, tests_only: TestsOnly = False, reason: Reason = "") -> int:
    """Build, test and release what was loaded."""
    return follow(door, "build", select=select or (), tests_only=tests_only, reason=reason)


@guarded("home", "env", "as_json", "quiet")
def refresh(door: Door, source: Source = None, select: Select = None, full: Full = False, reason: Reason = "") -> int:
    """Load what changed, build, test, and release."""
    return follow(door, "refresh", source=source, select=select or (), full=full, reason=reason)


def follow(door: Door, job: str, **asked: Unpack[Asked]) -> int:
    """Do a run, show how it goes, and report its result; returns its exit code."""
    return tell(door, carry_out(door, job, **asked))


def tell(door: Door, ended: Ended) -> int:
    """Report the result of a run that has ended; returns its exit code."""
    if door.as_json:
        door.give(ended.result or {"error": error_document(ended.error())})
    elif ended.result is not None and not ended.trouble:
        door.say(_summary(ended.result))
    return ended.exit_code


def carry_out(door: Door, job: str, **asked: Unpack[Asked]) -> Ended:
    """Do a run and show how it goes; why it did not succeed goes to standard error. Raises as `checked_order` does."""
    settings, request = door.settings, door.request("run", job)
    request.note(**{name: value for name, value in asked.items() if value})
    with closing(open_state(settings)) as state, Audit(state, settings.retention).recorded(request, changes=True):
        order = checked_order(settings, door.env, job, **asked)
        return see_through(door, start(settings, order, door.principal.name), request)


def see_through(door: Door, running: Running, request: Request) -> Ended:
    """Show how a run goes, to its end, and note what came of it; why it did not succeed goes to standard error."""
    request.note(run=running.run)
    try:
        show_progress(running.events(), quiet=door.quiet)
    except KeyboardInterrupt:
        running.stop()
    ended = running.wait()
    request.note(**_outcome(ended))
    request.failure = ended.error().status if ended.exit_code else 0
    if ended.trouble:
        typer.echo(printable(ended.trouble), err=True)
    return ended


def _outcome(ended: Ended) -> dict[str, Any]:
    """What the audit has of a run's end; the rest stands in the run itself."""
    known = ended.result or {}
    facts = ("state", "release", "rows_read", "rows_loaded", "rows_quarantined")
    return {"exit_code": ended.exit_code, **{name: known[name] for name in facts if name in known}}


def _waits(result: dict[str, Any]) -> str:
    run, differences = result["run"], [Difference(**one) for one in result["differences"]]
    return "\n".join(
        [
            f"Nothing was released: what run {run} has built waits for a decision.",
            *(found.sentence() for found in differences if found.over),
            f"Publish it: `lakeport release publish {run} --reason ...`, or discard it: `lakeport release discard`.",
        ]
    )


def _summary(result: dict[str, Any]) -> str:
    if result["state"] == AWAITING:
        return _waits(result)
    return "\n".join([_first_line(result), *left_sentences(result), *_details(result)])


def _first_line(result: dict[str, Any]) -> str:
    run, release, tests = result["run"], result["release"], f"{result['tests']['passed']} tests passed"
    if result.get("tested"):
        return f"{tests} on what release {result['tested']} holds. Run {run}."
    if result.get("published"):
        return f"Release {release}: what run {result['published']} has built. Run {run}."
    if result.get("awaiting"):
        return f"Unchanged: run {result['awaiting']} holds what is there, and waits for a decision. Run {run}."
    if result["state"] == "unchanged" and release is None:
        return f"Unchanged: nothing new was loaded, and nothing has been released yet. Run {run}."
    if result["state"] == "unchanged" and result.get("left"):
        return f"Unchanged: what was selected is as release {release} has it. Run {run}."
    if result["state"] == "unchanged":
        return f"Unchanged: release {release} holds what is there. Run {run}."
    counts = f"{result['rows_loaded']:,} rows loaded, {result['rows_quarantined']:,} quarantined"
    if release is None:
        return f"Loaded, not released yet: {counts}. Run {run}."
    return f"Release {release}: {counts}, {tests}. Run {run}."


def _details(result: dict[str, Any]) -> list[str]:
    lines = [*result["repaired"]]
    lines += [f"{table} was written by another program; that is released too." for table in result["written_elsewhere"]]
    for name, source in result["sources"].items():
        lines += [
            f"{name}: {file} has columns that are not loaded: {', '.join(columns)}."
            for file, columns in source["ignored_columns"].items()
        ]
        lines += [f"{name}: {file} is gone, and so are its rows." for file in source["vanished"]]
        lines += [f"{name}: {sentence}" for sentence in source["rejected"]]
    return lines
