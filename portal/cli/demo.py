"""`lakeport demo`: a lake with sample data, ready to look at.

One rule: a demo never touches a lake that it did not make.
"""

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from lakehouse.errors import RequestWrong, Unavailable
from lakehouse.settings import FILE_NAME, FOLDER_NAME, read_settings
from pipelines.create import create_lake
from pipelines.sample.generator import write_sample
from portal.address import take, url
from portal.cli.demo_users import DemoUser, make_users
from portal.cli.door import Door, error_document, guarded
from portal.cli.serve import Port, told, until_stopped
from portal.cli.show import show_table
from portal.cli.work import carry_out, follow

CSV = Path("data/sales.csv")
MARK = "demo.json"
"""Stands in the lake's folder of every demo and holds what its sample was made with."""

PREFACE = "# A demo with invented data, made by `lakeport demo`.\n"
"""First line of a demo's settings, which says so also where the lake's folder was removed."""

APPENDIX = '\n[server]\nnotice = "This is a demo with invented data."\n\n[query]\nfree_sql = true\n'

USUAL = {"rows": 1000, "seed": 42}

HEADLINE = {"metrics": ["revenue", "orders", "customers", "units", "average_order_value"]}
BY_REGION = {"metrics": ["revenue"], "by": ["region"], "order": ["-revenue"]}


@guarded("home", "as_json", "quiet")
def demo(
    door: Door,
    rows: Annotated[int, typer.Option("--rows", min=1, help="Rows of sample data.")] = USUAL["rows"],
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed gives other data.")] = USUAL["seed"],
    reset: Annotated[bool, typer.Option("--reset", help="Throw the demo away first.")] = False,
    port: Port = None,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Make the demo, and do not serve its portal.")] = False,
) -> int:
    """Make a demo lake, or refresh the one that is there, show its figures, and serve its portal."""
    home = door.home.expanduser().resolve()
    _refuse_what_is_there(home)
    server = told(read_settings(home), port=port).server
    taken = None if no_serve else take(server)  # before the work, which a port in use would make useless
    _make(home, {"rows": rows, "seed": seed}, reset=reset, door=door)
    if door.as_json:
        ended = carry_out(Door(home, quiet=True), "refresh")
        if ended.trouble:
            door.give({"error": error_document(ended.error())})
        code = ended.exit_code
    else:
        code = follow(Door(home, quiet=door.quiet), "refresh")
    if code:
        return code
    _show(door, home, "" if no_serve else url(server))
    if taken is not None:
        until_stopped(Door(home, quiet=door.quiet or door.as_json), told(Door(home).settings, port=port), taken)
    return 0


def _show(door: Door, home: Path, address: str) -> None:
    """The demo's figures, its users, and where things are."""
    with Door(home).workspace("demo", changes=True) as workspace:
        headline = workspace.measure(HEADLINE).answer.table
        regions = workspace.measure(BY_REGION).answer.table
        release = workspace.release.number
        users = make_users(workspace.users(), home)
        workspace.request.note(users=[user.name for user in users])
    if door.as_json:
        figures = {name: str(value) for name, value in headline.to_pylist()[0].items()}
        by_region = {str(row["region"]): str(row["revenue"]) for row in regions.to_pylist()}
        names = [{"name": user.name, "role": user.role, "password_file": str(user.password_file)} for user in users]
        place = {"home": str(home), "csv": str(home / CSV), "url": address or None, "users": names}
        door.give({**place, "release": release, **figures, "by_region": by_region})
        return
    show_table(headline, 1, figures=True)
    typer.echo("")
    show_table(regions, regions.num_rows, figures=True)
    door.say(_where(home, users))


def _make(home: Path, sample: dict[str, int], *, reset: bool, door: Door) -> None:
    folder, file = home / FOLDER_NAME, home / FILE_NAME
    mark = folder / MARK
    if reset and (mark.exists() or _is_demo(file)):
        file.unlink(missing_ok=True)
        (home / CSV).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
    elif mark.exists() and file.exists():
        made = json.loads(mark.read_text(encoding="utf-8"))
        if sample not in (made, USUAL):
            raise RequestWrong(f"The demo was made with {made['rows']:,} rows and seed {made['seed']}. Add --reset.")
        return
    elif file.exists() and (home / CSV).exists():
        return  # somebody has removed the lake's folder: it is made again, from the data as they are
    door.say(f"Making a demo lake in {home} with {sample['rows']:,} rows of invented sales.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.write_text(json.dumps(sample), encoding="utf-8")  # first, so that half a demo is known as one
    except OSError as error:
        raise Unavailable(f"No lake can be made in {home}: {error.strerror}.") from error
    write_sample(home / CSV, sample["rows"], sample["seed"])
    file.unlink(missing_ok=True)
    create_lake(home, "sales", PREFACE, APPENDIX)


def _is_demo(file: Path) -> bool:
    return file.exists() and file.read_text(encoding="utf-8", errors="replace").startswith(PREFACE)


def _refuse_what_is_there(home: Path) -> None:
    """A lake, or data under the name that the demo gives to its own, belongs to somebody, unless a demo made them."""
    if (home / FOLDER_NAME / MARK).exists() or _is_demo(home / FILE_NAME):
        return
    for place in (FILE_NAME, FOLDER_NAME):
        if (home / place).exists():
            raise RequestWrong(f"There is a lake in {home} that is no demo. Name another folder with --home.")
    if (home / CSV).exists():
        raise RequestWrong(f"{home / CSV} is not the demo's. Name another folder with --home, or move the file away.")


def _where(home: Path, users: Sequence[DemoUser]) -> str:
    lines: list[tuple[str, Any]] = [
        ("data", home / CSV),
        ("settings", home / FILE_NAME),
        ("lake", home / FOLDER_NAME),
        ("passwords", users[0].password_file.parent),
    ]
    places = "\n".join(f"  {name:9} {place}" for name, place in lines)
    return (
        f"\nThis is a demo with invented data. Where things are:\n{places}\n"
        "Change the data and run `lakeport refresh`; ask with `lakeport query` and `lakeport plan`; "
        f"read the past with `--at 1`.\n\nUsers, each with a password in a file of that name:\n{_logins(users)}"
    )


def _logins(users: Sequence[DemoUser]) -> str:
    """Names and roles; the passwords too, but at a terminal alone, so that no log ever holds them."""
    shown = sys.stdout.isatty()
    return "\n".join(f"  {user.name:9} {user.role:9}" + (f" {user.password}" if shown else "") for user in users)
