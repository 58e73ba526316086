"""A catalog in a folder, for the tests of the tables room."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lakehouse.settings import Settings
from lakehouse.tables.catalog import TableCatalog


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[TableCatalog]:
    with closing(TableCatalog(Settings(home=tmp_path), "dev")) as opened:
        (tmp_path / ".lakeport").mkdir()
        yield opened
