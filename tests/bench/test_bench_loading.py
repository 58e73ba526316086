"""What loading and building cost, and what a refresh costs that finds nothing to do."""

from pathlib import Path

import pytest

from pipelines.create import create_lake
from pipelines.sample.generator import write_sample
from tests.bench.measured import Cost, cost_of, show

pytestmark = pytest.mark.bench


def test_the_cost_of_a_refresh_step_by_step(tmp_path: Path, rows: int) -> None:
    home = create_lake(tmp_path / "lake", "sales")
    write_sample(home / "data" / "sales.csv", rows)

    steps = {job: cost_of(["pipelines.run", job, "--home", str(home)], home) for job in ("load", "build")}
    steps["refresh, unchanged"] = cost_of(["pipelines.run", "refresh", "--home", str(home)], home)
    steps["lakeport refresh, unchanged"] = cost_of(["portal.cli", "refresh", "--home", str(home)], home)

    lines = [_line(step, cost, rows) for step, cost in steps.items()]
    show(f"{rows:,} rows", ("step", "CPU s", "wall s", "peak MB", "CPU µs per row"), lines)


def _line(step: str, cost: Cost, rows: int) -> tuple[str, ...]:
    per_row = f"{cost.cpu_seconds / rows * 1e6:.2f}"
    return step, f"{cost.cpu_seconds:.2f}", f"{cost.wall_seconds:.1f}", str(cost.peak_mb), per_row
