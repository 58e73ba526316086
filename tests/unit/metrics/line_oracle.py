"""Which lines a window holds, worked out in plain Python from the rows: no SQL, no code of the product.

One rule: texts are compared by Python's own `casefold` and order.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]

TIME = "order_date"
ODD = (
    "%",
    "_",
    "\\",
    "'",
    '"',
    "*",
    "?",
    ".",
    ";--",
    "\n",
    " ",
    "ss",
    "ß",
    "Σ",
    "ς",
    "京",
    "\uffee",
    "😀",
    "x' or '1'='1",
)
"""What must be found as it stands, and nowhere else."""


@dataclass(frozen=True)
class Asked:
    """A window: the column that sorts it (with `-` from the largest), words, the first place, how many lines."""

    sort: str = ""
    words: str = ""
    first: int = 0
    count: int | None = None
    searched: tuple[str, ...] | None = None


def lines(rows: Sequence[Row], asked: Asked) -> list[tuple[Any, ...]]:
    """The lines of a window over rows that all have the same columns, in the order in which they stand in a table."""
    ordered = found(rows, asked.words, asked.searched)
    names = list(rows[0]) if rows else []
    # Sorting keeps the order of equals, so the last key comes first.
    for name in reversed([*([TIME] if TIME in names else []), *(name for name in names if name != TIME)]):
        ordered = _sorted(ordered, name, is_largest_first=False)
    if asked.sort:
        ordered = _sorted(ordered, asked.sort.removeprefix("-"), is_largest_first=asked.sort.startswith("-"))
    end = None if asked.count is None else asked.first + asked.count
    return [tuple(row.values()) for row in ordered[asked.first : end]]


def found(rows: Sequence[Row], words: str, searched: Sequence[str] | None = None) -> list[Row]:
    """The rows of which some text holds the words, in small or capital letters."""
    wanted, names = words.casefold(), list(rows[0]) if rows and searched is None else searched or ()
    return [row for row in rows if not words or any(_holds(row[name], wanted) for name in names)]


def random_window(chance: random.Random, rows: Sequence[Row]) -> Asked:
    """A window over some rows; its words are mostly pieces of their texts."""
    columns = list(rows[0]) if rows else [TIME]
    sort = chance.choice(("", f"{chance.choice(('', '-'))}{chance.choice(columns)}"))
    first = chance.choice((0, 0, 1, len(rows) // 2, len(rows), len(rows) + 5))
    return Asked(sort, random_words(chance, rows), first, chance.choice((None, 1, 7, 25)))


def random_words(chance: random.Random, rows: Sequence[Row]) -> str:
    """Nothing, a piece of a text in other letters, or something odd."""
    texts = [value for row in rows for value in row.values() if isinstance(value, str) and value]
    kind = chance.random()
    if kind < 0.3 or not texts:
        return ""
    if kind < 0.5:
        return chance.choice(ODD)
    text = chance.choice(texts)
    start = chance.randrange(len(text))
    piece = text[start : start + chance.randint(1, 6)]
    return chance.choice((piece, piece.upper(), piece.lower(), piece.swapcase()))


def _holds(value: Any, wanted: str) -> bool:
    return isinstance(value, str) and wanted in value.casefold()


def _sorted(rows: Sequence[Row], name: str, *, is_largest_first: bool) -> list[Row]:
    known = sorted((row for row in rows if row[name] is not None), key=lambda row: row[name], reverse=is_largest_first)
    return [*known, *(row for row in rows if row[name] is None)]
