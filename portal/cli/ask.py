"""Commands that ask: query, plan, metrics, tables, describe. They read the release that `--at` names."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import typer

from lakehouse.core import Workspace
from lakehouse.errors import LakeportError, RequestWrong
from lakehouse.query.answer import Answer
from lakehouse.query.document import document
from portal.cli.door import Door, error_document, guarded
from portal.cli.show import show_table

SHOWN_ROWS = 100

Batch = Annotated[Path | None, typer.Option("--batch", help="Answer each line of this JSON Lines file.")]
Limit = Annotated[int | None, typer.Option("--limit", min=0, help="Give at most this many rows.")]
Timeout = Annotated[float | None, typer.Option("--timeout", help="Stop after this many seconds.")]


@guarded("home", "env", "at", "as_json", "quiet")
def query(
    door: Door,
    sql: Annotated[str | None, typer.Argument(help="One SELECT over raw.*, staging.* and marts.*.")] = None,
    batch: Batch = None,
    limit: Limit = None,
    timeout: Timeout = None,
) -> int:
    """Ask in SQL."""
    with door.workspace() as workspace:

        def answer(text: Any) -> dict[str, Any]:
            if not isinstance(text, str):
                raise RequestWrong("A line needs the key 'sql' with a statement.")
            return _document(workspace, workspace.sql(text, limit, timeout))

        if batch is not None:
            return _answer_lines(door, batch, "sql", answer)
        if sql is None:
            raise RequestWrong("Give a statement, such as lakeport query 'select count(*) from raw.sales'.")
        if door.as_json:
            door.give(answer(sql))
        else:
            _show(door, workspace, workspace.sql(sql, limit, timeout))
    return 0


@guarded("home", "env", "at", "as_json", "quiet")
def plan(
    door: Door,
    plan_json: Annotated[str | None, typer.Argument(metavar="PLAN", help="A plan as JSON.")] = None,
    batch: Batch = None,
) -> int:
    """Ask for metrics by dimensions."""
    with door.workspace() as workspace:

        def answer(given: Any) -> dict[str, Any]:
            if not isinstance(given, Mapping | str):
                raise RequestWrong("A line needs the key 'plan' with a plan.")
            measured = workspace.measure(given)
            asked = {"plan": measured.plan.to_json(), "sql": measured.compiled.sql}
            return {**_document(workspace, measured.answer), **asked, "sentence": measured.compiled.sentence}

        if batch is not None:
            return _answer_lines(door, batch, "plan", answer)
        if plan_json is None:
            raise RequestWrong('Give a plan, such as lakeport plan \'{"metrics": ["revenue"], "by": ["region"]}\'.')
        if door.as_json:
            door.give(answer(plan_json))
        else:
            measured = workspace.measure(plan_json)
            door.say(measured.compiled.sentence)
            _show(door, workspace, measured.answer, figures=True)
    return 0


@guarded("home", "env", "at", "as_json")
def metrics(door: Door) -> None:
    """List the metrics."""
    with door.workspace() as workspace:
        found = [
            {
                "name": metric.name,
                "label": metric.label,
                "description": metric.description,
                "type": str(metric.type),
                "unit": metric.unit,
                "format": metric.format,
                "synonyms": list(metric.synonyms),
                "higher_is": metric.higher_is,
                "table": metric.table,
                "dimensions": [dimension.name for dimension in workspace.model.table(metric.table).dimensions],
                "grain": workspace.about(metric.table)["grain"],
            }
            for metric in workspace.model.metrics
        ]
    _list(door, found, ("name", "type", "description"))


@guarded("home", "env", "at", "as_json")
def tables(door: Door) -> None:
    """List the tables."""
    with door.workspace() as workspace:
        found = [_table(workspace, table) for table in workspace.tables()]
    _list(door, found, ("name", "description"))


@guarded("home", "env", "at", "as_json")
def describe(door: Door, table: Annotated[str, typer.Argument(help="A table, such as marts.order_lines.")]) -> None:
    """Show a table's columns."""
    with door.workspace() as workspace:
        about = workspace.about(table)
        columns = workspace.columns(table)
    door.say(f"{about['name']}: {about['description'] or 'no description'}")
    _list(door, columns, ("name", "type", "description"))


def _table(workspace: Workspace, table: str) -> dict[str, Any]:
    about = {name: value for name, value in workspace.about(table).items() if name != "columns"}
    return {**about, "type": "table"}


def _document(workspace: Workspace, answer: Answer) -> dict[str, Any]:
    pins = {
        table: {"snapshot": None if pin.snapshot is None else str(pin.snapshot)}
        for table, pin in workspace.pins.items()
    }
    version = {"release": workspace.release.number, "pins": pins}
    return {**document(answer.table), "complete": answer.complete, **version}


def _show(door: Door, workspace: Workspace, answer: Answer, *, figures: bool = False) -> None:
    show_table(answer.table, SHOWN_ROWS, figures=figures)
    rows = f"{answer.table.num_rows:,} row{'' if answer.table.num_rows == 1 else 's'}"
    shown = f", the first {SHOWN_ROWS} shown" if answer.table.num_rows > SHOWN_ROWS else ""
    cut = "" if answer.complete else ", cut at the limit"
    door.say(f"{rows}{shown}{cut}, release {workspace.release.number} of {workspace.release.published}")


def _answer_lines(door: Door, batch: Path, key: str, answer: Callable[[Any], dict[str, Any]]) -> int:
    """One JSON line per line of the file; an error is that line's answer, and the batch goes on."""
    for line in _lines(batch):
        given: Any = {}
        try:
            given = _read(line)
            if not isinstance(given, Mapping):
                raise RequestWrong(f"A line is an object with the keys 'id' and {key!r}.")
            reply = answer(given.get(key))
        except LakeportError as error:
            reply = {"error": error_document(error)}
        name = given.get("id") if isinstance(given, Mapping) else None
        typer.echo(json.dumps({"id": name, **reply}, ensure_ascii=False))
    return 0


def _lines(batch: Path) -> Iterator[bytes]:
    try:
        with batch.open("rb") as file:
            yield from (line for line in file if line.strip())
    except OSError as error:
        raise RequestWrong(f"{batch} cannot be read: {error.strerror}.") from error


def _read(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RequestWrong(f"The line is not JSON: {error}.") from error


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not a number of JSON")


def _list(door: Door, records: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    if door.as_json:
        door.give(records)
    else:
        show_table(pa.table({name: [str(record[name] or "") for record in records] for name in columns}), len(records))
