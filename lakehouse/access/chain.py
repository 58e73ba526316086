"""The chain of the audit: each record holds the hash of the one before it, so none can be changed or taken out unseen.

One rule: a hash covers everything else that the record holds, its number and the hash before it too. This is the linked
time-stamping of Haber and Stornetta, "How to Time-Stamp a Digital Document" (1991), with SHA-256. Whoever can rewrite
the whole store can rewrite the chain; that is seen by a head, `NUMBER:HASH`, which somebody has noted elsewhere.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lakehouse.access.request import canonical
from lakehouse.errors import RequestWrong

BEFORE_THE_FIRST = "0" * 64


@dataclass(frozen=True)
class Link:
    """A record's number and hash."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "Link":
        """The link that `str` has written. Raises `RequestWrong`."""
        found = re.fullmatch(r"(\d{1,18}):([0-9a-fA-F]{64})", text.strip())
        if found is None:
            raise RequestWrong(f"{text!r} is no head of the audit. Give NUMBER:HASH, as `lakeport audit verify` does.")
        return cls(int(found[1]), found[2].lower())


@dataclass(frozen=True)
class Verified:
    """What became of a check: how many records there are, the head, and the first bad number with what is wrong."""

    records: int
    head: str
    bad: int | None = None
    sentence: str = ""


def record_hash(record: Mapping[str, Any]) -> str:
    """The hash of a record: of the hash before it and of all its other columns, as JSON with its keys in order."""
    rest = {name: value for name, value in record.items() if name not in ("hash", "previous")}
    return hashlib.sha256(f"{record['previous']}\n{canonical(rest)}".encode()).hexdigest()


class Chain:
    """A walk along the records, which must begin after `start` and end at `end`."""

    def __init__(self, start: Link, end: Link, noted: Link | None = None) -> None:
        self._last, self._end, self._noted = start, end, noted
        self._start = start
        self._forgotten = ""
        self.records = 0

    def trouble(self, records: Iterable[Mapping[str, Any]]) -> tuple[int, str] | None:
        """The first bad number and what is wrong there; None when all is well. The records come by number."""
        found = self._wrong_noted()
        for record in records:
            if found is not None:
                break
            found = self._wrong(record) or self._wrong_noted()
            self.records += 1
        return found or self._wrong_end()

    def _wrong(self, record: Mapping[str, Any]) -> tuple[int, str] | None:
        number, expected = record["number"], self._last.number + 1
        if number > expected:
            return expected, f"Record {expected} is missing."
        if number < expected:
            return number, f"Record {number} stands before record {expected}, the first that is kept."
        if record["previous"] != self._last.hash:
            return number, f"Record {number} does not follow record {number - 1}: one of them was put in its place."
        if record["hash"] != record_hash(record):
            return number, f"Record {number} was changed."
        self._last = Link(number, record["hash"])
        if record["action"] == "retention":
            self._forgotten = record["target"]
        return None

    def _wrong_noted(self) -> tuple[int, str] | None:
        if self._noted is None or self._noted.number != self._last.number or self._noted.hash == self._last.hash:
            return None
        number = self._noted.number
        return number, f"Record {number} is not the one that was noted: it or one before it was replaced."

    def _wrong_end(self) -> tuple[int, str] | None:
        number = self._last.number
        if number < self._end.number or (self._noted is not None and number < self._noted.number):
            return number + 1, f"Record {number + 1} is missing, and so is all that came after it."
        if number > self._end.number:
            return self._end.number + 1, f"Record {self._end.number + 1} stands behind the last one that was written."
        if self._last.hash != self._end.hash:
            return number, f"Record {number} is not the last one that was written."
        return self._wrong_start()

    def _wrong_start(self) -> tuple[int, str] | None:
        """What is no longer kept was removed by the audit itself, which has said so in a record."""
        if self._start == Link(0, BEFORE_THE_FIRST):
            return None
        if self._forgotten == str(self._start):
            return None
        number = self._start.number
        return number, f"Record {number} and those before it are gone, and no record of a retention says so."
