"""CSV files that load: every value as it stands in the file, and bad rows in quarantine with their line and reason."""

import hashlib
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.csv_reading import FILE, NOTES, SALES, read, source

JAN = date(2024, 1, 31)
FEB = date(2024, 2, 29)


def note(text: str) -> bytes:
    return f"id,note\n7,{text}\n".encode()


# name: bytes, settings, values of the declared columns, lines
LOADED: dict[str, tuple[bytes, dict[str, Any], list[tuple[Any, ...]], list[int]]] = {
    "utf-8 byte order mark": (b"\xef\xbb\xbfid,note\n1,a\n", {}, [(1, "a")], [2]),
    "utf-8-sig declared": (b"\xef\xbb\xbfid,note\n1,a\n", {"encoding": "utf-8-sig"}, [(1, "a")], [2]),
    "utf-16 little endian": (
        "\ufeffid,note\r\n1,Zürich\r\n".encode("utf-16-le"),
        {"encoding": "utf-16"},
        [(1, "Zürich")],
        [2],
    ),
    "utf-16 big endian": ("\ufeffid,note\n1,Ω\n".encode("utf-16-be"), {"encoding": "utf-16"}, [(1, "Ω")], [2]),
    "utf-16-le declared, with a mark": (
        "\ufeffid,note\n1,x\n".encode("utf-16-le"),
        {"encoding": "utf-16-le"},
        [(1, "x")],
        [2],
    ),
    "cp1252": ("id,note\n1,15 € für Ä\n".encode("cp1252"), {"encoding": "cp1252"}, [(1, "15 € für Ä")], [2]),
    "latin-1": ("id,note\n1,Ñ\n".encode("latin-1"), {"encoding": "latin-1"}, [(1, "Ñ")], [2]),
    "shift_jis": ("id,note\n1,表示\n".encode("shift_jis"), {"encoding": "shift_jis"}, [(1, "表示")], [2]),
    "CRLF": (b"id,note\r\n1,a\r\n2,b\r\n", {}, [(1, "a"), (2, "b")], [2, 3]),
    "CR alone": (b"id,note\r1,a\r2,b\r", {}, [(1, "a"), (2, "b")], [2, 3]),
    "mixed line ends": (b"id,note\r\n1,a\n2,b\r3,c\r\n4,d", {}, [(1, "a"), (2, "b"), (3, "c"), (4, "d")], [2, 3, 4, 5]),
    "no last line end": (b"id,note\n1,a", {}, [(1, "a")], [2]),
    "quoted LF": (b'id,note\n1,"a\nb"\n2,c\n', {}, [(1, "a\nb"), (2, "c")], [2, 4]),
    "quoted CRLF": (b'id,note\r\n1,"a\r\nb\r\n"\r\n2,c\r\n', {}, [(1, "a\r\nb\r\n"), (2, "c")], [2, 5]),
    "quoted CR, twice": (b'id,note\n1,"\r\r"\n2,c\n', {}, [(1, "\r\r"), (2, "c")], [2, 5]),
    "quoted LF CR": (b'id,note\n1,"\n\r"\n2,c\n', {}, [(1, "\n\r"), (2, "c")], [2, 5]),
    "quoted line break in the header": (b'id,note,"more\nof it"\n1,a,x\n', {}, [(1, "a")], [3]),
    "doubled quotes": (note('"say ""hi"", twice"'), {}, [(7, 'say "hi", twice')], [2]),
    "quote inside an unquoted field": (note('5" pipe'), {}, [(7, '5" pipe')], [2]),
    "only quotes": (note('""""'), {}, [(7, '"')], [2]),
    "quoted number": (b'id,note\n"1","2"\n', {}, [(1, "2")], [2]),
    "formula": (note('"=SUM(A1:A2)"'), {}, [(7, "=SUM(A1:A2)")], [2]),
    "html": (note("<script>alert(1)</script>&amp;"), {}, [(7, "<script>alert(1)</script>&amp;")], [2]),
    "leading zeros": (note("007"), {}, [(7, "007")], [2]),
    "blanks on both sides": (note("  x\t "), {}, [(7, "  x\t ")], [2]),
    "one blank is a text": (note(" "), {}, [(7, " ")], [2]),
    "words for nothing": (note("NULL"), {}, [(7, "NULL")], [2]),
    "NaN as text": (note("NaN"), {}, [(7, "NaN")], [2]),
    "emoji with joiners": (note("👩‍👩‍👧‍👦🇩🇪"), {}, [(7, "👩‍👩‍👧‍👦🇩🇪")], [2]),
    "combining marks stay apart": (note("e\u0301 é"), {}, [(7, "e\u0301 \u00e9")], [2]),
    "right to left": (note("\u202eשלום\u200f"), {}, [(7, "\u202eשלום\u200f")], [2]),
    "unicode line ends are text": (
        note("a\u2028b\u2029c\x0bd\x0ce\x85f\x1cg"),
        {},
        [(7, "a\u2028b\u2029c\x0bd\x0ce\x85f\x1cg")],
        [2],
    ),
    "a byte order mark inside": (note("\ufeffx"), {}, [(7, "\ufeffx")], [2]),
    "empty is NULL where it may be": (b'id,note\n1,\n2,""\n', {}, [(1, None), (2, None)], [2, 3]),
    "blank lines": (b"\n\r\nid,note\n\n1,a\n\r\n\n2,b\n\n", {}, [(1, "a"), (2, "b")], [5, 8]),
    "semicolons": (b"id;note\n1;a,b\n", {"delimiter": ";"}, [(1, "a,b")], [2]),
    "tabs": (b"id\tnote\n1\ta b\n", {"delimiter": "\t"}, [(1, "a b")], [2]),
    "a delimiter beyond ASCII": ("id¦note\n1¦a\n".encode(), {"delimiter": "¦"}, [(1, "a")], [2]),
    "columns in another order": (b"note,id\na,1\n", {}, [(1, "a")], [2]),
    "no header": (b"1,a\n\n2,b\n", {"header": False}, [(1, "a"), (2, "b")], [1, 3]),
    "no header, with a mark": (b"\xef\xbb\xbf1,a\n", {"header": False}, [(1, "a")], [1]),
    "a header alone, appended": (b"id,note\n", {"disposition": "append"}, [], []),
    "a header alone, allowed": (b"id,note\n", {"allow_empty": True}, [], []),
    "a file that begins like an archive": (b"BZh,id,note\nPK,1,a\n", {}, [(1, "a")], [2]),
}


@pytest.mark.parametrize("case", LOADED)
def test_every_value_is_loaded_as_it_stands_in_the_file(tmp_path: Path, case: str) -> None:
    data, settings, values, lines = LOADED[case]

    outcome = read(tmp_path, data, source(NOTES, **settings))

    assert outcome.values("id", "note") == values
    assert [row["_line"] for row in outcome.rows] == lines
    assert {row["_file"] for row in outcome.rows} <= {FILE}
    assert outcome.rejected == []


def test_every_type_keeps_its_exact_value(tmp_path: Path) -> None:
    columns = {
        "t": {"type": "text"},
        "i": {"type": "integer"},
        "d": {"type": "decimal(5,2)"},
        "f": {"type": "double"},
        "day": {"type": "date", "format": "%d.%m.%Y"},
        "at": {"type": "timestamp"},
        "yes": {"type": "boolean"},
    }
    data = (
        b"t,i,d,f,day,at,yes\n"
        b"a,-9223372036854775808,-999.99,1e308,29.02.2024,2024-02-29T23:59:59.999999,TRUE\n"
        b"b,+009223372036854775807,.5,-.5E-3,01.01.0001,0001-01-01 00:00,0\n"
    )

    outcome = read(tmp_path, data, source(columns))

    end, begin = datetime.fromisoformat("2024-02-29T23:59:59.999999"), datetime.fromisoformat("0001-01-01T00:00:00")
    first = ("a", -(2**63), Decimal("-999.99"), 1e308, FEB, end, True)
    second = ("b", 2**63 - 1, Decimal("0.50"), -0.0005, date(1, 1, 1), begin, False)
    assert outcome.values(*columns) == [first, second]


# name: the line between two good ones, its column, value and reason
REJECTED: dict[str, tuple[str, str | None, str | None, str]] = {
    "text in a number": ("x,2024-01-31,many,1.00", "quantity", "many", "not a whole number"),
    "a fraction in a whole number": ("x,2024-01-31,1.0,1.00", "quantity", "1.0", "not a whole number"),
    "underscores": ("x,2024-01-31,1_000,1.00", "quantity", "1_000", "not a whole number"),
    "digits of another script": ("x,2024-01-31,١٢,1.00", "quantity", "١٢", "not a whole number"),
    "a whole number too large": (
        "x,2024-01-31,9223372036854775808,1.00",
        "quantity",
        "9223372036854775808",
        "outside the range of 64-bit whole numbers",
    ),
    "a blank before a number": ("x,2024-01-31, 5,1.00", "quantity", " 5", "blank before or after the value"),
    "a line break after a number": ('x,2024-01-31,"5\n",1.00', "quantity", "5\n", "blank before or after the value"),
    "NaN": ("x,2024-01-31,5,NaN", "amount", "NaN", "not a decimal number"),
    "Infinity": ("x,2024-01-31,5,Infinity", "amount", "Infinity", "not a decimal number"),
    "an exponent": ("x,2024-01-31,5,1e3", "amount", "1e3", "not a decimal number"),
    "a decimal comma": ('x,2024-01-31,5,"1,50"', "amount", "1,50", "not a decimal number"),
    "a sign alone": ("x,2024-01-31,5,-", "amount", "-", "not a decimal number"),
    "more decimals": ("x,2024-01-31,5,2.999", "amount", "2.999", "more than 2 decimals"),
    "more decimals that are zero": ("x,2024-01-31,5,2.990", "amount", "2.990", "more than 2 decimals"),
    "a decimal too large": (
        "x,2024-01-31,5,10000000000000000.00",
        "amount",
        "10000000000000000.00",
        "more than 16 digits before the decimal point",
    ),
    "31 February": ("x,2024-02-31,5,1.00", "day", "2024-02-31", "2024-02-31 is not a date"),
    "29 February of a common year": ("x,2023-02-29,5,1.00", "day", "2023-02-29", "2023-02-29 is not a date"),
    "year 0": ("x,0000-01-01,5,1.00", "day", "0000-01-01", "0000-01-01 is not a date"),
    "a date in another form": ("x,31.01.2024,5,1.00", "day", "31.01.2024", "not a date written as YYYY-MM-DD"),
    "a time in a date": (
        "x,2024-01-31 10:00,5,1.00",
        "day",
        "2024-01-31 10:00",
        "not a date written as YYYY-MM-DD",
    ),
    "too few fields": ("x,2024-01-31,5", None, None, "3 fields instead of 4"),
    "too many fields": ("x,2024-01-31,5,1.00,", None, None, "5 fields instead of 4"),
    "one blank": (" ", None, None, "1 field instead of 4"),
    "an empty required field": (",2024-01-31,5,1.00", "id", "", "empty, but a value is required"),
    "an empty required number": ("x,2024-01-31,5,", "amount", "", "empty, but a value is required"),
    "the first of two bad fields": ("x,soon,many,1.00", "day", "soon", "not a date written as YYYY-MM-DD"),
}


@pytest.mark.parametrize("case", REJECTED)
def test_a_bad_row_goes_to_quarantine_and_the_rest_is_loaded(tmp_path: Path, case: str) -> None:
    text, column, value, reason = REJECTED[case]
    data = f'id,day,quantity,amount\na,2024-01-31,,1.5\n"two\nlines",2024-02-29,1,2\n{text}\nz,2024-02-29,2,0.10\n'

    outcome = read(tmp_path, data.encode(), source(SALES))

    good = [("a", JAN, None, Decimal("1.50")), ("two\nlines", FEB, 1, Decimal("2.00")), ("z", FEB, 2, Decimal("0.10"))]
    assert outcome.values(*SALES) == good
    assert [row["_line"] for row in outcome.rows] == [2, 3, 6 + text.count("\n")]
    assert outcome.reasons == [(5, 3, column, value, reason)]
    assert (outcome.rejected[0]["source"], outcome.rejected[0]["file"]) == ("sales", FILE)


def test_a_rejected_record_keeps_all_its_texts(tmp_path: Path) -> None:
    outcome = read(tmp_path, 'id,note\nx,"a\r\n""é"""\n1,\u2028,y\n'.encode(), source(NOTES))

    assert [json.loads(row["fields"]) for row in outcome.rejected] == [["x", 'a\r\n"é"'], ["1", "\u2028", "y"]]
    assert [row["reason"] for row in outcome.rejected] == ["not a whole number", "3 fields instead of 2"]


def test_a_last_line_cut_short_is_rejected(tmp_path: Path) -> None:
    outcome = read(tmp_path, b"id,day,quantity,amount\na,2024-01-31,1,2.00\nb,2024-0", source(SALES))

    assert outcome.reasons == [(3, 2, None, None, "2 fields instead of 4")]
    assert outcome.report.loaded == 1


def test_the_report_counts_blank_lines_and_names_ignored_columns(tmp_path: Path) -> None:
    outcome = read(tmp_path, b"\nextra,id,note,,\n\n9,1,a,,\n\nx,x,x,x,x\n\n", source(NOTES))

    assert outcome.report.blank_lines == 4
    assert outcome.report.ignored_columns == ("extra", "", "")
    assert (outcome.report.records, outcome.report.loaded, outcome.report.rejected) == (2, 1, 1)


def test_batches_have_the_size_that_was_asked_for_and_number_records_through(tmp_path: Path) -> None:
    data = b"id,note\n" + b"".join(b"%d,x\n\n" % number for number in range(1, 8))

    outcome = read(tmp_path, data.replace(b"4,x", b"?,x"), source(NOTES), batch_rows=3)

    assert outcome.sizes == [3, 2, 1]
    assert outcome.reasons == [(8, 4, "id", "?", "not a whole number")]
    assert [row["line_id"][17:] for row in outcome.rows] == ["1", "2", "3", "5", "6", "7"]
    assert [row["_line"] for row in outcome.rows] == [2, 4, 6, 10, 12, 14]


def test_without_a_key_equal_lines_and_copies_of_a_file_have_line_ids_of_their_own(tmp_path: Path) -> None:
    data = b"id,note\n1,a\n1,a\n"

    ids = [row["line_id"] for row in read(tmp_path, data, source(NOTES)).rows]

    content = hashlib.sha256(data).hexdigest()
    prefix = hashlib.sha256(f"{FILE}\0{content}".encode()).hexdigest()[:16]
    assert ids == [f"{prefix}-1", f"{prefix}-2"]


def test_a_key_gives_its_texts_as_line_id_and_several_never_meet(tmp_path: Path) -> None:
    pairs = [("a|b", "c"), ("a", "b|c"), ("a\\", "|c"), ("a\\|", "c"), ("", "a"), ("a", "")]
    columns = {"x": {"type": "text", "required": False}, "y": {"type": "text", "required": False}}
    data = "x,y\n" + "".join(f"{x},{y}\n" for x, y in pairs)

    both = [row["line_id"] for row in read(tmp_path, data.encode(), source(columns, key=["x", "y"])).rows]
    one = [row["line_id"] for row in read(tmp_path, b"id,note\n007,a\n", source(NOTES, key=["id"])).rows]

    assert both[:3] == ["a\\|b|c", "a|b\\|c", "a\\\\|\\|c"]
    assert len(set(both)) == len(pairs)
    assert one == ["007"]


def test_one_header_can_fill_two_columns(tmp_path: Path) -> None:
    columns = {"text": {"type": "text", "from": "Qty "}, "number": {"type": "integer", "from": "Qty "}}

    outcome = read(tmp_path, b"Qty \n007\n", source(columns))

    assert outcome.values("text", "number") == [("007", 7)]


RETAIL = Path(__file__).parents[3] / "shared" / "data" / "online_retail_ii_sample.csv"


@pytest.mark.skipif(not RETAIL.exists(), reason=f"{RETAIL.name} is not in ../shared/data")
def test_real_order_lines_load_to_the_last_cent(tmp_path: Path) -> None:
    columns = {
        "invoice": {"type": "text", "from": "Invoice"},
        "ordered_at": {"type": "timestamp", "from": "InvoiceDate"},
        "quantity": {"type": "integer", "from": "Quantity"},
        "price": {"type": "decimal(18,4)", "from": "Price"},
        "customer": {"type": "text", "from": "Customer ID", "required": False},
    }

    outcome = read(tmp_path, RETAIL.read_bytes(), source(columns))

    assert (outcome.report.loaded, outcome.report.rejected) == (34_766, 0)
    assert outcome.report.ignored_columns == ("StockCode", "Description", "Country")
    assert sum(row["quantity"] * row["price"] for row in outcome.rows) == Decimal("1231699.07")
    assert len({row["line_id"] for row in outcome.rows}) == 34_766
    assert sum(row["customer"] is None for row in outcome.rows) == 601
    assert len({row["customer"] for row in outcome.rows} - {None}) == 262
