"""How fresh the numbers are, in plain words: what the last refresh has come to, and what that means for a reader.

One rule: each state of a run is one sentence, and the sentence after it says which release the numbers are from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from lakehouse.access import policy
from lakehouse.core import Workspace
from lakehouse.releases import Release
from lakehouse.runs import STALE_SECONDS
from lakehouse.state.schema import ACTIVE
from pipelines.context import JOB
from portal import wording

Mood = Literal["good", "bad", "warn", "accent", ""]

NEWEST_RUNS = 20
"""Runs among which the last refresh is looked for; the others are of other jobs."""

FRESH = timedelta(days=1)
"""For how long after a refresh that went well the numbers are called fresh."""

ENDED: dict[str, tuple[str, Mood, str]] = {
    "failed": ("Last refresh failed", "bad", "The last refresh failed {when} and published nothing."),
    "cancelled": ("Last refresh cancelled", "warn", "The last refresh was cancelled {when}, before it published."),
    "lost": ("Last refresh lost", "bad", "The last refresh stopped {when} without a word and published nothing."),
    "awaiting_publish": (
        "Waits to be published",
        "warn",
        "The last refresh built new numbers {when}, which wait for somebody to publish them.",
    ),
}
"""What is said of a refresh that has not changed the numbers: in short, and in a sentence."""


@dataclass(frozen=True)
class Freshness:
    """How fresh the numbers are: in short with its mood, in sentences, and what the run has said of its failure."""

    short: str
    mood: Mood
    sentences: tuple[str, ...]
    error: str = ""
    """Empty for whoever may not diagnose runs."""


def freshness(workspace: Workspace, now: datetime) -> Freshness:
    """How fresh the current numbers of an environment are; before the first release, why there are none."""
    clock = _Clock(workspace, now)
    release = workspace.release if workspace.has_release else None
    run = last_refresh(workspace)
    if run is None:
        return Freshness("", "", (clock.released(release),) if release else ("Nothing has been refreshed yet.",))
    state = _state(run, now)
    if state in ACTIVE:
        said = f"A refresh began {clock.when(run['started'])} and is still running."
        return Freshness("Refresh running", "accent", (said, clock.kept(release, "Until it has ended, the")))
    if state in ENDED:
        return _unchanged_by(run, state, release, clock)
    if state == "success" and run["release"] is None:  # it loads only, or a selection has left what it has loaded
        said = f"The last run, {clock.when(run['ended'])}, loaded rows that are not in the numbers yet."
        return Freshness("Not built yet", "warn", (said, clock.kept(release)))
    if release is None:
        return Freshness("", "", (f"The last run, {clock.when(run['ended'])}, found nothing.", clock.kept(None)))
    checked = datetime.fromisoformat(run["ended"])
    short, mood = ("Fresh", "good") if now - checked < FRESH else (f"Last refreshed {clock.when(run['ended'])}", "")
    nothing_new = (f"The last refresh, {clock.when(run['ended'])}, found nothing new.",) if state == "unchanged" else ()
    return Freshness(short, mood, (clock.released(release), *nothing_new))  # type: ignore[arg-type]


def last_refresh(workspace: Workspace) -> Mapping[str, Any] | None:
    """The newest run that may change the numbers of the environment."""
    runs = workspace.runs().list(workspace.env, NEWEST_RUNS)
    return next((run for run in runs if run["job"] == JOB and not (run["order"] or {}).get("tests_only")), None)


def published_text(workspace: Workspace, now: datetime) -> str:
    """When the release that is looked at was published, and how its tests went."""
    return _Clock(workspace, now).released(workspace.release)


def when(moment: datetime, now: datetime) -> str:
    """A moment as a sentence has it: "4 min ago", "yesterday, 09:14", "31 Mar 2026, 09:14"; days are `now`'s."""
    there = moment.astimezone(now.tzinfo)
    days = (now.date() - there.date()).days
    if days <= 0:
        return wording.age(moment, now)
    zone = now.tzinfo or UTC
    return f"yesterday, {wording.clock(there, zone)}" if days == 1 else wording.moment_text(there, zone)


@dataclass(frozen=True)
class _Clock:
    """Moments and releases in words, as the lake's zone has them."""

    workspace: Workspace
    now: datetime

    def when(self, text: str) -> str:
        return when(datetime.fromisoformat(text), self.now.astimezone(self.workspace.lakehouse.settings.zone))

    def released(self, release: Release) -> str:
        said = f"Release {release.number} was published {self.when(release.published)}"
        passed, failed = self.workspace.runs().tests(release.run) or (0, 0)
        if failed:
            return f"{said}; {failed} of {wording.count(passed + failed, 'test', 'tests')} failed."
        if passed < 2:
            return f"{said}; its test passed." if passed else f"{said}."
        return f"{said}; all {wording.count(passed, 'test', 'tests')} passed."

    def kept(self, release: Release | None, begin: str = "The") -> str:
        if release is None:
            return "There are no numbers yet."
        return f"{begin} numbers you see are those of release {release.number}, from {self.when(release.published)}."


def _state(run: Mapping[str, Any], now: datetime) -> str:
    """The state of a run; one that has stopped beating is lost, though nobody has written that down yet."""
    beat = datetime.fromisoformat(run["heartbeat"])
    is_silent = now - beat > timedelta(seconds=STALE_SECONDS)
    return "lost" if run["state"] in ACTIVE and is_silent else str(run["state"])


def _unchanged_by(run: Mapping[str, Any], state: str, release: Release | None, clock: _Clock) -> Freshness:
    """What is said where the last refresh has not changed the numbers."""
    short, mood, sentence = ENDED[state]
    failed = (run.get("tests") or {}).get("failed", 0)
    tests = (f"{wording.count(failed, 'test', 'tests')} of the new numbers failed.",) if failed else ()
    said = sentence.format(when=clock.when(run["ended"] or run["heartbeat"]))
    may_diagnose = policy.allows(clock.workspace.principal, "diagnose")
    error = str(run["error"] or "") if may_diagnose and state != "awaiting_publish" else ""
    return Freshness(short, mood, (said, *tests, clock.kept(release)), error)
