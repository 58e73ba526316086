"""The tests of each environment: what each of them says, how it went last, when, and in which run.

One rule: what has failed stands first, with a link to the run that says why.
"""

from collections.abc import Sequence

from dash.development.base_component import Component

from lakehouse.core import Workspace
from lakehouse.errors import RequestWrong
from lakehouse.last_tests import last_tests
from lakehouse.quality import FAIL, PASS, WARN, Verdict
from portal import html, wording
from portal.components.card import card, segments
from portal.components.icon import icon
from portal.components.link import link
from portal.components.table import Cell, Column, table
from portal.data.told import kind_text
from portal.pipelines.history import STATE
from portal.pipelines.look import Look
from portal.pipelines.words import NOT_COUNTED, time_cell, told_rows

FAILED = "failed"
SHOWN = (("", "All"), (FAILED, "Failed"))
"""What the address may ask for, and its words."""

RESULTS = {PASS: ("Passed", "good", "check"), WARN: ("Warned", "warn", "warning"), FAIL: ("Failed", "bad", "close")}
"""Status -> its word, its mood and its sign."""
BROKEN = ("Not computed", "bad", "warning")

COLUMNS = (
    Column("Test"),
    Column("Table"),
    Column("Tested"),
    Column("Run", is_lesser=True),
    Column("Failing rows", is_number=True),
    Column("Result"),
)


def verdict_cards(look: Look) -> list[Component]:
    """The tests of each environment that is shown."""
    shown = look.visit.one(STATE)
    if shown not in dict(SHOWN):
        raise RequestWrong(f"No tests in the state {shown!r}. Known: {FAILED}.")
    return [_card(look, room, shown) for room in look.rooms]


def _card(look: Look, room: Workspace, shown: str) -> Component:
    known = last_tests(room)
    title = f"Tests of {room.env}"
    if not known:
        return card(title, "", [html.P(_nothing(room), className="lp-muted")])
    failed = [verdict for verdict in known if not _stands(verdict)]
    listed = sorted(failed if shown == FAILED else known, key=_place)
    choices = [(words, look.visit.href(state=value or None), value == shown) for value, words in SHOWN]
    body = [table(title, COLUMNS, [_row(look, one) for one in listed], cards=True)] if listed else [_good()]
    if any(one.failures is None and _stands(one) for one in listed):
        body.append(html.P(f"{NOT_COUNTED}.", className="lp-small lp-muted lp-note"))
    return card(title, _sub(room, known, failed), body, "lp-12 lp-tests", [segments("Show", choices)])


def _nothing(room: Workspace) -> str:
    if room.has_release and room.release.tests is not None:
        return "No test reads only what you may see."
    return "Tests appear here with their results once a refresh is published."


def _good() -> Component:
    return html.P("Nothing has failed since the release that readers see.", className="lp-muted")


def _sub(room: Workspace, known: Sequence[Verdict], failed: Sequence[Verdict]) -> str:
    counted = wording.count(len(known), "test", "tests")
    stands = f", as release {room.release.number} has them" if room.has_release else ""
    since = " since" if room.has_release else ""
    return f"{counted}{stands}; {wording.exact(len(failed))} failed{since}" if failed else f"{counted}{stands}"


def _stands(verdict: Verdict) -> bool:
    """Whether the test let a release be published."""
    return verdict.status in (PASS, WARN)


def _place(verdict: Verdict) -> tuple[int, str, str, str]:
    order = {FAIL: 0, WARN: 2, PASS: 3}
    return order.get(verdict.status, 1), _table(verdict), verdict.column, verdict.name


def _row(look: Look, verdict: Verdict) -> list[Cell]:
    column = f"{verdict.column}: " if verdict.column else ""
    return [
        html.Span(f"{column}{kind_text(verdict)}", title=verdict.name),
        _table(verdict),
        time_cell(verdict.at, look.now),
        link(verdict.run, look.run_href(verdict.run)),
        _rows(verdict),
        _result(verdict),
    ]


def _table(verdict: Verdict) -> str:
    return verdict.table or ", ".join(verdict.reads)


def _rows(verdict: Verdict) -> str:
    return "" if verdict.status == PASS else told_rows(verdict.failures)


def _result(verdict: Verdict) -> Component:
    word, mood, sign = RESULTS.get(verdict.status, BROKEN)
    return html.Span([icon(sign), word], className=f"lp-state is-{mood}")
