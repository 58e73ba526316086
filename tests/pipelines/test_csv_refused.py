"""CSV files that are refused as a whole: the sentence names the file, the line, what was found and what to set."""

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from lakehouse.errors import FileRefused, SettingsWrong
from pipelines.sources import text
from pipelines.sources.csv_file import FileReport, SourceFile, read_csv
from tests.pipelines.csv_reading import FILE, NOTES, read, source, write

TEXT = b"id,note\n1,a\n"
EXPORT = "Export it again, or take it away if there is nothing to load."
MARGIN = "Double quotes that belong to the text, or set the delimiter that the file uses."
CLOSE = "Close it, or double quotes that belong to the text; the file may have been cut short."
NUL = (
    "a NUL character, so this is not a text file in the declared encoding. "
    'Export it as CSV text; if it is UTF-16, set encoding = "utf-16".'
)
OPEN = "a quote in the record that begins here is never closed"
LONG = (
    "the record that begins here does not end within 16 MiB. "
    "Close the quote that was opened in it, or double quotes that belong to the text."
)


def zipped(name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, "x")
    return stream.getvalue()


def parquet() -> bytes:
    stream = io.BytesIO()
    pa.parquet.write_table(pa.table({"id": [1]}), stream)
    return stream.getvalue()


# name: bytes, settings, the sentence after the file's name
REFUSED: dict[str, tuple[bytes, dict[str, Any], str]] = {
    "no bytes": (b"", {}, f": it is empty. {EXPORT}"),
    "no bytes, no header": (b"", {"header": False}, f": it is empty. {EXPORT}"),
    "a mark alone": (b"\xef\xbb\xbf", {}, f": it is empty. {EXPORT}"),
    "blank lines alone": (b"\xef\xbb\xbf\n\r\n", {}, f": it has nothing but blank lines. {EXPORT}"),
    "a header alone": (
        b"id,note\n\n",
        {},
        ": it has a header but no rows, and would leave the table empty. "
        "Export it again, or set allow_empty = true if that is meant.",
    ),
    "a misspelt column": (
        b"\nID,Notes\n1,a\n",
        {},
        ", line 2: the header has no columns 'id', 'note'; it has 'ID', 'Notes'. "
        "Did you mean 'ID'? Then set from = \"ID\" for column id.",
    ),
    "a blank in the header": (
        b"id, note\n1,a\n",
        {},
        ", line 1: the header has no column 'note'; it has 'id', ' note'. "
        "Did you mean ' note'? Then set from = \" note\" for column note.",
    ),
    "a missing column": (
        b"id,price\n1,2\n",
        {},
        ", line 1: the header has no column 'note'; it has 'id', 'price'. "
        "Set from to the name that column note has in the file, or correct the header.",
    ),
    "another delimiter": (
        b"id;note\n1;a\n",
        {},
        ", line 1: the header has no columns 'id', 'note'; it has 'id;note'. "
        "If ';' separates its fields, set delimiter = \";\".",
    ),
    "a duplicate column": (
        b"id,note,note\n1,a,b\n",
        {},
        ", line 1: the header has column 'note' more than once. Give every column a name of its own.",
    ),
    "a duplicate column that nobody asked for": (
        b"id,x,note,x\n1,a,b,c\n",
        {},
        ", line 1: the header has column 'x' more than once. Give every column a name of its own.",
    ),
    "no header": (
        b"1,a\n2,b\n",
        {},
        ", line 1: there is no header: the first line looks like data and has '1', 'a'. "
        "If the first line is data, set header = false; otherwise give the names of the header with from.",
    ),
    "a NUL": (b"id,note\r\n1,a\r\n2,\x00\n", {}, f", line 3: {NUL}"),
    "a NUL in quotes": (b'id,note\n1,"a\n\n\x00"\n', {}, f", line 4: {NUL}"),
    "utf-16 without a mark": ("id,note\n1,a\n".encode("utf-16-le"), {}, f", line 1: {NUL}"),
    "utf-16 without its mark": (
        "id,note\n1,a\n".encode("utf-16-le"),
        {"encoding": "utf-16"},
        ": it is not utf-16 (UTF-16 stream does not start with BOM). "
        "Set encoding to what it was written in; UTF-16 without a byte order mark is utf-16-le or utf-16-be.",
    ),
    "utf-16 instead of utf-8": (
        "id,note\n".encode("utf-16"),
        {},
        ', line 1: it begins with the byte order mark of utf-16, not utf-8. Set encoding = "utf-16".',
    ),
    "utf-8 instead of cp1252": (
        b"\xef\xbb\xbf" + TEXT,
        {"encoding": "cp1252"},
        ', line 1: it begins with the byte order mark of utf-8, not cp1252. Set encoding = "utf-8".',
    ),
    "cp1252 instead of utf-8": (
        "id,note\r1,a\r\n2,Ä\n".encode("cp1252"),
        {},
        ', line 3: byte 0xC4 is not utf-8. Set encoding to "cp1252" or "latin-1", or export the file as utf-8.',
    ),
    "a character cut in two": (
        "id,note\n1,é".encode()[:-1],
        {},
        ", line 2: the file ends inside a character of utf-8. "
        'Set encoding to "cp1252" or "latin-1", or export the file as utf-8.',
    ),
    "half a surrogate pair": (
        b"id,note\n1,+2AA-\n",
        {"encoding": "utf-7"},
        ": it is not utf-7 (surrogates not allowed). "
        "Set encoding to what it was written in; UTF-16 without a byte order mark is utf-16-le or utf-16-be.",
    ),
    "half a utf-16 unit": (
        "\ufeffid,note\n1,a\n".encode("utf-16-be") + b"\x00",
        {"encoding": "utf-16"},
        ", line 3: the file ends inside a character of utf-16. "
        "Set encoding to what it was written in, or export the file as utf-16.",
    ),
    "not cp1252": (
        b"id,note\n1,\x81\n",
        {"encoding": "cp1252"},
        ", line 2: byte 0x81 is not cp1252. Set encoding to what it was written in, or export the file as cp1252.",
    ),
    "a quote never closed": (b'id,note\n1,"a\n2,b\n3,c\n', {}, f", line 2: {OPEN}. {CLOSE}"),
    "a quote never closed in the last line": (b'id,note\n1,"a\nb"\n2,"b', {}, f", line 4: {OPEN}. {CLOSE}"),
    "a quote at the end": (b'id,note\n1,a\n2,"', {}, f", line 3: {OPEN}. {CLOSE}"),
    "a quote never closed in the header": (b'id,"note\n1,a\n', {}, f", line 1: {OPEN}. {CLOSE}"),
    "text after a quote": (b'id,note\n1,"a"b\n', {}, f", line 2: there is text after a closing quote. {MARGIN}"),
    "text after a quote, without a line end": (
        b'id,note\n1,"a"b',
        {},
        f", line 2: there is text after a closing quote. {MARGIN}",
    ),
    "a quote never closed that meets another": (
        b'id,note\n1,"a\n2,b\n3,"c"\n',
        {},
        f", line 4: there is text after a closing quote (the record begins on line 2). {MARGIN}",
    ),
    "a record without an end": (b'id,note\n1,a\n2,"' + b"x,y\n" * (5 << 20), {}, f", line 3: {LONG}"),
    "a line without an end": (b"id,note\n\n" + b"x" * (19 << 20), {}, f", line 3: {LONG}"),
    "gzip": (gzip.compress(TEXT), {}, ": it holds gzip data, not CSV text. Unpack it first."),
    "bzip2": (bz2.compress(TEXT), {}, ": it holds bzip2 data, not CSV text. Unpack it first."),
    "xz": (lzma.compress(TEXT), {}, ": it holds xz data, not CSV text. Unpack it first."),
    "zstd": (pa.compress(TEXT, "zstd", asbytes=True), {}, ": it holds zstd data, not CSV text. Unpack it first."),
    "zip": (zipped("sales.csv"), {}, ": it holds zip data, not CSV text. Unpack it first."),
    "xlsx": (zipped("xl/workbook.xml"), {}, ": it holds xlsx data, not CSV text. Export it as CSV first."),
    "parquet": (parquet(), {}, ": it holds parquet data, not CSV text. Export it as CSV first."),
    "an image": (b"\x89PNG\r\n\x1a\n\x00\x00", {"encoding": "latin-1"}, f", line 3: {NUL}"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_trusted_is_refused_with_a_cure(tmp_path: Path, case: str) -> None:
    data, settings, sentence = REFUSED[case]

    with pytest.raises(FileRefused) as refused:
        read(tmp_path, data, source(NOTES, **settings))

    assert str(refused.value) == FILE + sentence


@pytest.mark.parametrize("chunk", range(8, 24))
@pytest.mark.parametrize(
    ("end", "found"),
    [
        (b"2,\xe9x\n", "byte 0xE9 is not utf-8"),
        (b"2,\x00\n", "a NUL character, so this is not a text file in the declared encoding"),
        (b'2,"a"x\n', "there is text after a closing quote"),
        (b'2,"a\n\n', OPEN),
        ("2,é".encode()[:-1], "the file ends inside a character of utf-8"),
    ],
)
def test_the_line_does_not_depend_on_where_a_chunk_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: bytes, found: str, chunk: int
) -> None:
    monkeypatch.setattr(text, "CHUNK_BYTES", chunk)
    before = "id,note\r\n" + '0,é€🦉\r\n1,"é\r\n\r"\r\n' * 3

    with pytest.raises(FileRefused) as refused:
        read(tmp_path, before.encode() + end, source(NOTES))

    assert (refused.value.line, refused.value.found) == (2 + 3 * 4, found)


def test_a_field_of_15_mib_is_loaded(tmp_path: Path) -> None:
    long = "lorem ipsum\n" * (15 * 1024 * 1024 // 12)

    outcome = read(tmp_path, f'id,note\n1,"{long}"\n2,x\n'.encode(), source(NOTES))

    assert [row["note"] == expected for row, expected in zip(outcome.rows, [long, "x"], strict=True)] == [True, True]
    assert outcome.rows[1]["_line"] == 3 + long.count("\n")


def test_a_file_that_changed_since_it_was_fingerprinted_is_refused(tmp_path: Path) -> None:
    before = write(tmp_path, TEXT)
    before.path.write_bytes(TEXT + b"2,b\n")

    with pytest.raises(FileRefused) as refused:
        list(read_csv(before, "sales", source(NOTES), FileReport(FILE)))

    expected = f"{FILE}: it was changed while it was read. Wait until it is complete, then run again."
    assert str(refused.value) == expected


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    gone = SourceFile(tmp_path / "gone", FILE, "0" * 64)

    with pytest.raises(FileRefused) as refused:
        list(read_csv(gone, "sales", source(NOTES), FileReport(FILE)))

    expected = "it cannot be read (No such file or directory). Check that it is there and that its rights allow it."
    assert str(refused.value) == f"{FILE}: {expected}"


@pytest.mark.parametrize("delimiter", ['"', "\r", "\n"])
def test_a_delimiter_that_cannot_separate_is_a_wrong_setting(tmp_path: Path, delimiter: str) -> None:
    with pytest.raises(SettingsWrong, match="cannot separate fields"):
        read(tmp_path, TEXT, source(NOTES, delimiter=delimiter))
