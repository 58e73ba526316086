"""The bar of filters under the header; on a phone a line that says what is chosen, and a sheet.

One rule: a filter changes the address, nothing else.
"""

from collections.abc import Sequence

from dash.development.base_component import Component

from portal import html
from portal.components.attributes import aria, heard
from portal.components.icon import icon
from portal.components.link import link


def filters(said: str, controls: Sequence[Component], trailing: Sequence[Component] = ()) -> Component:
    """The bar: `controls` from the left, `trailing` at the right; `said` stands there on a phone."""
    opener = html.Button(
        [icon("filter"), "Filters"],
        className="lp-button lp-filters-open",
        type="button",
        **heard("filters"),
        **aria(expanded="false"),
    )
    end = [html.Div(list(trailing), className="lp-filters-end")] if trailing else []
    row = html.Div([*controls, *end], className="lp-filters-row")
    return html.Section(
        [html.Span(said, className="lp-filters-said"), opener, row], className="lp-filters", **aria(label="Filters")
    )


def reset(href: str) -> Component:
    """Takes all filters away; an empty address where there are none."""
    if not href:
        return html.Span("Reset", className="lp-button is-plain", role="link", **aria(disabled="true"))
    return link("Reset", href, "lp-button is-plain")


def share_button() -> Component:
    """Copies the address, which holds everything that is shown."""
    words = html.Span("Share", **heard("words"), **aria(live="polite"))
    return html.Button(
        [icon("link"), words], className="lp-button", type="button", title="Copy the link", **heard("copy")
    )
