"""What the revenue page says, as values that can be compared: as it was read, and as it must be.

One rule: texts stand as they are shown, so that a wrong sign, space or decimal is a difference.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

LONGEST = 200
"""Characters of a value in a difference; the address shows the rest."""

Drawn = tuple[tuple[Any, Any], ...]
"""Where a line or a dot shows something: how far to the right, and how high."""


@dataclass(frozen=True)
class Filters:
    """The bar of filters: the sentence, the words on its buttons, and what the menu behind each of them offers."""

    said: str
    buttons: tuple[str, ...]
    days: tuple[str, ...]
    offered: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Tile:
    """One tile; `note` stands where there is no change.

    `spark` is its little line, from 0 (lowest) to 1; `dotted` is how far to the right dotted pieces of it begin.
    """

    label: str
    short: str
    exact: str
    change: str
    meaning: str
    note: Any
    spark: Drawn
    dotted: tuple[Any, ...]


@dataclass(frozen=True)
class Box:
    """What the chart says of one bucket when it is pointed at."""

    head: str
    value: str
    before: str
    change: str
    share: str
    meaning: str
    has_value: bool


@dataclass(frozen=True)
class Chart:
    """Revenue over time: the table, and of the figure the boxes, the two lines and the marks of its axes.

    `firm` and `dotted` are the buckets from which a piece of the line of this period goes on to the next. Where nothing
    was sold there is `empty` and nothing else.
    """

    title: str
    sub: str
    trail: tuple[str, ...] = ()
    empty: Any = ""
    description: str = ""
    names: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    boxes: tuple[Box, ...] = ()
    box_names: tuple[str, ...] = ()
    now: Drawn = ()
    before: Drawn = ()
    firm: tuple[int, ...] = ()
    dotted: tuple[int, ...] = ()
    marks_of_time: Any = ()
    marks_of_value: Any = ()


@dataclass(frozen=True)
class Bar:
    """One row of bars; without a `length` (in per cent of the longest) there is `note` in its place."""

    name: str
    value: str
    title: str
    length: Any
    chosen: bool
    dimmed: bool
    note: str


@dataclass(frozen=True)
class Ranking:
    """The card of regions or products."""

    title: str
    sub: str
    tops: tuple[str, ...] = ()
    empty: Any = ""
    bars: tuple[Bar, ...] = ()
    columns: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class About:
    """The panel that explains a number: its title, what it says by the words before it, and the SQL."""

    title: str = ""
    said: tuple[tuple[str, Any], ...] = ()
    sql: Any = ""


@dataclass(frozen=True)
class Numbers:
    """Everything on the page that holds a number."""

    filters: Filters
    about: About
    tiles: tuple[Tile, ...]
    chart: Chart
    rankings: tuple[Ranking, ...]
    foot: str
    strays: tuple[str, ...]


def differences(expected: Any, found: Any, place: str = "") -> Iterator[str]:
    """Every place where two readings differ, in words."""
    if is_dataclass(expected):
        for field in fields(expected):
            below = f"{place}.{field.name}".lstrip(".")
            yield from differences(getattr(expected, field.name), getattr(found, field.name), below)
    elif isinstance(expected, tuple) and isinstance(found, tuple) and len(expected) == len(found):
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from differences(one, other, f"{place}[{number}]")
    elif expected != found:
        yield f"{place}: {_brief(found)} is shown, {_brief(expected)} is right"


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
