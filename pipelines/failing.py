"""Keeps the rows for which a test has failed, for people to look at.

One rule: it never makes things worse. It keeps a bounded number of rows, and a row that cannot be kept is left out; the
run has failed already, for a reason that stands in its result.
"""

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from lakehouse.failures import FOLDER
from lakehouse.query.document import document

MOST_ROWS = 100
MOST_BYTES = 256 * 1024
"""Of the rows of one test, as JSON."""

MOST_TESTS = 50
"""Of one run; of further tests only the names are kept."""

log = logging.getLogger(__name__)


@dataclass
class FailingRows:
    """The failing rows of one run, in its folder; read from dbt's database, which shows tables as they would be."""

    folder: Path
    connection: duckdb.DuckDBPyConnection
    kept: int = 0

    def keep(self, name: str, sql: str) -> str | None:
        """Keep the rows of a test's own SQL; returns the file's place in the run's folder, None where there is none."""
        if self.kept == MOST_TESTS:
            return None
        try:
            found = self.connection.cursor().execute(f"select * from ({sql}\n) limit {MOST_ROWS + 1}").to_arrow_table()
            file = self._file(name)
            (self.folder / file).parent.mkdir(exist_ok=True)
            (self.folder / file).write_text(_text(name, found), encoding="utf-8")
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            log.warning("The failing rows of %s are not kept", name, exc_info=error)
            return None
        return file

    def _file(self, name: str) -> str:
        """A name of its own: tests may have names that differ only in signs that no file should have."""
        self.kept += 1
        return f"{FOLDER}/{self.kept:02}-{re.sub(r'[^A-Za-z0-9_.-]', '_', name)[:100]}.json"


def failing_sql(node: Any) -> str:
    """SQL for the rows that a failed test has found: all columns of a row where a value is missing, else its own."""
    metadata = getattr(node, "test_metadata", None)
    own = str(node.compiled_code)
    if metadata is None or metadata.name != "not_null" or metadata.namespace is not None:
        return own
    column = str(metadata.kwargs.get("column_name") or "")
    # dbt selects the column alone, of which all that is found is NULL.
    return re.sub(rf"\A\s*select\s+{re.escape(column)}\s+from\b", "select * from", own) if column else own


def _text(name: str, found: pa.Table) -> str:
    """The rows as JSON, cut to what is kept."""
    told = document(found.slice(0, MOST_ROWS))
    rows = _within(told["rows"])
    complete = len(rows) == found.num_rows
    return json.dumps({"test": name, "columns": told["columns"], "rows": rows, "complete": complete})


def _within(rows: Sequence[Any]) -> list[Any]:
    kept, room = [], MOST_BYTES
    for row in rows:
        room -= len(json.dumps(row))
        if room < 0:
            break
        kept.append(row)
    return kept
