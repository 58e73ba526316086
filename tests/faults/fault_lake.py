"""A lake whose refreshes are killed, put back and looked at, and a reader that never stops asking it.

One rule: a lake is put back under the path where it was made, because Iceberg's metadata holds absolute paths.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import forked

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse
from lakehouse.errors import NoRelease
from lakehouse.settings import read_settings
from lakehouse.tables.catalog import TableCatalog
from pipelines.sample.thousand import HEADER, thousand

CHILD = Path(__file__).parent / "child.py"
ROOT = CHILD.parents[2]

BAD_ROWS = ("ORD-B1,CUST-1,2024-02-31,Mouse,1,2.00,North", "ORD-B2,CUST-1,2024-02-01,Mouse,1,2.999,North", "ORD-B3,x")
ONE_MORE = ("ORD-1001,CUST-0001,2024-03-01,Mouse,1,10.00,North", "ORD-B4,CUST-1,2024-02-01,Mouse,one,2.00,North")
"""One good row and one bad one."""

TABLES = (
    "raw.sales",
    "raw.quarantine",
    "staging.stg_sales",
    "staging.stg_sales_excluded",
    "marts.order_lines",
    "marts.daily_revenue",
)

FIGURES = """
select
    (select count(*) from raw.sales), (select sum(quantity * amount) from raw.sales),
    (select count(*) from raw.quarantine), (select count(*) from staging.stg_sales),
    (select count(*) from staging.stg_sales_excluded), (select count(*) from marts.order_lines),
    (select count(distinct line_id) from marts.order_lines), (select sum(line_total) from marts.order_lines),
    (select sum(revenue) from marts.daily_revenue)
"""
"""One row that is different for every version of the data, and wrong for a mixture of two."""

Figures = tuple[Any, ...]

PATIENCE_SECONDS = 600.0

REST_SECONDS = 1.0
"""How long a reader rests between two questions."""

SETTINGS = """
[sources.sales]
path = "sales"
disposition = "{disposition}"
[sources.sales.columns]
order_id = {{ type = "text" }}
customer_id = {{ type = "text" }}
order_date = {{ type = "date" }}
product = {{ type = "text" }}
quantity = {{ type = "integer" }}
amount = {{ type = "decimal(18,2)" }}
region = {{ type = "text" }}
[query]
workers = 1
cache_mb = 0  # every question goes to the files
"""


@dataclass(frozen=True)
class Ended:
    """How a refresh ended: its exit code (minus the signal that killed it), its sentence, and its result file."""

    code: int
    error: str
    result: dict[str, Any] = field(default_factory=dict)


class FaultLake:
    """A lake with one source of CSV files, at a path that stays the same."""

    def __init__(self, home: Path, disposition: str) -> None:
        self.home, self._kept = home, home.with_name(f"{home.name}.kept")
        self._parsed = home.parents[1] / "parsed.msgpack"  # what all lakes of a session have in common
        (home / "sales").mkdir(parents=True)
        (home / "lakeport.toml").write_text(SETTINGS.format(disposition=disposition))
        rows = list(thousand())
        self.write("1.csv", [*rows[:500], *BAD_ROWS, *rows[500:]])

    def write(self, name: str, rows: Sequence[str]) -> None:
        """A file of the source, made anew."""
        (self.home / "sales" / name).write_text("\n".join([HEADER, *rows]) + "\n")

    def append(self, name: str, rows: Sequence[str]) -> None:
        """Rows at the end of a file that is there."""
        with (self.home / "sales" / name).open("a") as file:
            file.write("\n".join(rows) + "\n")

    def keep(self) -> None:
        """Remember the lake as it is."""
        shutil.copytree(self.home, self._kept)

    def put_back(self) -> None:
        """The lake as it was remembered."""
        shutil.rmtree(self.home)
        shutil.copytree(self._kept, self.home)

    def start(self, point: str = "", *options: str, job: str = "refresh", **environ: str) -> "subprocess.Popen[str]":
        """A refresh, or another job, that goes on by itself; with a point it ends there."""
        program = [str(CHILD), point] if point else ["-m", "pipelines.run"]
        command = [sys.executable, *program, job, "--home", str(self.home), *options]
        pipe, variables = subprocess.PIPE, self._variables(environ)
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=variables)

    def _variables(self, own: Mapping[str, str]) -> dict[str, str]:
        variables = {**os.environ, "PYTHONPATH": str(ROOT), **own}
        if self._parsed.exists() and not (self.home / ".lakeport" / "dbt").exists():
            variables["DBT_PARTIAL_PARSE_FILE_PATH"] = str(self._parsed)
        return variables

    def share_parsed(self) -> None:
        """Spare new lakes from parsing the project once more: dbt reads what it has made of it in this one."""
        for parsed in (self.home / ".lakeport" / "dbt").rglob("partial_parse.msgpack"):
            shutil.copy(parsed, self._parsed)

    def ended(self, process: "subprocess.Popen[str]") -> Ended:
        """How a refresh ends that was started; waits for it."""
        with process:
            try:
                out, error = process.communicate(timeout=PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return self._ended(process.returncode, out, error)

    def _ended(self, code: int, out: str, error: str) -> Ended:
        run = json.loads(out.splitlines()[0])["run"] if out else ""
        file = self.home / ".lakeport" / "runs" / run / "result.json"
        return Ended(code, error.strip(), json.loads(file.read_text()) if run and file.exists() else {})

    def refresh(self, point: str = "", *options: str, job: str = "refresh", **environ: str) -> Ended:
        """A refresh, or another job, to its end; unlike a started one it has its imports behind it."""
        words = [job, "--home", str(self.home), *options]
        return self._ended(*forked.run(point, words, self._variables(environ), PATIENCE_SECONDS))

    def content(self, version: str = "now") -> dict[str, list[str]]:
        """Every row of every table, as text and sorted."""
        with Lakehouse.open(self.home) as lakehouse:
            workspace = lakehouse.as_user(operator()).at(version)
            rows = {table: workspace.sql(f"select * from {table}").table.to_pylist() for table in TABLES}
        return {table: sorted(repr(row) for row in found) for table, found in rows.items()}

    def figures(self) -> Figures | None:
        """What a reader sees now; None before the first release."""
        with Lakehouse.open(self.home) as lakehouse:
            try:
                return figures(lakehouse)[1]
            except NoRelease:
                return None

    def snapshots(self) -> dict[str, int]:
        """Table -> number of snapshots in the catalog, released or not."""
        with closing(self.catalog()) as catalog:
            heads = {table: catalog.head(table) for table in TABLES}
        return {table: len(head.snapshots()) if head is not None else 0 for table, head in heads.items()}

    def catalog(self) -> TableCatalog:
        """The tables, as another program may write to them."""
        return TableCatalog(read_settings(self.home), "dev")

    def ask_state(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the state store, read or changed behind Lakeport's back."""
        with closing(sqlite3.connect(self.home / ".lakeport" / "state.db", timeout=30)) as connection, connection:
            return connection.execute(sql, values).fetchall()

    def half_done(self) -> list[tuple[Any, ...]]:
        """What is neither finished nor given up."""
        return self.ask_state(
            "select 'run', id from runs where state in ('queued', 'running') union all "
            "select 'load', id from loads where state = 'committing' union all "
            "select 'release', run from releases where state = 'publishing'"
        )


def figures(lakehouse: Lakehouse) -> tuple[int, Figures]:
    """The number of the current release, and its figures."""
    workspace = lakehouse.as_user(operator())
    (row,) = workspace.sql(FIGURES).table.to_pylist()
    return workspace.release.number, tuple(row.values())


class Reader(threading.Thread):
    """Asks a lake through the public door, now and then and when told to; every answer must be one whole release.

    The tests share two cores with it: without a rest it would cost as much as the refresh that it watches.
    """

    def __init__(self, lake: FaultLake) -> None:
        super().__init__(daemon=True, name="reader")
        self._lake, self._done = lake, threading.Event()
        self._error: BaseException | None = None
        self._lakehouse: Lakehouse | None = None
        self._turn = threading.Lock()
        self.asked: list[tuple[int, Figures]] = []

    def __enter__(self) -> "Reader":
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        self.join()
        if self._lakehouse is not None:
            self._lakehouse.close()

    def run(self) -> None:
        """Ask until told to stop, or until an answer is an error."""
        try:
            while not self._done.wait(REST_SECONDS):
                self.look()
        except BaseException as error:  # noqa: BLE001  # handed to the test by `saw`
            self._error = error

    def look(self) -> None:
        """Ask once more, if there is anything to ask."""
        with self._turn:
            if self._lakehouse is None and self._there():
                self._lakehouse = Lakehouse.open(self._lake.home)
            if self._lakehouse is not None:
                with suppress(NoRelease):
                    self.asked.append(figures(self._lakehouse))

    def _there(self) -> bool:
        """Whether a child has made the state store; made by the reader, it would change the child's course."""
        try:
            self._lake.ask_state("select 1 from runs limit 1")
        except sqlite3.OperationalError:
            return False
        return True

    def saw(self) -> list[Figures]:
        """The figures of each release that was seen, in order; raises what went wrong, and for a mixed release."""
        if self._error is not None:
            raise self._error
        seen = sorted(set(self.asked))
        numbers = [number for number, _ in self.asked]
        assert len({number for number, _ in seen}) == len(seen), f"two contents of one release: {seen}"
        assert numbers == sorted(numbers), "a reader went back to an older release"
        return [found for _, found in seen]
