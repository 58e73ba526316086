"""Which version of the data a page shows: the control that names it, and the bar that says it is the past.

One rule: both speak of the release that the page's numbers were read from.
"""

from datetime import UTC, datetime

from dash.development.base_component import Component

from lakehouse.core import Workspace
from portal import html, wording
from portal.components.attributes import heard
from portal.components.icon import icon
from portal.components.link import link
from portal.components.popover import choice, popover
from portal.page import Visit

SHOWN_RELEASES = 20


def control(workspace: Workspace, visit: Visit) -> Component:
    """Names the release and its age, and offers the earlier ones."""
    release = workspace.release
    is_now = visit.version == "now"
    age = wording.age(datetime.fromisoformat(release.published), datetime.now(UTC))
    choices = [choice("Now", visit.href(at=None), is_now)] + [
        choice(
            f"Release {past.number} · {moment_text(workspace, past.published)}",
            visit.href(at=str(past.number)),
            visit.version == str(past.number),
        )
        for past in workspace.releases(SHOWN_RELEASES)
    ]
    named = [html.B("Now" if is_now else f"Release {release.number}")]
    detail = f" · release {release.number}, " if is_now else " · "
    grows = html.Span(age, **heard("since", release.published), title=moment_of(workspace))
    summary = [icon("time"), html.Span([*named, html.Span([detail, grows], className="lp-asof-detail lp-muted")])]
    return popover(summary, choices, label="Version of the data", class_name="" if is_now else "lp-past")


def bar(workspace: Workspace, visit: Visit) -> Component:
    """Says that what is shown is the past; it cannot be closed."""
    release, moment = workspace.release, moment_of(workspace)
    later = workspace.at("now").release.number - release.number
    before = f", before {wording.count(later, 'later release', 'later releases')}" if later > 0 else ", the newest one"
    return html.Div(
        [
            icon("time"),
            html.P([html.Strong("You are looking at the past. "), f"Release {release.number}, {moment}{before}"]),
            link("Back to now", visit.href(at=None), "lp-button"),
        ],
        className="lp-asof",
        role="status",
    )


def stamp_text(workspace: Workspace) -> str:
    """The line at the foot of a page: its release and when that was published."""
    said = f"Release {workspace.release.number}", moment_of(workspace), tests_text(workspace)
    return " · ".join(filter(None, said))


def tests_text(workspace: Workspace) -> str:
    """How the tests of the release went; empty where its run was interrupted before it could say so."""
    tests = workspace.runs().tests(workspace.release.run)
    return f"{tests.passed} of {tests.passed + tests.failed} tests passed" if tests is not None else ""


def moment_of(workspace: Workspace) -> str:
    """When the release was published."""
    return moment_text(workspace, workspace.release.published)


def moment_text(workspace: Workspace, text: str) -> str:
    """A time as the state store writes it, in the lake's zone."""
    return wording.moment_text(datetime.fromisoformat(text), workspace.lakehouse.settings.zone)
