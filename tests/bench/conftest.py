"""Options of the benchmarks, and the lakes that they measure: a thousand lines, a million, and as many as asked.

One rule: a lake is made once, by the generator and a refresh as people run it, and only read afterwards.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from lakehouse.core import Lakehouse
from pipelines.create import create_lake
from pipelines.sample.generator import write_sample
from tests.bench.measured import cost_of
from tests.bench.served import HOT, NAME
from tests.portal.visitor import PASSWORD

THOUSAND, MILLION = 1_000, 1_000_000

MakeLake = Callable[[int], Path]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--bench-rows N`: how large the generated lake is; `--bench-lakes FOLDER`: where lakes stay for the next time."""
    parser.addoption("--bench-rows", type=int, default=MILLION, help="rows of the benchmarks' lake")
    parser.addoption("--bench-lakes", type=Path, help="folder in which the benchmarks' lakes stay for the next run")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `size` runs at a thousand lines, a million, and as many as asked, if these are more."""
    if "size" in metafunc.fixturenames:
        most = int(metafunc.config.getoption("--bench-rows"))
        sizes = sorted({min(THOUSAND, most), min(MILLION, most), most})
        metafunc.parametrize("size", sizes, ids=[short(size) for size in sizes])


def short(size: int) -> str:
    """A number of lines as a word of a test's name: 1k, 1M, 10M."""
    for least, letter in ((MILLION, "M"), (THOUSAND, "k")):
        if size % least == 0:
            return f"{size // least}{letter}"
    return str(size)


@pytest.fixture(scope="session")
def rows(request: pytest.FixtureRequest) -> int:
    """How many rows the benchmarks' lake has."""
    return int(request.config.getoption("--bench-rows"))


@pytest.fixture(scope="session")
def make_lake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> MakeLake:
    """The lake of so many lines, refreshed, with the user `served.NAME`, who may look at everything."""
    folder = request.config.getoption("--bench-lakes") or tmp_path_factory.mktemp("lakes")

    def make(size: int) -> Path:
        home = Path(folder, short(size)).resolve()
        if not home.exists():
            create_lake(home, "sales")
            write_sample(home / "data" / "sales.csv", size)
            with Lakehouse.open(home) as lakehouse:
                lakehouse.users.add(NAME, PASSWORD, "viewer")
        cost_of(["pipelines.run", "refresh", "--home", str(home)], home, **HOT)
        return home

    return make


@pytest.fixture(scope="session")
def million(make_lake: MakeLake, rows: int) -> Path:
    """The lake of a million lines; of fewer where fewer are asked for."""
    return make_lake(min(rows, MILLION))
