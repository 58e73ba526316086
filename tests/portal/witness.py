"""A viewer before the portal of a lake, and oracles beside them that know the rows of its releases.

One rule: the portal is asked over HTTP, the oracles are filled once for each version of the data.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse
from portal.app import create_app
from tests.portal.expected_files import TILES, expected_file
from tests.portal.expected_page import expected_page
from tests.portal.page_numbers import read
from tests.portal.revenue_numbers import differences
from tests.portal.revenue_oracle import Oracle
from tests.portal.visitor import PASSWORD, Visitor

NAME = "witness"

Query = Sequence[tuple[str, str]]
"""The keys and values of an address, in their order."""


@contextmanager
def viewing(lakehouse: Lakehouse, name: str) -> Iterator[Visitor]:
    """A viewer of that name, who has logged in; gone afterwards."""
    lakehouse.users.add(name, PASSWORD, "viewer")
    try:
        visitor = Visitor(create_app(lakehouse).server)
        assert visitor.log_in(name).status_code == 302
        yield visitor
    finally:
        lakehouse.users.remove(name)


@contextmanager
def witness(home: Path) -> Iterator["Witness"]:
    """A witness before the portal of the lake in a folder."""
    with Lakehouse.open(home) as lakehouse, viewing(lakehouse, NAME) as visitor:
        yield Witness(lakehouse, visitor)


class Witness:
    """Whoever compares what a page shows with what it must show."""

    def __init__(self, lakehouse: Lakehouse, visitor: Visitor) -> None:
        self.lakehouse, self.visitor = lakehouse, visitor
        self._oracles: dict[str, Oracle] = {}

    def oracle(self, version: str = "now") -> Oracle:
        """The rows at a version of the data."""
        if version not in self._oracles:
            self._oracles[version] = Oracle(self.lakehouse.as_user(operator()).at(version))
        return self._oracles[version]

    def wrong(self, query: Query) -> list[str]:
        """What the page says wrongly; empty when every number is right."""
        address = revenue(query)
        expected = expected_page(self.oracle(dict(query).get("at", "now")), address)
        return list(differences(expected, read(self.visitor.page(address))))

    def wrong_files(self, query: Query) -> list[str]:
        """What the files of the same page hold wrongly."""
        oracle, (_, _, search) = self.oracle(dict(query).get("at", "now")), revenue(query).partition("?")
        found = []
        for tile in (tile for tile in TILES if tile in (*TILES[:2], *oracle.columns)):
            answer = self.visitor.get(f"/export/revenue/{tile}.csv?raw=1&{search}")
            assert answer.status_code == 200, answer.get_data(as_text=True)
            rows = tuple(map(tuple, csv.reader(io.StringIO(answer.get_data(as_text=True), newline=""))))
            expected = tuple(map(tuple, expected_file(oracle, revenue(query), tile)))
            found += differences(expected, rows, tile)
        return found


def revenue(query: Query) -> str:
    """The address of the page."""
    return "/revenue" + (f"?{urlencode(query)}" if query else "")
