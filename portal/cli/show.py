"""Tables and progress on a terminal."""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from lakehouse.query.document import json_value


def show_table(table: pa.Table, most: int) -> None:
    """Print the first rows, numbers to the right; control characters in the data are shown, not obeyed."""
    shown = Table(show_edge=False, header_style="bold")
    for field in table.schema:
        number = pa.types.is_integer(field.type) or pa.types.is_decimal(field.type) or pa.types.is_floating(field.type)
        shown.add_column(_safe(field.name), justify="right" if number else "left", overflow="fold")
    for row in table.slice(0, most).to_pylist() if table.num_columns else []:
        shown.add_row(*(_safe(_text(row[name])) for name in table.column_names))
    Console(highlight=False, soft_wrap=False).print(shown)


def _text(value: Any) -> str:
    plain = json_value(value)
    return "" if plain is None else str(plain)


def _safe(text: str) -> Text:
    return Text(
        "".join(
            character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
        )
    )


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
                typer.echo(f"{event['step']}: {event['message']}", err=True)


def _bars(console: Console, events: Iterable[Mapping[str, Any]]) -> None:
    columns = (
        TextColumn("{task.description:8}"),
        BarColumn(),
        TextColumn("{task.fields[message]}"),
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
            done = f"{event['done']:,} {event['unit']}" if event["done"] is not None else ""
            if event["event"] == "progress":
                progress.update(tasks[step], completed=event["done"], total=event["total"], message=done)
            elif event["event"] == "end":
                progress.update(tasks[step], completed=1, total=1, message=event["message"])
