"""Visits: which pages somebody has opened, and when they were here before, read back from the audit.

One rule: a visit ends with a pause of half an hour, whatever sessions do: one that lasts for days holds many visits,
and to log in again after a minute begins none. The audit is the only place that knows, so there is nothing to forget.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

VIEW_ACTION = "page"
VIEW_DOOR = "page"
SEARCH = "search"
"""The detail of a record that holds the query string of a page, as far as it may be kept."""
BY_ITSELF = "by_itself"
"""The detail of a record of a page that was drawn again because of a newer release, whoever was there or not."""

PAUSE = timedelta(minutes=30)

FEW_RECORDS, MOST_RECORDS = 50, 500
"""Records that are read: first a few, and more only where no pause is among them."""


@dataclass(frozen=True)
class View:
    """One look at a page: when, where, what its address said as far as that is kept, and the release it has shown."""

    at: datetime
    path: str
    search: str
    release: int | None

    @property
    def is_past(self) -> bool:
        """Whether an earlier release was looked at on purpose."""
        return any(key == "at" for key, _ in parse_qsl(self.search.removeprefix("?")))


@dataclass(frozen=True)
class LastVisit:
    """When somebody was here before, and the release that they saw then; None where there was none yet."""

    at: datetime
    release: int | None


@dataclass(frozen=True)
class Visits:
    """The visit before this one, None at the first, and what was looked at lately, newest first."""

    last: LastVisit | None
    views: tuple[View, ...]


def read_visits(records: Callable[[int], Sequence[Mapping[str, Any]]], env: str, now: datetime) -> Visits:
    """The visits of whoever `records` gives the newest records of pages of, so many of them, newest first.

    A visit of more than `MOST_RECORDS` looks without a pause counts as over there.
    """
    found = records(FEW_RECORDS)
    views = _views(found, env)
    last = last_visit(views, now)
    if last is None and len(found) == FEW_RECORDS:
        found = records(MOST_RECORDS)
        earlier = _views(found, env)
        last = last_visit(earlier, now)
        if last is None and len(found) == MOST_RECORDS and earlier:
            last = LastVisit(earlier[-1].at, earlier[-1].release)
    return Visits(last, views)


def last_visit(views: Sequence[View], now: datetime) -> LastVisit | None:
    """The end of the visit before the one that goes on `now`; `views` come newest first.

    The release is the newest one of that time: who looks at an older one on purpose has seen that there are later ones.
    """
    later = now
    for place, view in enumerate(views):
        if later - view.at >= PAUSE:
            release = next((one.release for one in views[place:] if not one.is_past), view.release)
            return LastVisit(view.at, release)
        later = view.at
    return None


def _views(records: Iterable[Mapping[str, Any]], env: str) -> tuple[View, ...]:
    shown = (one for one in records if (one["door"], one["env"], one["verdict"]) == (VIEW_DOOR, env, "allowed"))
    return tuple(view for record in shown for view in _view(record))


def _view(record: Mapping[str, Any]) -> Iterator[View]:
    """The look that a record is of; none where a page that stood open was drawn again by itself."""
    text = record["detail"]  # long, and without either of the two in most records
    detail = json.loads(text) if f'"{SEARCH}":' in text or f'"{BY_ITSELF}":' in text else {}
    if not detail.get(BY_ITSELF):
        at = datetime.fromisoformat(record["at"]).astimezone(UTC)
        yield View(at, record["target"], str(detail.get(SEARCH, "")), record["release"])
