"""What a question is asked of: pinned tables."""

import hashlib
from collections.abc import Mapping, Set
from dataclasses import dataclass


@dataclass(frozen=True)
class Pin:
    """One table at one snapshot: an Iceberg metadata location and a snapshot id (None: the table has no rows yet)."""

    metadata: str
    snapshot: int | None


Pins = Mapping[str, Pin]
"""Logical table name (`marts.daily_revenue`) -> pin, for one request."""


def pins_key(pins: Pins, public: Set[str] = frozenset()) -> str:
    """A short text that is equal exactly for equal pins and tables with public rows.

    It names attached databases and cache entries.
    """
    rows = [f"{name} {pin.metadata} {pin.snapshot} {name in public}" for name, pin in sorted(pins.items())]
    text = "\n".join(rows)
    return hashlib.sha256(text.encode()).hexdigest()[:24]
