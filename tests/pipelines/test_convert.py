"""Conversion of whole columns: the values that Python's own int, Decimal, float and date give for each text."""

import math
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.errors import SettingsWrong
from lakehouse.settings import ColumnSettings
from pipelines.sources.convert import arrow_type, conversion

UNHURRIED = settings(deadline=None)  # a machine may be busy
BAD = object()
NOISE = st.text(alphabet="0123456789+-.,eE_ \tnaifx:/TZ٣²\n", max_size=24)
DIGITS = st.text(alphabet="0123456789", max_size=24)
NUMBERS = st.builds(
    "{}{}{}{}".format, st.sampled_from(["", "-", "+"]), DIGITS, st.sampled_from(["", "."]), DIGITS.map(lambda d: d[:5])
)
EXPONENTS = st.builds("{}e{}".format, NUMBERS, st.integers(-400, 400))
DATES = st.builds("{:04}-{:02}-{:02}".format, st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32))
TIMES = st.builds(
    "{}{}{:02}:{:02}{}".format,
    DATES,
    st.sampled_from([" ", "T", "  "]),
    st.integers(0, 25),
    st.integers(0, 61),
    st.sampled_from(["", ":00", ":59", ":60", ":07.5", ":07.123456", ":07.1234567", ":", "Z", "+01:00"]),
)


def converted(texts: list[str], type_: str, **settings: Any) -> tuple[list[Any], dict[int, str]]:
    column = ColumnSettings.model_validate({"type": type_, **settings})
    values, faults = conversion("c", column).apply(pa.array(texts, pa.string()))
    assert values.type == arrow_type(type_)
    assert len(values) == len(texts)
    assert not any(values[at].is_valid for at in faults)
    return values.to_pylist(), faults


def outcomes(texts: list[str], type_: str, **settings: Any) -> list[Any]:
    values, faults = converted(texts, type_, **settings)
    return [BAD if at in faults else value for at, value in enumerate(values)]


def by_int(text: str) -> Any:
    if not re.fullmatch(r"[+-]?\d+", text, re.ASCII):
        return BAD
    return int(text) if -(2**63) <= int(text) < 2**63 else BAD


def by_decimal(text: str) -> Any:
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text, re.ASCII):
        return BAD
    exponent = Decimal(text).as_tuple().exponent
    return Decimal(text) if isinstance(exponent, int) and exponent >= -3 and abs(Decimal(text)) < 10**6 else BAD


def by_float(text: str) -> Any:
    if text != text.strip() or "_" in text or not text.isascii():
        return BAD
    try:
        return float(text) if math.isfinite(float(text)) else BAD
    except ValueError:
        return BAD


def by_date(text: str) -> Any:
    try:
        return date.fromisoformat(text) if len(text) == 10 and text[4] == text[7] == "-" and text.isascii() else BAD
    except ValueError:
        return BAD


def by_datetime(text: str) -> Any:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?", text, re.ASCII) or text[11:13] == "24":
        return BAD
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return BAD


@UNHURRIED
@given(st.lists(st.one_of(NUMBERS, NOISE, st.integers(-(2**64), 2**64).map(str)).filter(bool)))
def test_whole_numbers_agree_with_int(texts: list[str]) -> None:
    assert outcomes(texts, "integer") == [by_int(text) for text in texts]


@UNHURRIED
@given(st.lists(st.one_of(NUMBERS, NOISE, st.decimals(-(10**7), 10**7, places=3).map(str)).filter(bool)))
def test_decimals_agree_with_decimal(texts: list[str]) -> None:
    assert outcomes(texts, "decimal(9,3)") == [by_decimal(text) for text in texts]


@UNHURRIED
@given(st.lists(st.one_of(NUMBERS, EXPONENTS, NOISE, st.floats().map(repr)).filter(bool)))
def test_doubles_agree_with_float_to_the_bit(texts: list[str]) -> None:
    values = outcomes(texts, "double")

    assert [repr(value) for value in values] == [repr(by_float(text)) for text in texts]


@UNHURRIED
@given(st.lists(st.one_of(DATES, NOISE, st.dates().map(str)).filter(bool)))
def test_dates_agree_with_date(texts: list[str]) -> None:
    assert outcomes(texts, "date") == [by_date(text) for text in texts]


@UNHURRIED
@given(st.lists(st.one_of(TIMES, NOISE, st.datetimes().map(str)).filter(bool)))
def test_timestamps_agree_with_datetime(texts: list[str]) -> None:
    assert outcomes(texts, "timestamp") == [by_datetime(text) for text in texts]


FORMATS = ["%d.%m.%Y", "%Y%m%d", "%m/%d/%Y", "%d %B %Y", "%d-%b-%y", "%Y.%j", "am %d.%m.%Y"]


@UNHURRIED
@given(st.sampled_from(FORMATS), st.lists(st.dates(min_value=date(1970, 1, 1), max_value=date(2068, 12, 31))))
def test_dates_come_back_from_any_format(form: str, dates: list[date]) -> None:
    assert outcomes([day.strftime(form) for day in dates], "date", format=form) == dates


@UNHURRIED
@given(
    st.sampled_from(["%d.%m.%Y %H:%M:%S.%f", "%Y%m%d%H%M%S%f", "%Y-%m-%dT%H:%M:%S,%f", "%I:%M:%S.%f %p on %d/%m/%Y"]),
    st.lists(st.datetimes(min_value=datetime(1000, 1, 1))),  # noqa: DTZ001 - zoneless by contract
)
def test_timestamps_come_back_from_any_format(form: str, moments: list[datetime]) -> None:
    assert outcomes([moment.strftime(form) for moment in moments], "timestamp", format=form) == moments


@pytest.mark.parametrize(
    ("type_", "text", "reason"),
    [
        ("integer", "1,000", "not a whole number"),
        ("integer", "-9223372036854775809", "outside the range of 64-bit whole numbers"),
        ("integer", "9" * 5000, "outside the range of 64-bit whole numbers"),
        ("decimal(3,0)", "1.0", "more than 0 decimals"),
        ("decimal(2,2)", "1.00", "more than 0 digits before the decimal point"),
        ("decimal(38,0)", "1" + "0" * 38, "more than 38 digits before the decimal point"),
        ("double", "NaN", "not a finite number"),
        ("double", "-infinity", "not a finite number"),
        ("double", "1e309", "not a finite number"),
        ("double", "0x10", "not a number"),
        ("double", "1_0", "not a number"),
        ("date", "2024-1-31", "not a date written as YYYY-MM-DD"),
        ("date", "2024-04-31", "2024-04-31 is not a date"),
        ("timestamp", "2024-01-31", "not a timestamp written as YYYY-MM-DD HH:MM[:SS[.ffffff]]"),
        ("timestamp", "2024-01-31 10:00Z", "not a timestamp written as YYYY-MM-DD HH:MM[:SS[.ffffff]]"),
        ("timestamp", "2024-01-31 24:00", "2024-01-31 24:00 is not a timestamp"),
        ("boolean", "yes", "not true, false, 1 or 0"),
        ("boolean", "FALSE ", "blank before or after the value"),
        ("date", "\u00a02024-01-31", "blank before or after the value"),
    ],
)
def test_a_wrong_text_has_one_plain_reason(type_: str, text: str, reason: str) -> None:
    good = {"boolean": "1", "date": "2024-01-31", "timestamp": "2024-01-31 10:00"}.get(type_, "0")

    values, faults = converted([good, text, good], type_)

    assert faults == {1: reason}
    assert [value is None for value in values] == [False, True, False]


@pytest.mark.parametrize(
    ("type_", "form", "text", "reason"),
    [
        ("date", "%d.%m.%Y", "31.02.2024", "31.02.2024 is not a date"),
        ("date", "%d.%m.%Y", "2024-02-28", "not a date written as %d.%m.%Y"),
        ("date", "%d.%m.%Y", "28.02.2024x", "not a date written as %d.%m.%Y"),
        ("date", "%d.%m.%Y", "28.02.2024 ", "blank before or after the value"),
        ("date", "%d.%m.%Y", "28.02.٢٠٢٤", "not a date written as %d.%m.%Y"),
        ("date", "%d %B %Y", "30 February 2024", "not a date written as %d %B %Y"),
        ("date", "%d.%m.%Y %H:%M", "28.02.2024 10:00", "has a time of day, which a date cannot hold"),
        ("timestamp", "%Y%m%d%H%M", "202402291061", "202402291061 is not a timestamp"),
    ],
)
def test_a_text_that_does_not_follow_its_format_says_so(type_: str, form: str, text: str, reason: str) -> None:
    assert converted([text], type_, format=form) == ([None], {0: reason})


def test_a_date_may_be_written_with_midnight() -> None:
    assert outcomes(["28.02.2024 00:00"], "date", format="%d.%m.%Y %H:%M") == [date(2024, 2, 28)]


def test_a_timestamp_may_be_written_as_a_day() -> None:
    assert outcomes(["28.02.2024"], "timestamp", format="%d.%m.%Y") == [datetime(2024, 2, 28)]  # noqa: DTZ001


@pytest.mark.parametrize("text", ["true", "TRUE", "True", "tRuE", "1"])
def test_truth_is_read_in_any_case(text: str) -> None:
    assert outcomes([text, text.replace("1", "0").lower().replace("true", "False")], "boolean") == [True, False]


@pytest.mark.parametrize("type_", ["text", "integer", "decimal(9,2)", "double", "date", "timestamp", "boolean"])
def test_an_empty_text_is_null_or_rejected_where_a_value_is_required(type_: str) -> None:
    assert converted(["", ""], type_, required=False) == ([None, None], {})
    assert converted([""], type_) == ([None], {0: "empty, but a value is required"})


@pytest.mark.parametrize("form", ["%d.%m.", "%H:%M", "%Y", "%Q", "%", "%d.%m.%Y %z", "%d.%m.%Y %Z", "%d.%m.%Y %I:%M"])
def test_a_format_that_loses_a_part_of_the_moment_is_a_wrong_setting(form: str) -> None:
    with pytest.raises(SettingsWrong, match=r"^Column day: format .* does not read a whole date\. Use strptime"):
        conversion("day", ColumnSettings(type="timestamp", format=form))
