"""How runs are worded: their state, who started them, what they were asked to do, what has come of them.

One rule: a word depends on a run's record and the clock alone. `assets/pipelines.js` words clocks that go on as
`length` does.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from dash.development.base_component import Component

from lakehouse.access.identity import OPERATOR, SCHEDULE
from lakehouse.publish_queue import ITSELF
from lakehouse.state.schema import ACTIVE
from portal import html, wording
from portal.components.icon import icon
from portal.freshness import when

Record = Mapping[str, Any]
"""A run as `lakehouse.runs.Runs` gives it."""
Mood = Literal["good", "bad", "warn", "now", ""]

NOT_COUNTED = "You see a part of the rows, so how many there are is not told"
"""Where numbers of rows would be."""

STATES: dict[str, tuple[str, Mood, str]] = {
    "queued": ("Queued", "now", "wait"),
    "running": ("Running", "now", "run"),
    "awaiting_publish": ("Awaiting publish", "warn", "wait"),
    "success": ("Done", "good", "check"),
    "unchanged": ("Unchanged", "good", "same"),
    "failed": ("Failed", "bad", "close"),
    "cancelled": ("Cancelled", "", "stop"),
    "lost": ("Lost", "bad", "warning"),
}
"""State -> its word, its mood and its sign."""


def length(seconds: float) -> str:
    """How long something takes, as a clock shows it: "0:25", "1:02:07"."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def moment(text: str) -> datetime:
    """A time as the state store writes it."""
    return datetime.fromisoformat(text)


def seconds_of(record: Record, now: datetime) -> float:
    """How long a run took, or has taken so far."""
    ended = moment(record["ended"]) if record["ended"] else now
    return (ended.astimezone(UTC) - moment(record["started"]).astimezone(UTC)).total_seconds()


def is_active(record: Record) -> bool:
    """Whether the run goes on."""
    return record["state"] in ACTIVE


def state_word(record: Record) -> str:
    """The state of a run in a word; one that has released says so."""
    is_published = record["state"] == "success" and record["release"] is not None
    return "Published" if is_published else STATES[record["state"]][0]


def state_sign(record: Record) -> Component:
    """The state of a run with its sign."""
    _, mood, sign = STATES[record["state"]]
    return html.Span([icon(sign), state_word(record)], className=f"lp-state is-{mood}" if mood else "lp-state")


def who(starter: str) -> str:
    """Who started a run, or ended it."""
    if starter.startswith(OPERATOR):
        return f"{starter.removeprefix(OPERATOR)}, at the machine"
    if starter.startswith(SCHEDULE):
        return starter.capitalize()
    return "Lakeport" if starter == ITSELF else starter


def job_text(record: Record) -> str:
    """What a run was asked to do, in few words: "refresh", "load sales", "refresh (2 models), every file"."""
    order = record.get("order") or {}
    if order.get("tests_only"):
        return f"tests{_of_models(order)}"
    words = filter(None, [str(order.get("job") or record["job"]), order.get("source")])
    return " ".join(words) + _of_models(order) + (", every file" if order.get("full") else "")


def _of_models(order: Mapping[str, Any]) -> str:
    """Which models were selected, in few words."""
    selected = order.get("select") or ()
    if len(selected) > 1:
        return f" ({wording.count(len(selected), 'model', 'models')})"
    return f" ({selected[0]})" if selected else ""


def order_text(record: Record) -> str:
    """The same as a sentence."""
    order = record.get("order") or {}
    selected = ", ".join(order.get("select") or ())
    loads = f"Load {order.get('source') or 'all sources'}, {'every file' if order.get('full') else 'what is new'}"
    builds = f"build and test what has changed{f' of {selected}' if selected else ''}"
    match order.get("job") or record["job"]:
        case "build" if order.get("tests_only"):
            return f"Test what is released{f' of {selected}' if selected else ''}; build nothing."
        case "load":
            return f"{loads}; build nothing."
        case "build":
            return f"{builds[:1].upper()}{builds[1:]}; load nothing."
        case "publish":
            return "Publish what another run has built."
        case "refresh":
            return f"{loads}; then {builds}, and publish."
    return f"Do the job {record['job']}."


def reason_of(record: Record) -> str:
    """Why somebody has started a run; empty where they have not said."""
    return str((record.get("order") or {}).get("reason") or "")


def quoted_reason(record: Record) -> str:
    """The same as it stands beside who has said it."""
    return f"“{reason_of(record)}”" if reason_of(record) else ""


def tests_text(record: Record) -> str:
    """How its tests went: "42 of 42 tests", "1 of 42 tests failed"; empty where none ran."""
    tests = record.get("tests") or {}
    passed, failed = tests.get("passed", 0), tests.get("failed", 0)
    if failed:
        return f"{wording.exact(failed)} of {wording.count(passed + failed, 'test', 'tests')} failed"
    return f"{wording.exact(passed)} of {wording.count(passed, 'test', 'tests')}" if passed else ""


def result_text(record: Record) -> str:
    """What has come of a run, in few words; nothing while it goes on."""
    match record["state"]:
        case "success":
            if record.get("tested"):
                return f"Release {record['tested']} passes its tests"
            return f"Release {record['release']}" if record["release"] is not None else "Loaded, not built"
        case "unchanged":
            return "Nothing new in what was selected" if record.get("left") else "Nothing new"
        case "awaiting_publish":
            return "Waits for a decision"
        case "failed":
            return tests_text(record) if (record.get("tests") or {}).get("failed") else "Nothing published"
        case "cancelled":
            return "Cancelled, nothing published"
        case "lost":
            return "Lost, nothing published"
    return ""


def told_rows(rows: int | None) -> str:
    """A number of rows; a dash where it is not told."""
    return wording.NONE if rows is None else wording.exact(rows)


def withheld(what: str) -> Component:
    """Says that something is not for whoever looks; `what` ends with its verb."""
    return html.P(f"{what} for whoever sees every row and column.", className="lp-small lp-muted lp-note")


def column_time(text: str, now: datetime) -> str:
    """A time as a column has it, days being those of `now`'s zone: "13:05", "8 Dec, 06:11", "8 Dec 2011, 06:11"."""
    zone = now.tzinfo or UTC
    there = moment(text).astimezone(zone)
    clock = wording.clock(there, zone)
    if there.date() == now.date():
        return clock
    return f"{wording.day_short(there.date())}, {clock}" if there.year == now.year else wording.moment_text(there, zone)


def time_cell(text: str, now: datetime) -> Component:
    """A time as a column has it; the exact moment stands in its title."""
    return html.Time(column_time(text, now), dateTime=text, title=exact_time(text, now))


def time(text: str, now: datetime) -> Component:
    """How long ago something was; the exact moment stands in its title."""
    return html.Time(when(moment(text), now), dateTime=text, title=exact_time(text, now))


def exact_time(text: str, now: datetime) -> str:
    """A moment in full."""
    return wording.moment_text(moment(text), now.tzinfo or UTC)
