"""Home: whether the numbers are fresh, what has changed since one's last visit, and where one was.

One rule: it tells about the numbers that the other pages show, under the same rights, and makes none of its own.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from dash.development.base_component import Component

from lakehouse.access.visits import Visits
from lakehouse.core import Workspace
from lakehouse.metrics.period import DAY
from portal import html, wording
from portal.as_of import stamp_text
from portal.components.attributes import HIDDEN
from portal.components.card import card
from portal.components.icon import icon
from portal.components.link import link
from portal.components.stamp import stamp
from portal.components.states import empty, nothing_released
from portal.components.table import Cell, Column, table
from portal.components.tile import Change, Tile, tiles
from portal.freshness import Freshness, freshness, published_text, when
from portal.headline import Figure, Headline, Value
from portal.metric_words import decimals, label, meaning
from portal.page import REFRESHES, Page, Screen, Visit, offered, open_to
from portal.periods import Span
from portal.recent import Recent, recent
from portal.since import SHOWN_RELEASES, Rows, Shift, Since, Step

SINCE = "lp-8 lp-since"
SHAPE = ("tiles", "since lp-8", "recent lp-4")
NUMBERS = "/revenue"
"""The page that explains the headline numbers."""


SIGNS = {"good": "check", "bad": "close", "warn": "warning", "accent": "time"}
"""The icon beside how fresh the numbers are in short."""


def layout(others: Sequence[Page], workspace: Workspace, visit: Visit) -> Screen:
    """Home among the other pages."""
    settings = workspace.lakehouse.settings
    now = datetime.now(UTC).astimezone(settings.zone)
    if not workspace.has_release:
        card = fresh_card(freshness(workspace, now), "")
        return Screen([card, nothing_released(visit.path.removesuffix("/") + REFRESHES)])
    open_pages = {page.path: page for page in open_to(workspace.principal, offered(settings, others))}
    explained = replace(visit.only(["at"]), path=visit.path.removesuffix("/") + NUMBERS)
    headline, visits = Headline(workspace), workspace.visits()
    is_now = visit.version == "now"
    told = freshness(workspace, now) if is_now else Freshness("", "", (published_text(workspace, now),))
    content = [fresh_card(told, reach(headline)), *numbers(headline, explained if NUMBERS in open_pages else None)]
    if is_now:
        content.append(since_card(workspace, visits, now))
    looked_at = recent_pages(recent(visits.views, open_pages), visit, now)
    return Screen([*content, looked_at, stamp(stamp_text(workspace))])


def fresh_card(told: Freshness, reaches: str) -> Component:
    """How fresh the numbers are, first in short."""
    first, *others = told.sentences
    said = html.Strong(" ".join(filter(None, (reaches, first))))
    body: list[Component] = [html.P([*_chip(told), said], className="lp-fresh")]
    body += [html.P(sentence, className="lp-muted") for sentence in others]
    if told.error:
        body.append(html.Details([html.Summary("What the run has said"), html.P(told.error)], className="lp-fold"))
    return html.Section([html.H2("Freshness", className="lp-hidden"), *body], className="lp-card lp-home-fresh")


def _chip(told: Freshness) -> list[Component]:
    if not told.short:
        return []
    sign = [icon(SIGNS[told.mood], small=True)] if told.mood in SIGNS else []
    return [html.Span([*sign, told.short], className=f"lp-chip is-{told.mood}" if told.mood else "lp-chip")]


def reach(headline: Headline) -> str:
    """How far the data go, as far as the user may see them."""
    return f"The data go up to {wording.day(headline.bounds.last)}." if headline.bounds is not None else ""


def numbers(headline: Headline, explained: Visit | None) -> list[Component]:
    """The headline numbers as tiles that lead to their page; nothing where the user may see none."""
    if not headline.metrics or not headline.time:
        return []
    if headline.bounds is None:
        return [empty("No rows yet", "Numbers appear here after the next refresh with rows that you may see.")]
    period = headline.period
    href = explained.href(period=period.slug) if explained is not None else ""
    against = f", against the {period.versus}" if period.versus else ""
    head = html.P([html.B(period.label), f" of data, {wording.span_text(period.span)}{against}"], className="lp-muted")
    money = headline.workspace.lakehouse.settings.lake.currency
    shown = tiles([_tile(figure, headline, money, href) for figure in headline.figures], "Headline numbers")
    return [html.Div([head, shown], className="lp-home-numbers")]


def _tile(figure: Figure, headline: Headline, money: str, href: str) -> Tile:
    metric, versus = figure.metric, headline.period.versus
    change = wording.change(figure.change)
    return Tile(
        label=label(metric, money),
        value=wording.short(figure.value, decimals(metric)),
        exact=wording.exact(figure.value),
        change=None
        if change is None
        else Change(change.text, change.direction, meaning(change.direction, metric.higher_is), versus),
        note=headline.period.no_before or "Nothing to compare with",
        trend=figure.trend,
        href=href,
    )


def since_card(workspace: Workspace, visits: Visits, now: datetime) -> Component:
    """What has changed since the last visit."""
    title = "Since your last visit"
    if visits.last is None:
        text = "This is your first visit. From the next one on, this card says what has changed in between."
        return card(title, "", [html.P(text)], SINCE)
    last = when(visits.last.at, now)
    if visits.last.release is None:
        return card(title, last, [html.P("There were no numbers then; these are the first.")], SINCE)
    since = Since(workspace, visits.last)
    if not since.count:
        return card(title, last, [html.P("Nothing has changed: the numbers are those that you saw then.")], SINCE)
    counted = wording.count(since.count, "release", "releases")
    sub = f"{last} · {counted} since then"
    return card(title, sub, [*shifted(since), *counted_rows(since), *released(since, now)], SINCE)


def shifted(since: Since) -> list[Component]:
    """How far the data have grown, and what has changed in the days that were there before."""
    if since.days is None:
        return []
    then, now = since.days
    grown, fixed = _grown(then, now), f"over the days up to {wording.day(then.last)}"
    if all(shift.then == shift.now for shift in since.shifts):
        return [html.P(f"{grown} The numbers {fixed} are the same as then.")]
    money = since.workspace.lakehouse.settings.lake.currency
    columns = [Column("Metric"), *(Column(name, is_number=True) for name in ("Then", "Now", "Change"))]
    rows = [_shift_row(shift, money) for shift in since.shifts]
    return [html.P(f"{grown} The numbers {fixed}:"), table(f"The numbers {fixed}", columns, rows, cards=True)]


def _grown(then: Span, now: Span) -> str:
    """Which days have come since then."""
    if now.last == then.last:
        return "No new days of data."
    if now.last < then.last:
        return f"The data end on {wording.day(now.last)} now, then on {wording.day(then.last)}."
    added = Span(then.last + DAY, now.last)
    return f"{wording.count(added.days, 'new day', 'new days')} of data, {wording.span_text(added)}."


def _shift_row(shift: Shift, money: str) -> list[Cell]:
    places = decimals(shift.metric)
    # On a phone a row is a card without the column's heads.
    then, now = (
        html.Span([html.Span(f"{name} ", className="lp-on-card", **HIDDEN), wording.exact(value, places)])
        for name, value in (("then", shift.then), ("now", shift.now))
    )
    return [label(shift.metric, money), then, now, _difference(shift.then, shift.now, places)]


def _difference(then: Value, now: Value, places: int | None) -> str:
    if then == now:
        return "unchanged"
    if then is None or now is None:
        return wording.NONE
    return ("+" if now > then else "") + wording.exact(now - then, places)


def counted_rows(since: Since) -> list[Component]:
    """The tables that have changed, with the rows that the user may see."""
    known = [rows for rows in since.rows if rows.then is not None and rows.now is not None]
    said = [f"{since.workspace.about(rows.table)['label']}: {_rows_text(rows)}" for rows in known]
    return [html.Ul([html.Li(one) for one in said], className="lp-small")] if said else []


def _rows_text(rows: Rows) -> str:
    then, now = wording.exact(rows.then), wording.exact(rows.now)
    return f"{now} rows, as many as then" if then == now else f"{then} rows then, {now} now"


def released(since: Since, now: datetime) -> list[Component]:
    """The releases since then."""
    columns = [Column("Release"), Column("Published"), Column("Tests"), Column("Changed", is_lesser=True)]
    rows = [_step_row(step, since.workspace, now) for step in since.steps]
    hidden = since.count - SHOWN_RELEASES
    more = [html.P(f"and {wording.count(hidden, 'earlier one', 'earlier ones')}", className="lp-small lp-muted")]
    return [table("Releases since your last visit", columns, rows), *(more if hidden > 0 else [])]


def _step_row(step: Step, workspace: Workspace, now: datetime) -> list[str]:
    changed = [str(workspace.about(table)["label"]) for table in step.changed]
    tests = f"{step.passed} of {step.passed + step.failed} passed" if step.passed + step.failed else wording.NONE
    published = when(datetime.fromisoformat(step.release.published), now)
    return [f"Release {step.release.number}", published, tests, ", ".join(changed) or "no table of yours"]


def recent_pages(pages: Sequence[Recent], visit: Visit, now: datetime) -> Component:
    """Where one was."""
    if not pages:
        return card("Recent pages", "", [html.P("The pages that you open are listed here.")], "lp-4")
    base = visit.path.removesuffix("/")
    rows = [html.Li(_recent(page, base, now)) for page in pages]
    return card("Recent pages", "", [html.Ul(rows, className="lp-recent")], "lp-4")


def _recent(page: Recent, base: str, now: datetime) -> Component:
    said = ", ".join(page.chosen)
    words = [html.Span(page.title), *([html.Span(said, className="lp-muted")] if said else [])]
    age = html.Span(when(page.at, now), className="lp-small lp-muted lp-nowrap")
    return link([html.Span(words, className="lp-recent-words"), age], base + page.address)


def page(others: Sequence[Page]) -> Page:
    """Home beside these pages, which it names as far as somebody may open them."""
    return Page(path="/", title="Home", icon="home", needs="read", layout=partial(layout, others), shape=SHAPE)
