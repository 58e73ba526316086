"""The rows of an answer as a table shows them: the first ones, each value as it is.

One rule: a value is written so that it can be put back into a statement, without commas or units; what is cut shows it.
"""

import json
from typing import Any

import pyarrow as pa

from lakehouse.query.document import json_value
from portal import html
from portal.components.table import Cell, Column

SHOWN_ROWS = 200
SHOWN_COLUMNS = 100
LONGEST_CELL = 200
"""Characters of one value."""


def columns(table: pa.Table) -> list[Column]:
    """The first columns, numbers to the right."""
    return [Column(field.name, is_number=_is_number(field.type)) for field in list(table.schema)[:SHOWN_COLUMNS]]


def cells(table: pa.Table) -> list[list[Cell]]:
    """The first rows of the first columns."""
    shown = table.slice(0, SHOWN_ROWS)
    return [list(row) for row in zip(*(_written(column) for column in shown.columns[:SHOWN_COLUMNS]), strict=True)]


def _written(column: pa.ChunkedArray) -> list[Cell]:
    return [cell(value) for value in column.to_pylist()]


def cell(value: Any) -> Cell:
    """One value; NULL is told from a text that says so by its colour."""
    if value is None:
        return html.Span("null", className="lp-muted")
    plain = json_value(value)
    text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
