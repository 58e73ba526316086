"""What is not imported: the core and an unchanged refresh stay light.

One rule: each import is watched in a process of its own, since this one has imported everything long ago.
"""

import json
import subprocess
import sys

import pytest

from tests.conftest import LATE_LINE, SAMPLE_COLUMNS
from tests.pipelines.lake import ROOT, Lake, source

HEAVY = {"alembic", "dbt", "dlt", "duckdb", "pyiceberg", "sqlglot"}


def imported(code: str) -> set[str]:
    """The heavy packages that a process has imported once it has run some code."""
    watch = f"{code}\nimport sys, json\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", watch], cwd=ROOT, capture_output=True, text=True, check=True)
    return HEAVY & set(json.loads(done.stdout.splitlines()[-1]))


def test_the_watch_sees_what_is_imported() -> None:
    assert imported("import sqlglot, duckdb") == {"sqlglot", "duckdb"}


@pytest.mark.parametrize(
    "module",
    ["lakehouse.core", "lakehouse.runs", "lakehouse.query.pool", "portal.cli", "portal.doctor", "pipelines.run"],
)
def test_a_module_that_many_processes_need_is_light(module: str) -> None:
    assert imported(f"import {module}") == set()


def test_a_lake_is_opened_without_anything_heavy(sample_lake: Lake) -> None:
    code = (
        "from pathlib import Path\n"
        "from lakehouse.access.identity import operator\n"
        "from lakehouse.core import Lakehouse\n"
        f"with Lakehouse.open(Path({str(sample_lake.home)!r})) as lake:\n"
        "    workspace = lake.as_user(operator())\n"
        "    assert workspace.sql('select count(*) from marts.order_lines').table.num_rows == 1\n"
        "    assert workspace.measure({'metrics': ['revenue']}).answer.table.num_rows == 1\n"
    )

    assert imported(code) == set()


def test_an_unchanged_refresh_imports_nothing_heavy(lake: Lake) -> None:
    lake.configure(source(columns=SAMPLE_COLUMNS))
    lake.write("sales.csv", f"{','.join(SAMPLE_COLUMNS)}\n{LATE_LINE}")
    assert lake.start().ending == ("success", 0)
    # The run sends its standard output elsewhere and may not be the last to speak: the report goes to a file.
    report = lake.home / "modules.json"
    code = (
        "import json, sys\nfrom pathlib import Path\nfrom pipelines.run import main\n"
        f"code = main(['refresh', '--home', {str(lake.home)!r}])\n"
        f"Path({str(report)!r}).write_text(json.dumps([code, sorted(sys.modules)]))\n"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    exit_code, modules = json.loads(report.read_text(encoding="utf-8"))
    assert exit_code == 0
    assert '"message": "unchanged"' in done.stdout
    assert HEAVY & {name.split(".")[0] for name in modules} == set()
