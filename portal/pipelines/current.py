"""A run that goes on: how far it is, step by step, and the last lines of its log.

One rule: what changes while one looks stands in one part of the card, which is drawn the same for the page and for
`GET /_runs`; clocks in it are filled in by the browser, so that nothing is sent only because a second has passed.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from dash.development.base_component import Component

from pipelines.control import RunControl
from pipelines.progress import Progress
from portal import html
from portal.components.attributes import aria, heard
from portal.components.card import card
from portal.components.icon import icon
from portal.components.link import link
from portal.formats import THIN
from portal.pipelines.forms import cancel_control
from portal.pipelines.log_lines import said_log
from portal.pipelines.look import Look
from portal.pipelines.steps import Row, said, step_rows
from portal.pipelines.timeline import timeline
from portal.pipelines.words import Record, job_text, length, moment, quoted_reason, time, who

SIGNS = {"done": "check", "now": "run", "next": "circle", "failed": "close"}


def current_card(look: Look, record: Record, *, is_alone: bool = False) -> Component:
    """A run that goes on, with what can be done about it; `is_alone` on its own page."""
    run, env = record["run"], record["env"]
    open_it = [] if is_alone else [link("Open", look.run_href(run), "lp-button")]
    cancel = [cancel_control(look, record)] if look.room(env).may("operate") else []
    why = f", {quoted_reason(record)}" if quoted_reason(record) else ""
    sub: list[Component | str] = [who(record["starter"]), ", ", time(record["started"], look.now), why]
    buttons = html.Div([*open_it, *cancel], className="lp-buttons")
    title = f"Run {run}, {job_text(record)} of {env}"
    part = live_part(look, record, is_alone=is_alone)
    return card(title, sub, [part], "lp-12" if is_alone else "lp-8", [buttons])


def live_part(look: Look, record: Record, *, is_alone: bool = False) -> Component:
    """What `assets/pipelines.js` keeps up to date."""
    body = part_body(look, record, progress_of(look, record), is_alone=is_alone)
    return html.Div(body, **heard("part", record["run"]))


def progress_of(look: Look, record: Record) -> Progress:
    """How far a run is."""
    return RunControl(look.room(record["env"])).progress(record["run"])


def part_body(look: Look, record: Record, progress: Progress, *, is_alone: bool = False) -> list[Component]:
    """The part's content: the whole run's bar, its steps, on its own page their times, its log."""
    rows = step_rows(progress, record)
    drawn = timeline(look, record, progress) if is_alone else []
    spoken = html.Div(total(look, record, progress), className="lp-total", **heard("said", said(record, rows)))
    return [spoken, steps(rows, look), *drawn, said_log(progress, look.settings.zone)]


def total(look: Look, record: Record, progress: Progress) -> list[Component]:
    """The bar of the whole run, and how long it has taken and will take."""
    words: list[Any] = [html.B(f"{progress.percent}{THIN}%"), " "]
    clock = html.Span(length(progress.elapsed_seconds), **heard("began", record["started"]))
    words += [html.Span([clock, " elapsed", *_left(look, progress)], className="lp-muted")]
    return [bar("Whole run", progress.percent), html.P(words, className="lp-small lp-num")]


def _left(look: Look, progress: Progress) -> list[Component | str]:
    if progress.left_seconds is None:
        return []
    ends = (look.now + timedelta(seconds=progress.left_seconds)).replace(microsecond=0)
    left = html.Span(f"about {length(progress.left_seconds)} left", **heard("ends", ends.isoformat()))
    return [", ", left]


def bar(label: str, percent: int | None) -> Component:
    """A bar with its name; without a value where nobody knows how much there is."""
    known = {"valuenow": str(percent)} if percent is not None else {}
    spoken = aria(label=label, valuemin="0", valuemax="100", **known)
    filled = html.Span(style={"width": f"{percent or 0}%"})
    return html.Span(filled, className="lp-progress", role="progressbar", **spoken)


def steps(rows: Sequence[Row], look: Look) -> Component:
    """The steps, one under the other."""
    return html.Ol([_step(row, look) for row in rows], className="lp-steps")


def _step(row: Row, look: Look) -> Component:
    cells = [
        icon(SIGNS[row.state]),
        html.Span(row.name),
        bar(row.name, row.percent),
        html.Span(row.amount),
        _clock(row, look),
    ]
    current = aria(current="step") if row.state == "now" else {}
    return html.Li(cells, className=f"is-{row.state}", **current)


def _clock(row: Row, look: Look) -> Component:
    if row.started is None:
        return html.Span()
    if row.ended is None:
        if row.state != "now":
            return html.Span()
        began = moment(row.started)
        return html.Span(length((look.now - began).total_seconds()), **heard("began", row.started))
    return html.Span(length((moment(row.ended) - moment(row.started)).total_seconds()))
