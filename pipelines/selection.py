"""Which models a run is to build: their names, with `+` before for what they read and after for what reads them.

One rule: a name is refused only when it is certain that no model carries it: dbt has parsed this very project, and
nothing of it has changed since. dbt itself is not imported; until it has parsed a project, the run says it.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from lakehouse.errors import RequestWrong, UnknownName
from lakehouse.settings import Settings
from pipelines.inputs import parsed_folder

MODELS = ("model", "seed", "snapshot")
"""What dbt calls the kinds of nodes that have rows."""

MOST_WORDS = 200

_WORD = re.compile(r"(\+?)([\w.-]{1,200}?)(\+?)", re.ASCII)


class Selected(NamedTuple):
    """One word of a selection: a model or its table, and whether what it reads and what reads it are meant too."""

    name: str
    with_parents: bool
    with_children: bool


def read_selection(given: Iterable[str]) -> tuple[str, ...]:
    """The words of a selection, each once; several may stand in one text. Raises `RequestWrong`."""
    texts = list(given)
    words = list(dict.fromkeys(word for text in texts for word in re.split(r"[,\s]+", text) if word))
    if texts and not words:
        raise RequestWrong("The selection names no model. Name one, or leave the selection out to build all.")
    if len(words) > MOST_WORDS:
        raise RequestWrong(f"The selection has {len(words):,} words; at most {MOST_WORDS} are taken. Select fewer.")
    for word in words:
        parse_word(word)
    return tuple(words)


def parse_word(word: str) -> Selected:
    """What one word of a selection means. Raises `RequestWrong` where it is none."""
    found = _WORD.fullmatch(word)
    if found is None:
        raise RequestWrong(
            f"{word!r} selects nothing. Write a model's name; a + before it adds what it reads, a + after it what "
            "reads it."
        )
    return Selected(found[2], bool(found[1]), bool(found[3]))


def names_of(nodes: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """Name -> id of every model; `nodes` are id, name and table of each, and a table names its model as well."""
    known = list(nodes)
    return {table: node for node, _, table in known} | {name: node for node, name, _ in known}


def check_selection(settings: Settings, env: str, selection: Sequence[str]) -> None:
    """Raise `UnknownName` with the choices for a name that no model of the project carries, as far as it is known."""
    known = known_models(settings, env) if selection else None
    if known is not None:
        for word in selection:
            model_named(parse_word(word).name, known)


def model_named(name: str, known: Mapping[str, str]) -> str:
    """The id of the model with this name or table. Raises `UnknownName` with the names of all models."""
    if name not in known:
        raise UnknownName("model", name, [one for one in known if "." not in one])
    return known[name]


def known_models(settings: Settings, env: str) -> dict[str, str] | None:
    """Name -> id of every model, as dbt has parsed the project; None where it has not yet parsed this very one."""
    file = parsed_folder(settings, env) / "manifest.json"
    try:
        nodes: Mapping[str, Mapping[str, Any]] = json.loads(file.read_bytes())["nodes"]
        models = [node for node in nodes.values() if node["resource_type"] in MODELS]
        return names_of((node["unique_id"], node["name"], f"{node['schema']}.{node['alias']}") for node in models)
    except (OSError, ValueError, KeyError):  # it is not there, or is being written
        return None
