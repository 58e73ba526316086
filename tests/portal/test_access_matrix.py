"""Every endpoint and every callback, asked by everybody: made from the app itself, so that nothing new is forgotten.

One rule: what is expected comes from what an endpoint or a page needs, never from a list of names kept here.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from dash import Dash, Input, Output, html
from sqlalchemy import update

from lakehouse.access import policy
from lakehouse.access.identity import Principal
from lakehouse.core import Lakehouse, Workspace
from lakehouse.query.spool import Spooled
from lakehouse.state.schema import sessions, stamp
from portal.app import create_app
from portal.page import OpenWorkspace, Page, Screen, Visit
from portal.pages import PAGES
from tests.pipelines.lake import Lake
from tests.portal.visitor import PASSWORD, ROUTER, Visitor

ROLES = ("viewer", "analyst", "engineer", "admin")
PUBLIC = {"/login": {"GET", "POST"}, "/health": {"GET"}}
STATIC = ("/assets/", "/_dash-component-suites/", "/_favicon.ico")
REFUSED = ("/_reload-hash",)
BUTTON, SAID = "vault-button", "vault-said"


def _vault_layout(_workspace: Workspace, _visit: Visit) -> Screen:
    return Screen([html.Button(id=BUTTON), html.P(id=SAID)])


def _vault_callbacks(app: Dash, _open_workspace: OpenWorkspace) -> None:
    @app.callback(Output(SAID, "children"), Input(BUTTON, "n_clicks"), prevent_initial_call=True)
    def say(_clicks: int | None) -> str:
        return "gold"


def _vault_rows(workspace: Workspace, _visit: Visit) -> Spooled:
    return workspace.export_sql("select 1 as gold")


VAULT = Page(
    "/vault",
    "Vault",
    "admin",
    needs="admin",
    layout=_vault_layout,
    callbacks=_vault_callbacks,
    exports={"": _vault_rows, "gold": _vault_rows},
)
EVERY = (*PAGES, VAULT)


@pytest.fixture(scope="module")
def lakehouse(sample_lake: Lake) -> Iterator[Lakehouse]:
    with Lakehouse.open(sample_lake.home) as lakehouse:
        query = lakehouse.settings.query.model_copy(update={"free_sql": True})  # else one page would not be there
        lakehouse.settings = lakehouse.settings.model_copy(update={"query": query})
        for role in ROLES:
            lakehouse.users.add(f"matrix-{role}", PASSWORD, role)
        yield lakehouse
        for role in ROLES:
            lakehouse.users.remove(f"matrix-{role}")


@pytest.fixture(scope="module")
def app(lakehouse: Lakehouse) -> Dash:
    return create_app(lakehouse, pages=EVERY)


@pytest.fixture(scope="module")
def visitors(app: Dash) -> dict[str, Visitor]:
    """One logged-in browser per role."""
    found = {role: Visitor(app.server) for role in ROLES}
    for role, visitor in found.items():
        assert visitor.log_in(f"matrix-{role}").status_code == 302
    return found


def owners(app: Dash) -> dict[str, Page]:
    """The page that each callback belongs to, found as a reader would: whose module declares it."""
    found = {}
    for page in EVERY:
        alone = Dash("alone")
        if page.callbacks is not None:
            page.callbacks(alone, lambda _version: pytest.fail("no data while callbacks are declared"))
        found.update(dict.fromkeys(alone.callback_map, page))
    return found


def fire(visitor: Visitor, app: Dash, output: str, path: str = "/revenue") -> int:
    """Post one callback with values that a browser might send; the answer's status."""
    entry = app.callback_map[output]

    def values(wanted: list[dict[str, str]]) -> list[tuple[object, str, object]]:
        return [(real(one["id"]), one["property"], path if one["property"] == "pathname" else None) for one in wanted]

    place, _, kind = output.rpartition(".")
    outputs = {"id": real(place), "property": kind} if place.startswith("{") else None
    return visitor.callback(output, values(entry["inputs"]), values(entry["state"]), outputs).status_code


def real(name: str) -> object:
    """The id of a component that there may be, for one of a callback; a pattern stands for many."""
    if not name.startswith("{"):
        return name
    return {key: "anything" if value == ["MATCH"] else value for key, value in json.loads(name).items()}


def test_every_callback_has_an_owner(app: Dash) -> None:
    unowned = set(app.callback_map) - set(owners(app)) - {ROUTER}

    assert unowned == set(), f"No page declares {unowned}; declare callbacks in a page's `callbacks`."


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reaches_the_callbacks_of_the_pages_it_may_open(
    app: Dash, visitors: dict[str, Visitor], role: str
) -> None:
    principal = Principal("anybody", role)
    for output, page in owners(app).items():
        expected = {200, 204} if policy.allows(principal, page.needs) else {403}
        assert fire(visitors[role], app, output) in expected, (role, output)


@pytest.mark.parametrize("page", EVERY, ids=lambda page: page.title)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_the_pages_that_it_may(app: Dash, visitors: dict[str, Visitor], role: str, page: Page) -> None:
    expected = 200 if policy.allows(Principal("anybody", role), page.needs) else 403

    assert visitors[role].get(page.path).status_code == expected
    assert visitors[role].show(page.path).status_code == expected
    assert fire(visitors[role], app, ROUTER, page.path) == expected


@pytest.mark.parametrize("page", EVERY, ids=lambda page: page.title)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_gets_the_files_of_the_pages_that_it_may_open(
    app: Dash, visitors: dict[str, Visitor], role: str, page: Page
) -> None:
    expected = 200 if policy.allows(Principal("anybody", role), page.needs) else 403
    for tile in page.exports:
        address = f"/export{page.path}{f'/{tile}' if tile else ''}.csv"
        fields = {"q": "select 1", "csrf_token": visitors[role].token}

        by_post = visitors[role].post(address, data=fields).status_code
        by_link = visitors[role].get(address).status_code

        assert (by_post if page.exports_by_post else by_link) == expected
        assert (by_link if page.exports_by_post else by_post) == (405 if expected == 200 else 403)
        assert visitors[role].post(address, data={"q": "select 1"}).status_code == 403
        assert Visitor(app.server).get(address).status_code == 401
        assert Visitor(app.server).post(address, data=fields).status_code == 401


def test_the_menu_names_the_pages_that_one_may_open(visitors: dict[str, Visitor]) -> None:
    shown = {role: visitor.page("/revenue").links for role, visitor in visitors.items()}

    assert "Vault" in shown["admin"]
    assert [role for role in ROLES if "Vault" in shown[role]] == ["admin"]


def test_nobody_without_a_session_reaches_a_callback(app: Dash) -> None:
    for output in app.callback_map:
        assert fire(Visitor(app.server), app, output) == 401, output


def test_every_endpoint_asks_for_a_session_unless_it_is_public(app: Dash) -> None:
    stranger = Visitor(app.server)
    for rule in app.server.url_map.iter_rules():
        path = str(rule).replace("<path:path>", "revenue").replace("<string:package_name>", "dash")
        path = path.replace("<path:filename>", "lakeport.css").replace("<path:fingerprinted_path>", "deps/x.js")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            with stranger.client.open(path, method=method) as answer:
                status = answer.status_code
            if method in PUBLIC.get(path, set()) or path.startswith(STATIC):
                assert status not in (401, 302), (method, path)
            elif method == "GET" and not path.startswith(("/_", "/export/")):
                assert status == 302, (method, path)
            else:
                assert status == 401, (method, path)


def test_a_page_without_a_session_leads_to_the_login_form_and_back(app: Dash) -> None:
    answer = Visitor(app.server).get("/revenue?region=North&at=1")

    assert answer.headers["Location"] == "/login?next=%2Frevenue%3Fregion%3DNorth%26at%3D1"


@pytest.mark.parametrize("path", REFUSED)
def test_what_has_no_owner_is_refused_to_everybody(visitors: dict[str, Visitor], path: str) -> None:
    assert {visitor.get(path).status_code for visitor in visitors.values()} == {403}


def test_an_unknown_output_is_refused(visitors: dict[str, Visitor]) -> None:
    for output in ("nobody.children", "", "shell-page.children", f"{ROUTER}x"):
        assert visitors["admin"].callback(output, []).status_code == 403


def test_the_router_shows_what_was_checked_and_nothing_else(visitors: dict[str, Visitor]) -> None:
    forged = [("x", "value", "/vault"), ("x", "pathname", "/revenue"), ("x", "search", "")]
    answer = visitors["viewer"].callback(ROUTER, forged)

    assert "Vault" not in answer.get_data(as_text=True)
    twice = [("x", "pathname", "/vault"), ("x", "pathname", "/revenue"), ("x", "search", "")]
    assert visitors["viewer"].callback(ROUTER, twice).status_code == 403


def _fresh(app: Dash, role: str = "viewer") -> Visitor:
    visitor = Visitor(app.server)
    assert visitor.log_in(f"matrix-{role}").status_code == 302
    assert visitor.show("/revenue").status_code == 200
    return visitor


def assert_over(app: Dash, visitor: Visitor) -> None:
    """Nothing is left of the session: callbacks say 401, pages lead to the login form."""
    for output in app.callback_map:
        assert fire(visitor, app, output) == 401, output
    assert visitor.get("/revenue").status_code == 302
    assert visitor.get("/_dash-layout").status_code == 401


def test_a_forged_session_is_none(app: Dash) -> None:
    visitor = _fresh(app)
    cookie = visitor.client.get_cookie("lakeport_session")
    assert cookie is not None
    visitor.client.set_cookie("lakeport_session", cookie.value[:-4] + "AAAA")

    assert_over(app, visitor)


def test_a_session_that_was_logged_out_stays_so_though_its_cookie_was_kept(app: Dash) -> None:
    visitor = _fresh(app)
    cookie = visitor.client.get_cookie("lakeport_session")
    token = visitor.client.get_cookie("_csrf_token")
    assert cookie is not None
    assert token is not None
    assert visitor.post("/logout", headers={"X-CSRFToken": token.value}).status_code == 302
    visitor.client.set_cookie("lakeport_session", cookie.value)

    assert_over(app, visitor)


def test_disabling_acts_at_once(app: Dash, lakehouse: Lakehouse) -> None:
    visitor = _fresh(app)
    lakehouse.users.set("matrix-viewer", disabled=True)
    try:
        assert_over(app, visitor)
    finally:
        lakehouse.users.set("matrix-viewer", disabled=False)


def test_a_lower_role_acts_at_once(app: Dash, lakehouse: Lakehouse) -> None:
    visitor = _fresh(app, "admin")
    assert visitor.get("/vault").status_code == 200
    lakehouse.users.set("matrix-admin", role="viewer")
    try:
        assert visitor.get("/vault").status_code == 403
        assert fire(visitor, app, f"{SAID}.children") == 403
    finally:
        lakehouse.users.set("matrix-admin", role="admin")


@pytest.mark.parametrize(
    "aged",
    [{"seen": timedelta(minutes=121)}, {"created": timedelta(hours=25)}],
    ids=["not used for too long", "too old in all"],
)
def test_a_session_ends_by_itself(app: Dash, lakehouse: Lakehouse, aged: dict[str, timedelta]) -> None:
    visitor = _fresh(app)
    back = {column: stamp(datetime.now(UTC) - age) for column, age in aged.items()}
    with lakehouse.state.write() as connection:
        connection.execute(update(sessions).where(sessions.c.user == "matrix-viewer").values(**back))

    assert_over(app, visitor)


def test_a_callback_without_the_token_of_its_page_is_refused(visitors: dict[str, Visitor]) -> None:
    where = [
        ("shell-location", "pathname", "/revenue"),
        ("shell-location", "search", ""),
        ("shell-theme", "data", None),
    ]
    answer = visitors["admin"].callback(ROUTER, where, **{"X-CSRFToken": "forged"})

    assert answer.status_code == 403
