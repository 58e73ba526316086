"""A demo lake that tests of the command line may refresh; unlike the lakes of the session, its list of runs grows."""

from pathlib import Path

import pytest

from tests.portal.command_line import Said, lakeport


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """A demo lake, and what was said while it was made."""
    home = tmp_path_factory.mktemp("demo") / "a new folder"
    return home, lakeport("demo", "--no-serve", home=home)


@pytest.fixture
def demo_home(demo: tuple[Path, Said]) -> Path:
    """The folder of the demo lake, which has one release."""
    return demo[0]
