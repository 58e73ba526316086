"""What holds for any file: texts come back value for value, and any bytes are loaded, rejected or refused."""

import csv
import io
import json
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.errors import FileRefused
from pipelines.sources import text as text_module
from pipelines.sources.csv_file import FileReport, read_csv
from tests.pipelines.csv_reading import FILE, Outcome, read, source, write

UNHURRIED = settings(deadline=None)  # a machine may be busy
COLUMNS = {name: {"type": "text", "required": False} for name in ("a", "b", "c")}
ANY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
SPECIAL = st.text(alphabet='",;\r\n \t\u2028\ufeffé🦉x', max_size=8)
TABLES = st.lists(st.tuples(*[st.one_of(ANY, SPECIAL)] * 3), max_size=12)
ENCODINGS = ["utf-8", "utf-16", "utf-16-be", "utf-32", "utf-7", "cp1252", "latin-1", "shift_jis", "gb18030"]
PIECES = st.one_of(
    st.binary(max_size=12),
    st.sampled_from([b'"', b",", b"\r", b"\n", b"\r\n", b"1", b"a,b,c\n", b"1,2,3\n", b'"x","y"\n', b"\xff\xfe"]),
)


def read_bytes(data: bytes, **changes: object) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        return read(Path(folder), data, source(COLUMNS, disposition="append", **changes), batch_rows=4)


def outcome_or_refusal(data: bytes, encoding: str, header: bool) -> Outcome | FileRefused:
    try:
        return read_bytes(data, encoding=encoding, header=header)
    except FileRefused as refused:
        return refused


@UNHURRIED
@given(
    TABLES,
    st.sampled_from([",", ";", "\t", "|", "¦"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"]),
)
def test_any_text_comes_back_value_for_value(
    table: list[tuple[str, ...]], delimiter: str, newline: str, encoding: str
) -> None:
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter, lineterminator=newline, quoting=csv.QUOTE_ALL)
    writer.writerows([tuple(COLUMNS), *table])

    outcome = read_bytes(written.getvalue().encode(encoding), delimiter=delimiter, encoding=encoding)

    assert outcome.values(*COLUMNS) == [tuple(value or None for value in row) for row in table]
    lines = [2]
    for row in table:
        lines.append(lines[-1] + len(io.StringIO("x".join(row) + "x", newline="").readlines()))
    assert [row["_line"] for row in outcome.rows] == lines[:-1]


@settings(UNHURRIED, max_examples=400)
@given(st.lists(PIECES, max_size=40).map(b"".join), st.sampled_from(ENCODINGS), st.booleans(), st.booleans())
def test_bytes_of_any_kind_are_loaded_rejected_or_refused(
    data: bytes, encoding: str, header: bool, named: bool
) -> None:
    outcome = outcome_or_refusal(b"a,b,c\n" * named + data, encoding, header)

    if isinstance(outcome, Outcome) and (named or not header):  # a header of its own may have more than three columns
        assert all(len(json.loads(row["fields"])) != 3 for row in outcome.rejected)


@UNHURRIED
@given(st.lists(PIECES, max_size=40).map(b"".join), st.sampled_from(ENCODINGS), st.integers(8, 20))
def test_it_does_not_matter_where_a_chunk_ends(data: bytes, encoding: str, chunk: int) -> None:
    data = "a,b,c\r\n".encode(encoding) + data

    whole = outcome_or_refusal(data, encoding, True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "CHUNK_BYTES", chunk)
        parts = outcome_or_refusal(data, encoding, True)

    if isinstance(whole, FileRefused):
        # Of two faults in one file the smaller chunk may meet the other one first; one fault has one line.
        assert isinstance(parts, FileRefused)
        assert parts.line == whole.line or parts.found != whole.found
    else:
        assert parts == whole


def test_memory_stays_flat_when_records_are_long(tmp_path: Path) -> None:
    record = '"' + ("lorem ipsum " * 1_000 + "\n") * 10 + '",1,2\n'
    data = ("a,b,c\n" + record * 1_000).encode()
    file, report = write(tmp_path, data), FileReport(FILE)
    tracemalloc.start()

    try:
        batches = sum(1 for _ in read_csv(file, "sales", source(COLUMNS), report))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert (report.loaded, batches) == (1_000, 8)
    assert peak < len(data) / 2
