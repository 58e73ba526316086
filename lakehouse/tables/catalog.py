"""The catalog of one environment: logical names (`marts.daily_revenue`) to Iceberg tables.

One rule: every table is created empty, at a location that was never used before, so that no file name ever means two
things. DuckDB's caches key on names.
"""

import uuid
import warnings
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import pyarrow as pa

from lakehouse.errors import SettingsWrong, Unavailable
from lakehouse.releases import Size
from lakehouse.settings import Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pyiceberg.catalog import load_catalog
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError, TableAlreadyExistsError
    from pyiceberg.table import Table
from sqlalchemy.exc import DBAPIError

LAYERS = ("raw", "staging", "marts")

RUN_PROPERTY = "lakeport.run"
"""Which run has written a snapshot; a snapshot without it was written by another program."""

PROPERTIES = {
    # 50 appended snapshots cost a reader 26 ms per query without merged manifests, 3 ms with them.
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "5",
    "commit.retry.num-retries": "10",
    "write.metadata.previous-versions-max": "50",
    "write.parquet.compression-codec": "zstd",
    # Several row groups per file: readers use more than one thread and skip what a filter excludes.
    "write.parquet.row-group-limit": "122880",
    "write.target-file-size-bytes": str(64 * 1024 * 1024),
}


class TableCatalog:
    """The tables of one environment, at their newest committed state (their heads)."""

    def __init__(self, settings: Settings, env: str) -> None:
        self._properties = settings.catalog_properties
        self.namespace = settings.namespace(env)

    @cached_property
    def catalog(self) -> SqlCatalog:
        """PyIceberg's catalog, opened when it is first needed, with the layers' namespaces in it."""
        try:
            catalog = load_catalog("lakeport", **self._properties)
        except DBAPIError as error:
            raise Unavailable(f"The catalog cannot be opened ({error.orig}). Check lake.catalog.") from error
        if not isinstance(catalog, SqlCatalog):
            raise SettingsWrong(f"lake.catalog: type {self._properties.get('type')!r} is not served. Use type = 'sql'.")
        for namespace in (self.namespace, *(f"{self.namespace}.{layer}" for layer in LAYERS)):
            catalog.create_namespace_if_not_exists(namespace)  # the parent first: some catalogs insist
        return catalog

    def identifier(self, table: str) -> tuple[str, ...]:
        """The Iceberg identifier of a logical name."""
        return (*self.namespace.split("."), *table.split("."))

    def head(self, table: str) -> Table | None:
        """The table as last committed, or None when there is none."""
        try:
            return self.catalog.load_table(self.identifier(table))
        except (NoSuchTableError, NoSuchNamespaceError):
            return None

    def names(self, layer: str) -> list[str]:
        """Logical names of a layer's tables."""
        return sorted(f"{layer}.{name[-1]}" for name in self.catalog.list_tables(f"{self.namespace}.{layer}"))

    def ensure(self, table: str, schema: pa.Schema) -> Table:
        """The table, created empty when it is missing. No release names it yet, so no reader sees it."""
        found = self.head(table)
        if found is not None:
            return found
        location = f"{self._properties['warehouse']}/{self.namespace}/{table.replace('.', '/')}-{uuid.uuid4().hex[:8]}"
        try:
            return self.catalog.create_table(self.identifier(table), schema, location=location, properties=PROPERTIES)
        except TableAlreadyExistsError:
            return self.catalog.load_table(self.identifier(table))

    def close(self) -> None:
        """Give the catalog's connections back."""
        if "catalog" in self.__dict__:
            self.catalog.engine.dispose()


def snapshot_size(table: Table | None, snapshot_id: int | None) -> Size | None:
    """How much a snapshot of a table holds, as its summary says; nothing before the first one, None once it is gone."""
    if table is None or snapshot_id is None:
        return None if table is None else Size(0, 0, 0)
    snapshot = table.snapshot_by_id(snapshot_id)
    summary: Any = snapshot.summary if snapshot is not None else None
    said: Mapping[str, str] = summary.additional_properties if summary is not None else {}
    keys = ("total-records", "total-files-size", "total-data-files")
    return Size(*(int(said[key]) for key in keys)) if all(key in said for key in keys) else None


def snapshot_property(table: Table | None, name: str) -> str | None:
    """A property that the newest snapshot of a table carries."""
    snapshot = table.current_snapshot() if table is not None else None
    summary: Any = snapshot.summary if snapshot is not None else None
    return summary.additional_properties.get(name) if summary is not None else None
