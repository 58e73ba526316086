"""The verdict on every function of DuckDB: which ones a question may call, and why the others are closed to it.

One rule: a function without a verdict is closed. The verdicts stand in `functions.csv`, one line for each name and
place (`call`: in an expression, `table`: in FROM, `pragma`: in a statement of its own), grouped by what was found in
the review; a test fails when the installed DuckDB has a function that nobody has looked at.
"""

import csv
import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ALLOW, UNSTABLE, DENY = "allow", "unstable", "deny"
"""Verdicts; `unstable` is allowed, but its answer does not depend on the data alone and is not kept."""

WHY_CLOSED: Mapping[str, str] = {
    "catalog": "it shows the engine's own catalog (`lakeport tables` and `lakeport describe TABLE` show yours)",
    "engine": "it changes or shows the engine itself",
    "files": "it reaches files",
    "geometry": "geometry is not offered here",
    "internal": "it is meant for the engine's own plans",
    "log": "it belongs to the engine's log",
    "raising": "it only raises errors",
    "secrets": "it shows secrets",
    "session": "it tells of the process that answers, not of data",
    "statement": "it runs or takes apart other SQL",
    "statistics": "it shows statistics of rows that may not be yours",
    "variant": "variants are not offered here",
    "waiting": "it only waits",
}
"""Groups of closed functions, as the second half of a sentence."""

CLOCK_NAMES = frozenset(("current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"))
"""Names that are functions without parentheses when no column has them: these read the clock."""

SESSION_NAMES = frozenset(("current_catalog", "current_role", "current_schema", "current_user", "session_user", "user"))
"""The same for names that tell of the session."""

_FOLD = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})


def fold(name: str) -> str:
    """A name as DuckDB compares it: only the letters A to Z lose their case.

    Python's `lower` would also turn the sign for kelvin into a `k`, and so find a name where DuckDB finds another.
    """
    return name.translate(_FOLD)


@dataclass(frozen=True)
class Verdict:
    """What the review said about one function at one place."""

    verdict: str
    group: str


@cache
def verdicts() -> Mapping[tuple[str, str], Verdict]:
    """(name, place) -> verdict; read once per process."""
    with (Path(__file__).parent / "functions.csv").open(encoding="utf-8", newline="") as file:
        return {(row["name"], row["place"]): Verdict(row["verdict"], row["group"]) for row in csv.DictReader(file)}


def open_names(place: str) -> Collection[str]:
    """Names that may be called at a place."""
    return [name for (name, where), found in verdicts().items() if where == place and found.verdict != DENY]


def why_not(name: str, place: str) -> str | None:
    """Why the function (folded name) may not be called there, as a sentence; None when it may."""
    found = verdicts().get((name, place))
    if found is not None and found.verdict != DENY:
        return None
    if found is not None:
        return f"The function {name} is not available: {WHY_CLOSED[found.group]}."
    if place == "call" and (name, "table") in verdicts():
        elsewhere = why_not(name, "table")
        return elsewhere or f"The function {name} stands in FROM only."
    return f"There is no function {name!r} here{_like(name, place)}."


def is_stable(name: str, place: str) -> bool:
    """Whether the function's answer depends on its arguments alone."""
    return verdicts()[name, place].verdict == ALLOW


def _like(name: str, place: str) -> str:
    if place == "table":
        return f"; in FROM there are {', '.join(sorted(open_names(place)))}"
    near = difflib.get_close_matches(name, open_names(place), n=3)
    return f"; similar ones: {', '.join(near)}" if near else ""
