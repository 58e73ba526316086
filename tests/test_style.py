"""The parts of the house style that no linter knows, and the promises of the repository's frame.

One rule: each failure names every place, so that one run is enough to mend them all.
"""

import ast
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from lakehouse.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
LONGEST_FILE = 400
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "service", "base", "misc"}
KEPT_DOT_FOLDERS = {".ci", ".github"}
DERIVED_FOLDERS = {"__pycache__", "build", "dist", "target", "logs", "node_modules"}

# Character classes keep these from matching themselves here.
FORBIDDEN_TEXT = {
    "a package registry's address": re.compile(
        r"pypi[.]org|pythonhosted[.]org|npmjs[.](org|com)|--(extra-)?index[-]url\b"
    ),
    "a home folder": re.compile(r"(?<![\w.])/(home|Users|root)[/]\w|[A-Z]:\\Users[\\]"),
}


def files(*suffixes: str) -> Iterator[Path]:
    """Every file that would be under version control, with one of the suffixes (none: every file)."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name not in DERIVED_FOLDERS and (name in KEPT_DOT_FOLDERS or not name.startswith("."))
        ]
        paths = (Path(folder, name) for name in sorted(names))
        yield from (path for path in paths if not suffixes or path.suffix in suffixes)


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_walk_finds_this_file_and_no_installed_package() -> None:
    found = {place(path) for path in files(".py")}

    assert {"tests/test_style.py", "lakehouse/core.py"} <= found
    assert not [name for name in found if "site-packages" in name]


def test_no_module_is_longer_than_the_limit() -> None:
    lengths = {place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files(".py")}

    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [place(path) for path in files(".py") if not ast.get_docstring(ast.parse(path.read_bytes()))]

    assert silent == []


def test_no_module_or_folder_has_a_name_that_says_nothing() -> None:
    vague = [
        place(path) for path in files(".py") if FORBIDDEN_NAMES & {*path.relative_to(ROOT).parent.parts, path.stem}
    ]

    assert vague == []


@pytest.mark.parametrize("kind", FORBIDDEN_TEXT)
def test_no_file_holds_something_of_one_machine(kind: str) -> None:
    found = []
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        lines = enumerate(text.splitlines(), start=1)
        found += [f"{place(path)}:{number}" for number, line in lines if FORBIDDEN_TEXT[kind].search(line)]

    assert found == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("a package registry's address", "https://pypi" + ".org/simple"),
        ("a package registry's address", "--extra-index" + "-url https://example.com"),
        ("a home folder", "open('/home" + "/ann/data.csv')"),
        ("a home folder", "C:" + "\\Users" + "\\ann"),
    ],
)
def test_text_of_one_machine_is_recognised(kind: str, text: str) -> None:
    assert FORBIDDEN_TEXT[kind].search(text)


def locked(name: str) -> dict[str, tuple[str, str, int]]:
    """The entries of a lock by name and marker: version, the whole requirement, and how many hashes it carries."""
    entries = {}
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line.startswith((" ", "#")) or not line:
            continue
        match = re.match(r"([a-z0-9.-]+)(\[[^\]]*\])?==(\S+)(\s*;.*?)?(?=\s+--hash|$)", line)
        assert match, f"requirements/{name}.txt: {line.split(' --hash')[0]!r} is not pinned"
        marker = (match[4] or "").strip()
        entries[f"{match[1]} {marker}".strip()] = (
            match[3],
            line,
            len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", line)),
        )
    return entries


@pytest.mark.parametrize("name", ["base", "dev"])
def test_every_locked_package_has_a_hash_and_nothing_points_elsewhere(name: str) -> None:
    entries = locked(name)
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")

    assert len(entries) > 50
    assert [key for key, (_, _, hashes) in entries.items() if hashes == 0] == []
    assert re.findall(r"^.*(?:://|\s-r /|\s-c /).*$", text, flags=re.MULTILINE) == []


def test_the_dev_lock_holds_the_base_lock() -> None:
    dev = {key: version for key, (version, _, _) in locked("dev").items()}

    assert {key: version for key, (version, _, _) in locked("base").items() if dev.get(key) != version} == {}


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {lock: {key.split(" ")[0] for key in locked(lock)} for lock in ("base", "dev")}

    def missing(lock: str, requirements: list[str]) -> set[str]:
        asked = {re.split(r"[\[=<>~!; ]", requirement)[0].lower().replace("_", "-") for requirement in requirements}
        return asked - names[lock]

    assert missing("base", project["dependencies"]) == set()
    assert missing("base", (ROOT / "requirements" / "build.in").read_text(encoding="utf-8").split()) == set()
    assert missing("dev", project["optional-dependencies"]["dev"]) == set()


def test_the_example_environment_names_every_plain_setting_with_its_default() -> None:
    expected = {}
    for section, field in Settings.model_fields.items():
        if isinstance(field.default, BaseModel):
            for key, default in field.default.model_dump().items():
                if not isinstance(default, dict):
                    expected[f"{PREFIX}{section}__{key}".upper()] = "[]" if default == () else str(default)

    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = dict(re.findall(rf"^# ({PREFIX}\w+)=(.*)$", text, flags=re.MULTILINE))

    assert named == expected


def test_make_explains_every_target_that_is_for_people() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", text, flags=re.MULTILINE)
    assert phony is not None
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    explained = set(re.findall(r"^  make ([a-z-]+) +\S", shown, flags=re.MULTILINE))

    assert explained == {name for name in phony[1].split() if not name.startswith("install-")}


@pytest.mark.parametrize("script", [".ci/run", "infra/bootstrap.sh"])
def test_a_script_can_be_run_and_is_understood_by_its_shell(script: str) -> None:
    path = ROOT / script
    shell = path.read_text(encoding="utf-8").splitlines()[0].split("/")[-1].split(" ")[-1]

    assert os.access(path, os.X_OK)
    assert subprocess.run([shell, "-n", str(path)], check=False).returncode == 0
