"""A lake in a folder, for tests: files and settings in, one run after the other, and what its tables hold then.

One rule: nothing is replaced by a stand-in. `load` carries out a real run in this process, where dlt is imported only
once; `start` starts the real child process, the only way to build.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import func, select

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse, Workspace
from lakehouse.runs import Runs
from lakehouse.settings import FILE_NAME, Settings, read_settings
from lakehouse.state.schema import releases
from lakehouse.state.store import open_state
from lakehouse.tables.catalog import TableCatalog
from pipelines.context import JOB, Order, RunContext, run_folder
from pipelines.events import Events
from pipelines.execution import execute

ROOT = Path(__file__).parents[2]
PROJECT = """
name: own
version: "1.0"
profile: lakeport
models:
  +materialized: iceberg
  +schema: marts
"""
ROWS = {"id": "text", "n": "integer"}
"""The columns of most tests: a text and a whole number, both required."""


@dataclass(frozen=True)
class Ran:
    """How a run ended: its result, its exit code, its folder."""

    result: Mapping[str, Any]
    exit_code: int
    folder: Path

    @property
    def ending(self) -> tuple[str, int]:
        """State and exit code."""
        return self.result["state"], self.exit_code

    @property
    def error(self) -> str:
        """What whoever started it was told."""
        return str(self.result["error"])

    def counts(self, source: str) -> dict[str, int]:
        """Records read, loaded and quarantined of a source that was loaded."""
        assert source in self.result["sources"], self.result.get("error")
        found = self.result["sources"][source]
        return {name: found[name] for name in ("read", "loaded", "quarantined")}


class Lake:
    """A lake of its own in `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._runs = 0

    @property
    def settings(self) -> Settings:
        """Its settings, read afresh."""
        return read_settings(self.home, environ={})

    def configure(self, *sections: str) -> None:
        """Replace its settings."""
        (self.home / FILE_NAME).write_text("\n".join(sections), encoding="utf-8")

    def write(self, file: str, content: str | bytes) -> Path:
        """Write a file below its home, whose folders are made."""
        path = self.home / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def make_project(self) -> None:
        """Give it a dbt project of its own, which has no models yet."""
        shutil.copytree(ROOT / "dbt_project" / "macros", self.home / "dbt_project" / "macros")
        self.write("dbt_project/dbt_project.yml", PROJECT)

    def load(self, *, source: str | None = None, full: bool = False) -> Ran:
        """One run that loads and does not build, in this process."""
        settings, run = self.settings, self._next_run()
        folder = run_folder(settings, run)
        folder.mkdir(parents=True)
        order = Order("dev", build=False, source=source, full=full)
        with closing(open_state(settings)) as state, closing(Events(run, folder / "events.jsonl")) as events:
            Runs(state).begin(run, "dev", JOB, "test")
            result, exit_code = execute(RunContext(settings, state, order, run, folder, events))
        return self._checked(Ran(result, exit_code, folder))

    def start(self, job: str = "refresh", *options: str) -> Ran:
        """One run as the portal starts it; what it says on standard error is the result's error."""
        run = self._next_run()
        command = [sys.executable, "-m", "pipelines.run", job, "--home", str(self.home), "--run-id", run, *options]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("LAKEPORT_")}
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
        folder = run_folder(self.settings, run)
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        assert done.stderr.removesuffix("\n") == (result.get("error") or "")
        return self._checked(Ran(result, done.returncode, folder))

    def _next_run(self) -> str:
        self._runs += 1
        return f"run-{self._runs}"

    def _checked(self, ran: Ran) -> Ran:
        """What holds for every run: no record is lost, and the result file says what the run has reported."""
        for counts in ran.result["sources"].values():
            assert counts["read"] == counts["loaded"] + counts["quarantined"]
        assert json.loads((ran.folder / "result.json").read_text(encoding="utf-8")) == ran.result
        return ran

    def table(self, table: str) -> pa.Table | None:
        """What the newest snapshot of a table holds, released or not; None when there is no such table."""
        with closing(TableCatalog(self.settings, "dev")) as catalog:
            head = catalog.head(table)
            return None if head is None else head.scan().to_arrow()

    def rows(self, table: str = "raw.sales", *columns: str) -> list[tuple[Any, ...]]:
        """The values of some columns (`id` and `n` if none is named), in the order of files and lines."""
        found = self.table(table)
        if found is None:
            return []
        order = ("_file", "_line") if "_file" in found.column_names else ("source", "file", "line")
        found = found.sort_by([(name, "ascending") for name in order])
        return [tuple(row.values()) for row in found.select(columns or ("id", "n")).to_pylist()]

    def rejected(self, *columns: str) -> list[tuple[Any, ...]]:
        """The quarantine table: file, line and reason unless columns are named."""
        return self.rows("raw.quarantine", *(columns or ("file", "line", "reason")))

    def snapshots(self, table: str = "raw.sales") -> int:
        """How many snapshots a table has."""
        with closing(TableCatalog(self.settings, "dev")) as catalog:
            head = catalog.head(table)
            return 0 if head is None else len(head.snapshots())

    def drop(self, table: str) -> None:
        """Take a table out of the catalog, as another program might."""
        with closing(TableCatalog(self.settings, "dev")) as catalog:
            catalog.catalog.drop_table(catalog.identifier(table))

    def releases(self) -> int:
        """How many releases there have been."""
        with closing(open_state(self.settings)) as state, state.read() as connection:
            return connection.execute(select(func.count()).where(releases.c.number.is_not(None))).scalar_one()

    @contextmanager
    def open(self, version: str = "now") -> Iterator[Workspace]:
        """What its operator sees at a release."""
        with Lakehouse.open(self.home) as opened:
            yield opened.as_user(operator()).at(version)


def rows(workspace: Workspace, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a question."""
    return [tuple(row.values()) for row in workspace.sql(sql).table.to_pylist()]


def source(name: str = "sales", columns: Mapping[str, str] = ROWS, **settings: Any) -> str:
    """A source's section of the settings; a column is its type, or the inside of its TOML table.

    Its file is `<name>.csv` unless a path is given.
    """
    lines = [f"{key} = {json.dumps(value)}" for key, value in {"path": f"{name}.csv", **settings}.items()]
    tables = [f"{key} = {{ {kind if '=' in kind else f'type = {json.dumps(kind)}'} }}" for key, kind in columns.items()]
    return "\n".join([f"[sources.{name}]", *lines, f"[sources.{name}.columns]", *tables])


def lines(*records: str, header: str = "id,n") -> str:
    """The text of a CSV file."""
    return "\n".join((header, *records)) + "\n"
