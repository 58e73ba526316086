"""Rows as an Excel workbook: a sheet "Data", and a sheet "About" that says what they are.

One rule: a cell holds the value that it was made from. What a cell cannot hold exactly is a text, and what it cannot
hold at all is refused; a text never becomes a formula, a link or a number.
"""

import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
from xlsxwriter import Workbook  # type: ignore[import-untyped]
from xlsxwriter.exceptions import XlsxWriterException  # type: ignore[import-untyped]
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

from lakehouse.errors import RequestWrong, Unavailable
from portal.cells import as_text, check_years
from portal.files import Facts

MOST_ROWS = 1_048_575
"""Rows of a sheet, without its header."""

MOST_COLUMNS = 16_384
MOST_CHARACTERS = 32_767
"""Characters of a cell, those outside the first 65,536 of Unicode counted twice."""

EXACT_DIGITS = 15
"""Significant digits of a decimal that Excel keeps."""

DAY_ZERO = 25_569
"""1 January 1970, as Excel counts days."""

FIRST_DATE = 61
"""1 March 1900: Excel counts a day before it that there never was."""

MS_A_DAY = 86_400_000
LONGEST_ADDRESS = 10_000
PART_ROWS = 4096
STALE_SECONDS = 86_400
FOLDER_PREFIX = "workbook-"
NO_ROOM = "The server's disk has no room for this workbook. Take CSV, or fewer rows."
NOTES = (
    "Times are in UTC.",
    "Numbers with more than 15 digits, days before 1 March 1900 and times finer than a millisecond are texts, "
    "since Excel would round or shift them.",
    "An empty cell is a missing value. Bytes are in base64; lists and structures are JSON.",
)

OPTIONS = {
    "constant_memory": True,
    "use_zip64": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}

Cell = str | int | float | bool | None


class _Exact(Worksheet):  # type: ignore[misc]
    """A sheet that rounds no number and takes no text for markup (XlsxWriter writes 16 digits, and `<r>` as it is)."""

    def _xml_number_element(self, number: float, attributes: Any = ()) -> None:
        said = "".join(f' {key}="{value}"' for key, value in attributes)
        self.fh.write(f"<c{said}><v>{number!r}</v></c>")

    def _xml_rich_inline_string(self, string: str, attributes: Any = ()) -> None:
        self._xml_inline_string(string, True, attributes)


def fitting(facts: Facts) -> Facts:
    """What a workbook of these rows says: it may have room for the first of them alone."""
    rows = min(facts.rows, MOST_ROWS)
    return replace(facts, rows=rows, complete=facts.complete and rows == facts.rows)


@contextmanager
def own_folder(folder: Path) -> Iterator[Path]:
    """A folder inside of that one for one workbook, gone afterwards; what killed processes have left is removed too."""
    try:
        _sweep(folder)
        own = tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX, dir=folder)
    except OSError as error:
        raise Unavailable(NO_ROOM) from error
    with own as name:
        yield Path(name)


def as_xlsx(schema: pa.Schema, batches: Iterable[pa.RecordBatch], facts: Facts, folder: Path) -> IO[bytes]:
    """A workbook of the first `facts.rows` rows, in a file of `folder` that is gone when it is closed.

    Written row by row through files of an `own_folder`: memory stays flat. Raises `RequestWrong` for what a workbook
    cannot hold, `Unavailable` when the disk is full.
    """
    if len(schema.names) > MOST_COLUMNS:
        raise RequestWrong(f"A sheet holds {MOST_COLUMNS:,} columns, these are {len(schema.names):,}. Take Parquet.")
    with ExitStack() as kept:
        try:
            written = ExitStack()
            kept.push(written)
            file = written.enter_context(tempfile.TemporaryFile(dir=folder))
            workbook = Workbook(file, {**OPTIONS, "tmpdir": str(folder)})
            kept.callback(_let_go, workbook)
            _write_data(workbook, schema, batches, facts)
            _write_about(workbook, facts)
            workbook.close()
            file.seek(0)
        except (OSError, XlsxWriterException) as error:
            raise Unavailable(NO_ROOM) from error
        written.pop_all()
        return file


def _let_go(workbook: Any) -> None:
    """Close the files of rows, which a workbook that could not be finished keeps open."""
    for sheet in workbook.worksheets():
        sheet.row_data_fh.close()


def _write_data(workbook: Any, schema: pa.Schema, batches: Iterable[pa.RecordBatch], facts: Facts) -> None:
    sheet = workbook.add_worksheet("Data", _Exact)
    bold = workbook.add_format({"bold": True})
    formats = [workbook.add_format({"num_format": form}) if form else None for form in map(_format, schema.types)]
    sheet.freeze_panes(1, 0)
    for place, field in enumerate(schema):
        sheet.set_column(place, place, min(40, max(12, len(field.name) + 2)))
        sheet.write_string(0, place, _checked(field.name, "the header"), bold)
    row = 0
    for part in _parts(batches, facts.rows):
        columns = [_cells(column, name) for name, column in zip(schema.names, part.columns, strict=True)]
        for values in zip(*columns, strict=True):
            row += 1
            _write_row(sheet, row, values, formats)
    if row:
        sheet.autofilter(0, 0, row, len(schema.names) - 1)


def _parts(batches: Iterable[pa.RecordBatch], most: int) -> Iterator[pa.RecordBatch]:
    """The first rows, few at a time: as Python's values they are ten times as large."""
    for batch in batches:
        kept = batch.slice(0, most)
        most -= kept.num_rows
        for start in range(0, kept.num_rows, PART_ROWS):
            yield kept.slice(start, PART_ROWS)


def _write_row(sheet: Any, row: int, values: tuple[Cell, ...], formats: list[Any]) -> None:
    for place, value in enumerate(values):
        if value is None:
            continue
        if isinstance(value, str):
            sheet.write_string(row, place, value)
        elif isinstance(value, bool):
            sheet.write_boolean(row, place, value)
        else:
            sheet.write_number(row, place, value, formats[place])


def _write_about(workbook: Any, facts: Facts) -> None:
    sheet = workbook.add_worksheet("About", _Exact)
    bold = workbook.add_format({"bold": True})
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 80)
    complete = "yes, all rows" if facts.complete else f"no, the first {facts.rows:,} rows: there are more"
    said = {**facts.to_texts(), "complete": complete, "made by": "Lakeport"}
    for row, (name, text) in enumerate(said.items()):
        sheet.write_string(row, 0, name.capitalize(), bold)
        sheet.write_string(row, 1, text if len(text) < LONGEST_ADDRESS else f"{text[:LONGEST_ADDRESS]}…")
    for row, note in enumerate(NOTES, start=len(said) + 1):
        sheet.write_string(row, 0, note)


def _format(kind: pa.DataType) -> str:
    """How Excel shows numbers of a type; empty for its own choice."""
    if pa.types.is_date(kind):
        return "yyyy-mm-dd"
    if pa.types.is_timestamp(kind):
        return "yyyy-mm-dd hh:mm:ss"
    if pa.types.is_time(kind):
        return "hh:mm:ss"
    if pa.types.is_decimal(kind) and kind.scale > 0:
        return f"#,##0.{'0' * min(kind.scale, EXACT_DIGITS)}"
    return ""


def _cells(column: pa.Array, name: str) -> list[Any]:
    """What stands in the cells of a column: a number where a number holds it exactly, otherwise a text."""
    kind = column.type
    if pa.types.is_boolean(kind):
        return list(column.to_pylist())
    if pa.types.is_integer(kind):
        return [value if value is None or abs(value) < 10**EXACT_DIGITS else str(value) for value in column.to_pylist()]
    if pa.types.is_decimal(kind):
        return [_decimal(value, kind.scale) for value in column.to_pylist()]
    if pa.types.is_floating(kind):
        wide = column.cast(pa.float64()).to_pylist()
        return [value if value is None or abs(value) < float("inf") else str(value) for value in wide]
    if pa.types.is_date(kind):
        check_years(column, name)
        return _days(column)
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        return _moments(column, name)
    texts = as_text(column, name)
    return [
        None if text is None else _checked(text, f"column {name!r}") for text in texts.cast(pa.string()).to_pylist()
    ]


def _decimal(value: Decimal | None, scale: int) -> Cell:
    if value is None:
        return None
    return float(value) if abs(value.scaleb(scale)) < 10**EXACT_DIGITS else format(value, "f")


def _days(column: pa.Array) -> list[Cell]:
    days = column.cast(pa.date32()).cast(pa.int32()).to_pylist()
    if all(day is None or day + DAY_ZERO >= FIRST_DATE for day in days):
        return [None if day is None else day + DAY_ZERO for day in days]
    texts = column.cast(pa.string()).to_pylist()
    pairs = zip(days, texts, strict=True)
    return [text if day is None or day + DAY_ZERO < FIRST_DATE else day + DAY_ZERO for day, text in pairs]


def _moments(column: pa.Array, name: str) -> list[Cell]:
    """Times of day and moments, as days; a text where Excel's milliseconds or its calendar do not reach."""
    is_moment = pa.types.is_timestamp(column.type)
    rough = pa.timestamp("ms", column.type.tz) if is_moment else pa.time32("ms")
    texts = as_text(column, name).cast(pa.string()).to_pylist()
    cut = column.cast(rough, safe=False)
    whole = pc.equal(cut.cast(column.type), column).to_pylist()
    ms = cut.cast(pa.int64() if is_moment else pa.int32()).to_pylist()
    zero, least = (DAY_ZERO, (FIRST_DATE - DAY_ZERO) * MS_A_DAY) if is_moment else (0, 0)
    return [
        zero + moment / MS_A_DAY if exact and moment >= least else text
        for moment, exact, text in zip(ms, whole, texts, strict=True)
    ]


def _checked(text: str, place: str) -> str:
    """The text, which fits a cell."""
    if len(text) > MOST_CHARACTERS // 2 and len(text.encode("utf-16-le")) // 2 > MOST_CHARACTERS:
        raise RequestWrong(
            f"A text in {place} has more than the {MOST_CHARACTERS:,} characters that a cell of XLSX holds. "
            "Take CSV or Parquet."
        )
    return text


def _sweep(folder: Path) -> None:
    """Remove what a process that was killed has left behind."""
    for left in folder.glob(f"{FOLDER_PREFIX}*"):
        if left.stat().st_mtime < time.time() - STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
