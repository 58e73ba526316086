"""Where in a statement something is wrong, as far as the sentence about it says so.

One rule: the sentence is all that is known. It ends with a line and a column, or it names a word; a word that stands
in the statement more than once has no place.
"""

import re
from dataclasses import dataclass

LONGEST_LINE = 160

_SAID = re.compile(r"\(line (\d{1,9}), column (\d{1,9})\)\.?$")
_NAMED = re.compile(r"""["'`]([^"'`]{1,200})["'`]""")
_WORD = re.compile(r"[\w.]+|\S")


@dataclass(frozen=True)
class Place:
    """One place of a statement: its line (from 1), that line's words before, at and after it, and its offsets.

    `start` and `end` count UTF-16 units, as browsers do.
    """

    line: int
    before: str
    words: str
    after: str
    start: int
    end: int


def find_place(sentence: str, statement: str) -> Place | None:
    """The place that a sentence about a statement speaks of; None when it names none."""
    said = _SAID.search(sentence)
    start = _offset(statement, int(said[1]), int(said[2])) if said else _only(sentence, statement)
    return None if start is None else _place(statement, start)


def _offset(statement: str, line: int, column: int) -> int | None:
    lines = statement.split("\n")
    if line < 1 or line > len(lines) or column < 1 or column > len(lines[line - 1]) + 1:
        return None
    return sum(len(one) + 1 for one in lines[: line - 1]) + column - 1


def _only(sentence: str, statement: str) -> int | None:
    """Where the first word in quotes stands that is found in the statement exactly once."""
    for name in _NAMED.findall(sentence):
        found = list(re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", statement, flags=re.IGNORECASE))
        if len(found) == 1:
            return found[0].start()
    return None


def _place(statement: str, start: int) -> Place:
    begin = statement.rfind("\n", 0, start) + 1
    stop = statement.find("\n", start)
    line = statement[begin : len(statement) if stop < 0 else stop]
    word = _WORD.match(statement, start)
    end = word.end() if word else start
    return Place(
        line=statement.count("\n", 0, start) + 1,
        before=line[: start - begin][-LONGEST_LINE:],
        words=statement[start:end][:LONGEST_LINE],
        after=line[end - begin :][:LONGEST_LINE],
        start=_units(statement[:start]),
        end=_units(statement[:end]),
    )


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
