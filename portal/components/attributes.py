"""Attributes whose names are no Python names: `aria-label`, `data-lp-copy`.

One rule: they are typed as anything, since Dash's components declare only the others.
"""

from typing import Any

HIDDEN: dict[str, Any] = {"aria-hidden": "true"}
"""For what only repeats the words beside it."""


def aria(**said: str) -> dict[str, Any]:
    """`aria(label="Filters", live="polite")` as attributes."""
    return {f"aria-{name}": value for name, value in said.items()}


def heard(name: str, value: str = "") -> dict[str, Any]:
    """What `assets/lakeport.js` listens to: `heard("copy")` is `data-lp-copy`."""
    return {f"data-lp-{name}": value}
