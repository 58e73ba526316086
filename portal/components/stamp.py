"""The line at the foot of a page: which data everything above it came from.

One rule: every page with data ends with it.
"""

from dash.development.base_component import Component

from portal import html


def stamp(sentence: str | Component, *links: Component) -> Component:
    """The sentence, and links at the right."""
    pushed = [html.Span(list(links), className="lp-push lp-buttons")] if links else []
    return html.Footer([html.Span(sentence), *pushed], className="lp-stamp")
