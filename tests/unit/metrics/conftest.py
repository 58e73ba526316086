"""The packaged project's own semantic model, as the real dbt writes it.

One rule: the YAML is that of the project, so a mistake there fails here; only the models' SQL is stubbed.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from lakehouse.metrics.model import Model

MODELS = Path(__file__).parents[3] / "dbt_project" / "models"
PROJECT = """
name: lakeport
version: "1.0"
profile: lakeport
models: {lakeport: {marts: {+schema: marts}, staging: {+schema: staging}}}
"""
PROFILE = 'lakeport: {target: dev, outputs: {dev: {type: duckdb, path: ":memory:"}}}'
SCHEMA = "{% macro generate_schema_name(custom, node) %}{{ custom or target.schema }}{% endmacro %}"


def parse_project(folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs `dbt parse` with warnings as errors; the artefacts are in `target`."""
    return subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "--warn-error", "parse", "--profiles-dir", "."],
        cwd=folder,
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """The semantic manifest and the manifest that dbt makes of the packaged YAML."""
    folder = tmp_path_factory.mktemp("dbt")
    for path in MODELS.rglob("*.yml"):
        target = folder / "models" / path.relative_to(MODELS)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            target.with_name(f"{model['name']}.sql").write_text("select 1 as one", encoding="utf-8")
    (folder / "macros").mkdir()
    (folder / "macros" / "schema.sql").write_text(SCHEMA, encoding="utf-8")
    (folder / "dbt_project.yml").write_text(PROJECT, encoding="utf-8")
    (folder / "profiles.yml").write_text(PROFILE, encoding="utf-8")
    done = parse_project(folder)
    assert done.returncode == 0, done.stdout + done.stderr

    target = folder / "target"
    return json.loads((target / "semantic_manifest.json").read_text()), json.loads(
        (target / "manifest.json").read_text()
    )


@pytest.fixture(scope="session")
def model(artefacts: tuple[dict[str, Any], dict[str, Any]]) -> Model:
    """The packaged project's model."""
    return Model.from_manifest(*artefacts)
