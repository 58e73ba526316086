"""Reads the settings: `LAKEPORT_<SECTION>__<KEY>` over `lakeport.toml` over defaults.

One rule: nothing else reads the environment or the file, and every mistake names its place and the choices.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_origin

from pydantic import ValidationError

from lakehouse.errors import SettingsWrong
from lakehouse.settings.mistakes import Written, is_section
from lakehouse.settings.section import Section
from lakehouse.settings.sections import Settings

FILE_NAME = "lakeport.toml"
PREFIX = "LAKEPORT_"

AnySection = TypeVar("AnySection", bound=Section)


def read_settings(home: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of the lake at `home`.

    Raises `SettingsWrong` with the key or variable, its line in `lakeport.toml` and the choices.
    """
    home = home.expanduser().resolve()
    text, values = _read(home / FILE_NAME)
    if "home" in values:
        written = Written(FILE_NAME, text, Settings)
        raise SettingsWrong(written.unknown(written.place(("home",)), ("home",)))
    variables = _variables(os.environ if environ is None else environ)
    for path, variable in sorted(variables.items()):  # a section's own variable goes before those of its keys
        _put(values, path, variable)
    try:
        return Settings(home=home, **values)
    except ValidationError as error:
        names = {path: variable.name for path, variable in variables.items()}
        raise SettingsWrong(Written(FILE_NAME, text, Settings, names).explain(error)) from error


def read_section(file: Path, kind: type[AnySection]) -> AnySection:
    """A TOML file of its own as one section; all defaults where there is no file. Raises `SettingsWrong`."""
    text, values = _read(file)
    try:
        return kind(**values)
    except ValidationError as error:
        raise SettingsWrong(Written(file.name, text, kind).explain(error)) from error


def _read(file: Path) -> tuple[str, dict[str, Any]]:
    """The file's text, and its values; nothing where there is no file."""
    try:
        text = file.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except FileNotFoundError:
        return "", {}
    except tomllib.TOMLDecodeError as error:
        raise SettingsWrong(f"{file.name} is not valid TOML: {error}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsWrong(f"{file} cannot be read: {error}.") from error


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
        if path[0] not in _SCHEMA.known_keys(()):
            raise SettingsWrong(_SCHEMA.unknown(name, path[:1]))
        if path in found:
            raise SettingsWrong(f"{found[path].name} and {name} set the same key. Unset one of them.")
        found[path] = _Variable(name, value)
    return found


_SCHEMA = Written(FILE_NAME, "", Settings)


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
    values[path[-1]] = _value(variable, _SCHEMA.kind(path))


def _value(variable: _Variable, kind: Any) -> Any:
    """A list or a section is written as JSON, anything else as it is."""
    is_list, has_keys = get_origin(kind) is tuple, get_origin(kind) is dict or is_section(kind)
    if not is_list and not has_keys:
        return variable.value
    try:
        value = json.loads(variable.value)
    except ValueError:
        value = None
    if not isinstance(value, list if is_list else dict):
        example = 'a list such as ["order_id"]' if is_list else 'an object such as {"key": "value"}'
        raise SettingsWrong(f"{variable.name} must be JSON: {example}.")
    return value
