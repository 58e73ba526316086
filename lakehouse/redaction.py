"""Takes secrets out of what tools have printed and errors say, before anybody reads it.

One rule: too much is taken out rather than too little; a log is read for its sentences, never for its passwords.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from lakehouse.access.request import HIDDEN
from lakehouse.settings import Settings

SHORTEST = 6
"""Values shorter than this are no secrets that a text could be searched for: they would stand in ordinary words."""

TELLING = r"password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|key[_-]?id|credential|authorization"
"""Parts of names whose values are secret."""

KEY_FILES = ("secret_key", "mask_key")

_NAMED = re.compile(
    rf"""(?ix) ( (?:{TELLING})[\w.-]{{0,40}} ["']? \s{{0,4}} [:=] \s{{0,4}} (?:(?:bearer|basic)\s+)? )
         ( "[^"\n]*" | '[^'\n]*' | [^\s,;&"'}}\])]+ )"""
)
_SHAPED = (
    (re.compile(r"(?i)(://)[^\s/'\"@]*:[^\s'\"@]*@"), rf"\1{HIDDEN}@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"), HIDDEN),  # JSON web tokens
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), HIDDEN),
)


class Redaction:
    """Knows the secrets of one lake's settings, and what secrets look like elsewhere."""

    def __init__(self, settings: Settings) -> None:
        known = {value for value in _secrets(settings) if len(value) >= SHORTEST}
        longest_first = sorted(known, key=lambda value: (-len(value), value))
        self._known = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def text(self, text: str) -> str:
        """The text without secrets; `***` stands where one was."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        for pattern, instead in _SHAPED:
            text = pattern.sub(instead, text)
        return _NAMED.sub(rf"\1{HIDDEN}", text)


def _secrets(settings: Settings) -> Iterator[str]:
    yield settings.server.secret_key
    for name, value in settings.catalog_properties.items():
        if re.search(TELLING, name, re.IGNORECASE):
            yield value
        yield from _password(value)
    yield from _password(settings.state_url)
    yield from _password(settings.warehouse)
    for name in KEY_FILES:
        yield _own_key(settings.folder / name)


def _password(url: str) -> Iterator[str]:
    found = re.search(r"://[^\s/]*?:([^\s/]*)@", url)
    if found:
        yield from {found[1], unquote(found[1])}


def _own_key(file: Path) -> str:
    try:
        return file.read_bytes().decode("ascii", "replace").strip()
    except OSError:
        return ""
