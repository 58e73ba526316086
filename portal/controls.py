"""The controls of a page's filter bar: menus whose entries are links, each to another state of the page.

One rule: what a menu's button says is what holds, so that the bar alone reads as a sentence.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from dash import dcc
from dash.development.base_component import Component

from portal import html
from portal.components.attributes import heard
from portal.components.popover import choice, popover
from portal.conditions import LEAST, MOST, Condition
from portal.page import Visit
from portal.periods import COMPARISONS, PRESETS, Period, allowed_grains

PERIOD_KEYS = ("period", "from", "to", "grain")
"""What a period and the grain that fits it are kept under in a page's address."""


def period_menu(period: Period, visit: Visit) -> Component:
    """Presets, which count back from the last day in the data, and a range of days."""
    other: dict[str, None] = dict.fromkeys(PERIOD_KEYS)
    presets = [
        choice(label, visit.href(**{**other, "period": slug}), slug == period.slug) for slug, label in PRESETS.items()
    ]
    days = [_day("From", "from", period.span.first), _day("To", "to", period.span.last)]
    custom = _form(visit, PERIOD_KEYS, days, "Show these days")
    return popover([html.B(period.label)], [*presets, custom], label="Period")


def grain_menu(grain: str, period: Period, visit: Visit) -> Component:
    """The grains at which a chart can show the period."""
    rows = [choice(one.capitalize(), visit.href(grain=one), one == grain) for one in allowed_grains(period.span)]
    return popover([html.B(grain.capitalize())], rows, label="Grain")


def compare_menu(period: Period, visit: Visit) -> Component:
    """What everything on the page is compared with; the first one is what an address means that says nothing."""
    now, (usual, *_) = period.comparison, COMPARISONS
    rows = [
        choice(label, visit.href(compare=None if slug == usual else slug), slug == now)
        for slug, label in COMPARISONS.items()
    ]
    return popover(_named("Compare", COMPARISONS[now].lower()), rows, label="Compare with")


def condition_menu(condition: Condition, visit: Visit, body: Sequence[Component]) -> Component:
    """A filter as a button that says what it lets through; `body` is what it can be set to."""
    cleared = visit.href(**dict.fromkeys(condition.keys))
    everything = choice(f"All {condition.plural}", cleared, not condition.is_active)
    shown = _named(condition.column.label, condition.said)
    return popover(shown, [everything, *body], label=f"Filter by {condition.singular}")


def toggles(condition: Condition, values: Sequence[str], visit: Visit, *, keeps_open: bool = True) -> list[Component]:
    """One entry per value, which adds it to the filter or takes it away."""
    key = condition.key
    return [
        choice(value, visit.toggled(key, value), value in condition.values, keeps_open=keeps_open) for value in values
    ]


def range_form(condition: Condition, visit: Visit) -> Component:
    """The two ends of a range of numbers; either may stay empty."""
    step = f"{10**-condition.column.type.scale:.{condition.column.type.scale}f}"
    ends = {"From": (LEAST, condition.least), "Up to": (MOST, condition.most)}
    fields = [
        html.Label([text, _number(f"{condition.key}{end}", value, step)], className="lp-field")
        for text, (end, value) in ends.items()
    ]
    return _form(visit, condition.keys, fields, "Show these")


def value_form(condition: Condition, visit: Visit) -> Component:
    """One more value of a column whose values no plan can name."""
    field = dcc.Input(type="text", name=condition.key, required=True)
    return _form(visit, (), [html.Label([f"{condition.column.label} is", field], className="lp-field is-wide")], "Add")


def _named(name: str, said: str) -> list[Component]:
    return [html.Span(name, className="lp-muted"), html.Span(said, className="lp-said-value")]


def _form(visit: Visit, own: Collection[str], fields: Sequence[Component], words: str) -> Component:
    """Fields whose values go into the address, in place of those under the keys of their `own`."""
    kept = [dcc.Input(type="hidden", name=key, value=value) for key, value in visit.values if key not in own]
    send = html.Button(words, type="submit", className="lp-button")
    return html.Form([*kept, *fields, send], className="lp-days", action=visit.path, method="GET", **heard("link"))


def _number(name: str, value: str, step: str) -> Component:
    # Of HTML's own kind: Dash's annotations leave out what it passes on.
    limits: Mapping[str, str] = {"step": step, "inputMode": "decimal"}
    return dcc.Input(type="number", name=name, value=value, **limits)  # type: ignore[arg-type]


def _day(text: str, key: str, day: date) -> Component:
    # The browser's own field for a date; Dash passes the type on, though its annotation leaves it out.
    field = dcc.Input(type="date", name=key, value=day.isoformat())  # type: ignore[arg-type]
    return html.Label([text, field], className="lp-field")
