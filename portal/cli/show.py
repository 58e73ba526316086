"""Tables and progress on a terminal."""

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import typer
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from lakehouse.query.document import json_value
from portal.cli.door import printable

BETWEEN = 3
"""Characters between two columns."""

SIGNS = {"pass": "ok  ", "fail": "FAIL", "skip": "skip"}

LAST = 24
"""Characters that the last column of a table needs at least."""


def show_table(table: pa.Table, most: int, *, figures: bool = False) -> None:
    """Print the first rows, numbers to the right; what is too wide for the terminal goes one value below the other.

    The last column may be wrapped. What is not a terminal has any width. `figures`: whole numbers and decimals are
    amounts, not names, and are written with commas between the thousands.
    """
    names = [printable(name) for name in table.column_names]
    text = _figure if figures else _text
    rows = [[text(value) for value in row] for row in _rows(table.slice(0, most))]
    widths = [max(map(cell_len, cells)) for cells in zip(names, *rows, strict=True)]
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=max(80, sum(widths) + BETWEEN * len(widths)))
    if sum(widths[:-1]) + BETWEEN * len(widths) + min([LAST, *widths[-1:]]) > console.width:
        _show_records(console, names, rows)
        return
    shown = Table(show_edge=False, header_style="bold")
    for field, name in zip(table.schema, names, strict=True):
        number = pa.types.is_integer(field.type) or pa.types.is_decimal(field.type) or pa.types.is_floating(field.type)
        shown.add_column(Text(name), justify="right" if number else "left", overflow="fold", no_wrap=name != names[-1])
    for row in rows:
        shown.add_row(*map(Text, row))
    console.print(shown)


def show_pairs(pairs: Iterable[tuple[str, Any]]) -> None:
    """Print names and values below each other; a value that is a document as JSON."""
    for name, value in pairs:
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else _text(value)
        typer.echo(f"{printable(name)}: {text}".rstrip())


def show_checks(checks: Iterable[Mapping[str, str]]) -> None:
    """Print checks, each with what to do when it fails."""
    for check in checks:
        typer.echo(f"{SIGNS[check['state']]} {check['check']}: {printable(check['detail'])}")
        if check["cure"]:
            typer.echo(f"     {printable(check['cure'])}")


def _show_records(console: Console, names: list[str], rows: list[list[str]]) -> None:
    width = max(map(cell_len, names))
    for number, row in enumerate(rows, start=1):
        console.print(Text(f"row {number}", style="bold"))
        for name, text in zip(names, row, strict=True):
            console.print(Text(f"  {name}{' ' * (width - cell_len(name))}  {text}"), overflow="fold")


def _rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    """By position, since two columns may carry one name."""
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


def _figure(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | Decimal) and not isinstance(value, bool) else _text(value)


def _text(value: Any) -> str:
    plain = json_value(value)
    return "" if plain is None else printable(str(plain)).replace("\n", "\\n")


def show_progress(events: Iterable[Mapping[str, Any]], *, quiet: bool) -> None:
    """Follow a run: bars on a terminal, a line per step elsewhere."""
    console = Console(stderr=True, highlight=False)
    if quiet:
        for _ in events:
            pass
    elif console.is_terminal:
        _bars(console, events)
    else:
        for event in events:
            if event["event"] == "end" and event["step"] != "run":
                typer.echo(printable(f"{event['step']}: {event['message']}"), err=True)


MEASURING, TOLD = ("bytes", "nodes"), ("records", "nodes")
"""Units of what a run says: those that move a bar, and those that stand beside it."""


def _bars(console: Console, events: Iterable[Mapping[str, Any]]) -> None:
    columns = (
        TextColumn("{task.description:8}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[message]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}
        for event in events:
            step = event["step"]
            if step in ("run", "repair"):
                continue
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=None, message="")
            if event["event"] == "progress":
                if event["unit"] in MEASURING:
                    progress.update(tasks[step], completed=event["done"], total=event["total"])
                if event["unit"] in TOLD:
                    progress.update(tasks[step], message=f"{event['done']:,} {event['unit']}")
            elif event["event"] == "end":
                progress.update(tasks[step], completed=1, total=1, message=printable(event["message"]))
