"""Commands that ask: query, plan, metrics, tables, describe. They read the release that `--at` names."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import typer

from lakehouse.core import Workspace
from lakehouse.errors import LakeportError, RequestWrong
from lakehouse.measured import Measured
from lakehouse.quality import Verdict
from lakehouse.query.answer import Answer
from lakehouse.query.document import document
from portal.cli.door import Door, error_document, guarded
from portal.cli.show import show_table

SHOWN_ROWS = 100

Batch = Annotated[Path | None, typer.Option("--batch", help="Answer each line of this JSON Lines file.")]
Limit = Annotated[int | None, typer.Option("--limit", min=0, help="Give at most this many rows.")]
Timeout = Annotated[float | None, typer.Option("--timeout", help="Stop after this many seconds.")]


@guarded("home", "env", "as_user", "at", "as_json", "quiet")
def query(
    door: Door,
    sql: Annotated[str | None, typer.Argument(help="One SELECT over raw.*, staging.* and marts.*.")] = None,
    batch: Batch = None,
    limit: Limit = None,
    timeout: Timeout = None,
) -> int:
    """Ask in SQL."""
    if batch is not None:

        def answer(workspace: Workspace, text: Any) -> dict[str, Any]:
            if not isinstance(text, str):
                raise RequestWrong("A line needs the key 'sql' with a statement.")
            return _document(workspace, workspace.sql(text, limit, timeout))

        return _answer_lines(door, "query", batch, "sql", answer)
    if sql is None:
        raise RequestWrong("Give a statement, such as lakeport query 'select count(*) from raw.sales'.")
    with door.workspace("query") as workspace:
        found = workspace.sql(sql, limit, timeout)
        shown = _document(workspace, found) if door.as_json else _stamp(workspace)
    _show(door, found, shown)
    return 0


@guarded("home", "env", "as_user", "at", "as_json", "quiet")
def plan(
    door: Door,
    plan_json: Annotated[str | None, typer.Argument(metavar="PLAN", help="A plan as JSON.")] = None,
    batch: Batch = None,
) -> int:
    """Ask for metrics by dimensions."""
    if batch is not None:

        def answer(workspace: Workspace, given: Any) -> dict[str, Any]:
            if not isinstance(given, Mapping | str):
                raise RequestWrong("A line needs the key 'plan' with a plan.")
            return _measured(workspace, workspace.measure(given))

        return _answer_lines(door, "plan", batch, "plan", answer)
    if plan_json is None:
        raise RequestWrong('Give a plan, such as lakeport plan \'{"metrics": ["revenue"], "by": ["region"]}\'.')
    with door.workspace("plan") as workspace:
        measured = workspace.measure(plan_json)
        shown = _measured(workspace, measured) if door.as_json else _stamp(workspace)
    if not door.as_json:
        door.say(measured.compiled.sentence)
    _show(door, measured.answer, shown, figures=True)
    return 0


@guarded("home", "env", "as_user", "at", "as_json")
def metrics(door: Door) -> None:
    """List the metrics."""
    with door.workspace("metrics") as workspace:
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


@guarded("home", "env", "as_user", "at", "as_json")
def tables(door: Door) -> None:
    """List the tables."""
    with door.workspace("tables") as workspace:
        found = [_table(workspace, table) for table in workspace.tables()]
    _list(door, found, ("name", "description"))


@guarded("home", "env", "as_user", "at", "as_json")
def describe(door: Door, table: Annotated[str, typer.Argument(help="A table, such as marts.order_lines.")]) -> None:
    """Show a table's columns."""
    with door.workspace("describe", table) as workspace:
        about = workspace.about(table)
        tests = workspace.facts(table).tests
        columns = [{**column, "tests": _tests(tests, column["name"])} for column in workspace.columns(table)]
    door.say(f"{about['name']}: {about['description'] or 'no description'}")
    _list(door, columns, ("name", "type", "description"))


def _tests(tests: Iterable[Verdict] | None, column: str) -> list[dict[str, Any]] | None:
    """How the tests on a column went; None where nobody has written it down."""
    if tests is None:
        return None
    keys = ("name", "status", "failures", "at")
    return [{key: getattr(test, key) for key in keys} for test in tests if test.column == column]


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


def _measured(workspace: Workspace, measured: Measured) -> dict[str, Any]:
    asked = {"plan": measured.plan.to_json(), "sql": measured.compiled.sql}
    return {**_document(workspace, measured.answer), **asked, "sentence": measured.compiled.sentence}


def _stamp(workspace: Workspace) -> str:
    return f"release {workspace.release.number} of {workspace.release.published}"


def _show(door: Door, answer: Answer, shown: dict[str, Any] | str, *, figures: bool = False) -> None:
    """The document, or the rows as a table with the stamp of their release."""
    if not isinstance(shown, str):
        door.give(shown)
        return
    show_table(answer.table, SHOWN_ROWS, figures=figures)
    rows = f"{answer.table.num_rows:,} row{'' if answer.table.num_rows == 1 else 's'}"
    first = f", the first {SHOWN_ROWS} shown" if answer.table.num_rows > SHOWN_ROWS else ""
    cut = "" if answer.complete else ", cut at the limit"
    door.say(f"{rows}{first}{cut}, {shown}")


def _answer_lines(
    door: Door, command: str, batch: Path, key: str, answer: Callable[[Workspace, Any], dict[str, Any]]
) -> int:
    """One JSON line per line of the file; an error is that line's answer, and the batch goes on."""
    with door.workspace(command, f"batch of {batch.name}", changes=True) as workspace:
        for number, line in enumerate(_lines(batch), start=1):
            name, reply = _answer_line(workspace, number, line, key, answer)
            typer.echo(json.dumps({"id": name, **reply}, ensure_ascii=False))
    return 0


def _answer_line(
    workspace: Workspace, number: int, line: bytes, key: str, answer: Callable[[Workspace, Any], dict[str, Any]]
) -> tuple[Any, dict[str, Any]]:
    """The id of a line and its answer, which is recorded on its own."""
    given: Any = {}
    workspace.request.note(line=number)
    try:
        with workspace.lakehouse.audit.recorded(workspace.request):
            given = _read(line)
            if not isinstance(given, Mapping):
                raise RequestWrong(f"A line is an object with the keys 'id' and {key!r}.")
            reply = answer(workspace, given.get(key))
    except LakeportError as error:
        reply = {"error": error_document(error)}
    return given.get("id") if isinstance(given, Mapping) else None, reply


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
