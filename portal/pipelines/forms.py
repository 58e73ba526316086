"""Forms that order something: a run to start or to end, a release to publish or to discard.

One rule: a form holds no right. `assets/pipelines.js` sends it with the token of its session, and `portal.pipelines
.orders` asks again who may.
"""

from collections.abc import Sequence
from typing import Any

from dash.development.base_component import Component

from lakehouse.core import Workspace
from lakehouse.publish_queue import LONGEST_REASON
from portal import html
from portal.components.attributes import heard
from portal.components.icon import icon
from portal.components.popover import popover
from portal.pipelines.look import Look
from portal.pipelines.words import Record

TESTS = "tests"
"""What the form calls a build of tests only."""

JOBS = (
    ("refresh", "Load, build and test"),
    ("load", "Load only"),
    ("build", "Build and test only"),
    (TESTS, "Test what is released"),
)
REACH = (
    ("", "Nothing else"),
    ("above", "What they read"),
    ("below", "What reads them"),
    ("above below", "Both"),
)
MODELS_SHOWN = 5

Attributes = dict[str, Any]


def order(address: str, body: Sequence[Component], class_name: str = "") -> Component:
    """A form that orders what its address says."""
    return html.Form(list(body), action=address, method="POST", className=class_name or None, **heard("order"))


def field(label: str, control: Component) -> Component:
    """A control under its label."""
    return html.Label([label, control], className="lp-field")


def select(name: str, choices: Sequence[tuple[str, str]], **attributes: Any) -> Component:
    """One of a few, or with `multiple` several: value and words; the first is chosen."""
    options = [html.Option(words, value=value, selected=not at) for at, (value, words) in enumerate(choices)]
    return html.Select(options, name=name, **attributes)


def start_controls(look: Look, env: str, running: str) -> Component:
    """A button that refreshes an environment at once, and a panel with choices; neither while one is `running`."""
    address = f"{look.base}/_runs/start"
    words: list[Component | str] = [icon("refresh"), "Refresh", html.Span(f" {env}", className="lp-hidden")]
    stopped: Attributes = {"disabled": True, "title": f"Run {running} goes on"} if running else {}
    at_once = html.Button(words, type="submit", name="env", value=env, className="lp-button", **stopped)
    if running:
        return html.Div(order(address, [at_once]), className="lp-start is-running")
    panel = order(address, start_choices(look, env), "lp-order is-start")
    more = popover(icon("down", small=True), [panel], label=f"Choices for {env}", class_name="is-icon", arrow=False)
    return html.Div([order(address, [at_once]), more], className="lp-start")


def start_choices(look: Look, env: str) -> list[Component]:
    """What of an environment is refreshed, and why."""
    models = offered_models(look.room(env))
    sources = [("", "All sources"), *((name, name) for name in look.settings.sources)]
    return [
        html.H3(f"Refresh {env}"),
        field("Do", select("job", JOBS if models else JOBS[:-1])),
        html.Div(
            [
                field("Sources", select("source", sources)),
                field("Files", select("files", [("", "What is new"), ("full", "Every file again")])),
            ],
            className="lp-pair",
        ),
        *(_model_fields(models) if models else []),
        field("Reason", _line("reason", "Why, if others should know")),
        html.Button("Start", type="submit", name="env", value=env, className="lp-button is-main"),
    ]


def offered_models(room: Workspace) -> list[str]:
    """The models of an environment that can be chosen: the tables of its release that are built, as far as seen."""
    if not room.has_release:
        return []
    return sorted(table for table in room.release.pins if not table.startswith("raw.") and room.scope.sees(table))


def _model_fields(models: Sequence[str]) -> list[Component]:
    choices = [("", "All models"), *((table, table) for table in models)]
    return [
        field("Models", select("model", choices, multiple=True, size=min(len(choices), MODELS_SHOWN))),
        field("With them", select("reach", REACH)),
        html.P("The other models keep their tables. New rows come in where every model that reads them is chosen."),
    ]


def _line(name: str, placeholder: str) -> Component:
    """A text of one line that may be left empty."""
    return html.Textarea(name=name, rows=1, maxLength=LONGEST_REASON, placeholder=placeholder, className="is-line")


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
