"""What a question is asked of: pinned tables, and the part of them that somebody may see."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Pin:
    """One table at one snapshot: an Iceberg metadata location and a snapshot id (None: the table has no rows yet)."""

    metadata: str
    snapshot: int | None


Pins = Mapping[str, Pin]
"""Logical table name (`marts.daily_revenue`) -> pin, for one request."""


def pins_key(pins: Pins) -> str:
    """A short text that is equal exactly for equal pins; it names attached databases and cache entries."""
    text = "\n".join(f"{name} {pin.metadata} {pin.snapshot}" for name, pin in sorted(pins.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Scope:
    """Which tables somebody may see; users with equal rights share one. None means every table.

    An entry is a table or a whole layer, `marts.*`. There are no pins in it. Column and row rules will join it here.
    """

    tables: frozenset[str] | None = None

    @property
    def key(self) -> str:
        """A short text that is equal exactly for equal rights."""
        tables = frozenset(("*",)) if self.tables is None else self.tables
        # A table beside its own layer adds nothing.
        names = sorted(name for name in tables if name == _layer(name) or _layer(name) not in tables)
        return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]

    def sees(self, table: str) -> bool:
        """Whether the table belongs to what may be seen."""
        return self.tables is None or table in self.tables or _layer(table) in self.tables


def _layer(table: str) -> str:
    layer, dot, _ = table.partition(".")
    return f"{layer}{dot}*"
