"""What travels in the wheel: everything that a lake needs, so that `pip install` of it is enough."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's contents in a folder of their own, as in site-packages."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(ROOT)], check=True)
    with zipfile.ZipFile(next(folder.glob("lakeport-*.whl"))) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def test_the_dbt_project_travels_with_the_wheel(installed: Path) -> None:
    inside, outside = installed / "pipelines" / "dbt_project", ROOT / "dbt_project"

    assert _texts(inside) == _texts(outside)


def test_migrations_and_templates_travel_with_the_wheel(installed: Path) -> None:
    for folder in ("lakehouse/state/migrations", "pipelines/templates"):
        assert _texts(installed / folder) == _texts(ROOT / folder)


def test_a_lake_is_made_and_its_project_found_from_the_wheel_alone(installed: Path, tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from pipelines.create import create_lake\n"
        "from pipelines.inputs import project_folder\n"
        "from lakehouse.settings import read_settings\n"
        "print(project_folder(read_settings(create_lake(Path('lake'), 'sales'))))"
    )

    found = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert found.stdout.strip() == str(installed / "pipelines" / "dbt_project")
    assert (tmp_path / "lake" / "lakeport.toml").exists()


def _texts(folder: Path) -> dict[str, bytes]:
    """Relative name -> content of every file that is no byte code."""
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
