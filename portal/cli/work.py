"""Commands that change the lake: init, and the runs load, build and refresh."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lakehouse.errors import RequestWrong
from pipelines.create import create_lake
from pipelines.runner import Running, start
from portal.cli.door import Door, guarded
from portal.cli.show import show_progress

Source = Annotated[str | None, typer.Option("--source", help="Load this source only.")]
Full = Annotated[bool, typer.Option("--full", help="Load every file again.")]


@guarded("as_json")
def init(
    door: Door,
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The folder of the new lake.")] = Path(),
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
    home = create_lake(folder, template)
    if door.as_json:
        door.give({"home": str(home)})
    else:
        door.say(f"A lake is in {home}. Put its files where lakeport.toml says, then run `lakeport refresh`.")


@guarded("home", "env", "as_json", "quiet")
def load(door: Door, source: Source = None, full: Full = False) -> int:
    """Load changed files into raw tables, and release nothing yet."""
    return follow(door, "load", *_options(source, full))


@guarded("home", "env", "as_json", "quiet")
def build(door: Door) -> int:
    """Build, test and release what was loaded."""
    return follow(door, "build")


@guarded("home", "env", "as_json", "quiet")
def refresh(door: Door, source: Source = None, full: Full = False) -> int:
    """Load what changed, build, test, and release."""
    return follow(door, "refresh", *_options(source, full))


def _options(source: str | None, full: bool) -> list[str]:
    return [*(["--source", source] if source else []), *(["--full"] if full else [])]


def follow(door: Door, job: str, *options: str) -> int:
    """Start a run, show how it goes, and report its result; returns its exit code."""
    running = start(door.settings, job, door.env, door.principal.name, *options)
    try:
        show_progress(running.events(), quiet=door.quiet)
    except KeyboardInterrupt:
        running.stop()
    result, trouble, code = running.wait()
    if door.as_json:
        door.give(result or {"error": {"kind": "RunDidNotBegin", "status": 409 if code == 1 else 400, "text": trouble}})
    elif result is not None and not trouble:
        door.say(_summary(running, result))
    if trouble:
        typer.echo(trouble, err=True)
    return code


def _summary(running: Running, result: dict[str, Any]) -> str:
    if result["state"] == "unchanged":
        return f"Unchanged: release {result['release']} holds what is there. Run {running.run}."
    counts = f"{result['rows_loaded']:,} rows loaded, {result['rows_quarantined']:,} quarantined"
    tests = f"{result['tests']['passed']} tests passed"
    lines = [f"Release {result['release']}: {counts}, {tests}. Run {running.run}."]
    if result["release"] is None:
        lines = [f"Loaded, not released yet: {counts}. Run {running.run}."]
    lines += result["repaired"]
    for name, source in result["sources"].items():
        lines += [
            f"{name}: {file} has columns that are not loaded: {', '.join(columns)}."
            for file, columns in source["ignored_columns"].items()
        ]
        lines += [f"{name}: {file} is gone, and so are its rows." for file in source["vanished"]]
    return "\n".join(lines)
