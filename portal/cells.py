"""Values as text, for files that know fewer kinds of them than Arrow: CSV and XLSX.

One rule: a value is written so that it can be read again, or refused by name; never cut, rounded or replaced.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.errors import RequestWrong
from lakehouse.query.document import json_value

EPOCH = date(1970, 1, 1)
FIRST_DAY, LAST_DAY = ((day - EPOCH).days for day in (date.min, date.max))
SECONDS_A_DAY = 86_400


def as_text(column: pa.Array, name: str) -> pa.Array:
    """Texts and numbers as they are, times as ISO 8601, bytes in base64, intervals as ISO 8601, the rest as JSON."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return as_text(column.cast(kind.value_type), name)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        check_years(column, name)
    if pa.types.is_timestamp(kind):
        return pc.strftime(column, "%Y-%m-%dT%H:%M:%SZ" if kind.tz else "%Y-%m-%dT%H:%M:%S")
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _written(column, name, lambda value: b64encode(value).decode("ascii"))
    if pa.types.is_interval(kind):
        return _written(column, name, _interval)
    if pa.types.is_nested(kind):
        return _written(column, name, lambda value: json.dumps(json_value(value), ensure_ascii=False))
    return column


def check_years(column: pa.Array, name: str) -> None:
    """Raises `RequestWrong` for a day that no other program reads: infinity, and years beyond 9999."""
    days = column.cast(pa.date32(), safe=False).cast(pa.int32()) if _is_day(column.type) else _days(column)
    found = pc.min_max(days).as_py()
    if found["min"] is not None and not FIRST_DAY <= found["min"] <= found["max"] <= LAST_DAY:
        raise _not_carried(name)


def _is_day(kind: pa.DataType) -> bool:
    return bool(pa.types.is_date(kind))


def _days(column: pa.Array) -> pa.Array:
    """Days of timestamps, without asking a calendar that ends before they do."""
    a_day = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[column.type.unit] * SECONDS_A_DAY
    return pc.divide(column.cast(pa.int64()), a_day)


def _written(column: pa.Array, name: str, write: Callable[[Any], str]) -> pa.Array:
    try:
        return pa.array([None if value is None else write(value) for value in column.to_pylist()], pa.string())
    except (OverflowError, ValueError) as error:  # a time inside that Python cannot hold
        raise _not_carried(name) from error


def _interval(value: Any) -> str:
    seconds, rest = divmod(value.nanoseconds, 10**9)
    fraction = f".{rest:09d}".rstrip("0").rstrip(".")
    return f"P{value.months}M{value.days}DT{seconds}{fraction}S"


def _not_carried(name: str) -> RequestWrong:
    return RequestWrong(
        f"Column {name!r} has a time outside of the years 1 to 9999, or finer than such a file can hold. "
        "Take Parquet, or cast it to a text."
    )
