"""An editor for statements: a field, the buttons that run and stop it, and what puts text into the field.

One rule: `assets/lakeport.js` writes into the field as if somebody had typed, so that undo and the server know of it.
"""

from collections.abc import Sequence

from dash import dcc
from dash.development.base_component import Component

from portal import html
from portal.components.attributes import HIDDEN, heard
from portal.components.icon import icon
from portal.components.link import Children

LONGEST_STATEMENT = 100_000
"""Characters; of more, the guard says so."""


def editor(field_id: str, text: str, label: str, key: str, buttons: Sequence[Component]) -> Component:
    """The field under its label; what it holds is kept as `key` of the page's address."""
    field = dcc.Textarea(
        id=field_id,
        value=text,
        rows=9,
        maxLength=LONGEST_STATEMENT,
        spellCheck=False,
        placeholder="select region, sum(amount) from marts.order_lines group by region",
        className="lp-code",
    )
    shown = html.Label(label, htmlFor=field_id, className="lp-hidden")
    row = html.Div(list(buttons), className="lp-buttons lp-editor-row")
    return html.Div([shown, field, row], className="lp-editor", **heard("editor", key))


def run_button(button_id: str) -> Component:
    """Runs the statement; Ctrl and Enter press it from within the field."""
    return html.Button("Run", id=button_id, className="lp-button is-main", type="button", **heard("run"))


def stop_button(button_id: str) -> Component:
    """Stops what runs; there is nothing to stop until then."""
    return html.Button("Cancel", id=button_id, className="lp-button", type="button", disabled=True)


def insert(text: str, shown: Children, class_name: str = "lp-insert", title: str = "") -> Component:
    """A button that puts a text where the cursor is."""
    return html.Button(shown, type="button", className=class_name, title=title or None, **heard("insert", text))


def replace(text: str, shown: Children) -> Component:
    """A button that puts a text in the place of everything in the field."""
    return html.Button(shown, type="button", className="lp-past-statement", **heard("replace", text))


def wrong(title: str, sentence: str, marked: Component | None = None) -> Component:
    """The statement was not answered; `marked` shows where it is wrong."""
    under = [marked] if marked is not None else []
    return html.Section(
        [html.H2([icon("warning"), title]), html.P(sentence), *under], className="lp-error", role="alert"
    )


def marked_line(number: int, parts: tuple[str, str, str], span: tuple[int, int]) -> Component:
    """A line of the statement with one word of it marked; a click, and its appearing, select that word in the field."""
    before, words, after = parts
    line = html.Code([html.Span(f"{number}  ", className="lp-muted", **HIDDEN), before, html.Mark(words), after])
    start, end = span
    go = html.Button(f"Go to line {number}", type="button", className="lp-button", **heard("place", f"{start}:{end}"))
    return html.Div([line, go], className="lp-marked")
