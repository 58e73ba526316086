"""The tables and columns that somebody may ask, folded; a click on a name puts it into the statement.

One rule: names are shown as they are called, and put into the statement as they must be written.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dash.development.base_component import Component

from portal import html
from portal.components.editor import insert


@dataclass(frozen=True)
class Field:
    """A column: its name, how a statement writes it, its type and what it holds."""

    name: str
    written: str
    kind: str
    description: str = ""


@dataclass(frozen=True)
class Listed:
    """A table: its name, how a statement writes it, what one row is, and its columns."""

    name: str
    written: str
    description: str
    fields: Sequence[Field]


def schema(tables: Sequence[Listed]) -> Component:
    """All tables, each folded."""
    return html.Div([_table(table) for table in tables], className="lp-schema")


def _table(table: Listed) -> Component:
    about = [html.P(table.description, className="lp-small lp-muted")] if table.description else []
    name = insert(table.written, f"Insert {table.name}", "lp-insert is-table")
    rows = html.Ul([html.Li(_field(field)) for field in table.fields])
    return html.Details([html.Summary(table.name), *about, name, rows], className="lp-fold")


def _field(field: Field) -> Component:
    words = [html.Code(field.name), html.Span(field.kind.lower(), className="lp-muted")]
    about = [html.Span(field.description, className="lp-insert-about")] if field.description else []
    return insert(field.written, [*words, *about], title=f"Insert {field.name}")
