"""A portal with one page more, whose callback is a single tile: `python -m tests.bench.tile_server HOME PORT`."""

import sys
from pathlib import Path
from typing import Any

from dash import Dash, Input, Output, html
from werkzeug.serving import WSGIRequestHandler, make_server

from lakehouse.core import Lakehouse, Workspace
from portal import wording
from portal.app import create_app
from portal.components.tile import Tile, tile
from portal.page import OpenWorkspace, Page, Screen, Visit
from portal.pages import PAGES
from portal.plain import plain

LEAST, PLACE = "tile-least", "tile-place"


def layout(_workspace: Workspace, _visit: Visit) -> Screen:
    return Screen([html.Div(id=LEAST), html.Div(id=PLACE)])


def callbacks(app: Dash, open_workspace: OpenWorkspace) -> None:
    @app.callback(Output(PLACE, "children"), Input(LEAST, "value"))
    def draw(least: int) -> Any:
        plan = {"metrics": ["revenue"], "where": [["amount", ">=", least]]}
        value = open_workspace("now").measure(plan).answer.table.column("revenue")[0].as_py()
        return plain(tile(Tile("Revenue", wording.short(value, 2), wording.exact(value))))


class Quiet(WSGIRequestHandler):
    """Keeps connections open, as the real server does, and says nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        """Nothing."""


def main() -> None:
    page = Page("/tile", "Tile", "data", needs="read", layout=layout, callbacks=callbacks)
    with Lakehouse.open(Path(sys.argv[1])) as lakehouse:
        app = create_app(lakehouse, pages=(*PAGES, page))
        make_server("127.0.0.1", int(sys.argv[2]), app.server, threaded=True, request_handler=Quiet).serve_forever()


if __name__ == "__main__":
    main()
