"""`lakeport serve` with one page more, whose callback is a single tile: `python -m tests.bench.tile_server serve ...`.

One rule: everything but that page is the portal as people have it.
"""

from functools import partial
from typing import Any

from dash import Dash, Input, Output, html

from lakehouse.core import Workspace
from portal import cli, serve, wording
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


PAGE = Page("/tile", "Tile", "data", needs="read", layout=layout, callbacks=callbacks)
WITH_TILE = (*PAGES, PAGE)


def main() -> None:
    serve.create_app = partial(create_app, pages=WITH_TILE)
    cli.main()


if __name__ == "__main__":
    main()
