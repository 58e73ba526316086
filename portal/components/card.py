"""Cards: a title, what stands under it, and controls beside it.

One rule: a card's title says what is shown, with its unit.
"""

from collections.abc import Sequence

from dash.development.base_component import Component

from portal import html
from portal.components.attributes import aria
from portal.components.link import Children, link


def card(
    title: str, sub: Children, body: Sequence[Component], span: str = "lp-12", extra: Sequence[Component] = ()
) -> Component:
    """A card as wide as `span` of twelve columns (`lp-4` to `lp-8`, `lp-12`); `extra` stands right of the title."""
    under = [html.P(sub)] if sub else []
    head = html.Div([html.Div([html.H2(title), *under]), *extra], className="lp-head")
    return html.Section([head, *body], className=f"lp-card {span}", **aria(label=title))


def segments(label: str, choices: Sequence[tuple[str, str, bool]]) -> Component:
    """One of a few: text, address, and whether it is the chosen one."""
    shown = [link(text, href, current="true" if chosen else "") for text, href, chosen in choices]
    return html.Div(shown, className="lp-segments", role="group", **aria(label=label))
