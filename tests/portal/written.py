"""Tables written as files by the portal, and read back by programs that know nothing of it."""

import io
import os
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa

from portal.files import Facts, as_csv, as_parquet
from portal.workbook import as_xlsx, own_folder

FACTS = Facts(17, "2026-03-31T09:14:00+00:00", 10, True, "http://localhost/revenue?period=all")


def csv_of(table: pa.Table, *, is_raw: bool = False) -> bytes:
    return b"".join(as_csv(table.schema, table.to_batches(), is_raw=is_raw))


def parquet_of(table: pa.Table) -> bytes:
    return b"".join(as_parquet(table.schema, table.to_batches(), FACTS))


def sheets_of(table: pa.Table, folder: Path, facts: Facts | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of both sheets as openpyxl reads them, by the name of the sheet."""
    said = facts or Facts(FACTS.release, FACTS.published, table.num_rows, True, FACTS.address)
    with own_folder(folder) as own, as_xlsx(table.schema, table.to_batches(), said, own) as file:
        return read_sheets(file.read())


def read_sheets(data: bytes) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    try:
        assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)
        return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}
    finally:
        book.close()


def scribes(web_process: int | None = None) -> list[Path]:
    """Processes that write a file for a web process, or for this one, as folders of `/proc`."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            is_ours = stat.read_text().rpartition(")")[2].split()[1] == str(web_process or os.getpid())
            if is_ours and b"portal.scribe" in (stat.parent / "cmdline").read_bytes():
                found.append(stat.parent)
        except OSError:  # it has ended meanwhile
            continue
    return found
