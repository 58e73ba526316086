"""`lakeport demo`: a lake with sample data, ready to look at.

One rule: a demo never touches a lake that it did not make.
"""

import json
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from lakehouse.errors import RequestWrong
from lakehouse.settings import FILE_NAME, FOLDER_NAME
from pipelines.create import create_lake
from pipelines.sample.generator import write_sample
from portal.cli.door import Door, guarded
from portal.cli.show import show_table
from portal.cli.work import follow

CSV = Path("data/sales.csv")
MARK = "demo.json"
"""Stands in the lake's folder of every demo and holds what its sample was made with."""

HEADLINE = {"metrics": ["revenue", "orders", "customers", "units", "average_order_value"]}
BY_REGION = {"metrics": ["revenue"], "by": ["region"], "order": ["-revenue"]}


@guarded("home", "as_json", "quiet")
def demo(
    door: Door,
    rows: Annotated[int, typer.Option("--rows", min=1, help="Rows of sample data.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed gives other data.")] = 42,
    reset: Annotated[bool, typer.Option("--reset", help="Throw the demo away first.")] = False,
) -> int:
    """Make a demo lake, or refresh the one that is there, and show its figures."""
    home = door.home.expanduser().resolve()
    _make(home, {"rows": rows, "seed": seed}, reset=reset, door=door)
    code = follow(Door(home, quiet=door.quiet or door.as_json), "refresh")
    if code:
        return code
    with Door(home).workspace() as workspace:
        headline = workspace.measure(HEADLINE).answer.table
        regions = workspace.measure(BY_REGION).answer.table
        release = workspace.release.number
    if door.as_json:
        figures = {name: str(value) for name, value in headline.to_pylist()[0].items()}
        by_region = {str(row["region"]): str(row["revenue"]) for row in regions.to_pylist()}
        door.give({"home": str(home), "csv": str(home / CSV), "release": release, **figures, "by_region": by_region})
        return 0
    show_table(headline, 1)
    typer.echo("")
    show_table(regions, regions.num_rows)
    door.say(_where(home))
    return 0


def _make(home: Path, sample: dict[str, int], *, reset: bool, door: Door) -> None:
    mark = home / FOLDER_NAME / MARK
    if (home / FILE_NAME).exists() and not mark.exists():
        raise RequestWrong(f"There is a lake in {home} that is no demo. Name another folder with --home.")
    if reset and mark.exists():
        (home / FILE_NAME).unlink()
        (home / CSV).unlink(missing_ok=True)
        shutil.rmtree(home / FOLDER_NAME)
    if mark.exists():
        made = json.loads(mark.read_text(encoding="utf-8"))
        if made != sample and sample != {"rows": 1000, "seed": 42}:
            raise RequestWrong(f"The demo was made with {made['rows']:,} rows and seed {made['seed']}. Add --reset.")
        return
    door.say(f"Making a demo lake in {home} with {sample['rows']:,} rows of invented sales.")
    if not (home / CSV).exists() or reset:
        write_sample(home / CSV, sample["rows"], sample["seed"])
    create_lake(home, "sales")
    mark.write_text(json.dumps(sample), encoding="utf-8")


def _where(home: Path) -> str:
    lines: list[tuple[str, Any]] = [
        ("data", home / CSV),
        ("settings", home / FILE_NAME),
        ("lake", home / FOLDER_NAME),
    ]
    places = "\n".join(f"  {name:9} {place}" for name, place in lines)
    return (
        f"\nThis is a demo with invented data. Where things are:\n{places}\n"
        "Change the data and run `lakeport refresh`; ask with `lakeport query` and `lakeport plan`; "
        "read the past with `--at 1`."
    )
