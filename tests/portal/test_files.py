"""What is written into files comes out again: CSV by `csv`, Parquet by pyarrow, XLSX by openpyxl."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape
from pyarrow import parquet

from lakehouse.errors import RequestWrong
from portal import workbook
from portal.files import Facts
from tests.portal.written import FACTS, csv_of, parquet_of, sheets_of

ODD = [
    "=1+1",
    "+1",
    "-1",
    "@x",
    "\tx",
    "\rx",
    'say "hi"',
    "a,b",
    "line\nend",
    "",
    None,
    "plain",
    "'quoted",
    "<r>x</r>",
    "é漢🎈",
]
TEXTS = st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=20), min_size=1, max_size=30)
WITHOUT_NUL = st.lists(
    st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1, max_size=30
)


def rows(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode("utf-8"), newline="")))


def column(table: pa.Table, folder: Path) -> list[Any]:
    """The first column of a sheet without its header, control characters as Excel shows them."""
    values = [row[0] for row in sheets_of(table, folder)["Data"][1:]]
    return [unescape(value) if isinstance(value, str) else value for value in values]


def test_text_that_a_spreadsheet_would_compute_is_marked_unless_it_is_wanted_raw() -> None:
    table = pa.table({"t": ODD, "=n": pa.array(range(len(ODD)))})

    safe, raw = (csv_of(table, is_raw=is_raw) for is_raw in (False, True))

    assert [row["t"] for row in rows(safe)[:6]] == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx"]
    assert [row["t"] for row in rows(raw)] == [text or "" for text in ODD]
    assert list(rows(safe)[0]) == ["t", "'=n"]
    assert safe.startswith(b'"t","\'=n"\r\n')
    assert b'"say ""hi"""' in safe


def test_missing_and_empty_differ_and_a_negative_number_stays_one() -> None:
    table = pa.table({"n": pa.array([-5, None]), "t": ["", None]})

    assert csv_of(table) == b'"n","t"\r\n-5,""\r\n,\r\n'


def test_a_file_without_rows_has_its_header(tmp_path: Path) -> None:
    table = pa.table({"n": pa.array([], pa.int64())})

    assert csv_of(table) == b'"n"\r\n'
    assert parquet.read_table(io.BytesIO(parquet_of(table))).column_names == ["n"]
    assert sheets_of(table, tmp_path)["Data"] == [("n",)]


@given(texts=WITHOUT_NUL)
def test_a_raw_file_gives_every_value_back(texts: list[str | None]) -> None:
    table = pa.table({"n": pa.array(range(len(texts))), "t": pa.array(texts, pa.string())})

    written = csv_of(table, is_raw=True)
    again = parquet.read_table(io.BytesIO(parquet_of(table)))

    assert [row["t"] for row in rows(written)] == [text or "" for text in texts]
    assert again.to_pylist() == table.to_pylist()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(texts=[*ODD, "_x0041_", "\x01\x0b\x1f\r\n", " edges ", "\ufffe", "a\0b", "1e5", "http://x", "TRUE"])
@given(texts=TEXTS)
def test_a_workbook_gives_every_text_back_as_text(texts: list[str | None], tmp_path: Path) -> None:
    table = pa.table({"=t": pa.array(texts, pa.string()), "n": pa.array(range(len(texts)))})

    assert column(table, tmp_path) == texts


NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**18), 10**18) | st.booleans()
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**16), max_value=10**16)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(number=0.1 + 0.2, amount=Decimal("99999999999.9999"))
@example(number=10**15, amount=Decimal("100000000000.0000"))
@given(number=NUMBERS, amount=DECIMALS)
def test_a_workbook_gives_every_number_back_exactly(number: Any, amount: Decimal, tmp_path: Path) -> None:
    table = pa.table({"n": [number, None], "d": pa.array([amount, None], pa.decimal128(38, 4))})

    _, (found, sum_found), *_ = sheets_of(table, tmp_path)["Data"]

    assert isinstance(found, str) == (type(number) is int and abs(number) >= 10**15)
    assert (type(number)(found) if isinstance(found, str) else found) == number
    assert isinstance(sum_found, str) == (abs(amount) >= 10**11)
    assert Decimal(str(sum_found)) == amount


def test_a_workbook_has_dates_and_times_where_excel_holds_them_and_texts_elsewhere(tmp_path: Path) -> None:
    moments = [datetime(2024, 2, 29, 23, 59, 59, 123000), datetime(2024, 1, 1, 0, 0, 0, 1), datetime(1850, 1, 1)]  # noqa: DTZ001
    table = pa.table(
        {
            "day": [date(2024, 2, 29), date(1850, 1, 1), date(1900, 3, 1)],
            "moment": pa.array(moments),
            "zoned": pa.array([moment.replace(tzinfo=UTC) for moment in moments], pa.timestamp("us", "UTC")),
        }
    )

    _, *found = sheets_of(table, tmp_path)["Data"]

    assert found == [
        (datetime(2024, 2, 29), moments[0], moments[0]),  # noqa: DTZ001
        ("1850-01-01", "2024-01-01T00:00:00.000001", "2024-01-01T00:00:00.000001Z"),
        (datetime(1900, 3, 1), "1850-01-01T00:00:00.000000", "1850-01-01T00:00:00.000000Z"),  # noqa: DTZ001
    ]


def test_nested_values_are_json_and_bytes_base64(tmp_path: Path) -> None:
    table = pa.table({"l": [[1, None]], "s": [{"a": "é"}], "b": [b"\xaa"]})

    assert rows(csv_of(table)) == [{"l": "[1, null]", "s": '{"a": "é"}', "b": "qg=="}]
    assert sheets_of(table, tmp_path)["Data"][1] == ("[1, null]", '{"a": "é"}', "qg==")


def test_a_workbook_says_what_it_is(tmp_path: Path) -> None:
    table = pa.table({"n": range(10)})

    whole = dict(row for row in sheets_of(table, tmp_path, FACTS)["About"] if row[1])
    part = dict(sheets_of(table, tmp_path, Facts(17, "", 4, False, ""))["About"][:6])

    assert list(sheets_of(table, tmp_path)) == ["Data", "About"]
    assert whole == {
        "Release": "17",
        "Published": FACTS.published,
        "Rows": "10",
        "Complete": "yes, all rows",
        "Address": FACTS.address,
        "Made by": "Lakeport",
    }
    assert part["Complete"] == "no, the first 4 rows: there are more"


def test_a_workbook_that_has_no_room_for_all_rows_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    said = workbook.fitting(Facts(17, "", 5, True, ""))

    sheets = sheets_of(pa.table({"n": range(5)}), tmp_path, said)

    assert said.file_name("revenue", "xlsx") == "revenue.release-17.first-3-rows.xlsx"
    assert said.header() == "release=17; rows=3; complete=false"
    assert sheets["Data"] == [("n",), (0,), (1,), (2,)]
    assert ("Complete", "no, the first 3 rows: there are more") in sheets["About"]


@pytest.mark.parametrize("text", ["x" * 32_768, "🎈" * 16_384])
def test_a_text_that_no_cell_holds_is_refused_and_nothing_is_left(text: str, tmp_path: Path) -> None:
    with pytest.raises(RequestWrong, match=r"column 't' has more than the 32,767 characters.* Take CSV or Parquet"):
        sheets_of(pa.table({"t": [text]}), tmp_path)

    assert list(tmp_path.iterdir()) == []
    assert column(pa.table({"t": [text[:-1]]}), tmp_path) == [text[:-1]]


@pytest.mark.parametrize("sql", ["date 'infinity'", "timestamp '290000-01-01'", "[date 'infinity']"])
def test_a_day_that_no_program_reads_is_refused_by_name(sql: str, tmp_path: Path) -> None:
    with duckdb.connect() as other:
        table = other.execute(f"select {sql} as far").to_arrow_table()

    for write in (csv_of, lambda table: sheets_of(table, tmp_path)):
        with pytest.raises(RequestWrong, match="Column 'far' has a time outside"):
            write(table)


def test_a_large_file_comes_in_pieces_and_whole(tmp_path: Path) -> None:
    table = pa.Table.from_batches(pa.table({"n": range(100_000)}).to_batches(max_chunksize=16_384))

    (tmp_path / "all.parquet").write_bytes(parquet_of(table))

    assert len(rows(csv_of(table))) == 100_000
    with duckdb.connect() as other:
        assert other.execute(f"select count(*), sum(n) from '{tmp_path}/all.parquet'").fetchone() == (
            100_000,
            sum(range(100_000)),
        )
