"""Lakes from which the tests of several files start, each made once.

One rule: a test puts its lake back before it does anything with it.
"""

from collections.abc import Callable
from functools import cache

import pytest
from prepared_lakes import Prepared, prepare


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Prepared]:
    """Lakes by kind, each made when it is first needed."""
    return cache(lambda kind: prepare(kind, tmp_path_factory.mktemp(kind)))


@pytest.fixture(scope="session")
def full(prepared: Callable[[str], Prepared]) -> Callable[[], Prepared]:
    """A lake whose loaded file is joined by another."""
    return lambda: prepared("full")
