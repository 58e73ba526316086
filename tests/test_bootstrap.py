"""`infra/bootstrap.sh`: it installs once, and what stands in the way ends in one sentence and exit code 4.

The installation that succeeds is a real one, offline: an empty lock and a project with a builder of its own.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOOLS = ("sh", "awk", "cat", "cksum", "df", "dirname", "mkdir", "rm", "touch")
RUN_AGAIN = "then run make again."

PYPROJECT = """
[build-system]
requires = []
build-backend = "builder"
backend-path = ["."]

[project]
name = "tiny"
version = "1"
"""

BUILDER = '''
"""The smallest builder that pip accepts."""
import zipfile


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    with open("builds.log", "a") as log:
        log.write("built\\n")
    info = "tiny-1.dist-info"
    with zipfile.ZipFile(f"{wheel_directory}/tiny-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return "tiny-1-py3-none-any.whl"
'''


class Project:
    """A copy of the script in a folder of its own, and a PATH that holds nothing but what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.path = folder / "path"
        for name in ("infra", "requirements", "lakehouse", "pipelines", "portal"):
            (self.folder / name).mkdir(parents=True)
        shutil.copy(ROOT / "infra" / "bootstrap.sh", self.folder / "infra")
        for name in ("base", "dev"):
            (self.folder / "requirements" / f"{name}.txt").write_text("")
        (self.folder / "pyproject.toml").write_text(PYPROJECT)
        (self.folder / "builder.py").write_text(BUILDER)
        self.path.mkdir()
        for tool in TOOLS:
            (self.path / tool).symlink_to(shutil.which(tool) or pytest.skip(f"needs {tool}"))

    def command(self, name: str, script: str) -> None:
        """Puts a command on the PATH."""
        (self.path / name).unlink(missing_ok=True)
        (self.path / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.path / name).chmod(0o755)

    def python(self, name: str = "python3") -> None:
        """Puts this test's own interpreter on the PATH."""
        self.command(name, f'exec "{sys.executable}" "$@"')

    def run(self, which: str = "base") -> subprocess.CompletedProcess[str]:
        """Runs the script as make does, without a network."""
        return subprocess.run(
            ["sh", "infra/bootstrap.sh", which],
            cwd=self.folder,
            env={"PATH": str(self.path), "PIP_NO_INDEX": "1", "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )

    def refusal(self) -> str:
        """What it says on standard error when it stops; it says nothing else."""
        result = self.run()
        assert result.returncode == 4
        assert result.stdout == ""
        assert result.stderr.count("\n") == 1
        return result.stderr.removesuffix("\n")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def old_python(version: str, lacks: str = "version_info") -> str:
    """A command that says it is a Python, but fails at whatever mentions a word."""
    return f'case "$*" in *python_version*) echo {version} ;; *{lacks}*) exit 1 ;; esac'


def test_without_python_it_says_which_one_is_needed(project: Project) -> None:
    assert project.refusal() == (
        f"Lakeport needs Python 3.11 or newer, and there is no python3 on the PATH. Install it, {RUN_AGAIN}"
    )


def test_a_python_that_is_too_old_is_named(project: Project) -> None:
    project.command("python3", old_python("3.9.2"))

    assert project.refusal() == (
        f"Lakeport needs Python 3.11 or newer, and python3 is Python 3.9.2. Install a newer one, {RUN_AGAIN}"
    )


def test_a_python_without_its_venv_module_is_named(project: Project) -> None:
    project.command("python3", old_python("3.11.2", lacks="ensurepip"))

    assert project.refusal() == (
        "Python 3.11.2 (python3) cannot make virtual environments. "
        f"Install its venv module (Debian, Ubuntu: apt install python3-venv), {RUN_AGAIN}"
    )


def test_a_command_that_only_stands_in_for_a_python_is_passed_over(project: Project) -> None:
    project.command("python3", "echo 'not installed' >&2; exit 127")

    assert "there is no python3" in project.refusal()


def test_a_folder_that_cannot_be_made_is_named(project: Project) -> None:
    project.python()
    (project.folder / ".venv").write_text("a file where a folder should be")

    assert project.refusal() == (
        f"The folder {project.folder}/.venv cannot be made or written. "
        f"Make it writable or copy the project elsewhere, {RUN_AGAIN}"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_named(project: Project) -> None:
    project.python()
    project.folder.chmod(0o555)

    assert f"The folder {project.folder}/.venv cannot be made or written." in project.refusal()


def test_too_little_space_is_named_before_anything_is_installed(project: Project) -> None:
    project.python()
    project.command("df", "echo 'Filesystem 1024-blocks Used Available'; echo '/dev/small 900000 800000 102400'")

    assert project.refusal() == (
        f"There are 100 MB free for {project.folder}/.venv, and installing needs 1500 MB. Free some space, {RUN_AGAIN}"
    )
    assert not (project.folder / ".venv" / "bin").exists()


def test_an_unknown_set_of_packages_is_refused(project: Project) -> None:
    result = project.run("everything")

    assert (result.returncode, result.stderr) == (4, "usage: sh infra/bootstrap.sh base|dev\n")


def test_it_installs_once_and_again_only_when_a_lock_has_changed(project: Project) -> None:
    venv = project.folder / ".venv"
    project.command("python3", old_python("3.9.2"))
    project.python("python3.12")
    # A .venv whose interpreter is gone, as after an upgrade of the machine, is made anew.
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to("/nowhere/python3")

    first = project.run()
    builds = (project.folder / "builds.log").read_text()
    second = project.run()
    builds_after_second = (project.folder / "builds.log").read_text()
    refused = _run_with_lock(project, "nosuch==1.0 --hash=sha256:" + "0" * 64)
    mended = _run_with_lock(project, "# changed")
    dev = project.run("dev")
    base_after_dev = project.run()

    assert (first.returncode, first.stderr.replace(_EMPTY, "")) == (0, "")
    assert first.stdout.startswith("Making .venv with Python 3.")
    assert "Installing requirements/base.txt" in first.stdout
    assert list(venv.glob("lib/python*/site-packages/tiny-1.dist-info/METADATA"))
    assert list(venv.glob("lib/python*/site-packages/__pycache__/tiny.*.pyc"))
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert builds_after_second == builds
    assert refused.returncode == 4
    assert "No matching distribution found for nosuch==1.0" in refused.stderr
    assert refused.stderr.endswith("Solve that, then run make again; what is done is kept.\n")
    assert (mended.returncode, mended.stderr.replace(_EMPTY, "")) == (0, "")
    assert "Making .venv" not in mended.stdout
    assert "Installing requirements/base.txt" in mended.stdout
    assert (dev.returncode, "Installing requirements/dev.txt" in dev.stdout) == (0, True)
    assert (base_after_dev.returncode, base_after_dev.stdout) == (0, "")


_EMPTY = "WARNING: Requirements file [requirements/base.txt] contains no requirements\n"


def _run_with_lock(project: Project, text: str) -> subprocess.CompletedProcess[str]:
    (project.folder / "requirements" / "base.txt").write_text(text + "\n")
    return project.run()
