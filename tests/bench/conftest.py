"""Options of the benchmarks."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--bench-rows N`: how large the generated lake is."""
    parser.addoption("--bench-rows", type=int, default=1_000_000, help="rows of the benchmarks' lake")


@pytest.fixture(scope="session")
def rows(request: pytest.FixtureRequest) -> int:
    """How many rows the benchmarks' lake has."""
    return int(request.config.getoption("--bench-rows"))
