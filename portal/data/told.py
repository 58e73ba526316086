"""How the page Data words what it knows: sizes, tests, times.

One rule: what nobody has written down is said to be unknown, never shown as nothing.
"""

import re
from collections.abc import Sequence
from decimal import Decimal

from dash.development.base_component import Component

from lakehouse.core import Workspace
from lakehouse.quality import PASS, Verdict
from lakehouse.releases import Published
from portal import html, wording
from portal.as_of import moment_text
from portal.components.icon import icon
from portal.formats import THIN

UNKNOWN = "Not recorded"
BYTES = ("B", "kB", "MB", "GB", "TB")
STEP = 1000
KINDS = {
    "not_null": "never empty",
    "unique": "no value twice",
    "accepted_values": "known values only",
    "relationships": "found in another table",
}
"""What dbt's own tests say of a column."""

_FIRST = re.compile(r"(.+?[.!?])(?:\s|$)")


def first_sentence(text: str) -> str:
    """The first sentence of a description."""
    found = _FIRST.match(text)
    return found[1] if found else text


def grain_text(grain: str) -> str:
    """What one row is: "One row per order line"."""
    return grain[:1].upper() + grain[1:] or UNKNOWN


def kind_text(verdict: Verdict) -> str:
    """What a test says, in words; the name of one in SQL of its own."""
    return KINDS.get(verdict.kind, verdict.kind.replace("_", " "))


def passed_text(tests: Sequence[Verdict] | None) -> str:
    """How many tests passed: "12 of 12 passed"."""
    if tests is None:
        return UNKNOWN
    if not tests:
        return "No tests"
    passed = sum(verdict.status == PASS for verdict in tests)
    return f"{wording.exact(passed)} of {wording.exact(len(tests))} passed"


def result_text(verdict: Verdict) -> str:
    """How one test went."""
    if verdict.status == PASS:
        return "passed"
    rows = f": {wording.count(verdict.failures, 'row', 'rows')}" if verdict.failures is not None else ""
    return f"warned{rows}"


def test_chip(workspace: Workspace, verdict: Verdict) -> Component:
    """A test and its result; when it last ran stands in its title."""
    good = verdict.status == PASS
    words = kind_text(verdict) + ("" if good else f", {result_text(verdict)}")
    title = f"{verdict.name}: {result_text(verdict)}, last run {moment_text(workspace, verdict.at)}"
    shown: list[Component | str] = [icon("check" if good else "warning", small=True), words]
    return html.Span(shown, className=f"lp-chip {'is-good' if good else 'is-warn'}", title=title)


def size_text(size_bytes: int) -> str:
    """A size: "23.7 kB"."""
    number, power = Decimal(size_bytes), 0
    while number >= STEP and power < len(BYTES) - 1:
        number, power = number / STEP, power + 1
    return f"{wording.exact(number, 1 if power else 0)}{THIN}{BYTES[power]}"


def rows_text(rows: int | None) -> str:
    """A number of rows; None where they cannot be read."""
    return "Cannot be read" if rows is None else wording.exact(rows)


def changed_text(workspace: Workspace, changed: Published | None) -> str:
    """Which release brought a table's snapshot, and when."""
    if changed is None:
        return UNKNOWN
    return f"Release {changed.number}, {moment_text(workspace, changed.published)}"
