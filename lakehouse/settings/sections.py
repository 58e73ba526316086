"""The sections of the settings, their keys and what they mean.

One rule: every field has a description, which is its documentation.
"""

import difflib
import re
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from lakehouse.cron import Times
from lakehouse.settings.schedules import ScheduleSettings, check_schedules
from lakehouse.settings.section import NAME, Section, known_zone

FOLDER_NAME = ".lakeport"
PRODUCTION = "prod"
"""The environment whose name alone makes it stricter."""


def _known_locale(name: str) -> str:
    # Here, as a default is not checked: a lake that keeps it needs no list of a thousand locales.
    from babel import Locale, UnknownLocaleError
    from babel.localedata import locale_identifiers

    try:
        found = str(Locale.parse(name, sep="-" if "-" in name else "_"))
    except (UnknownLocaleError, ValueError):
        found = ""
    if found in locale_identifiers():
        return found
    near = difflib.get_close_matches(name.replace("-", "_"), locale_identifiers(), cutoff=0.7)
    meant = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    raise ValueError(f"unknown locale {name!r}; {meant}use a language and a country, like 'de_DE' or 'ja_JP'")


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


class LakeSettings(Section):
    """Where the lake keeps its state, catalog and data."""

    timezone: Annotated[str, AfterValidator(known_zone)] = Field("UTC", description="Time zone in which days end.")
    locale: Annotated[str, AfterValidator(_known_locale)] = Field(
        "en_GB", description="Locale whose numbers and dates the portal shows, such as de_DE; its words are English."
    )
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

    free_sql: bool = Field(False, description="Whether analysts, engineers and admins may ask in SQL of their own.")
    workers: int = Field(2, ge=1, le=64, description="Query worker processes.")
    per_user: int = Field(
        0, ge=0, le=64, description="Query workers that one user may keep busy at once; 0 means all but one."
    )
    threads: int = Field(2, ge=1, le=64, description="DuckDB threads of one worker.")
    memory_mb: int = Field(1024, ge=128, description="DuckDB's memory limit in one worker, in MiB.")
    address_space_mb: int = Field(4096, ge=1024, description="Hard limit of one worker's address space, in MiB.")
    timeout_seconds: float = Field(30, gt=0, description="Time after which a query is interrupted, then killed.")
    max_rows: int = Field(1_000_000, ge=1, description="Rows after which an answer is cut and says so.")
    cache_mb: int = Field(128, ge=0, description="Memory for answers that were given before, in MiB.")
    hot_table_mb: int = Field(
        1024, ge=0, description="Largest table of marts, in MiB of data files, that has a hot copy; 0: no copies."
    )
    hot_releases: int = Field(3, ge=1, description="Newest releases of an environment whose hot copies are kept.")
    export_rows: int = Field(5_000_000, ge=1, description="Rows after which an export is cut and says so.")
    export_seconds: float = Field(300, gt=0, description="Time after which the query of an export is stopped.")
    export_mb: int = Field(8192, ge=1, description="Disk for exports under way in one web process, in MiB.")


class ServerSettings(Section):
    """Where and how the portal is served."""

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(8050, ge=1, le=65535, description="Port to listen on.")
    workers: int = Field(1, ge=1, le=64, description="Web processes; each has its own query workers and cache.")
    threads: int = Field(8, ge=1, le=256, description="Requests that one web process answers at a time.")
    base_path: str = Field(
        "", pattern=r"^(/[A-Za-z0-9._~-]+)*$", description="Path below which a reverse proxy shows the portal."
    )
    hosts: tuple[str, ...] = Field(
        (),
        description="Host names that the portal is called by; empty: any, or loopback names when it listens there.",
    )
    trusted_proxies: int = Field(
        0, ge=0, le=10, description="Proxies in front of the portal whose X-Forwarded headers are believed."
    )
    secret_key: str = Field(
        "", repr=False, description="Signs session cookies, at least 32 characters; in dev a file in the lake's folder."
    )
    notice: str = Field("", max_length=200, description="A sentence that stands on every page and on the login form.")

    @model_validator(mode="after")
    def _secret_is_long(self) -> "ServerSettings":
        if self.secret_key and len(self.secret_key) < 32:
            raise ValueError("secret_key must have at least 32 characters; leave it empty in dev")
        return self


class AccessSettings(Section):
    """How long a login holds."""

    idle_minutes: int = Field(120, ge=1, description="Minutes without a request after which a login ends.")
    absolute_hours: int = Field(24, ge=1, description="Hours after which a login ends in any case.")


class RunsSettings(Section):
    """Limits of runs."""

    timeout_minutes: float = Field(120, gt=0, description="Time after which a run that does not publish yet is ended.")


class PublishSettings(Section):
    """When the runs of one environment wait for a decision instead of publishing."""

    wait: Literal["never", "drift", "always"] = Field(
        "never", description="When a run waits whose tests have passed; without it `drift` in `prod`."
    )
    max_rows_lost: float = Field(0.2, ge=0, le=1, description="Share of a table's rows that may go, such as 0.2.")
    max_rows_gained: float = Field(1, ge=0, description="Share of a table's rows that may come on top, such as 1.")
    max_nulls_moved: float = Field(
        0.05, ge=0, le=1, description="How far the share of NULLs in a column may move, up or down."
    )


class RetentionSettings(Section):
    """How long things are kept."""

    audit_days: int = Field(400, ge=1, le=36_500, description="Days for which records of the audit are kept.")


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
    server: ServerSettings = ServerSettings()
    access: AccessSettings = AccessSettings()
    retention: RetentionSettings = RetentionSettings()
    runs: RunsSettings = RunsSettings()
    publish: dict[Annotated[str, Field(pattern=NAME)], PublishSettings] = Field(
        default_factory=dict, description="When runs wait, by environment."
    )
    schedules: dict[Annotated[str, Field(pattern=NAME)], ScheduleSettings] = Field(
        default_factory=dict, description="Runs that start by themselves, by name."
    )

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

    @model_validator(mode="after")
    def _publish_names_environments(self) -> "Settings":
        unknown = [name for name in self.publish if name not in self.environments]
        if unknown:
            raise ValueError(f"publish.{unknown[0]} names no environment; known: {', '.join(self.environments)}")
        return self

    @model_validator(mode="after")
    def _schedules_can_be_carried_out(self) -> "Settings":
        check_schedules(self.schedules, self.environments, self.sources)
        return self

    @property
    def folder(self) -> Path:
        """The lake's own folder: state, catalog, data, runs."""
        return self.home / FOLDER_NAME

    def run_folder(self, run: str) -> Path:
        """Where a run keeps its events, its result and its artefacts."""
        return self.folder / "runs" / run

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

    def times(self, schedule: str) -> Times:
        """When a schedule is due, by its own clocks or the lake's."""
        found = self.schedules[schedule]
        return Times(found.cron, ZoneInfo(found.timezone) if found.timezone else self.zone)

    def publishing(self, env: str) -> PublishSettings:
        """When runs of an environment wait; prod waits on drift unless it is told otherwise."""
        found = self.publish.get(env, PublishSettings())
        by_name = env == PRODUCTION and "wait" not in found.model_fields_set
        return found.model_copy(update={"wait": "drift"}) if by_name else found

    def namespace(self, env: str) -> str:
        """Iceberg namespace of an environment, such as `dev_analytics`."""
        return self.environments[env].namespace or f"{env}_analytics"
