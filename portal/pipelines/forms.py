"""Forms that order something: a run to start or to end, a release to publish or to discard.

One rule: a form holds no right. `assets/pipelines.js` sends it with the token of its session, and `portal.pipelines
.orders` asks again who may.
"""

from collections.abc import Sequence
from typing import Any

from dash.development.base_component import Component

from portal import html
from portal.components.attributes import heard
from portal.components.icon import icon
from portal.components.popover import popover
from portal.pipelines.look import Look
from portal.pipelines.words import Record

LONGEST_REASON = 500

Attributes = dict[str, Any]


def order(address: str, body: Sequence[Component], class_name: str = "") -> Component:
    """A form that orders what its address says."""
    return html.Form(list(body), action=address, method="POST", className=class_name or None, **heard("order"))


def field(label: str, control: Component) -> Component:
    """A control under its label."""
    return html.Label([label, control], className="lp-field")


def select(name: str, choices: Sequence[tuple[str, str]]) -> Component:
    """One of a few: value and words; the first is chosen."""
    return html.Select([html.Option(words, value=value) for value, words in choices], name=name)


def start_controls(look: Look, env: str, running: str) -> Component:
    """A button that refreshes an environment at once, and a panel with choices; neither while one is `running`."""
    address = f"{look.base}/_runs/start"
    words: list[Component | str] = [icon("refresh"), "Refresh", html.Span(f" {env}", className="lp-hidden")]
    stopped: Attributes = {"disabled": True, "title": f"Run {running} goes on"} if running else {}
    at_once = html.Button(words, type="submit", name="env", value=env, className="lp-button", **stopped)
    if running:
        return html.Div(order(address, [at_once]), className="lp-start is-running")
    panel = order(address, start_choices(look, env), "lp-order")
    more = popover(icon("down", small=True), [panel], label=f"Choices for {env}", class_name="is-icon", arrow=False)
    return html.Div([order(address, [at_once]), more], className="lp-start")


def start_choices(look: Look, env: str) -> list[Component]:
    """What of an environment is refreshed."""
    jobs = [("refresh", "Load, build and test"), ("load", "Load only"), ("build", "Build and test only")]
    sources = [("", "All sources"), *((name, name) for name in look.settings.sources)]
    files = [("", "What is new"), ("full", "Every file again")]
    return [
        html.H3(f"Refresh {env}"),
        field("Do", select("job", jobs)),
        field("Sources", select("source", sources)),
        field("Files", select("files", files)),
        html.Button("Start", type="submit", name="env", value=env, className="lp-button is-main"),
    ]


def cancel_control(look: Look, record: Record) -> Component:
    """A button that asks once more before it ends a run."""
    body = [
        html.P(f"Run {record['run']} will publish nothing. What it has loaded stays for the next run."),
        html.Div(
            [
                html.Button("Cancel run", type="submit", className="lp-button is-danger"),
                html.Button("Keep it", type="button", className="lp-button", **heard("keep-it")),
            ],
            className="lp-buttons",
        ),
    ]
    form = order(f"{look.base}/_runs/{record['run']}/cancel", body, "lp-order")
    return popover("Cancel run", [form], label="Confirm", class_name="is-danger", arrow=False)


def reason_field() -> Component:
    """Why somebody decides as they do."""
    text = html.Textarea(
        name="reason", rows=2, required=True, maxLength=LONGEST_REASON, placeholder="Why publish or discard"
    )
    return field("Reason", text)
