"""What stands where there is nothing to show: yet, at all, or because something went wrong.

One rule: an empty state says what will be here and how to get it there; an error says what happened, to what, and what
to do next.
"""

from dash.development.base_component import Component

from portal import html
from portal.components.attributes import aria, heard
from portal.components.icon import icon
from portal.components.link import Links, buttons

TOAST = "lp-toast"
TOAST_TEXT = "lp-toast-text"
"""Whatever is set as its children is shown over the page until it is dismissed."""


def toast() -> Component:
    """The place for messages: part of the page from the start, so that a screen reader notices what comes into it."""
    close = html.Button(
        icon("close"),
        className="lp-button is-icon",
        type="button",
        **heard("dismiss"),
        **aria(label="Close the message"),
    )
    message = html.Div([icon("warning"), html.Span(id=TOAST_TEXT), close], className="lp-toast")
    slow = html.P(
        "Still working; large periods take longer", className="lp-toast is-quiet", hidden=True, **heard("slow")
    )
    shown = [message, slow, _news()]
    return html.Div(shown, id=TOAST, className="lp-toasts", role="status", **aria(live="polite"))


def _news() -> Component:
    """The place for a newer release; `assets/follow.js` fills it in."""
    show = html.Button("Show it", className="lp-button", type="button", **heard("again"))
    close = html.Button(
        icon("close"), className="lp-button is-icon", type="button", **heard("hush"), **aria(label="Close the notice")
    )
    words = [icon("info"), html.Span(**heard("words")), show, close]
    return html.Div(words, className="lp-toast is-news", hidden=True, **heard("news"))


def away() -> Component:
    """The bar of a portal that is out of reach; `assets/follow.js` shows it."""
    words = [icon("info"), html.Span(**heard("words"))]
    return html.Div(words, className="lp-away", role="status", hidden=True, **heard("away"))


def empty(title: str, text: str, links: Links = ()) -> Component:
    """Nothing is here; `text` says what will be, and how to get it there."""
    return html.Section([html.H2(title), html.P(text), *buttons(links)], className="lp-empty")


def nothing_released(runs: str) -> Component:
    """Nothing has been released yet; `runs` is the address of the page where that is changed."""
    what = "What this lake holds appears here with the first refresh."
    how = "An engineer starts it on the page Pipelines, or whoever runs the lake with the command lakeport refresh."
    return empty("Nothing here yet", f"{what} {how}", [("Pipelines", runs)])


def error_panel(title: str, text: str, reference: str = "", links: Links = ()) -> Component:
    """Something went wrong; `reference` finds it in the log."""
    under = [html.P(["Reference ", html.Code(reference)], className="lp-small lp-muted")] if reference else []
    head = html.H2([icon("warning"), title])
    return html.Section([head, html.P(text), *under, *buttons(links)], className="lp-error", role="alert")
