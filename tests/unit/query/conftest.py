"""A lake of real Iceberg tables, and pools of workers on it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from query_lake import Lake, OpenPool, write_lake
from worker_processes import set_others_apart

from lakehouse.query.pool import QueryPool
from lakehouse.settings import QuerySettings


@pytest.fixture(autouse=True)
def _own_workers() -> None:
    """A test that counts or kills workers means its own."""
    set_others_apart()


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return write_lake(tmp_path_factory.mktemp("it's a lake"))


@pytest.fixture
def open_pool(lake: Lake) -> Iterator[OpenPool]:
    """Opens pools on the lake that are closed after the test; keywords are settings."""
    with ExitStack() as stack:

        def opened(folder: Path = lake.folder, mask_key: str = "", **limits: Any) -> QueryPool:
            return stack.enter_context(QueryPool(QuerySettings(**limits), [str(folder)], mask_key))

        yield opened


@pytest.fixture(scope="module")
def pool(lake: Lake) -> Iterator[QueryPool]:
    """One pool for the tests of a module that leave it as it was; nothing is cached in it."""
    with QueryPool(QuerySettings(workers=1, cache_mb=0, memory_mb=512), [str(lake.folder)]) as opened:
        yield opened
