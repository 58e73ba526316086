"""Keeps the hot copies of the lake's releases: written before readers follow a release, removed some releases later.

One rule: nothing depends on a copy. One that cannot be made is said in the log, and the run goes on without it.
"""

import logging
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from lakehouse.errors import Stopped, Unavailable
from lakehouse.query.engine import connect
from lakehouse.query.hot import LAYER, HotCopies, hot_folder
from lakehouse.query.pins import Pin, Pins
from lakehouse.releases import Release, Releases, Size
from pipelines.context import RunContext

log = logging.getLogger(__name__)


class Copies:
    """The hot copies of a lake, as one run keeps them."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._query, self._dbt = context.settings.query, context.settings.dbt
        self._copies = HotCopies(hot_folder(context.settings.folder))

    def write(self, pins: Pins, sizes: dict[str, Size]) -> None:
        """Write the copies that these tables lack, as far as they may have one."""
        lacking = self._lacking(pins, sizes)
        if not lacking:
            return
        try:
            opened = connect(self._dbt.memory, self._dbt.threads)
        except Unavailable as error:
            log.warning("There are no hot copies", exc_info=error)
            return
        with closing(opened) as connection:
            for table, pin in lacking:
                self._write(connection, table, pin, sizes[table].bytes)

    def restore(self) -> None:
        """Write what the current release lacks, and remove what no release needs any more."""
        current = self._releases(self._context.env).current()
        if current is not None:
            self.write(current.pins, dict(current.sizes))
        self.sweep()

    def sweep(self) -> None:
        """Remove the copies that none of the newest releases needs, in any environment."""
        kept = [item for release in self._kept() for item in release.pins.items()]
        try:
            self._copies.sweep(kept)
        except OSError as error:
            log.warning("Old hot copies stay where they are", exc_info=error)

    def _write(self, connection: Any, table: str, pin: Pin, size_bytes: int) -> None:
        try:
            if not self._copies.has_room(size_bytes):
                raise OSError("the disk has no room for it")
            self._copies.write(connection, table, pin)
            self._context.events.mark("release", f"hot copy of {table}")
        except Stopped:
            raise
        except Exception as error:  # whatever it is, readers have Iceberg
            log.warning("%s has no hot copy", table, exc_info=error)
            self._context.events.mark("release", f"no hot copy of {table}; the log says why")

    def _lacking(self, pins: Pins, sizes: dict[str, Size]) -> list[tuple[str, Pin]]:
        limit = self._query.hot_table_mb << 20
        fit = (table for table in sorted(pins.keys() & sizes) if limit and sizes[table].bytes <= limit)
        return [
            (table, pins[table])
            for table in fit
            if table.startswith(f"{LAYER}.") and not self._copies.has(table, pins[table])
        ]

    def _kept(self) -> Iterator[Release]:
        if self._query.hot_table_mb:
            for env in self._context.settings.environments:
                releases = self._releases(env)
                for published in releases.newest(self._query.hot_releases):
                    yield releases.at(str(published.number))

    def _releases(self, env: str) -> Releases:
        return Releases(self._context.state, env, self._context.settings.zone)
