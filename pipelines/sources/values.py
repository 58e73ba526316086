"""One text of a file as one value: the definition of every column type.

One rule: exact or not at all. Nothing is inferred, rounded or trimmed; a text that is not a value of its type raises
`Unfit` with one of these reasons:

| type | reasons |
|---|---|
| any but text | `blank before or after the value` |
| integer | `not a whole number`, `outside the range of 64-bit whole numbers` |
| decimal(p,s) | `not a decimal number`, `more than S decimals`, `more than N digits before the decimal point` |
| double | `not a number`, `not a finite number` |
| date | `not a date written as FORM`, `TEXT is not a date`, `has a time of day, which a date cannot hold` |
| timestamp | `not a timestamp written as FORM`, `TEXT is not a timestamp` |
| boolean | `not true, false, 1 or 0` |

An empty text never gets here: it is NULL, or rejected as `EMPTY` where a value is required.
"""

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from lakehouse.errors import SettingsWrong
from lakehouse.settings import ColumnSettings

EMPTY = "empty, but a value is required"
ISO_DATE = "YYYY-MM-DD"
ISO_TIMESTAMP = "YYYY-MM-DD HH:MM[:SS[.ffffff]]"

# ASCII digits only, everywhere: Python's \d, int() and float() would also take the digits of other scripts.
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))")
_DOUBLE = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIMESTAMP = re.compile(_DATE.pattern + r"[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?")
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class Unfit(ValueError):
    """A text that is not a value of its column's type; the text of the error is the reason."""


def decimal_digits(type_: str) -> tuple[int, int]:
    """Digits before and after the point that a `decimal(p,s)` holds."""
    precision, scale = (int(number) for number in type_.removeprefix("decimal(").removesuffix(")").split(","))
    return precision - scale, scale


def reader(name: str, column: ColumnSettings) -> Callable[[str], Any]:
    """What turns one text, not empty, into a value of the column, or raises `Unfit`.

    Raises `SettingsWrong` when the column's format cannot give a whole date.
    """
    read = _reader(name, column)
    if column.type == "text":
        return read

    def read_untrimmed(text: str) -> Any:
        if text != text.strip():
            raise Unfit("blank before or after the value")
        return read(text)

    return read_untrimmed


def _reader(name: str, column: ColumnSettings) -> Callable[[str], Any]:
    if column.type.startswith("decimal"):
        return _decimal_reader(*decimal_digits(column.type))
    if column.format is not None:
        _check_format(name, column.format)
        return _format_reader(column.type, column.format)
    readers: dict[str, Callable[[str], Any]] = {
        "text": str,
        "integer": _integer,
        "double": _double,
        "date": _date,
        "timestamp": _timestamp,
        "boolean": _boolean,
    }
    return readers[column.type]


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise Unfit("not a whole number")
    digits = text.lstrip("+-0") or "0"
    # Length first: int() refuses texts of thousands of digits with an error of its own.
    value = int(digits) * (-1 if text[0] == "-" else 1) if len(digits) <= 19 else None
    if value is None or not -(2**63) <= value < 2**63:
        raise Unfit("outside the range of 64-bit whole numbers")
    return value


def _decimal_reader(before: int, after: int) -> Callable[[str], Decimal]:
    def read(text: str) -> Decimal:
        match = _DECIMAL.fullmatch(text)
        if not match:
            raise Unfit("not a decimal number")
        whole, decimals = (match[1] or "").lstrip("0"), match[2] or match[3] or ""
        if len(decimals) > after:
            raise Unfit(f"more than {after} decimals")
        if len(whole) > before:
            raise Unfit(f"more than {before} digits before the decimal point")
        return Decimal(text)

    return read


def _double(text: str) -> float:
    if _NOT_FINITE.fullmatch(text):
        raise Unfit("not a finite number")
    if not _DOUBLE.fullmatch(text):
        raise Unfit("not a number")
    value = float(text)
    if not math.isfinite(value):
        raise Unfit("not a finite number")
    return value


def _boolean(text: str) -> bool:
    value = _BOOLEANS.get(text.lower())
    if value is None:
        raise Unfit("not true, false, 1 or 0")
    return value


def _date(text: str) -> date:
    match = _DATE.fullmatch(text)
    if not match:
        raise Unfit(f"not a date written as {ISO_DATE}")
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise Unfit(f"{text} is not a date") from None


def _timestamp(text: str) -> datetime:
    match = _TIMESTAMP.fullmatch(text)
    if not match:
        raise Unfit(f"not a timestamp written as {ISO_TIMESTAMP}")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        return datetime(year, month, day, hour, minute, second, int((match[7] or "").ljust(6, "0")))  # noqa: DTZ001 - zoneless by contract
    except ValueError:
        raise Unfit(f"{text} is not a timestamp") from None


def _format_reader(type_: str, form: str) -> Callable[[str], date]:
    article = f"a {type_}"
    digits = digit_pattern(form)

    def read(text: str) -> date:
        try:
            # strptime also takes digits of other scripts; they are as wrong here as in a number.
            moment = None if _OTHER_DIGIT.search(text) else datetime.strptime(text, form)  # noqa: DTZ007 - zoneless by contract
        except ValueError:
            moment = None
        if moment is None:
            shaped = digits is not None and re.fullmatch(digits, text)
            raise Unfit(f"{text} is not {article}" if shaped else f"not {article} written as {form}")
        if type_ == "timestamp":
            return moment
        if moment.time() != datetime.min.time():
            raise Unfit("has a time of day, which a date cannot hold")
        return moment.date()

    return read


_DIGITS = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}


def digit_pattern(form: str) -> str | None:
    """The regular expression of a format made of fixed digits and plain signs, one group per directive; else None."""
    pattern = ""
    for directive, sign in re.findall(r"%(.)|([^%])", form, re.DOTALL):
        if directive in _DIGITS:
            pattern += f"([0-9]{{{_DIGITS[directive]}}})"
        elif directive == "f":
            pattern += "([0-9]{1,6})"
        elif sign and sign in " .-/:,T":
            pattern += f"[{sign}]"
        else:
            return None
    return pattern


def _check_format(name: str, form: str) -> None:
    """Refuses a format that would lose a part of the date: a moment written with it has to come back."""
    moment = datetime(2024, 12, 28, 22)  # noqa: DTZ001 - zoneless by contract
    back = None
    if re.search("%[YyGcx]", form) and not re.search("%[zZ]", form):
        try:
            back = datetime.strptime(moment.strftime(form), form)  # noqa: DTZ007 - zoneless by contract
        except ValueError:
            back = None
    # 10 instead of 22 hours is a %I without its %p; none at all is a format without a time, which is fine.
    if back is None or back not in (moment, moment.replace(hour=0)):
        raise SettingsWrong(
            f"Column {name}: format {form!r} does not read a whole date. "
            "Use strptime directives for year, month and day, such as '%d.%m.%Y' or '%Y%m%d %H:%M:%S', without a zone."
        )
