"""Typed values: what JSON may stand for a column's type, and how such a value is written in SQL.

One rule: no value reaches SQL text except through `sql_literal`; one that does not fit is refused.
"""

import datetime
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lakehouse.errors import PlanWrong
from lakehouse.quoting import sql_text

Value = str | int | bool | Decimal | datetime.date
"""A value of a predicate, already of the column's type."""

MAX_TEXT = 10_000
SAFE_INTEGER = 2**53
BIGINT = 2**63
MAX_DIGITS = 38
KINDS = ("text", "integer", "decimal(p,s)", "date", "boolean")

_SQL = {"text": "VARCHAR", "integer": "BIGINT", "date": "DATE", "boolean": "BOOLEAN"}
_ALIASES = {
    "text": ("text", "varchar", "string", "char", "bpchar"),
    "integer": ("integer", "int", "bigint", "smallint", "tinyint", "long", "int4", "int8"),
    "date": ("date",),
    "boolean": ("boolean", "bool"),
}
_KIND_OF = {alias: kind for kind, aliases in _ALIASES.items() for alias in aliases}
_WANTED = {
    "text": "a text",
    "integer": "a whole number",
    "decimal": "a number such as 12.5 or '12.50'",
    "date": "a date as 'YYYY-MM-DD'",
    "boolean": "true or false",
}


@dataclass(frozen=True)
class ValueType:
    """The type of a column: `kind` is text, integer, decimal, date or boolean; digits belong to decimal."""

    kind: str
    precision: int = 0
    scale: int = 0

    @classmethod
    def parse(cls, text: str) -> "ValueType | None":
        """The type that a declaration such as `bigint` or `decimal(18,2)` names, or None when it is not supported."""
        name = text.strip().lower()
        match = re.fullmatch(r"(?:decimal|numeric)\s*\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)", name)
        if match and int(match[2]) <= int(match[1]) <= MAX_DIGITS:
            return cls("decimal", int(match[1]), int(match[2]))
        kind = _KIND_OF.get(re.sub(r"\s*\(\d+\)$", "", name))
        return cls(kind) if kind else None

    def __str__(self) -> str:
        return f"decimal({self.precision},{self.scale})" if self.kind == "decimal" else self.kind

    @property
    def sql(self) -> str:
        """The name that DuckDB gives this type."""
        return f"DECIMAL({self.precision},{self.scale})" if self.kind == "decimal" else _SQL[self.kind]

    @property
    def is_number(self) -> bool:
        """Whether sums and averages make sense."""
        return self.kind in ("integer", "decimal")


TEXT, INTEGER, DATE, BOOLEAN = (ValueType(kind) for kind in ("text", "integer", "date", "boolean"))


def read_value(value: Any, wanted: ValueType, place: str) -> Value:
    """The JSON value as a value of the wanted type. Raises `PlanWrong`, which names the place and what is wanted."""
    read = {"text": _text, "integer": _integer, "decimal": _decimal, "date": _date, "boolean": _boolean}[wanted.kind]
    found = read(value)
    if found is None:
        raise PlanWrong(f"{place} has {shown(value)}, but needs {_WANTED[wanted.kind]}.")
    if isinstance(found, Decimal) and _digits(found, wanted) > MAX_DIGITS:
        raise PlanWrong(f"{place} has {shown(value)}, which has too many digits for {wanted}. Round it.")
    return found


def read_date(value: Any, place: str) -> datetime.date:
    """A date written as YYYY-MM-DD and in no other way. Raises `PlanWrong`."""
    found = _date(value)
    if found is None:
        raise PlanWrong(f"{place} has {shown(value)}, but needs {_WANTED['date']}.")
    return found


def json_value(value: Value) -> str | int | bool:
    """The value as it stands in JSON: decimals, dates and integers beyond 2^53 as strings."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= SAFE_INTEGER else str(value)
    return f"{value:f}" if isinstance(value, Decimal) else value.isoformat()


def sql_literal(value: Value, wanted: ValueType) -> str:
    """The value as SQL text of the wanted type."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime.date):
        return f"date '{value.isoformat()}'"
    if isinstance(value, Decimal):
        # The column's own type whenever it can hold the value: a wider literal would cast the column and end pruning.
        whole, scale = _extent(value, wanted)
        return f"cast('{value:f}' as decimal({whole + scale}, {scale}))"
    return sql_text(value)


def shown(value: Any) -> str:
    """A wrong value as an error message shows it: short, whatever it was."""
    text = repr(value) if not isinstance(value, Decimal) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    if "\0" in value:
        raise PlanWrong("A text holds the character NUL, which no column can hold. Leave it out.")
    if len(value) > MAX_TEXT:
        raise PlanWrong(f"A text has {len(value):,} characters; at most {MAX_TEXT:,} are allowed.")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise PlanWrong("A text holds half a surrogate pair, which is no character. Leave it out.")
    return value


def _integer(value: Any) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{16,19}", value) and abs(int(value)) > SAFE_INTEGER:
        value = int(value)  # JSON numbers of this size lose digits in many clients, so they travel as strings
    if isinstance(value, int) and not isinstance(value, bool) and -BIGINT <= value < BIGINT:
        return value
    return None


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, str):
        value = Decimal(value) if re.fullmatch(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", value) else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not math.isfinite(value):
        return None
    # repr gives the shortest text that means this float, so 10.1 becomes 10.1 and not 10.0999...
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if abs(exact.adjusted()) > MAX_DIGITS or len(exact.as_tuple().digits) > 2 * MAX_DIGITS:
        return None
    text = f"{exact:f}"
    plain = Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
    return plain or Decimal(0)


def _date(value: Any) -> datetime.date | None:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return None
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:
        return None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _extent(value: Decimal, wanted: ValueType) -> tuple[int, int]:
    """Digits before and after the point of the smallest type that holds both the value and the column."""
    exponent = int(value.as_tuple().exponent)
    return max(wanted.precision - wanted.scale, value.adjusted() + 1), max(wanted.scale, -exponent)


def _digits(value: Decimal, wanted: ValueType) -> int:
    return sum(_extent(value, wanted))
