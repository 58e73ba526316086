"""Mistakes in a TOML file or in the variables over it, in words: where they stand, what is wrong, what the choices are.

One rule: it explains what a section's own types have refused, and decides nothing itself.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

SHOWN = 5
"""Of many mistakes in one file."""

Path = tuple[str, ...]


@dataclass(frozen=True)
class Written:
    """What somebody wrote: a file's name and text, the section that it is read as, and variables by what they set."""

    file: str
    text: str
    root: type[BaseModel]
    variables: Mapping[Path, str] = field(default_factory=dict)

    def explain(self, error: ValidationError) -> str:
        """One line for each of the first mistakes."""
        return "\n".join(self._mistake(detail) for detail in error.errors()[:SHOWN])

    def unknown(self, place: str, path: Path) -> str:
        """That a key is unknown, with the known ones."""
        known = self.known_keys(path[:-1])
        close = difflib.get_close_matches(path[-1], known, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        return f"{place}: unknown key {'.'.join(path)!r}.{hint} Known keys: {', '.join(known)}."

    def place(self, path: Path) -> str:
        """What sets a key: a variable, or a line of the file; for a section all of them."""
        around = [name for at, name in sorted(self.variables.items()) if path[: len(at)] == at]
        if around:
            return around[-1]
        line = _line(self.text, path)
        below = [name for at, name in sorted(self.variables.items()) if path and at[: len(path)] == path]
        places = [*([f"{self.file}, line {line}"] if line is not None else []), *below]
        return " and ".join(places) or self.file

    def kind(self, path: Path) -> Any:
        """The type that stands at a place; None where there is none."""
        kind: Any = self.root
        for step in path:
            if is_section(kind):
                fields = {field.alias or name: field for name, field in kind.model_fields.items()}
                kind = fields[step].annotation if step in fields else None
            else:
                kind = get_args(kind)[1] if get_origin(kind) is dict else None
        return kind

    def known_keys(self, path: Path) -> list[str]:
        """Names allowed below a place."""
        kind = self.kind(path)
        if not is_section(kind):
            return []
        return [field.alias or name for name, field in kind.model_fields.items() if name != "home"]

    def _mistake(self, detail: ErrorDetails) -> str:
        path = tuple(str(step) for step in detail["loc"] if step != "[key]")
        place = self.place(path[:-1] if detail["type"] == "missing" else path)
        if detail["type"] == "extra_forbidden":
            return self.unknown(place, path)
        message = detail["msg"].removeprefix("Value error, ")
        if detail["type"] == "model_type":
            message = f"this is a section; write [{'.'.join(path)}] with its keys below"
        return f"{place}: {'.'.join(path) or 'the settings'}: {message[:1].lower()}{message[1:]}."


def is_section(kind: Any) -> bool:
    """Whether a type is a part of the settings with keys of its own."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _line(text: str, path: Path) -> int | None:
    """The line on which the deepest known part of a path stands."""
    table: Path = ()
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        heading = re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line)
        key = re.match(r"\s*([A-Za-z0-9_.\"'-]+)\s*=", line)
        if heading:
            table = _parts(heading[1])
            here = table
        elif key:
            here = table + _parts(key[1])
        else:
            continue
        depth = len(here)
        if here == path[:depth] and (best is None or depth > best[0]):
            best = (depth, number)
    return best[1] if best else None


def _parts(dotted: str) -> Path:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
