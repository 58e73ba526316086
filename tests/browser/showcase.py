"""A small portal of nothing but components, to try in a browser what scripts and sheets do.

One rule: no data, no login, no other part of the portal; what an answer does stands in the address.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component
from flask import abort, jsonify, make_response, request
from werkzeug.datastructures import MultiDict
from werkzeug.serving import WSGIRequestHandler, make_server

from portal.components.attributes import aria, heard
from portal.components.bars import Bar, bars
from portal.components.card import card, segments
from portal.components.chart import chart
from portal.components.filters import filters, reset, share_button
from portal.components.icon import icon
from portal.components.link import link
from portal.components.popover import choice, popover
from portal.components.stamp import stamp
from portal.components.states import away, toast
from portal.components.table import Column, table_fold
from portal.components.tile import Change, Tile, tiles
from portal.figures.theme import theme
from portal.figures.time_series import Point, Words, ends, time_series

ASSETS = Path(__file__).parents[2] / "assets"
BASE = "/lake"
REGIONS = {"Netherlands": 165_415, "France": 118_668, "Switzerland": 34_127, "A region with a long name": -2_991}
WORDS = Words("Revenue", before="26 weeks before")
"""What the lines of the chart are called."""


class Showcase(Dash):
    """Dash with the document of the portal."""

    def interpolate_index(self, **parts: Any) -> str:
        """The document, with the base path and without a theme, so that theme.js has to find one."""
        return f"""<!doctype html><html lang="en" data-base="{BASE}"
        data-plotly="{BASE}/assets/vendor/plotly-basic.min.js">
        <head>{parts["metas"]}<title>Showcase</title><link rel="icon" href="{BASE}/assets/favicon.svg">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <script src="{BASE}/assets/theme.js"></script>{parts["css"]}</head>
        <body>{parts["app_entry"]}{parts["config"]}{parts["scripts"]}{parts["renderer"]}</body></html>"""


def showcase() -> Dash:
    """The app; `?answer=403` and the like make its callback answer so, `?slow=1.2` as many seconds late."""
    app = Showcase(
        "showcase",
        assets_folder=str(ASSETS),
        assets_ignore=r"^(theme|plotly-basic\.min)\.js$",
        url_base_pathname=f"{BASE}/",
        suppress_callback_exceptions=True,
        enable_mcp=False,
        update_title="",
        add_log_handler=False,
    )
    place = [dcc.Location(id="place", refresh="callback-nav"), dcc.Store(id="shell-theme")]
    page = html.Div(id="page", style={"display": "contents"})
    app.layout = html.Div([*place, page, away(), toast()], className="lp-app")

    @app.callback(
        Output("page", "children"), Input("place", "pathname"), Input("place", "search"), Input("shell-theme", "data")
    )
    def show(_path: str, search: str | None, _theme: str | None) -> list[Component]:
        asked = MultiDict(pair.split("=", 1) for pair in (search or "").lstrip("?").split("&") if "=" in pair)
        if "slow" in asked:
            time.sleep(float(asked["slow"]))
        if "answer" in asked:
            abort(make_response(jsonify(text="The server's own sentence."), int(asked["answer"])))
        return shown(asked.getlist("region"))

    app.server.add_url_rule(f"{BASE}/_release", "release", lambda: jsonify(release=None))
    return app


def shown(chosen: list[str]) -> list[Component]:
    """The menu and the page."""
    points = [week(number) for number in range(26)]
    figure = time_series(points, WORDS, theme(request.cookies.get("lakeport_theme", "")))
    rows = [Bar(name, size, f"{size:,}.00", f"?region={name}", name in chosen) for name, size in REGIONS.items()]
    lines = table_fold("Revenue by week", [Column("Week"), Column("Revenue", True)], [["13 Jun", "1.00"]] * 40)
    change = Change("51.2 %", "up", "better", "26 weeks before")
    menu = html.Ul([html.Li(link([icon("revenue"), html.Span("Revenue")], BASE + "/"), className="is-phone")])
    content = [
        tiles([Tile(name, "408.5 k", "408,524.83", change, trend=[1, 5, 3]) for name in "ABCDE"]),
        card("Revenue by week", "", [chart("graph", figure, "Line chart", ends(points, WORDS)), lines], "lp-8"),
        card(
            "Revenue by region",
            "",
            [bars(rows, "Revenue by region")],
            "lp-4",
            [segments("Grain", [("Day", "?", True)])],
        ),
        stamp("Release 17", link("Another page", f"{BASE}/other")),
    ]
    return [
        html.Nav(menu, className="lp-menu", **aria(label="Pages")),
        html.Div(
            [html.Div(top(chosen), className="lp-top"), html.Main(content, className="lp-content", tabIndex="-1")]
        ),
    ]


def top(chosen: list[str]) -> list[Component]:
    """The header and the filters."""
    version = popover([icon("time"), html.B("Now")], [choice("Now", "?", True)], label="Version of the data")
    switch = html.Button(
        icon("moon"), className="lp-button is-icon", type="button", **heard("theme"), **aria(label="Theme")
    )
    some = [choice(name, f"?region={name}", name in chosen, keeps_open=True) for name in REGIONS]
    controls = [
        popover([html.B("Week")], [choice("Day", "?grain=day", False), choice("Week", "?", True)], label="Grain"),
        popover([html.Span("Region ", className="lp-muted"), html.Span("all")], some, label="Region"),
    ]
    header = html.Header([html.H1("Revenue"), version, switch], className="lp-header")
    return [header, filters("26 weeks, by week", controls, [reset("?"), share_button()])]


def week(number: int) -> Point:
    """A week of the chart; the last one goes on, and one has no value."""
    start, value = date(2011, 6, 13) + timedelta(weeks=number), None if number == 3 else 1_000 * (number + 1)
    said = "no data" if value is None else f"{value:,}.00"
    shares = {"change_text": "+9.1 %", "meaning": "better", "share_text": "3.0 %"}
    return Point(
        start, f"Week {number}", f"{start.day} {start:%b}", value, 9_000, number < 25, said, "9,000.00", **shares
    )


class Quiet(WSGIRequestHandler):
    """Serves without a line for every request."""

    def log_request(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(app: Dash) -> Iterator[str]:
    """The address of the app, for as long as it is served."""
    server = make_server("127.0.0.1", 0, app.server, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{BASE}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
