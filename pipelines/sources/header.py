"""Which field of a record is which column.

One rule: by name when the file has a header, by position when it has none, and refused when that leaves a doubt.
"""

import difflib
import re
from collections import Counter
from dataclasses import dataclass

from lakehouse.errors import FileRefused
from lakehouse.settings import SourceSettings

_SHOWN = 30
_DATUM = re.compile(r"[+-]?[0-9][0-9.,:/ T-]*")


@dataclass(frozen=True)
class Layout:
    """How many fields a record has, where each declared column stands, and which fields of the header are not used."""

    width: int
    positions: dict[str, int]
    ignored: tuple[str, ...] = ()


def by_position(source: SourceSettings) -> Layout:
    """The layout of a file without a header: the declared columns in their order."""
    return Layout(len(source.columns), {name: at for at, name in enumerate(source.columns)})


def by_header(file: str, line: int, header: list[str], source: SourceSettings) -> Layout:
    """The layout that a header gives.

    Raises `FileRefused` when a declared column is missing or a name stands there twice.
    """
    wanted = {name: name if column.from_ is None else column.from_ for name, column in source.columns.items()}
    missing = [name for name in wanted if wanted[name] not in header]
    if missing:
        found = f"the header has no {_listed([wanted[name] for name in missing], 'column')}; it has {_listed(header)}"
        if len(missing) == len(wanted) and any(_DATUM.fullmatch(field) for field in header):
            found = f"there is no header: the first line looks like data and has {_listed(header)}"
        raise FileRefused(file, line, found, _cure(missing, wanted, header, source))
    # Names that nobody asked for may be empty more than once: spreadsheets leave commas behind.
    twice = [name for name, count in Counter(header).items() if count > 1 and (name or name in wanted.values())]
    if twice:
        raise FileRefused(
            file,
            line,
            f"the header has {_listed(twice, 'column')} more than once",
            "Give every column a name of its own.",
        )
    used = set(wanted.values())
    return Layout(
        len(header),
        {name: header.index(wanted[name]) for name in wanted},
        tuple(name for name in header if name not in used),
    )


def _cure(missing: list[str], wanted: dict[str, str], header: list[str], source: SourceSettings) -> str:
    """What to set so that the file can be read as it is."""
    if len(header) == 1:
        other = next((sign for sign in ";\t|," if sign in header[0] and sign != source.delimiter), None)
        if other is not None:
            return f"If {other!r} separates its fields, set delimiter = {_quoted(other)}."
    if len(missing) == len(wanted) and any(_DATUM.fullmatch(field) for field in header):
        return "If the first line is data, set header = false; otherwise give the names of the header with from."
    free = {name.lower(): name for name in header if name and name not in wanted.values()}
    for name in missing:
        close = difflib.get_close_matches(wanted[name].lower(), list(free), n=1) or difflib.get_close_matches(
            name, list(free), n=1
        )
        if close:
            match = free[close[0]]
            return f"Did you mean {match!r}? Then set from = {_quoted(match)} for column {name}."
    return f"Set from to the name that column {missing[0]} has in the file, or correct the header."


def _listed(names: list[str], kind: str = "") -> str:
    shown = ", ".join(repr(name if len(name) <= 60 else name[:60] + "…") for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{kind}{'s' if len(names) > 1 else ''} {shown}{more}".strip() if kind else shown + more


def _quoted(text: str) -> str:
    """The text as a TOML string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return f'"{escaped}"'
