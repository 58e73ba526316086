"""What DuckDB and Arrow raise, as Lakeport's errors: the border between the engine and everybody else.

One rule: a message about the statement is shown, without names that only Lakeport knows. One about files or values is
not, since the value may stand in a row that nobody was to see.
"""

import re
from collections.abc import Iterable

import duckdb
import pyarrow as pa

from lakehouse.errors import LakeportError, StatementWrong, Stopped, Unavailable

FOREIGN = (duckdb.Error, pa.ArrowException, OSError, MemoryError, RuntimeError)
"""What may come out of DuckDB: an Arrow stream passes its errors on as OSError or ArrowException, in the same words."""

MEMORY_TEXT = (
    "The query needed more memory than one query may use and was stopped. Ask for fewer rows, columns or groups."
)
DATA_TEXT = (
    "Data of this question cannot be read at the moment: a file is missing or damaged, or the store is away. "
    "Try again; if it stays, run `lakeport doctor`."
)
_OUTSIDE_TEXT = "The statement reaches outside the lake: files, networks and settings are closed to questions."
_ABOUT_STATEMENT = ("Parser Error", "Syntax Error", "Binder Error", "Catalog Error", "Not implemented Error")
_ABOUT_VALUES = (
    (
        "Conversion Error",
        "A value{column} does not convert to the type that it is cast to. Use try_cast.",
    ),
    ("Out of Range Error", "A number goes beyond its type. Cast to a wider one, such as DECIMAL(38, 2) or DOUBLE."),
    (
        "Invalid Input Error: More than one row returned by a subquery",
        "A subquery that stands for one value gives several rows. Add an aggregate, or LIMIT 1 with an ORDER BY.",
    ),
)
_VALUES_TEXT = "A function was given a value that it does not take. Filter such rows out, or use try()."
_MEMORY = ("Out of Memory Error", "std::bad_alloc", "malloc of size", "Cannot allocate memory")
_DATA_KINDS = ("IO Error", "HTTP Error", "Connection Error", "Serialization Error")


class Interrupted(Exception):
    """The statement was interrupted at its deadline."""


def is_fatal(error: BaseException) -> bool:
    """Whether the instance must not be used again."""
    return isinstance(error, MemoryError) or str(error).startswith(("FATAL Error", "INTERNAL Error", *_MEMORY))


def translated(error: Exception, folders: Iterable[str]) -> LakeportError | Interrupted:
    """The error as its asker may see it."""
    text = str(error)
    if text.startswith("INTERRUPT Error"):
        return Interrupted()
    if isinstance(error, MemoryError) or any(sign in text for sign in _MEMORY):
        return Stopped(MEMORY_TEXT)
    if text.startswith(_DATA_KINDS) or any(folder in text for folder in folders):
        return Unavailable(DATA_TEXT)
    if text.startswith("Permission Error"):
        return StatementWrong(_OUTSIDE_TEXT)
    if text.startswith(("FATAL Error", "INTERNAL Error")):
        return Unavailable("The query engine failed on this statement; the log has its message. Try another wording.")
    return StatementWrong(_sentences(text) if text.startswith(_ABOUT_STATEMENT) else _about_values(text))


def unknown_table(error: Exception, known: Iterable[str]) -> StatementWrong | None:
    """The error of a statement that names a table which is not there, with the choices; None for any other error.

    DuckDB's own suggestion is left out: it looks at system tables and at the tables that were asked about before.
    """
    match = re.match(r'Catalog Error: Table with name "?(.+?)"? does not exist', str(error))
    if match is None:
        return None
    tables = ", ".join(sorted(known))
    return StatementWrong(
        f"No table named {match[1]!r}. " + (f"Tables: {tables}." if tables else "There is none to ask.")
    )


def _about_values(text: str) -> str:
    """What is wrong with some value, without the value."""
    column = re.search(r" when casting from source column (\w+)$", text.partition("\n")[0])
    for kind, sentence in _ABOUT_VALUES:
        if text.startswith(kind):
            return sentence.format(column=f" of {column[1]}" if column else "")
    return _VALUES_TEXT


def _sentences(text: str) -> str:
    """DuckDB's own words up to its picture of the statement, on one line, without the names of attached databases."""
    head = re.split(r"\n\n|\nLINE |\n\* |\nUse \"SET", text, maxsplit=1)[0]
    head = re.sub(r'"?[rfh]_[0-9a-f]{24}"?\.', "", head)
    line = " ".join(head.split())
    return line if line.endswith((".", "!", "?")) else f"{line}."
