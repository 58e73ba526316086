"""The frame around every page: menu, header, as-of control, account, toast; and the router that fills it.

One rule: the router is the one callback that shows pages; it draws a page from its address alone.
"""

from collections.abc import Callable, Mapping
from typing import Any

from dash import Dash, Input, Output, ctx, dcc
from dash.development.base_component import Component
from flask import current_app, g, request
from flask_login import current_user
from flask_wtf.csrf import generate_csrf

from lakehouse.core import Workspace
from lakehouse.errors import NoRelease
from portal import as_of, html
from portal.components.attributes import aria, heard
from portal.components.icon import icon
from portal.components.link import link
from portal.components.popover import choice, popover
from portal.components.states import away, error_panel, nothing_released, toast
from portal.errors import trouble
from portal.follow import NONE
from portal.guard import is_background
from portal.page import REFRESHES, OpenWorkspace, Page, Screen, Visit, open_to
from portal.plain import plain
from portal.recording import remember
from portal.screens import Drawn, Screens, draw

LOCATION = "shell-location"
THEME = "shell-theme"
MENU = "shell-menu"
PAGE = "shell-page"
PHONE_ENTRIES = 4
FOLDED = "lakeport_menu"
"""The cookie of a menu that was folded."""


def outline() -> dict[str, Any]:
    """What a document shows of the frame before any script has run: the menu, and the page that was asked for."""
    if not current_user.is_authenticated:
        return {"entries": [], "page": None}
    entries = open_to(current_user.principal, current_app.config["LAKEPORT_PAGES"].values())
    return {"entries": entries, "page": g.get("page"), "folded": is_folded()}


def skeleton() -> Component:
    """The frame before anything is in it; until something is, the document shows its outline over it."""
    names: Any = {"aria-label": "Pages"}
    return html.Div(
        [
            dcc.Location(id=LOCATION, refresh="callback-nav"),
            dcc.Store(id=THEME),
            html.A("Skip to content", href="#content", className="lp-skip"),
            html.Nav(id=MENU, className="lp-menu", **names),
            html.Div(id=PAGE, className="lp-page"),
            away(),
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
        visit = Visit.from_search(current_app.config["LAKEPORT_BASE"] + g.place, search or "", theme())
        remember(page, visit, by_itself=is_background())
        workspace = open_workspace(visit.version)
        drawn = screens.show(page, workspace, visit)
        return plain(menu(pages, page)), plain(frame(page, visit, drawn, workspace if workspace.has_release else None))


def _page_of_trouble(pages: Mapping[str, Page]) -> Callable[[Exception], tuple[list[Component], list[Component]]]:
    """The border of the router: the frame stays, and the error stands where the page would."""

    def show(error: Exception) -> tuple[list[Component], list[Component]]:
        page: Page = g.page
        said = trouble(error)
        base = current_app.config["LAKEPORT_BASE"]
        visit = Visit(base + page.path, theme=theme())
        if isinstance(error, NoRelease) and error.nothing_yet:
            panel = nothing_released(base + REFRESHES)
        else:
            links = [("Show it without filters", visit.path)] if ctx.inputs.get(f"{LOCATION}.search") else []
            panel = error_panel(f"{page.title} cannot be shown", said.text, said.reference, links)
        return menu(pages, page), frame(page, visit, draw(Screen([panel])), None)

    return show


def theme() -> str:
    """What the browser says that it shows: `light` or `dark`."""
    return "dark" if request.cookies.get("lakeport_theme") == "dark" else "light"


def is_folded() -> bool:
    """Whether the browser says that its menu is folded."""
    return request.cookies.get(FOLDED) == "folded"


def menu(pages: Mapping[str, Page], shown: Page) -> list[Component]:
    """The pages that this user may open, in their order; on a phone the first four, and the others under More."""
    base = current_app.config["LAKEPORT_BASE"]
    allowed = open_to(current_user.principal, pages.values())
    entries = [
        html.Li(_entry(page, base, shown is page), className="is-phone" if number < PHONE_ENTRIES else "")
        for number, page in enumerate(allowed)
    ]
    others = allowed[PHONE_ENTRIES:]
    if others:
        rows = [choice([icon(page.icon), page.title], base + page.path, shown is page) for page in others]
        marked = "is-current" if shown in others else ""
        more = popover([icon("more"), html.Span("More")], rows, class_name=marked, arrow=False)
        entries.append(html.Li(more, className="lp-more"))
    home = allowed[0].path if allowed else "/"
    brand = link([icon("brand"), html.Span("Lakeport")], base + home, "lp-brand")
    return [brand, html.Ul(entries), _fold_button()]


def _entry(page: Page, base: str, is_shown: bool) -> Component:
    words = [icon(page.icon), html.Span(page.title)]
    return link(words, base + page.path, current="page" if is_shown else "", title=page.title)


def _fold_button() -> Component:
    words = [icon("left"), html.Span("Fold the menu")]
    pressed = aria(pressed="true" if is_folded() else "false")
    return html.Button(
        words, className="lp-menu-fold", type="button", title="Fold the menu", **heard("menu", FOLDED), **pressed
    )


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
        html.Main(drawn.content, id="content", className="lp-content", tabIndex="-1", **followed()),
    ]


def followed() -> dict[str, Any]:
    """What `assets/follow.js` has to know: words for what is shown, and its number where a newer one may follow."""
    if "workspace" not in g:
        return {}
    asked: Workspace = g.workspace
    release = vars(asked).get("release")  # the one that was read, if any: this may be a page that shows an error
    number = NONE if release is None else str(release.number)
    shown = {} if release is None else heard("shown", f"release {number}, as of {as_of.moment_of(asked)}")
    return shown | (heard("release", number) if asked.version == "now" else {})


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
