"""Popovers: a button that opens a panel of choices.

One rule: a native `<details>`, so it opens by mouse and keyboard without a script; `assets/lakeport.js` closes it.
"""

from dash.development.base_component import Component

from portal import html
from portal.components.attributes import aria, heard
from portal.components.icon import icon
from portal.components.link import Children, link


def popover(summary: Children, body: Children, label: str = "", class_name: str = "", arrow: bool = True) -> Component:
    """A button with `summary` on it and a panel with `body` below.

    `label` is read out before the words of the button and names the panel. `class_name` goes to the button: `lp-past`,
    `is-icon` or `lp-user`; the last two have no room for the arrow.
    """
    words = [summary] if isinstance(summary, Component | str) else list(summary)
    shown: list[Component | str] = [
        *([html.Span(f"{label}: ", className="lp-hidden")] if label else []),
        *words,
        *([icon("down", small=True)] if arrow else []),
    ]
    named = aria(label=label) if label else {}
    return html.Details(
        [
            html.Summary(shown, className=f"lp-button {class_name}".strip()),
            html.Div(body, className="lp-pop-body", role="group" if label else None, **named),
        ],
        className="lp-pop",
    )


def choice(text: Children, href: str, chosen: bool, keeps_open: bool = False) -> Component:
    """One row of a panel, with a tick when it is chosen; `keeps_open` where several can be."""
    words = [text] if isinstance(text, Component | str) else list(text)
    tick = [icon("check", small=True)] if chosen else []
    kept = heard("keep") if keeps_open else {}
    return link([*words, *tick], href, "lp-choice", "true" if chosen else "", **kept)
