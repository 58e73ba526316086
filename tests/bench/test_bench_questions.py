"""What a question costs through a Workspace, beside plain DuckDB on the same pins in the same run."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse, Workspace
from lakehouse.metrics.lines import Window
from lakehouse.metrics.plan import Sort
from lakehouse.query.engine import connect, table_function
from pipelines.create import create_lake
from pipelines.sample.generator import write_sample
from tests.bench.measured import cost_of, show

pytestmark = pytest.mark.bench

TIMES = 15
PLANS = {
    "headline": {"metrics": ["revenue", "orders", "customers", "units", "average_order_value"]},
    "by month": {"metrics": ["revenue"], "by": ["order_date:month"]},
    "by region and product": {"metrics": ["revenue", "orders"], "by": ["region", "product"]},
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, rows: int) -> Iterator[Workspace]:
    home: Path = create_lake(tmp_path_factory.mktemp("bench") / "lake", "sales")
    write_sample(home / "data" / "sales.csv", rows)
    cost_of(["pipelines.run", "refresh", "--home", str(home)], home)
    with Lakehouse.open(home) as lake:
        yield lake.as_user(operator())


def test_the_cost_of_a_plan_beside_plain_duckdb(workspace: Workspace, rows: int) -> None:
    plain = connect("1GB", workspace.lakehouse.settings.query.threads)
    plain.execute("create schema marts")
    scan = table_function(workspace.pins["marts.order_lines"])
    plain.execute(f"create view marts.order_lines as select * from {scan}")

    lines = []
    for name, plan in PLANS.items():
        sql = workspace.measure(plan).compiled.sql
        new = _median(lambda sql=sql: workspace.sql(f"{sql}\n-- {time.perf_counter_ns()}"))  # a text never asked before
        same = _median(lambda plan=plan: workspace.measure(plan))
        alone = _median(lambda sql=sql: plain.execute(sql).fetchall())
        lines.append((name, f"{alone:.1f}", f"{new:.1f}", f"{new / alone:.2f}", f"{same:.2f}"))
    show(
        f"{rows:,} rows, medians of {TIMES} in ms",
        ("plan", "plain DuckDB", "new", "new / plain", "asked before"),
        lines,
    )


WINDOWS = {
    "first page, newest first": Window(Sort("order_date", True), count=50),
    "first page by line total": Window(Sort("line_total", True), count=50),
    "first page that holds a word": Window(Sort("line_total", True), "laptop", count=50),
    "page in the middle": Window(Sort("line_total", True), first=500_000, count=50),
}


def test_the_cost_of_a_page_of_lines_beside_one_scan(workspace: Workspace, rows: int) -> None:
    columns = ", ".join(f"max({column['name']})" for column in workspace.columns("marts.order_lines"))
    scan = _median(lambda: workspace.sql(f"select {columns} from marts.order_lines -- {time.perf_counter_ns()}"))

    lines = [("every column once", f"{scan:.1f}", "1.00")]
    for name, window in WINDOWS.items():
        spent = _median(lambda window=window: workspace.lines(_unasked(), window))
        lines.append((name, f"{spent:.1f}", f"{spent / scan:.2f}"))
    spent = _median(lambda: workspace.line_count(_unasked(), Window(words="laptop")))
    lines.append(("how many hold a word", f"{spent:.1f}", f"{spent / scan:.2f}"))

    show(f"{rows:,} rows, medians of {TIMES} in ms", ("lines", "new", "new / one scan"), lines)


def _unasked() -> dict[str, object]:
    """A plan that has not been asked before, whose lines are all lines."""
    return {"metrics": ["revenue"], "where": [["quantity", "<", 1_000_000 + time.perf_counter_ns()]]}


def _median(ask: Callable[[], object]) -> float:
    spent = []
    for _ in range(TIMES):
        began = time.perf_counter()
        ask()
        spent.append((time.perf_counter() - began) * 1000)
    return sorted(spent)[TIMES // 2]
