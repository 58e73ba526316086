"""A column of texts as a typed column: fast where a text has the plain shape, by `values` where it has not.

One rule: both ways give the same value. The plain shape of a type (a regular expression) only lets through texts of
which Arrow's cast is known to agree with `values.reader`; every other text goes through that reader one by one, which
also makes the reason when it is wrong.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.settings import ColumnSettings
from pipelines.sources.values import EMPTY, Unfit, decimal_digits, digit_pattern, reader

_YEAR = "[12][0-9]{3}"  # Arrow knows a year 0, Python does not
_ISO_DATE = f"{_YEAR}-[0-9]{{2}}-[0-9]{{2}}"
_ISO_TIMESTAMP = _ISO_DATE + r"[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"


def arrow_type(type_: str) -> pa.DataType:
    """The Arrow type of a declared type such as `integer` or `decimal(18,2)`."""
    if type_.startswith("decimal"):
        before, after = decimal_digits(type_)
        return pa.decimal128(before + after, after)
    return {
        "text": pa.string(),
        "integer": pa.int64(),
        "double": pa.float64(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
        "boolean": pa.bool_(),
    }[type_]


@dataclass(frozen=True)
class Conversion:
    """How the texts of one column become values."""

    type: pa.DataType
    required: bool
    read: Callable[[str], Any]
    plain: str | None
    rewrite: str | None

    def apply(self, texts: pa.Array) -> tuple[pa.Array, dict[int, str]]:
        """Values (NULL where there is none) and, by position, the reason why a text was rejected."""
        filled = pc.not_equal(texts, "")
        faults: dict[int, str] = {}
        if self.type == pa.string():
            values = pc.if_else(filled, texts, None)
        else:
            values, plain = self._cast(texts)
            values, faults = self._read_rest(texts, values, pc.and_not(filled, plain))
        if self.required:
            faults |= dict.fromkeys(_positions(pc.invert(filled)), EMPTY)
        return values, faults

    def _cast(self, texts: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Values of the texts with the plain shape, and which they are."""
        if self.plain is not None:
            plain = pc.match_substring_regex(texts, f"^{self.plain}$")
            chosen = texts if pc.all(plain).as_py() else pc.if_else(plain, texts, None)
            if self.rewrite is not None:
                chosen = pc.replace_substring_regex(chosen, f"^{self.plain}$", self.rewrite)
            try:
                return pc.cast(chosen, self.type), plain
            except pa.ArrowInvalid:
                pass  # a shape without a value, such as 2024-02-30: let the reader find it
        return pa.nulls(len(texts), self.type), pa.array(np.zeros(len(texts), dtype=bool))

    def _read_rest(self, texts: pa.Array, values: pa.Array, rest: pa.Array) -> tuple[pa.Array, dict[int, str]]:
        positions = _positions(rest)
        if not positions:
            return values, {}
        found = texts.filter(rest).to_pylist()
        answers = {text: self._answer(text) for text in set(found)}
        read = pa.array([answers[text][0] for text in found], self.type)
        faults = {at: answers[text][1] for at, text in zip(positions, found, strict=True)}
        return pc.replace_with_mask(values, rest, read), {at: fault for at, fault in faults.items() if fault}

    def _answer(self, text: str) -> tuple[Any, str]:
        try:
            return self.read(text), ""
        except Unfit as unfit:
            return None, str(unfit)


def conversion(name: str, column: ColumnSettings) -> Conversion:
    """The conversion of a declared column.

    Raises `SettingsWrong` when its format cannot give a whole date.
    """
    plain, rewrite = _plain(column)
    return Conversion(arrow_type(column.type), column.required, reader(name, column), plain, rewrite)


def _plain(column: ColumnSettings) -> tuple[str | None, str | None]:
    """The plain shape of a column's texts and how to rewrite it for Arrow; None when there is none."""
    if column.format is not None:
        return _plain_format(column.type, column.format)
    if column.type.startswith("decimal"):
        before, after = decimal_digits(column.type)
        decimals = rf"(?:\.[0-9]{{1,{after}}})?" if after else ""
        return (f"-?[0-9]{{1,{before}}}{decimals}" if before else None), None
    shapes = {
        "integer": "-?[0-9]{1,18}",
        "double": r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?",
        "date": _ISO_DATE,
        "timestamp": _ISO_TIMESTAMP,
    }
    return shapes.get(column.type), None


def _plain_format(type_: str, form: str) -> tuple[str | None, str | None]:
    """Formats of fixed digits, such as `%d.%m.%Y`, are rewritten as ISO 8601."""
    pattern = digit_pattern(form)
    order = "".join(re.findall("%(.)", form))
    parts = {"date": ["Ymd"], "timestamp": ["Ymd", "YmdHM", "YmdHMS", "YmdHMSf"]}[type_]
    if pattern is None or sorted(order) not in [sorted(letters) for letters in parts]:
        return None, None
    place = {letter: rf"\{order.index(letter) + 1}" for letter in order}
    iso = "{Y}-{m}-{d}"
    if type_ == "timestamp":
        iso += "T{H}:{M}" if "H" in place else "T00:00"
        iso += ":{S}" if "S" in place else ""
        iso += ".{f}" if "f" in place else ""
    return pattern.replace("([0-9]{4})", f"({_YEAR})"), iso.format(**place)


def _positions(mask: pa.Array) -> list[int]:
    positions: list[int] = np.flatnonzero(mask.to_numpy(zero_copy_only=False)).tolist()
    return positions
