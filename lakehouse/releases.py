"""Releases: which snapshot of which table readers see. They follow one row of the state store, never the catalog.

One rule: a release becomes current in one database transaction, with all its pins. What readers need stands here and
needs no PyIceberg; `lakehouse.tables.publish` makes releases.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BindParameter, Connection, Row, bindparam, select

from lakehouse.errors import NoRelease, RequestWrong, Unavailable
from lakehouse.memory import Memory
from lakehouse.quality import Verdict, Verdicts
from lakehouse.query.pins import Pin
from lakehouse.state.schema import definitions, releases, stamp
from lakehouse.state.store import State

SEEN = ("current", "superseded")
KNOWN = 64
"""How many releases stay in memory: what a release holds never changes once it has been current."""

_WHOLE = select(releases, definitions.c.document).outerjoin(definitions)


@dataclass(frozen=True)
class Size:
    """How much a snapshot holds: rows, and the bytes and number of its data files."""

    rows: int
    bytes: int
    files: int


@dataclass(frozen=True)
class Release:
    """What one successful run has published together."""

    number: int
    env: str
    run: str
    published: str
    pins: Mapping[str, Pin]
    nodes: Mapping[str, str]  # models and tests -> fingerprint of their code and of what they have read
    definitions: Mapping[str, Any] | None  # metrics, dimensions and the data dictionary
    definitions_id: str | None  # equal for equal definitions
    tests: Verdicts | None = None  # None: nobody has written them down
    sizes: Mapping[str, Size] = field(default_factory=dict)  # of the tables of which it is known


@dataclass(frozen=True)
class Published:
    """A release as a list of them names it."""

    number: int
    published: str
    run: str


class Releases:
    """The releases of one environment."""

    def __init__(self, state: State, env: str, zone: ZoneInfo) -> None:
        self._state, self._env, self._zone = state, env, zone
        self._known = Memory(KNOWN)
        self._changes = Memory(KNOWN)

    def current(self) -> Release | None:
        """The release that readers see now; None before the first."""
        with self._state.read() as connection:
            return self._known_by(connection, connection.execute(_CURRENT, {"environment": self._env}).scalar())

    def newest(self, limit: int) -> list[Published]:
        """The newest releases, newest first; their pins and definitions are not loaded."""
        which = select(releases.c.number, releases.c.published, releases.c.run)
        mine = (releases.c.env == self._env, releases.c.state.in_(SEEN))
        with self._state.read() as connection:
            rows = connection.execute(which.where(*mine).order_by(releases.c.number.desc()).limit(limit))
            return [Published(row.number, row.published, row.run) for row in rows]

    def changes(self, number: int) -> Mapping[str, Published]:
        """Table -> the release that brought the snapshot which it has in this release."""
        return self._changes.get(number, lambda: self._found_changes(number))

    def at(self, version: str) -> Release:
        """The release that a VERSION means: a number, a date, a time with zone, TABLE@SNAPSHOT, or `now`.

        A time means the release current then, a date the one current when that day ended in the lake's time zone.
        TABLE@SNAPSHOT gives that table alone. Raises `NoRelease` before the first one, naming it, and `RequestWrong`
        for what is no version.
        """
        if version == "now":
            found = self.current()
            if found is None:
                text = f"Nothing has been released in {self._env} yet. Run `lakeport refresh`."
                raise NoRelease(text, nothing_yet=True)
            return found
        if re.fullmatch(r"\d{1,9}", version):
            return self._first(f"No release {int(version)}", releases.c.number == int(version))
        if re.fullmatch(r"[a-z]+\.[a-z0-9_]+@\d{1,19}", version):
            return self._alone(*version.split("@"))
        until = self._moment(version)
        return self._first(f"Nothing had been released by {version}", releases.c.published <= stamp(until))

    def _found_changes(self, number: int) -> Mapping[str, Published]:
        columns = (releases.c.number, releases.c.published, releases.c.run, releases.c.pins)
        mine = (releases.c.env == self._env, releases.c.state.in_(SEEN), releases.c.number <= number)
        found: dict[str, Published] = {}
        sought: dict[str, int | None] = {}  # table -> the snapshot that it still has in the release before
        with self._state.read() as connection:
            rows = connection.execute(select(*columns).where(*mine).order_by(releases.c.number.desc()))
            for row in rows:  # read one by one: most tables have changed lately
                same = {table: pin["snapshot"] for table, pin in row.pins.items()}
                sought = sought if found else same
                sought = {table: snapshot for table, snapshot in sought.items() if same.get(table, 0) == snapshot}
                found |= dict.fromkeys(sought, Published(row.number, row.published, row.run))
                if not sought:
                    break
            rows.close()
        return found

    def _alone(self, table: str, snapshot: str) -> Release:
        """The newest release that has published a table at this snapshot, reduced to that table."""
        mine = (releases.c.env == self._env, releases.c.state.in_(SEEN))
        with self._state.read() as connection:
            rows = connection.execute(_WHOLE.where(*mine).order_by(releases.c.number.desc())).all()
        for row in rows:
            if table in row.pins and row.pins[table]["snapshot"] == int(snapshot):
                found = _release(row)
                return replace(found, pins={table: found.pins[table]})
        raise NoRelease(f"No release has published snapshot {snapshot} of {table}. `lakeport run list` names releases.")

    def _moment(self, version: str) -> datetime:
        try:
            if re.fullmatch(r"\d{4}-\d{2}-\d{2}", version):
                next_day = date.fromisoformat(version) + timedelta(days=1)
                return datetime.combine(next_day, time(), self._zone).astimezone(UTC) - timedelta(microseconds=1)
            moment = datetime.fromisoformat(version)
        except (ValueError, OverflowError):
            raise RequestWrong(
                f"{version!r} is not a version. Use a release number, a date such as 2026-03-31, "
                "a time with zone such as 2026-03-31T12:00:00+02:00, TABLE@SNAPSHOT, or now."
            ) from None
        if moment.tzinfo is None:
            raise RequestWrong(f"{version!r} has no time zone. Write {version}Z or {version}+02:00.")
        return moment

    def _first(self, otherwise: str, *where: Any) -> Release:
        mine = (releases.c.env == self._env, releases.c.state.in_(SEEN))
        dates = select(releases.c.number, releases.c.published).where(*mine).order_by(releases.c.number)
        newest = select(releases.c.id).where(*mine, *where).order_by(releases.c.number.desc()).limit(1)
        with self._state.read() as connection:
            found = self._known_by(connection, connection.execute(newest).scalar())
            known = connection.execute(dates).all() if found is None else []
        if found is not None:
            return found
        if not known:
            raise NoRelease(f"{otherwise}: nothing has been released in {self._env} yet. Run `lakeport refresh`.")
        raise NoRelease(
            f"{otherwise}. The first release is {known[0].number} of {known[0].published}, "
            f"the newest is {known[-1].number} of {known[-1].published}."
        )

    def _known_by(self, connection: Connection, key: Any) -> Release | None:
        """The release with this id; read from the store once, since its definitions are long."""
        if key is None:
            return None
        return self._known.get(key, lambda: _release(connection.execute(_WHOLE.where(releases.c.id == key)).one()))


def check_place(release: Release, warehouse: str) -> None:
    """Raise `Unavailable` when the lake was moved: Iceberg's metadata holds absolute paths."""
    for table, pin in release.pins.items():
        if not pin.metadata.startswith(f"{warehouse.rstrip('/')}/"):
            raise Unavailable(
                f"{table} lies in {pin.metadata.rpartition('/metadata/')[0]}, outside this lake's warehouse "
                f"{warehouse}. A lake cannot be moved, since its tables know their full paths: move it back, or remove "
                "the lake's folder and load its sources again."
            )


def current_row(connection: Connection, env: str) -> Row[Any] | None:
    """The row of the current release, inside somebody's transaction."""
    return connection.execute(select(releases).where(*_current(env))).first()


def _current(env: str | BindParameter[str]) -> tuple[Any, ...]:
    return releases.c.env == env, releases.c.state == "current"


_CURRENT = select(releases.c.id).where(*_current(bindparam("environment")))
"""Asked with every request, so it is put together once."""


def _release(row: Row[Any]) -> Release:
    pins = {table: Pin(pin["metadata"], pin["snapshot"]) for table, pin in row.pins.items()}
    tests = None if row.tests is None else {name: Verdict.from_json(found) for name, found in row.tests.items()}
    sizes = {table: Size(**found) for table, found in (row.sizes or {}).items()}
    named = row.number, row.env, row.run, row.published
    return Release(*named, pins, row.nodes, row.document, row.definitions, tests, sizes)
