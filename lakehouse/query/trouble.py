"""What DuckDB and Arrow raise, as Lakeport's errors: the border between the engine and everybody else.

One rule: a message about the statement is shown, without names that only Lakeport knows; a message about files is not.
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
    return StatementWrong(_sentences(text))


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


def _sentences(text: str) -> str:
    """DuckDB's own words up to its picture of the statement, on one line, without the names of attached databases."""
    head = re.split(r"\n\n|\nLINE |\n\* |\nUse \"SET", text, maxsplit=1)[0]
    head = re.sub(r'"?r_[0-9a-f]{24}"?\.', "", head)
    line = " ".join(head.split())
    return line if line.endswith((".", "!", "?")) else f"{line}."
