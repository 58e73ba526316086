"""Looking at schedules, pausing and resuming them, for doors: each holds a Workspace, makes a `ScheduleControl` of it.

One rule: whoever asks is checked here, by the environment that a schedule works on; what pauses or resumes one stands
in the audit before it happens.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from lakehouse.access import policy
from lakehouse.core import Workspace
from lakehouse.errors import UnknownName
from lakehouse.publish_queue import given_reason
from lakehouse.schedules import Known, Schedules
from lakehouse.settings import ScheduleSettings, Settings
from lakehouse.state.schema import stamp
from pipelines.control import announce


@dataclass(frozen=True)
class ScheduleControl:
    """The schedules of a workspace's lake, in the hands of its owner."""

    workspace: Workspace

    def records(self, now: datetime | None = None) -> list[dict[str, Any]]:
        """A record of each schedule, in the order of the settings."""
        policy.check(self.workspace.principal, "diagnose", "schedules")
        known, moment = self._known(), now or datetime.now(UTC)
        return [self._record(name, known.get(name, {}), moment) for name in self._settings.schedules]

    def show(self, name: str) -> dict[str, Any]:
        """The record of one schedule. Raises `UnknownName`."""
        policy.check(self.workspace.principal, "diagnose", "schedules")
        self._named(name)
        return self._record(name, self._known().get(name, {}), datetime.now(UTC))

    def next_start(self, now: datetime) -> datetime | None:
        """When the next run of the workspace's environment starts by itself; None where nothing does."""
        policy.check(self.workspace.principal, "watch", "schedules")
        known = self._known() if self.has_schedules else {}
        active = [name for name in self._own_names if known.get(name, {}).get("paused") is None]
        return min((self._settings.times(name).following(now) for name in active), default=None)

    @property
    def has_schedules(self) -> bool:
        """Whether anything starts runs of the workspace's environment, unless it is paused."""
        return bool(self._own_names)

    def marks(self) -> list[list[str | None]]:
        """What changes when a schedule has come due, or was paused or resumed."""
        policy.check(self.workspace.principal, "watch", "schedules")
        return [[row["name"], row["due"], row["why"], row["paused"]] for row in self._known().values()]

    def may_operate(self, env: str) -> bool:
        """Whether this person may pause and resume the schedules of an environment."""
        return replace(self.workspace, env=env).may("operate")

    def pause(self, name: str, reason: str = "") -> dict[str, Any]:
        """Let a schedule start nothing until it is resumed; returns its record. Raises `UnknownName`."""
        said = given_reason(reason) if reason.strip() else ""
        self._announced(name, "schedule pause", said)
        Schedules(self.workspace.lakehouse.state).pause(name, self.workspace.principal.name, said)
        return self.show(name)

    def resume(self, name: str) -> dict[str, Any]:
        """Let it start runs again, from its next time on; returns its record. Raises `UnknownName`."""
        self._announced(name, "schedule resume")
        Schedules(self.workspace.lakehouse.state).resume(name)
        return self.show(name)

    @property
    def _own_names(self) -> list[str]:
        return [name for name, one in self._settings.schedules.items() if one.env == self.workspace.env]

    @property
    def _settings(self) -> Settings:
        return self.workspace.lakehouse.settings

    def _known(self) -> dict[str, Known]:
        return Schedules(self.workspace.lakehouse.state).known() if self._settings.schedules else {}

    def _named(self, name: str) -> ScheduleSettings:
        found = self._settings.schedules.get(name)
        if found is None:
            raise UnknownName("schedule", name, list(self._settings.schedules))
        return found

    def _announced(self, name: str, action: str, reason: str = "") -> None:
        """Check who asks, and write down what is about to be done."""
        room = replace(self.workspace, env=self._named(name).env)
        room.request.env = room.env
        room.operate(f"schedule {name}")
        announce(room, action, name, **({"reason": reason} if reason else {}))

    def _record(self, name: str, known: Known, now: datetime) -> dict[str, Any]:
        schedule, is_paused = self._settings.schedules[name], known.get("paused") is not None
        times = self._settings.times(name)
        why, run = known.get("why"), known.get("run")
        state, release = self._last(run)
        return {
            "name": name,
            **schedule.model_dump(include={"env", "job", "source", "full", "cron"}),
            "timezone": times.zone.key,
            "next": None if is_paused else stamp(times.following(now)),
            "last_run": run,
            "last_started": known.get("started"),
            "last_state": state,
            "last_release": release,
            "skipped": known["due"] if why else None,
            "why": why,
            **{key: known.get(key) for key in ("paused", "paused_by", "reason")},
        }

    def _last(self, run: str | None) -> tuple[str | None, int | None]:
        """State and release of the run that was started last; None where none was, or nothing is known of it."""
        if run is None:
            return None, None
        try:
            shown = self.workspace.runs().show(run)
        except UnknownName:
            return None, None
        return shown["state"], shown["release"]
