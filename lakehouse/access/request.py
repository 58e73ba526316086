"""One request: who asks, through which door, and everything that is asked in it.

One rule: nothing is written here. A door makes a request, hands it on, and has the audit write it before it answers; so
what is collected is bounded, and holds neither secrets nor data.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

LONGEST_TEXT = 4_000
"""Characters of a statement or plan that are kept; of a longer one the beginning, its length and its SHA-256."""

LARGEST_DETAIL = 32_000
"""Characters of all details of one record together; questions beyond that are counted."""

LONGEST_NAME = 200

HIDDEN = "***"
"""Stands in a record for what looked like a secret."""

TELLING_WORDS = ("password", "passwd", "secret", "token", "key_id", "credential", "://")

_TELLING = re.compile(
    rf"""(?i)((?:{"|".join(TELLING_WORDS[:-1])})\w{{0,40}}\W{{1,8}}?)('[^']*(?:'|$)|"[^"]*(?:"|$))|(://)[^\s/'"@]+@"""
)
"""Literals that follow a word for something secret, and what stands before the host of an address."""

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str)


def new_id() -> str:
    """An id for a request: 16 hexadecimal digits."""
    return secrets.token_hex(8)


@dataclass
class Asked:
    """One question and how it was answered; filled in while that happens. `plan` stands for the SQL that it becomes."""

    sql: str = ""
    plan: Mapping[str, Any] | None = None
    scope: str = ""
    pins: str = ""
    release: int | None = None
    tables: Sequence[str] = ()
    outcome: dict[str, Any] = field(default_factory=dict)
    written: str = ""

    def answered(self, rows: int, seconds: float, *, cached: bool, complete: bool) -> None:
        """Say how many rows came back, after how long, whether from memory, and whether it is all of them."""
        self.outcome = {"rows": rows, "ms": round(1000 * seconds, 1), "cached": cached, "complete": complete}

    def text(self) -> str:
        """The question as a record holds it, as JSON."""
        if self.written:
            return self.written
        facts = {"scope": self.scope, "pins": self.pins, "release": self.release, "tables": sorted(self.tables)[:50]}
        rest = canonical({**{name: value for name, value in facts.items() if value}, **self.outcome})
        asked = _bounded("sql", self.sql) if self.plan is None else _bounded("plan", canonical(self.plan), is_json=True)
        return f"{{{asked}{',' if rest != '{}' else ''}{rest[1:]}"

    def again(self) -> "Asked":
        """The same question, answered from what was kept; written out here, once for all who are answered so."""
        again = replace(self, outcome={**self.outcome, "ms": 0, "cached": True})
        return replace(again, written=again.text())


@dataclass
class Request:
    """One request of one principal by one door. `operator` is who acts with the rights of the principal, if another."""

    id: str = field(default_factory=new_id)
    door: str = ""
    address: str = ""
    principal: str = ""
    operator: str = ""
    env: str = ""
    action: str = ""
    target: str = ""
    release: int | None = None
    questions: list[Asked] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    failure: int = 0
    """The status of what has failed without an error here, such as a run in a process of its own."""

    @contextmanager
    def asked(self, question: Asked) -> Iterator[Asked]:
        """Collect a question, also when the block raises: then with the kind of the error, whose text may hold data."""
        self.questions.append(question)
        self.release = question.release if question.release is not None else self.release
        try:
            yield question
        except BaseException as error:
            question.outcome = {"error": type(error).__name__}
            raise

    def repeat(self, questions: Sequence[Asked]) -> None:
        """Collect questions that were asked before, as `Asked.again` gives them, when their answers are given again."""
        self.questions.extend(questions)
        self.release = next((question.release for question in questions if question.release), self.release)

    def note(self, **details: Any) -> None:
        """Add facts to what is recorded: numbers and short texts, no secrets and no data."""
        self.details.update(details)

    def taken(self) -> str:
        """What was collected since the last time, as JSON of bounded length."""
        questions, self.questions = self.questions, []
        details, self.details = self.details, {}
        kept: list[str] = []
        room = LARGEST_DETAIL - 200
        for question in questions:
            text = question.text()
            room -= len(text)
            if room < 0 and kept:  # the first one is bounded by itself
                details["asked_in_all"] = len(questions)
                break
            kept.append(text)
        facts = canonical({name: _short(value) for name, value in details.items()})
        if not kept:
            return facts if len(facts) <= LARGEST_DETAIL else canonical({"details": len(facts)})
        return f'{{"asked":[{",".join(kept)}]' + (f",{facts[1:]}" if details else "}")


def canonical(document: Any) -> str:
    """The one way in which a document is written as JSON here: ASCII, keys in order, no spaces."""
    return _ENCODER.encode(document)


def storable(text: str, longest: int = LONGEST_NAME) -> str:
    """A text as every database takes it: what is no Unicode, and NUL, are shown instead; cut when it is too long."""
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def _short(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_short(one) for one in value[:50]]
    return value if value is None or isinstance(value, bool | int | float) else storable(str(value), 500)


def _bounded(kind: str, text: str, *, is_json: bool = False) -> str:
    """A statement without secrets, or a plan, as a key with its value; a long one is cut, and its SHA-256 names it."""
    if len(text) <= LONGEST_TEXT:
        return f'"{kind}":{text if is_json else canonical(_without_secrets(text))}'
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    shown = _without_secrets(text[: LONGEST_TEXT + 500])[:LONGEST_TEXT]  # a literal may stand across the cut
    return canonical({kind: shown, f"{kind}_characters": len(text), f"{kind}_sha256": digest})[1:-1]


def _without_secrets(text: str) -> str:
    lower = text.lower()
    return _TELLING.sub(_hide, text) if any(word in lower for word in TELLING_WORDS) else text


def _hide(found: re.Match[str]) -> str:
    return f"{found[3]}{HIDDEN}@" if found[3] else f"{found[1]}'{HIDDEN}'"
