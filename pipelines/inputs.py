"""What shapes the result of a refresh: the sources' files and settings, the dbt project, the versions of the tools.

One rule: everything here is decided from files and the state store alone, so that a refresh without a change costs a
fraction of a second. Neither dlt nor dbt nor PyIceberg is imported.
"""

import hashlib
import importlib.util
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from lakehouse.errors import FileRefused
from lakehouse.settings import Settings, SourceSettings
from lakehouse.state import schema
from lakehouse.state.store import State

BLOCK_BYTES = 1 << 20
SETTLED_SECONDS = 2.0
"""A file changed this recently may change again within the clock's tick, so that its times would not tell."""

SHAPING = ("format", "delimiter", "encoding", "header", "key", "columns")
"""Settings of a source that decide how a line of a file becomes a row."""

TOOLS = ("dbt_core", "dbt_duckdb", "dlt", "duckdb", "lakeport", "pyarrow", "pyiceberg")


@dataclass(frozen=True)
class SourceInputs:
    """One source as it stands on disk: its files with their SHA-256, in the order in which they are read."""

    name: str
    settings: SourceSettings
    paths: Mapping[str, Path]
    files: Mapping[str, str]

    @property
    def table(self) -> str:
        """The logical name of the raw table."""
        return f"raw.{self.settings.table or self.name}"

    @property
    def config(self) -> str:
        """Fingerprint of what decides how lines become rows, and of where they go."""
        shaping = self.settings.model_dump(mode="json", include=set(SHAPING))
        return _digest(json.dumps([self.table, shaping]).encode())


def read_source(settings: Settings, state: State, name: str) -> SourceInputs:
    """The source's files, hashed where their size or times are not those of the last time.

    Raises `FileRefused` when there is no file or one cannot be read.
    """
    source = settings.sources[name]
    paths = _find(settings.home, source)
    if not paths and not source.allow_empty:
        raise FileRefused(source.path, None, "no file is there", f"Put one there, or change path of sources.{name}.")
    return SourceInputs(name, source, paths, _hashes(state, paths))


def _find(home: Path, source: SourceSettings) -> dict[str, Path]:
    """The files that a path, folder or glob names, under the names that messages and rows carry, in their order."""
    place = home / source.path
    if place.is_dir():
        found = [path for path in place.iterdir() if not path.name.startswith(".")]
    elif place.exists():
        found = [place]
    else:
        pattern = Path(source.path)
        root = Path(pattern.anchor) if pattern.is_absolute() else home
        relative = str(pattern.relative_to(root)) if pattern.is_absolute() else source.path
        found = [path for path in root.glob(relative) if _is_meant(path.relative_to(root), pattern)]
    files = {_name(home, path): path for path in found if path.is_file()}
    return dict(sorted(files.items()))


def _is_meant(path: Path, pattern: Path) -> bool:
    """Whether a glob means the file: hidden files and what is in hidden folders, as the lake's own, must be named."""
    return all(not part.startswith(".") or part in pattern.parts for part in path.parts)


def _name(home: Path, path: Path) -> str:
    return str(path.relative_to(home)) if path.is_relative_to(home) else str(path)


def _hashes(state: State, paths: Mapping[str, Path]) -> dict[str, str]:
    with state.read() as connection:
        rows = connection.execute(select(schema.files)).all()
    known = {row.path: row for row in rows}
    hashes: dict[str, str] = {}
    fresh: list[dict[str, str]] = []
    for name, path in paths.items():
        try:
            signature, settled = _signature(path)
            row = known.get(str(path))
            if row is not None and row.signature == signature:
                hashes[name] = row.sha256
                continue
            hashes[name] = _digest_file(path)
            if settled and _signature(path)[0] == signature:
                fresh.append({"path": str(path), "signature": signature, "sha256": hashes[name]})
        except OSError as error:
            raise FileRefused(name, None, f"it cannot be read ({error.strerror})", "Check its rights.") from error
    if fresh:
        with state.write() as connection:
            for entry in fresh:
                connection.execute(schema.files.delete().where(schema.files.c.path == entry["path"]))
                connection.execute(schema.files.insert().values(**entry))
    return hashes


def _signature(path: Path) -> tuple[str, bool]:
    """Size, times and inode, and whether they can be trusted to change when the file does.

    The time of the inode's change stands in it because a copy that keeps size and modification time still moves it.
    """
    stat = path.stat()
    age = time.time() - max(stat.st_mtime, stat.st_ctime)
    return f"{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}:{stat.st_ino}", age > SETTLED_SECONDS


def project_folder(settings: Settings) -> Path:
    """The dbt project that is built: the lake's own when it is there, else the packaged one."""
    own = settings.home / settings.dbt.project
    if (own / "dbt_project.yml").exists():
        return own
    here = Path(__file__).parent
    checkout = here.parent / "dbt_project"  # first: an editable installation leaves an old copy in the wheel's place
    return checkout if (checkout / "dbt_project.yml").exists() else here / "dbt_project"


def code_fingerprint(settings: Settings, env: str) -> str:
    """Changes when anything but data changes that shapes a release: models, settings of the build, tools, this code."""
    project = project_folder(settings)
    parts = [settings.namespace(env), settings.warehouse, *_versions()]
    for root, suffixes in (
        (project, {".sql", ".yml", ".yaml", ".csv", ".py", ".md"}),
        (Path(__file__).parent, {".py"}),
    ):
        parts += [f"{path.relative_to(root)} {_digest_file(path)}" for path in _walk(root, suffixes)]
    return _digest("\n".join(parts).encode())


def parsed_folder(settings: Settings, env: str) -> Path:
    """Where dbt keeps what it makes of this very project and no other: what it has parsed, and what it has compiled."""
    return settings.folder / "dbt" / env / code_fingerprint(settings, env)[:32]


def project_fingerprint(settings: Settings) -> str:
    """Changes when something of the dbt project changes that may shape every model: its settings, macros, the tools."""
    project = project_folder(settings)
    shared = [project / "dbt_project.yml", *_walk(project / "macros", {".sql"})]
    return _digest("\n".join([*_versions(), *(_digest_file(path) for path in shared)]).encode())


def _walk(root: Path, suffixes: set[str]) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in ("target", "logs", "__pycache__", "dbt_project"))
        yield from (Path(folder, file) for file in sorted(files) if Path(file).suffix in suffixes)


def _versions() -> list[str]:
    """Names and versions of the tools, from the names of their installed records.

    Importing `importlib.metadata` would cost as much as all of the decision.
    """
    spec = importlib.util.find_spec("duckdb")  # found, not imported; the other tools are installed beside it
    site = Path(str(spec.origin)).parents[1] if spec else Path()
    records = (name.removesuffix(".dist-info") for name in os.listdir(site) if name.endswith(".dist-info"))
    return sorted(record for record in records if record.rpartition("-")[0].lower() in TOOLS)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
