"""The frame around every page: menu, header, as-of control, account, toast; and the router that fills it.

One rule: the router is the one callback that shows pages; it draws a page from its address alone.
"""

from collections.abc import Callable, Mapping
from typing import Any

from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component
from flask import current_app, g, request
from flask_login import current_user
from flask_wtf.csrf import generate_csrf

from lakehouse.core import Workspace
from portal import as_of
from portal.components.icon import icon
from portal.components.link import link
from portal.components.popover import popover
from portal.components.states import error_panel, toast, waiting
from portal.errors import trouble
from portal.page import OpenWorkspace, Page, Screen, Visit, open_to
from portal.plain import plain
from portal.screens import Drawn, Screens, draw

LOCATION = "shell-location"
THEME = "shell-theme"
MENU = "shell-menu"
PAGE = "shell-page"
PHONE_ENTRIES = 4


def skeleton() -> Component:
    """The frame before anything is in it."""
    names: Any = {"aria-label": "Pages"}
    return html.Div(
        [
            dcc.Location(id=LOCATION, refresh="callback-nav"),
            dcc.Store(id=THEME),
            html.A("Skip to content", href="#content", className="lp-skip"),
            html.Nav(id=MENU, className="lp-menu", **names),
            html.Div(waiting(), id=PAGE, className="lp-page"),
            toast(),
        ],
        className="lp-app",
    )


def add_router(app: Dash, pages: Mapping[str, Page], open_workspace: OpenWorkspace, screens: Screens) -> None:
    """Declare the callback that shows the page of the address; the guard has said which one that is."""

    @app.callback(
        Output(MENU, "children"),
        Output(PAGE, "children"),
        Input(LOCATION, "pathname"),
        Input(LOCATION, "search"),
        Input(THEME, "data"),
        on_error=_page_of_trouble(pages),
    )
    def show(_path: str, search: str | None, _theme: str | None) -> tuple[Any, Any]:
        page: Page = g.page
        visit = Visit.from_search(current_app.config["LAKEPORT_BASE"] + page.path, search or "", theme())
        workspace = open_workspace(visit.version)
        drawn = screens.show(page, workspace, visit)
        return plain(menu(pages, page)), plain(frame(page, visit, drawn, workspace))


def _page_of_trouble(pages: Mapping[str, Page]) -> Callable[[Exception], tuple[list[Component], list[Component]]]:
    """The border of the router: the frame stays, and the error stands where the page would."""

    def show(error: Exception) -> tuple[list[Component], list[Component]]:
        page: Page = g.page
        said = trouble(error)
        visit = Visit(current_app.config["LAKEPORT_BASE"] + page.path, theme=theme())
        links = [("Show it without filters", visit.path)]
        panel = error_panel(f"{page.title} cannot be shown", said.text, said.reference, links)
        return menu(pages, page), frame(page, visit, draw(Screen([panel])), None)

    return show


def theme() -> str:
    """What the browser says that it shows: `light` or `dark`."""
    return "dark" if request.cookies.get("lakeport_theme") == "dark" else "light"


def menu(pages: Mapping[str, Page], shown: Page) -> list[Component]:
    """The pages that this user may open, in their order; on a phone the first four."""
    base = current_app.config["LAKEPORT_BASE"]
    allowed = open_to(current_user.principal, pages.values())
    entries = [
        html.Li(_entry(page, base, shown is page), className="is-phone" if number < PHONE_ENTRIES else "")
        for number, page in enumerate(allowed)
    ]
    home = allowed[0].path if allowed else "/"
    brand = link([icon("brand"), html.Span("Lakeport")], base + home, "lp-brand")
    return [brand, html.Ul(entries)]


def _entry(page: Page, base: str, is_shown: bool) -> Component:
    return link([icon(page.icon), html.Span(page.title)], base + page.path, current="page" if is_shown else "")


def frame(page: Page, visit: Visit, drawn: Drawn, workspace: Workspace | None) -> list[Component]:
    """Header, as-of bar and filters as one block that stays, and the content below it."""
    header = html.Header(
        [
            html.H1(page.title),
            *([as_of.control(workspace, visit)] if workspace is not None else []),
            _theme_button(),
            _account(),
        ],
        className="lp-header",
    )
    notice = current_app.config["LAKEPORT_NOTICE"]
    labelled: Any = {"aria-label": "Notice"}
    top = [
        *([html.Aside(notice, className="lp-notice", **labelled)] if notice else []),
        header,
        *([as_of.bar(workspace, visit)] if workspace is not None and visit.version != "now" else []),
        *([drawn.filters] if drawn.filters is not None else []),
    ]
    return [
        html.Div(top, className="lp-top"),
        html.Main(drawn.content, id="content", className="lp-content", tabIndex="-1"),
    ]


def _theme_button() -> Component:
    label = "Light theme" if theme() == "dark" else "Dark theme"
    attributes: Any = {"data-lp-theme": THEME, "aria-label": label}
    shown = icon("sun" if theme() == "dark" else "moon")
    return html.Button(shown, className="lp-button is-icon", type="button", title=label, **attributes)


def _account() -> Component:
    base, name = current_app.config["LAKEPORT_BASE"], current_user.name
    initials = "".join(part[:1] for part in name.replace("@", ".").split(".")[:2]).upper()
    body = [
        html.P([html.B(name), html.Span(current_user.principal.role, className="lp-muted")], className="lp-pop-title"),
        html.A("Change password", href=f"{base}/account", className="lp-choice"),
        html.Form(
            [
                dcc.Input(type="hidden", name="csrf_token", value=generate_csrf()),
                html.Button("Log out", type="submit", className="lp-choice"),
            ],
            method="POST",
            action=f"{base}/logout",
        ),
    ]
    return popover(initials, body, label=f"Account of {name}", class_name="lp-user", arrow=False)
