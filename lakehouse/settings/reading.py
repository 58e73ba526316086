"""Reads the settings: `LAKEPORT_<SECTION>__<KEY>` over `lakeport.toml` over defaults.

One rule: nothing else reads the environment or the file, and every mistake names its place and the choices.
"""

import difflib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lakehouse.errors import SettingsWrong
from lakehouse.settings.sections import Settings

FILE_NAME = "lakeport.toml"
PREFIX = "LAKEPORT_"


def read_settings(home: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of the lake at `home`.

    Raises `SettingsWrong` with the key or variable, its line in `lakeport.toml` and the choices.
    """
    home = home.expanduser().resolve()
    text = _text(home / FILE_NAME)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsWrong(f"{FILE_NAME} is not valid TOML: {error}.") from error
    if "home" in values:
        raise SettingsWrong(_unknown(_place(("home",), text, {}), ("home",)))
    variables = _variables(os.environ if environ is None else environ)
    for path, variable in sorted(variables.items()):  # a section's own variable goes before those of its keys
        _put(values, path, variable)
    try:
        return Settings(home=home, **values)
    except ValidationError as error:
        raise SettingsWrong("\n".join(_explain(detail, text, variables) for detail in error.errors()[:5])) from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsWrong(f"{path} cannot be read: {error}.") from error


@dataclass(frozen=True)
class _Variable:
    """A variable as it was set: its name, for messages, and its value or the text of the file that it names."""

    name: str
    value: str


def _variables(environ: Mapping[str, str]) -> dict[tuple[str, ...], _Variable]:
    """`LAKEPORT_A__B=x` as {("a", "b"): x}; `LAKEPORT_A__B_FILE=path` as the file's text without its last newline."""
    found: dict[tuple[str, ...], _Variable] = {}
    for name, value in environ.items():
        if not name.startswith(PREFIX) or "__" not in name:
            continue
        path = tuple(name.removeprefix(PREFIX).lower().split("__"))
        if path[-1].endswith("_file"):
            path = (*path[:-1], path[-1].removesuffix("_file"))
            value = _secret(name, Path(value))
        if path[0] not in _known_keys(()):
            raise SettingsWrong(_unknown(name, path[:1]))
        if path in found:
            raise SettingsWrong(f"{found[path].name} and {name} set the same key. Unset one of them.")
        found[path] = _Variable(name, value)
    return found


def _secret(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n")
    except OSError as error:
        raise SettingsWrong(f"{name} names a file that cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingsWrong(f"{name} names a file that is not UTF-8 text.") from error


def _put(values: dict[str, Any], path: tuple[str, ...], variable: _Variable) -> None:
    for step in path[:-1]:
        values = values.setdefault(step, {})
        if not isinstance(values, dict):
            raise SettingsWrong(f"{variable.name} goes into {step!r}, which is not a section.")
    values[path[-1]] = _value(variable, _kind(path))


def _value(variable: _Variable, kind: Any) -> Any:
    """A list or a section is written as JSON, anything else as it is."""
    is_list, is_section = get_origin(kind) is tuple, get_origin(kind) is dict or _is_section(kind)
    if not is_list and not is_section:
        return variable.value
    try:
        value = json.loads(variable.value)
    except ValueError:
        value = None
    if not isinstance(value, list if is_list else dict):
        example = 'a list such as ["order_id"]' if is_list else 'an object such as {"key": "value"}'
        raise SettingsWrong(f"{variable.name} must be JSON: {example}.")
    return value


def _explain(detail: ErrorDetails, text: str, variables: Mapping[tuple[str, ...], _Variable]) -> str:
    """One sentence for one mistake: where it stands, what is wrong, what the choices are."""
    path = tuple(str(step) for step in detail["loc"] if step != "[key]")
    place = _place(path[:-1] if detail["type"] == "missing" else path, text, variables)
    if detail["type"] == "extra_forbidden":
        return _unknown(place, path)
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "model_type":
        message = f"this is a section; write [{'.'.join(path)}] with its keys below"
    return f"{place}: {'.'.join(path) or 'the settings'}: {message[:1].lower()}{message[1:]}."


def _place(path: tuple[str, ...], text: str, variables: Mapping[tuple[str, ...], _Variable]) -> str:
    """What sets a key: a variable, or a line of the file; for a section all of them."""
    around = [variable.name for at, variable in sorted(variables.items()) if path[: len(at)] == at]
    if around:
        return around[-1]
    line = _line(text, path)
    below = [variable.name for at, variable in sorted(variables.items()) if path and at[: len(path)] == path]
    places = [*([f"{FILE_NAME}, line {line}"] if line is not None else []), *below]
    return " and ".join(places) or FILE_NAME


def _unknown(place: str, path: tuple[str, ...]) -> str:
    known = _known_keys(path[:-1])
    close = difflib.get_close_matches(path[-1], known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"{place}: unknown key {'.'.join(path)!r}.{hint} Known keys: {', '.join(known)}."


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _kind(path: tuple[str, ...]) -> Any:
    """The type that stands at a place in the settings; None where there is none."""
    kind: Any = Settings
    for step in path:
        if _is_section(kind):
            fields = {field.alias or name: field for name, field in kind.model_fields.items()}
            kind = fields[step].annotation if step in fields else None
        else:
            kind = get_args(kind)[1] if get_origin(kind) is dict else None
    return kind


def _known_keys(path: tuple[str, ...]) -> list[str]:
    """Names allowed below a place in the settings."""
    kind = _kind(path)
    if not _is_section(kind):
        return []
    return [field.alias or name for name, field in kind.model_fields.items() if name != "home"]


def _line(text: str, path: tuple[str, ...]) -> int | None:
    """The line of `lakeport.toml` on which the deepest known part of a path stands."""
    table: tuple[str, ...] = ()
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


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
