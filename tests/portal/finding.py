"""The search for values of a column on the revenue page, as a browser asks for it.

One rule: it posts what Dash's renderer posts for a callback whose ids are patterns.
"""

import json

from werkzeug.test import TestResponse

from tests.portal.visitor import Shown, Visitor

OUTPUT = '{"column":["MATCH"],"type":"revenue-found"}.children'


def ask(visitor: Visitor, column: object, words: str | None, search: str = "") -> TestResponse:
    """Type some words into the search of a column; None: it was only opened."""
    wanted, opened, found = ({"type": f"revenue-{kind}", "column": column} for kind in ("words", "opened", "found"))
    return visitor.callback(
        OUTPUT,
        [(wanted, "value", words), (opened, "n_clicks", 1)],
        [(wanted, "id", wanted), ("shell-location", "pathname", "/revenue"), ("shell-location", "search", search)],
        outputs={"id": found, "property": "children"},
    )


def shown(answer: TestResponse, column: str) -> Shown:
    """What stands below the search afterwards."""
    place = json.dumps({"column": column, "type": "revenue-found"}, separators=(",", ":"))
    return Shown(answer.get_json()["response"][place]["children"])
