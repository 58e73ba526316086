"""Documents tell the truth: every setting, command, option, metric and dimension stands in them, and every link works.

One rule: what can be read from the code is compared with the document word by word; a failure prints what to write.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typer.main import get_command

from lakehouse import errors
from lakehouse.settings import (
    ColumnSettings,
    EnvironmentSettings,
    PublishSettings,
    ScheduleSettings,
    Settings,
    SourceSettings,
)
from pipelines.create import create_lake
from pipelines.sources.csv_file import QUARANTINE
from pipelines.sources.values import EMPTY
from portal.cli.app import app
from portal.page import Page
from portal.pages import PAGES

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SHARED = {"home", "env", "as_user", "at", "as_json", "quiet", "help"}
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "infra" / "README.md"])


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def commands(group: Any = None, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command with its words, groups opened."""
    known: Any = group or get_command(app)
    for name, command in known.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


COMMANDS = dict(commands())


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one."""
    match = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, flags=re.MULTILINE | re.DOTALL)
    assert match, f"there is no heading {heading!r}"
    return match[1]


def shown_type(field: FieldInfo) -> str:
    kind = field.annotation
    if isinstance(kind, type) and kind in (str, bool, int, float):
        return {str: "text", bool: "true or false", int: "whole number", float: "number"}[kind]
    if get_origin(kind) is tuple:
        return "list"
    if get_origin(kind) is dict:
        return "section"
    choices = [choice for choice in get_args(kind) if choice is not type(None)]
    return ", ".join(f"`{choice}`" for choice in choices) if isinstance(choices[0], str) else "text"


def shown_default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    default = field.default if field.default is not PydanticUndefined else None
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default}`" if default or isinstance(default, int | float) else ""


def settings_table(model: type[BaseModel]) -> str:
    """The table that docs/settings.md has for a section."""
    rows = [
        f"| `{field.alias or name}` | {shown_type(field)} | {shown_default(field)} | {field.description} |"
        for name, field in model.model_fields.items()
    ]
    return "\n".join(["| key | type | default | meaning |", "|---|---|---|---|", *rows]) + "\n"


def settings_sections() -> dict[str, type[BaseModel]]:
    plain: dict[str, type[BaseModel]] = {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }
    named: dict[str, type[BaseModel]] = {
        "environments.<name>": EnvironmentSettings,
        "sources.<name>": SourceSettings,
        "sources.<name>.columns.<column>": ColumnSettings,
        "publish.<env>": PublishSettings,
        "schedules.<name>": ScheduleSettings,
    }
    return {**plain, **named}


def test_every_section_of_the_settings_is_known_here() -> None:
    known = {name.split(".")[0] for name in settings_sections()}

    assert known == set(Settings.model_fields) - {"home"}


@pytest.mark.parametrize("name", settings_sections())
def test_every_setting_is_documented_as_it_is(name: str) -> None:
    expected = settings_table(settings_sections()[name])

    assert expected in section(text_of("settings.md"), f"`[{name}]`"), f"docs/settings.md should have\n{expected}"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_with_its_options_and_an_example(name: str) -> None:
    told = section(text_of("commands.md"), f"`lakeport {name}`")

    own = [parameter for parameter in COMMANDS[name].params if parameter.name not in SHARED]
    words = {
        max(parameter.opts, key=len) if parameter.param_type_name == "option" else argument_name(parameter)
        for parameter in own
    }
    assert set(re.findall(r"^\| `([^`]+)` \|", told, flags=re.MULTILINE)) == words
    assert re.search(rf"^```sh\nlakeport {name}\b", told, flags=re.MULTILINE)
    assert "`--json`: " in told or name in ("load", "build", "refresh")  # their result is documented once, above them


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_every_page_is_documented_with_its_address(page: Page) -> None:
    told = section(text_of("portal.md"), page.title)

    assert f"`{page.path}`" in told


def argument_name(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name).strip("[]").upper()


def test_the_shared_options_are_documented() -> None:
    told = section(text_of("commands.md"), "What all commands share")
    options = {
        option
        for command in COMMANDS.values()
        for parameter in command.params
        if parameter.name in SHARED
        for option in parameter.opts
    }

    assert options | {"--help"} == set(
        re.findall(r"`(--?[a-z]+)`", "\n".join(re.findall(r"^\| `-.*? \|", told, re.MULTILINE)))
    )


def test_no_command_is_documented_that_is_not_there() -> None:
    told = re.findall(r"^### `lakeport ([a-z ]+)`$", text_of("commands.md"), flags=re.MULTILINE)

    assert told == [*sorted(told, key=told.index)]
    assert set(told) == set(COMMANDS)


def test_every_exit_code_is_documented() -> None:
    codes = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.LakeportError)
    }

    told = section(text_of("commands.md"), "What all commands share")

    assert {int(code) for code in re.findall(r"^\| (\d) \|", told, flags=re.MULTILINE)} == codes | {0}


def test_every_metric_and_dimension_is_documented_as_it_is_defined() -> None:
    told = text_of("metrics.md")
    for file in (ROOT / "dbt_project" / "models").rglob("*.yml"):
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        for metric in document.get("metrics", []):
            assert f"| `{metric['name']}` | {' '.join(metric['description'].split())} |" in told
        for model in document.get("semantic_models", []):
            for dimension in model["dimensions"]:
                assert f"| `{dimension['name']}` | {' '.join(dimension['description'].split())} |" in told
        for model in document.get("models", []):
            for column in model.get("columns", []):
                if column.get("config", {}).get("meta", {}).get("filterable"):
                    assert f"`{column['name']}`" in section(told, "A plan")


def test_every_column_and_reason_of_the_quarantine_is_documented() -> None:
    told = section(text_of("loading.md"), "Quarantine")
    values = (ROOT / "pipelines" / "sources" / "values.py").read_text(encoding="utf-8")
    reasons = re.findall(r"`([^`]+)`", "\n".join(re.findall(r"^\| (?!type).*\|$", values, flags=re.MULTILINE)))

    assert re.findall(r"^\| `(\w+)` \|", told, flags=re.MULTILINE) == QUARANTINE.names
    assert len(reasons) > 10
    assert [reason for reason in (*reasons, EMPTY) if f"`{reason}`" not in told] == []


def test_every_cure_of_a_refused_file_is_documented() -> None:
    told = section(text_of("loading.md"), "A bad file, and its cure")

    for word in (
        "allow_empty",
        "from",
        "header = false",
        "delimiter",
        "encoding",
        "max_rejected",
        "required = false",
        "path",
    ):
        assert f"`{word}" in told


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, heading = target.partition("#")
        place = (document.parent / file).resolve() if file else document
        if "://" in target:
            continue
        if not place.exists() or (heading and heading not in anchors(place)):
            broken.append(target)

    assert broken == []


def anchors(document: Path) -> set[str]:
    """What a heading is called in a link."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_line_in_a_document_is_understood(document: Path) -> None:
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`(lakeport [^`]+)`", document.read_text(encoding="utf-8"))
    lines = [line.strip() for block in blocks for line in block.splitlines() if line.strip().startswith("lakeport ")]
    for line in (*lines, *inline):
        words = shlex.split(line, comments=True)[1:]
        if any(word.isupper() and word == "COMMAND" for word in words):
            continue
        name = next((" ".join(words[:count]) for count in (2, 1) if " ".join(words[:count]) in COMMANDS), None)
        assert name is not None, f"{line}: no such command"
        known = {option for parameter in COMMANDS[name].params for option in parameter.opts} | {"--help"}
        assert {word for word in words if word.startswith("-")} <= known, line


def test_every_document_is_in_the_index() -> None:
    index = text_of("README.md")

    assert [path.name for path in DOCS.glob("*.md") if path.name != "README.md" and f"({path.name})" not in index] == []


def test_every_decision_says_why_and_when_to_look_again() -> None:
    files = sorted((DOCS / "decisions").glob("*.md"))
    numbers = [path.name[:4] for path in files]

    assert numbers == [f"{number:04}" for number in range(1, len(files) + 1)]
    for path in files:
        headings = re.findall(r"^## (.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert headings == ["Context", "Choice", "What we gave up", "When to look again"], path.name


def test_every_target_of_the_makefile_that_readme_names_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {
        target
        for document in DOCUMENTS
        for target in re.findall(r"`make ([a-z-]+)`", document.read_text(encoding="utf-8"))
    }

    assert named >= {"demo", "test"}
    assert [target for target in named if not re.search(rf"^{target}:", makefile, flags=re.MULTILINE)] == []


def test_every_limit_is_documented_with_its_default() -> None:
    told = section(text_of("operations.md"), "Limits")
    sections = settings_sections()
    for row in re.findall(r"^\| (?!of).*\| `.*\|$", told, flags=re.MULTILINE):
        for name in re.findall(r"`([a-z_<>.]+)`", row):
            place, _, key = name.rpartition(".")
            default = sections[place].model_fields[key].default
            if key == "max_rejected":
                assert f"{default:.0%}".rstrip("%") in row
            else:
                shown = default.replace("MB", " MB") if isinstance(default, str) else f"{default:,}"
                assert shown in row, f"{name} is {shown}: {row}"


def test_every_place_of_a_lake_is_documented(tmp_path: Path) -> None:
    home = create_lake(tmp_path, "sales")
    told = text_of("operations.md")

    for path in home.rglob("*"):
        name = str(path.relative_to(home))
        if path.is_file() and path.name not in (".gitignore", "migrate.lock") and "-" not in path.name:
            assert f"`{name}`" in told
