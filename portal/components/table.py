"""Tables: what a chart shows, to read and to copy.

One rule: every column and every row has a header cell that says what it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dash.development.base_component import Component

from portal import html
from portal.components.attributes import aria
from portal.components.icon import icon
from portal.components.link import link

Cell = Component | str
Row = Sequence[Cell]


@dataclass(frozen=True)
class Column:
    """One column; numbers stand right, `is_lesser` ones are gone on a phone, `order` is how rows are sorted by it.

    With an `href` the title is a link there, which sorts by the column.
    """

    title: str
    is_number: bool = False
    is_lesser: bool = False
    order: str = ""
    """`ascending`, `descending`, or empty."""
    href: str = ""

    @property
    def class_name(self) -> str | None:
        """The classes of its cells."""
        names = [name for name, is_so in (("is-num", self.is_number), ("is-lesser", self.is_lesser)) if is_so]
        return " ".join(names) or None


def table_fold(caption: str, columns: Sequence[Column], rows: Sequence[Row]) -> Component:
    """The table under a chart, folded."""
    return html.Details([html.Summary("Table"), table(caption, columns, rows)], className="lp-fold")


def table(
    caption: str, columns: Sequence[Column], rows: Sequence[Row], foot: Row = (), cards: bool = False
) -> Component:
    """A table that scrolls sideways where it is too wide; with `cards`, each row is a card on a phone."""
    return scroll_area(caption, bare_table(caption, columns, rows, foot, cards))


def scroll_area(caption: str, shown: Component, class_name: str = "lp-scroll") -> Component:
    """What a table scrolls in, by the keyboard too."""
    return html.Div(shown, className=class_name, tabIndex="0", role="region", **aria(label=f"{caption}, table"))


def bare_table(
    caption: str, columns: Sequence[Column], rows: Sequence[Row], foot: Row = (), cards: bool = False
) -> Component:
    """The same without the area that scrolls."""
    head = html.Thead(html.Tr([_head(column) for column in columns]))
    body = html.Tbody([html.Tr(_cells(columns, row)) for row in rows])
    last = [html.Tfoot(html.Tr(_cells(columns, foot)))] if foot else []
    return html.Table(
        [html.Caption(caption, className="lp-hidden"), head, body, *last],
        className="lp-grid is-cards" if cards else "lp-grid",
    )


def _head(column: Column) -> Component:
    arrow: list[Cell] = (
        [" ", icon("rise" if column.order == "ascending" else "fall", small=True)] if column.order else []
    )
    order = aria(sort=column.order) if column.order else {}
    words: list[Cell] = [html.Span(column.title), *arrow] if column.href else [column.title, *arrow]
    shown = link(words, column.href) if column.href else words
    return html.Th(shown, scope="col", className=column.class_name, **order)


def _cells(columns: Sequence[Column], row: Row) -> list[Component]:
    first, *others = zip(columns, row, strict=True)
    return [
        html.Th(first[1], scope="row", className=first[0].class_name),
        *(html.Td(cell, className=column.class_name) for column, cell in others),
    ]
