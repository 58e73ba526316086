"""Commands about schedules: which there are, and pausing and resuming them.

One rule: a schedule belongs to one environment, which the settings name, so none of them asks for one.
"""

from dataclasses import replace
from typing import Annotated, Any

import pyarrow as pa
import typer

from pipelines.schedule_control import ScheduleControl
from portal.cli.door import Door, guarded
from portal.cli.show import show_table

Name = Annotated[str, typer.Argument(metavar="NAME", help="The schedule.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is shown beside the schedule.")]

app = typer.Typer(
    help="Look at schedules, pause and resume them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

COLUMNS = ("name", "env", "job", "cron", "timezone", "next", "last run", "state", "told")


@app.command("list")
@guarded("home", "as_user", "as_json")
def list_schedules(door: Door) -> None:
    """List the schedules of all environments, with their next start and what became of the last one."""
    with door.any_environment().workspace("schedule list") as workspace:
        records = ScheduleControl(workspace).records()
    if door.as_json:
        door.give(records)
    elif not records:
        door.say("Nothing is scheduled. Add a section [schedules.NAME] with env, job and cron to lakeport.toml.")
    else:
        shown = {name: [_short(name, record) for record in records] for name in COLUMNS}
        show_table(pa.table(shown, schema=pa.schema([(name, pa.string()) for name in COLUMNS])), len(records))


@app.command("pause")
@guarded("home", "as_user", "as_json", "quiet")
def pause_schedule(door: Door, name: Name, reason: Reason = "") -> None:
    """Let a schedule start nothing until it is resumed."""
    with _place(door, name).workspace("schedule pause", name) as workspace:
        record = ScheduleControl(workspace).pause(name, reason)
    _tell(door, record, f"Schedule {name} is paused. Resume it with `lakeport schedule resume {name}`.")


@app.command("resume")
@guarded("home", "as_user", "as_json", "quiet")
def resume_schedule(door: Door, name: Name) -> None:
    """Let a schedule start runs again, from its next time on."""
    with _place(door, name).workspace("schedule resume", name) as workspace:
        record = ScheduleControl(workspace).resume(name)
    _tell(door, record, f"Schedule {name} starts again at {_time(record['next'])}.")


def _place(door: Door, name: str) -> Door:
    """The same in the schedule's environment; in any where there is no such schedule, which is refused there."""
    some = door.any_environment()
    found = some.settings.schedules.get(name)
    return some if found is None else replace(some, env=found.env)


def _tell(door: Door, record: dict[str, Any], said: str) -> None:
    if door.as_json:
        door.give(record)
    else:
        door.say(said)


def _short(name: str, record: dict[str, Any]) -> str:
    """The value as a column of a terminal has it; times in UTC, to the minute."""
    match name:
        case "next":
            return "paused" if record["paused"] else _time(record["next"])
        case "last run":
            return record["last_run"] or ""
        case "state":
            return record["last_state"] or ""
        case "told":
            return _told(record)
    return "" if record[name] is None else str(record[name])


def _told(record: dict[str, Any]) -> str:
    """Who has paused it, and why its newest time has started nothing."""
    paused = f"Paused by {record['paused_by']}." if record["paused"] else ""
    reason = record["reason"] or ""
    skipped = f"Skipped at {_time(record['skipped'])}: {record['why']}" if record["why"] else ""
    return " ".join(filter(None, (paused, reason, skipped)))


def _time(text: str) -> str:
    return f"{text[:16].replace('T', ' ')}Z"
