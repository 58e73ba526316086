"""The controls of a page's filter bar: menus whose entries are links, each to another state of the page.

One rule: what a menu's button says is what holds, so that the bar alone reads as a sentence.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from dash import dcc, html
from dash.development.base_component import Component

from portal.components.attributes import aria
from portal.components.popover import choice, popover
from portal.page import Visit
from portal.periods import PRESETS, Period, allowed_grains

PERIOD_KEYS = ("period", "from", "to", "grain")
"""What a period and the grain that fits it are kept under in a page's address."""


def period_menu(period: Period, visit: Visit) -> Component:
    """Presets, which count back from the last day in the data, and a range of days."""
    other: dict[str, None] = dict.fromkeys(PERIOD_KEYS)
    presets = [
        choice(label, visit.href(**{**other, "period": slug}), slug == period.slug) for slug, label in PRESETS.items()
    ]
    kept = [dcc.Input(type="hidden", name=key, value=value) for key, value in visit.values if key not in PERIOD_KEYS]
    days = [_day("From", "from", period.span.first), _day("To", "to", period.span.last)]
    send = html.Button("Show these days", type="submit", className="lp-button")
    custom = html.Form([*kept, *days, send], className="lp-days", action=visit.path, method="GET")
    return popover([html.B(period.label)], [*presets, custom], label="Period")


def grain_menu(grain: str, period: Period, visit: Visit) -> Component:
    """The grains at which a chart can show the period."""
    rows = [choice(one.capitalize(), visit.href(grain=one), one == grain) for one in allowed_grains(period.span)]
    return popover([html.B(grain.capitalize())], rows, label="Grain")


def values_menu(name: str, plural: str, visit: Visit, rows: Sequence[Component]) -> Component:
    """A filter by any number of values of a dimension; none of them means all."""
    chosen = visit.many(name)
    said = "all" if not chosen else chosen[0] if len(chosen) == 1 else f"{len(chosen)} chosen"
    everything = choice(f"All {plural}", visit.href(**{name: None}), not chosen)
    summary = [html.Span(name.capitalize(), className="lp-muted"), html.Span(said)]
    return popover(summary, [everything, *rows], label=f"Filter by {name}")


def toggles(name: str, values: Sequence[str], visit: Visit) -> list[Component]:
    """One entry per value, which adds it to the filter or takes it away."""
    chosen = visit.many(name)
    return [choice(value, visit.toggled(name, value), value in chosen, keeps_open=True) for value in values]


FILES = (("csv", "CSV"), ("parquet", "Parquet"))
"""Kinds of files, and what they are called."""


def export_menu(visit: Visit, page: str, tiles: Mapping[str, str]) -> Component:
    """Files of what is shown: by name of a tile its words, such as {"region": "By region"}."""
    base = visit.path.removesuffix(f"/{page}")
    search = visit.href().removeprefix(visit.path)
    rows = [_files(words, f"{base}/export/{page}/{tile}", search) for tile, words in tiles.items()]
    note = html.P("In CSV a text that a spreadsheet would compute gets a leading '.", className="lp-small lp-muted")
    return popover("Export", [*rows, note], label="Files of what is shown")


def _files(words: str, address: str, search: str) -> Component:
    links = [_file(f"{address}.{kind}{search}", name, f"{words}, {name}") for kind, name in FILES]
    return html.Div([html.Span(words), *links], className="lp-files")


def _file(href: str, name: str, label: str) -> Component:
    return html.A(name, href=href, className="lp-choice", download="", **aria(label=label))


def _day(text: str, key: str, day: date) -> Component:
    # The browser's own field for a date; Dash passes the type on, though its annotation leaves it out.
    field = dcc.Input(type="date", name=key, value=day.isoformat(), className="lp-input")  # type: ignore[arg-type]
    return html.Label([text, field], className="lp-field")
