"""The plugin through which dbt reads pinned tables and writes candidates.

One rule: dbt's own database is thrown away. What it builds leaves through `store` as data files and a candidate that no
catalog knows; `pipelines.build` hands all of them to the release once dbt has ended well.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from lakehouse.query.engine import prepare, table_function
from lakehouse.query.pins import Pin
from lakehouse.quoting import sql_name, sql_text
from lakehouse.tables.catalog import RUN_PROPERTY, TableCatalog
from lakehouse.tables.write import EVERYTHING, Staged, stage
from pipelines.events import Events

BATCH_ROWS = 100_000


@dataclass
class BuildContext:
    """What the plugin works on: dbt creates it by name and hands it nothing, so it stands in `Plugin.context`."""

    catalog: TableCatalog
    events: Events
    run: str
    pins: Mapping[str, Pin]  # what views show: raw as loaded, and models that are not built again
    spill: str  # the folder for what does not fit into memory
    staged: dict[str, Staged] = field(default_factory=dict)
    connection: duckdb.DuckDBPyConnection | None = None  # dbt's own, which stays open as long as the process
    lock: threading.Lock = field(default_factory=threading.Lock)


class Plugin(BasePlugin):  # type: ignore[misc]  # dbt-duckdb has no types
    """dbt-duckdb finds it by this name. One dbt invocation per process: a second one would see the first one's pins."""

    context: BuildContext

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Prepare dbt's database: extensions from their packages, and a view on every pinned table."""
        self._connection = self.context.connection = conn
        prepare(conn)
        # Not in dbt's profile: dbt-duckdb repeats settings on every cursor, and a folder in use cannot be set again.
        conn.execute(f"set temp_directory = {sql_text(self.context.spill)}")
        for table, pin in self.context.pins.items():
            layer, name = table.split(".")
            self._view(layer, name, table_function(pin))

    def store(self, target_config: Any) -> None:
        """Write a model's rows as a candidate and let what comes after in this run read it."""
        relation, config, context = target_config.relation, target_config.config, self.context
        table = f"{relation.schema}.{relation.identifier}"
        # No temporary table: a model may be larger than memory.
        rows = self._connection.cursor().execute(config["sql"]).to_arrow_reader(BATCH_ROWS)
        properties = {RUN_PROPERTY: context.run, "lakeport.node": config["node"]}
        staged = stage(context.catalog, table, rows, EVERYTHING, properties)
        candidate = staged.write_candidate(context.run)
        self._view(relation.schema, relation.identifier, f"iceberg_scan({sql_text(candidate)})")
        with context.lock:
            context.staged[table] = staged
        context.events.mark("build", f"{table} staged")

    def _view(self, schema: str, name: str, rows: str) -> None:
        cursor = self._connection.cursor()
        cursor.execute(f"create schema if not exists {sql_name(schema)}")
        cursor.execute(f"create or replace view {sql_name(schema)}.{sql_name(name)} as select * from {rows}")
