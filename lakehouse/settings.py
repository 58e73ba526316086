"""What a lake is set to: `LAKEPORT_<SECTION>__<KEY>` over `lakeport.toml` over defaults, read once and frozen.

One rule: nothing else reads the environment or the file. Every field has a description, which is
its documentation.
"""

import difflib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from lakehouse.errors import SettingsWrong

FILE_NAME = "lakeport.toml"
FOLDER_NAME = ".lakeport"
PREFIX = "LAKEPORT_"
NAME = r"^[a-z][a-z0-9_]{0,62}$"


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"unknown time zone {name!r}; use a name like 'Europe/Berlin' or 'UTC'")
    return name


def _known_encoding(name: str) -> str:
    try:
        "".encode(name)
    except LookupError:
        raise ValueError(f"unknown encoding {name!r}; use a name like 'utf-8', 'cp1252' or 'utf-16'") from None
    return name


def _known_type(text: str) -> str:
    match = re.fullmatch(r"decimal\((\d{1,2}),\s*(\d{1,2})\)", text)
    if match and 1 <= int(match[1]) <= 38 and int(match[2]) <= int(match[1]):
        return text.replace(" ", "")
    if text not in ("text", "integer", "double", "date", "timestamp", "boolean"):
        raise ValueError(f"unknown type {text!r}; types: text integer decimal(p,s) double date timestamp boolean")
    return text


def _url(text: str) -> str:
    if text and not re.match(r"[a-z0-9]+(\+[a-z0-9]+)?://", text):
        raise ValueError("write a URL such as 'sqlite:////srv/lake/state.db', or leave it empty")
    return text


class Section(BaseModel):
    """A part of the settings: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LakeSettings(Section):
    """Where the lake keeps its state, catalog and data."""

    timezone: Annotated[str, AfterValidator(_known_zone)] = Field("UTC", description="Time zone in which days end.")
    currency: str = Field("EUR", pattern="^[A-Z]{3}$", description="ISO 4217 code of every amount of money.")
    state: Annotated[str, AfterValidator(_url)] = Field(
        "", description="SQLAlchemy URL of the state store; empty means SQLite in the lake's folder."
    )
    warehouse: str = Field("", description="Where tables live; empty means a folder in the lake's folder.")
    catalog: dict[str, str] = Field(
        default_factory=dict, description="PyIceberg catalog properties; empty means SQLite in the lake's folder."
    )


class EnvironmentSettings(Section):
    """One environment of the lake."""

    namespace: str = Field("", pattern=r"^([a-z][a-z0-9_]*)?$", description="Iceberg namespace; empty: NAME_analytics.")


class ColumnSettings(Section):
    """How one column of a file becomes one column of the raw table."""

    from_: str | None = Field(None, alias="from", description="Header in the file; default: the column's own name.")
    type: Annotated[str, AfterValidator(_known_type)] = Field(
        description="text, integer, decimal(p,s), double, date, timestamp or boolean."
    )
    required: bool = Field(True, description="Whether a row with an empty value here is rejected.")
    format: str | None = Field(None, description="strptime format of a date or timestamp; default: ISO 8601.")

    @model_validator(mode="after")
    def _format_belongs_to_times(self) -> "ColumnSettings":
        if self.format is not None and self.type not in ("date", "timestamp"):
            raise ValueError("format belongs to columns of type date or timestamp")
        return self


class SourceSettings(Section):
    """Files that are loaded into one raw table."""

    path: str = Field(min_length=1, description="File, folder or glob, relative to the lake's home.")
    format: Literal["csv"] = Field("csv", description="File format.")
    delimiter: str = Field(",", min_length=1, max_length=1, description="Character between fields.")
    encoding: Annotated[str, AfterValidator(_known_encoding)] = Field("utf-8", description="Character encoding.")
    header: bool = Field(True, description="Whether the first line names the columns; if not, columns go by position.")
    table: str = Field("", pattern=r"^([a-z][a-z0-9_]{0,62})?$", description="Raw table; default: the source's name.")
    disposition: Literal["append", "replace", "merge"] = Field("replace", description="What a load does to the table.")
    key: tuple[str, ...] = Field((), description="Columns that identify a row; needed by merge.")
    max_rejected: float = Field(0.01, ge=0, le=1, description="Share of rows that may be rejected (at least 10 may).")
    allow_empty: bool = Field(False, description="Whether a replace may load a file without rows.")
    columns: dict[Annotated[str, Field(pattern=NAME)], ColumnSettings] = Field(
        min_length=1, description="Target columns: name = { from, type, required, format }."
    )

    @model_validator(mode="after")
    def _key_is_declared(self) -> "SourceSettings":
        if self.disposition == "merge" and not self.key:
            raise ValueError('disposition "merge" needs key = ["..."]')
        unknown = [name for name in self.key if name not in self.columns]
        if unknown:
            raise ValueError(f"key names {unknown[0]!r}, which is not one of the columns: {', '.join(self.columns)}")
        reserved = [name for name in self.columns if name == "line_id" or name.startswith("_")]
        if reserved:
            raise ValueError(f"column name {reserved[0]!r} is used by Lakeport itself; choose another")
        return self


class DbtSettings(Section):
    """How models are built."""

    project: str = Field("dbt_project", description="The lake's own dbt project; the packaged one serves without it.")
    threads: int = Field(2, ge=1, le=64, description="Models built side by side.")
    memory: str = Field("1500MB", pattern=r"^\d+(\.\d+)?\s?[KMGT]i?B$", description="DuckDB's memory limit in a build.")


class QuerySettings(Section):
    """Limits of questions asked of the lake."""

    workers: int = Field(2, ge=1, le=64, description="Query worker processes.")
    threads: int = Field(2, ge=1, le=64, description="DuckDB threads of one worker.")
    memory_mb: int = Field(1024, ge=128, description="DuckDB's memory limit in one worker, in MiB.")
    address_space_mb: int = Field(4096, ge=1024, description="Hard limit of one worker's address space, in MiB.")
    timeout_seconds: float = Field(30, gt=0, description="Time after which a query is interrupted, then killed.")
    max_rows: int = Field(1_000_000, ge=1, description="Rows after which an answer is cut and says so.")
    cache_mb: int = Field(128, ge=0, description="Memory for answers that were given before, in MiB.")


class Settings(Section):
    """All settings of one lake."""

    home: Path = Field(exclude=True, description="The folder that holds lakeport.toml.")
    lake: LakeSettings = LakeSettings()
    environments: dict[Annotated[str, Field(pattern=NAME)], EnvironmentSettings] = Field(
        default_factory=lambda: {"dev": EnvironmentSettings()}, description="Environments by name."
    )
    sources: dict[Annotated[str, Field(pattern=NAME)], SourceSettings] = Field(
        default_factory=dict, description="Sources by name."
    )
    dbt: DbtSettings = DbtSettings()
    query: QuerySettings = QuerySettings()

    @model_validator(mode="after")
    def _one_source_per_table(self) -> "Settings":
        owner: dict[str, str] = {}
        for name, source in self.sources.items():
            table = source.table or name
            if table == "quarantine":
                raise ValueError(f"source {name!r} writes raw.quarantine, which Lakeport itself fills; set table")
            if table in owner:
                raise ValueError(
                    f"sources {owner[table]!r} and {name!r} both write raw.{table}; give one another table"
                )
            owner[table] = name
        return self

    @property
    def folder(self) -> Path:
        """The lake's own folder: state, catalog, data, runs."""
        return self.home / FOLDER_NAME

    @property
    def state_url(self) -> str:
        """SQLAlchemy URL of the state store."""
        return self.lake.state or f"sqlite:///{self.folder / 'state.db'}"

    @property
    def warehouse(self) -> str:
        """URL under which tables are created."""
        return self.lake.warehouse or f"file://{self.folder / 'warehouse'}"

    @property
    def catalog_properties(self) -> dict[str, str]:
        """PyIceberg's properties of the catalog."""
        defaults = {"type": "sql", "uri": f"sqlite:///{self.folder / 'catalog.db'}"} if not self.lake.catalog else {}
        return {**defaults, "warehouse": self.warehouse, **self.lake.catalog}

    @property
    def zone(self) -> ZoneInfo:
        """Time zone in which days end."""
        return ZoneInfo(self.lake.timezone)

    def namespace(self, env: str) -> str:
        """Iceberg namespace of an environment, such as `dev_analytics`."""
        return self.environments[env].namespace or f"{env}_analytics"


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
