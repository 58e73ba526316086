"""Checks of the machine and of one lake, each with what to do when it fails.

One rule: a check says what it found; it never repairs anything.
"""

import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from lakehouse.errors import LakeportError
from lakehouse.query.engine import extension_paths
from lakehouse.query.hot import hot_folder
from lakehouse.query.process import confinement
from lakehouse.query.wire import Limits
from lakehouse.settings import FILE_NAME, FOLDER_NAME, read_settings
from lakehouse.state.store import open_state
from pipelines.inputs import project_folder

LEAST_FREE_MB = 500
SECRET = re.compile(
    r"(password|secret|token|access-key|credential)[\w.-]*[\"']?\s*=\s*[\"'][^\"']+|://[^/\s:@]*:[^@\s]+@",
    re.IGNORECASE,
)

Check = dict[str, str]


def examine(home: Path) -> list[Check]:
    """All checks in order, as `{"check", "state", "detail", "cure"}`; `state` is pass, fail or skip."""
    home = home.expanduser().resolve()
    return [
        _checked("python", _python, "Install Python 3.11 or newer."),
        _checked("versions", _versions, "Install Lakeport again, with the versions of its lock file."),
        _checked("extensions", _extensions, "Install Lakeport again; nothing is downloaded while it runs."),
        _checked("settings", lambda: _settings(home), f"Correct {FILE_NAME} or the variable that is named."),
        _checked("models", lambda: _models(home), f"Correct {FILE_NAME}."),
        _checked("folder", lambda: _folder(home), f"Make the lake's folder writable, or `lakeport init {home}`."),
        _checked(
            "state", lambda: _state(home), "Restore the state store from a copy, or use the Lakeport that wrote it."
        ),
        *_workers(home),
        _checked("hot copies", lambda: _copies(home), "Remove the folder; the next refresh makes it again."),
        _checked("disk", lambda: _disk(home), "Make room on the disk."),
        _checked(
            "secrets", lambda: _secrets(home), "Give secrets as LAKEPORT_<SECTION>__<KEY>_FILE, files of mode 600."
        ),
    ]


class _Skipped(Exception):
    """The check has nothing to look at."""


class _Failed(Exception):
    """The check found something wrong."""


def _checked(name: str, look: Callable[[], str], cure: str) -> Check:
    try:
        return {"check": name, "state": "pass", "detail": look(), "cure": ""}
    except _Skipped as why:
        return {"check": name, "state": "skip", "detail": str(why), "cure": ""}
    except (_Failed, LakeportError, OSError) as error:
        return {"check": name, "state": "fail", "detail": str(error), "cure": cure}


def _python() -> str:
    return f"Python {sys.version.split()[0]}"


def _versions() -> str:
    """The pinned requirements against what is installed."""
    wrong = []
    exact = []
    for text in _requirements():
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} is {version}, not {requirement.specifier}")
        if str(requirement.specifier).startswith("=="):
            exact.append(f"{requirement.name} {version}")
    if wrong:
        raise _Failed("; ".join(wrong))
    return ", ".join(exact)


def _requirements() -> list[str]:
    try:
        return metadata.requires("lakeport") or []
    except metadata.PackageNotFoundError:
        raise _Failed("Lakeport is not installed, so nothing says which versions it needs") from None


def _extensions() -> str:
    return ", ".join(f"{path.stem.removesuffix('.duckdb_extension')} {path.parent.name}" for path in extension_paths())


def _models(home: Path) -> str:
    settings = read_settings(home)
    project = project_folder(settings)
    if project == home / settings.dbt.project:
        return f"the lake's own, in {project}"
    return f"the packaged ones, in {project}; copy them to {home / settings.dbt.project} to change them"


def _settings(home: Path) -> str:
    if not (home / FILE_NAME).exists():
        raise _Failed(f"there is no {FILE_NAME} in {home}")
    settings = read_settings(home)
    return f"{len(settings.sources)} sources, environments {', '.join(settings.environments)}"


def _folder(home: Path) -> str:
    folder = home / FOLDER_NAME
    if not folder.is_dir():
        raise _Failed(f"there is no folder {folder}")
    with tempfile.TemporaryFile(dir=folder):
        pass
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        raise _Failed(f"{folder} can be read by others (mode {mode:o}); use chmod 700")
    return f"{folder} is writable"


def _state(home: Path) -> str:
    if not (home / FOLDER_NAME).is_dir():
        raise _Skipped("there is no lake yet")
    open_state(read_settings(home)).close()
    return "the state store opens"


def _workers(home: Path) -> list[Check]:
    """What holds the processes that run queries, as found by one of their kind. What the system lacks is no failure."""
    try:
        settings = read_settings(home)
        query = settings.query
        limits = Limits(query.threads, query.memory_mb, query.address_space_mb, (settings.warehouse,))
        held = confinement(limits)
    except LakeportError as error:
        return [{"check": "query workers", "state": "skip", "detail": str(error), "cure": "Correct what is named."}]
    return [
        {
            "check": f"query {one.name}",
            "state": "pass" if one.holds else "skip",
            "detail": one.detail,
            "cure": one.cure,
        }
        for one in held
    ]


def _copies(home: Path) -> str:
    settings = read_settings(home)
    folder = hot_folder(settings.folder)
    if not settings.query.hot_table_mb:
        raise _Skipped("query.hot_table_mb is 0: there are none")
    if folder.exists() and not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise _Failed(f"{folder} is no folder that can be written, so tables are read from Iceberg")
    sizes = [file.stat().st_size for file in folder.glob("*.duckdb")]
    return f"{len(sizes)} with {sum(sizes) / 2**20:,.1f} MiB"


def _disk(home: Path) -> str:
    place = home if home.is_dir() else Path(home.anchor)
    free = shutil.disk_usage(place).free // 2**20
    if free < LEAST_FREE_MB:
        raise _Failed(f"{free:,} MB are free, {LEAST_FREE_MB} MB are needed")
    return f"{free:,} MB free"


def _secrets(home: Path) -> str:
    """Secrets do not belong into a file that is in Git; files that hold them are for their owner only."""
    file = home / FILE_NAME
    text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    for number, line in enumerate(text.splitlines(), start=1):
        if SECRET.search(line.partition("#")[0]):
            raise _Failed(f"{FILE_NAME}, line {number} holds a secret")
    files = [
        Path(value) for name, value in os.environ.items() if name.startswith("LAKEPORT_") and name.endswith("_FILE")
    ]
    for path in files:
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise _Failed(f"{path} can be read by others; use chmod 600")
    return f"none in {FILE_NAME}, {len(files)} in files of their own"
