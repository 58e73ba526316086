"""How runs are worded: their state, who started them, what they were asked to do, what has come of them.

One rule: a word depends on a run's record and the clock alone. `assets/pipelines.js` words clocks that go on as
`length` does.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from dash.development.base_component import Component

from lakehouse.access.identity import OPERATOR
from lakehouse.publish_queue import ITSELF
from lakehouse.state.schema import ACTIVE
from portal import html, wording
from portal.components.icon import icon
from portal.freshness import when

Record = Mapping[str, Any]
"""A run as `lakehouse.runs.Runs` gives it."""
Mood = Literal["good", "bad", "warn", "now", ""]

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
    return "Lakeport" if starter == ITSELF else starter


def job_text(record: Record) -> str:
    """What a run was asked to do, in few words: "refresh", "load sales", "refresh, every file"."""
    order = record.get("order") or {}
    words = filter(None, [str(order.get("job") or record["job"]), order.get("source")])
    return " ".join(words) + (", every file" if order.get("full") else "")


def order_text(record: Record) -> str:
    """The same as a sentence."""
    order = record.get("order") or {}
    loads = f"Load {order.get('source') or 'all sources'}, {'every file' if order.get('full') else 'what is new'}"
    builds = "build and test what has changed"
    match order.get("job") or record["job"]:
        case "load":
            return f"{loads}; build nothing."
        case "build":
            return f"{builds[:1].upper()}{builds[1:]}; load nothing."
        case "publish":
            return "Publish what another run has built."
        case "refresh":
            return f"{loads}; then {builds}, and publish."
    return f"Do the job {record['job']}."


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
            return f"Release {record['release']}" if record["release"] is not None else "Loaded, not built"
        case "unchanged":
            return "Nothing new"
        case "awaiting_publish":
            return "Waits for a decision"
        case "failed":
            return tests_text(record) if (record.get("tests") or {}).get("failed") else "Nothing published"
        case "cancelled":
            return "Cancelled, nothing published"
        case "lost":
            return "Lost, nothing published"
    return ""


def column_time(text: str, now: datetime) -> str:
    """A time as a column has it, days being those of `now`'s zone: "13:05", "8 Dec, 06:11", "8 Dec 2011, 06:11"."""
    zone = now.tzinfo or UTC
    there = moment(text).astimezone(zone)
    clock = wording.clock(there, zone)
    if there.date() == now.date():
        return clock
    return f"{wording.day_short(there.date())}, {clock}" if there.year == now.year else wording.moment_text(there, zone)


def time(text: str, now: datetime) -> Component:
    """How long ago something was; the exact moment stands in its title."""
    return html.Time(when(moment(text), now), dateTime=text, title=exact_time(text, now))


def exact_time(text: str, now: datetime) -> str:
    """A moment in full."""
    return wording.moment_text(moment(text), now.tzinfo or UTC)
