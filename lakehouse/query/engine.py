"""DuckDB as Lakeport uses it: which extensions it needs, how it is opened, how a pinned table is read.

One rule: nothing is ever downloaded; extensions come from installed packages that match DuckDB to the patch version.
DuckDB is imported on first use, so that processes which only hold a pool of workers never pay for it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.errors import Unavailable
from lakehouse.query.pins import Pin
from lakehouse.quoting import sql_text

if TYPE_CHECKING:
    import duckdb

EXTENSIONS = ("avro", "iceberg")
"""In the order in which they must be loaded: iceberg links against avro."""


def extension_paths() -> list[Path]:
    """Files of the extensions in loading order; `Unavailable` names the package that is missing or does not match."""
    return [_extension_path(name) for name in EXTENSIONS]


def connect(memory_limit: str, threads: int) -> duckdb.DuckDBPyConnection:
    """A new in-memory DuckDB with the extensions loaded, still unlocked; `memory_limit` is DuckDB's own, as '2GB'.

    Its time zone is UTC whatever the machine says, also for cursors.
    """
    import duckdb

    connection = duckdb.connect(":memory:")
    try:
        prepare(connection)
        connection.execute(f"SET memory_limit = {sql_text(memory_limit)}")
        connection.execute(f"SET threads = {int(threads)}")
        # Without them what a costly question has used stays with the process until the next costly one.
        connection.execute("SET allocator_background_threads = true")
    except (duckdb.Error, Unavailable) as error:
        connection.close()
        if isinstance(error, Unavailable):
            raise
        raise Unavailable("DuckDB could not be prepared; the log has its message. Install Lakeport again.") from error
    return connection


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Load the extensions into an instance that somebody else has opened, and set its clock to UTC."""
    paths = extension_paths()
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    for path in paths:
        connection.execute(f"LOAD {sql_text(str(path))}")
    connection.execute("SET GLOBAL TimeZone = 'UTC'")


def lock(connection: duckdb.DuckDBPyConnection, folders: Sequence[str]) -> None:
    """Leave an instance nothing but reading below `folders`, for good.

    This stops file reads elsewhere, network file systems, INSTALL and SET. It does not stop writing into the folders
    themselves; refusing such statements is the task of `lakehouse.query.statement`.
    """
    allowed = [form for folder in folders for form in _forms(folder)]
    connection.execute("SET allow_community_extensions = false")
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET allow_persistent_secrets = false")
    connection.execute("SET temp_directory = ''")
    connection.execute(f"SET allowed_directories = [{', '.join(sql_text(folder) for folder in allowed)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def table_function(pin: Pin) -> str:
    """SQL text that stands where a table may stand and reads exactly the pinned snapshot.

    Metadata of a table without snapshots gives no rows under the right columns.
    """
    if pin.snapshot is None:
        return f"iceberg_scan({sql_text(pin.metadata)})"
    return f"iceberg_scan({sql_text(pin.metadata)}, snapshot_from_id => {int(pin.snapshot)})"


def _extension_path(name: str) -> Path:
    import duckdb

    package, wanted = f"duckdb_extension_{name}", f"v{duckdb.__version__}"
    cure = f"Install {package.replace('_', '-')}=={duckdb.__version__}."
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise Unavailable(f"DuckDB's extension {name!r} is not installed. {cure}")
    found = sorted(Path(spec.origin).parent.rglob(f"{name}.duckdb_extension"))
    for path in found:
        if path.parent.name == wanted:
            return path
    versions = ", ".join(path.parent.name for path in found) or "no version at all"
    raise Unavailable(f"DuckDB's extension {name!r} is there for {versions}, but DuckDB is {wanted}. {cure}")


def _forms(folder: str) -> tuple[str, ...]:
    """A local folder as DuckDB may be handed it: plain and as a file URL; any other URL as it is."""
    path = folder.removeprefix("file://")
    return (folder,) if "://" in path else (path, f"file://{path}")
