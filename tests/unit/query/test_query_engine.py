"""DuckDB outside a worker: extensions from packages, a plain connection, pinned scans."""

import datetime
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from query_lake import Lake

from lakehouse.errors import Unavailable
from lakehouse.query.engine import connect, extension_paths, lock, table_function
from lakehouse.quoting import sql_text


def test_extensions_come_from_packages_with_avro_before_iceberg() -> None:
    assert [path.name for path in extension_paths()] == ["avro.duckdb_extension", "iceberg.duckdb_extension"]


def test_a_missing_extension_package_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.query.engine.EXTENSIONS", ("avro", "absent"))

    with pytest.raises(Unavailable, match=r"'absent' is not installed. Install duckdb-extension-absent==\d+\.\d+\.\d+"):
        extension_paths()


def test_an_extension_for_another_duckdb_is_named_with_both_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "duckdb_extension_old"
    (package / "extensions" / "v1.2.3").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "extensions" / "v1.2.3" / "old.duckdb_extension").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("lakehouse.query.engine.EXTENSIONS", ("old",))

    with pytest.raises(Unavailable, match=r"'old' is there for v1\.2\.3, but DuckDB is v"):
        extension_paths()


def test_a_build_can_read_a_pinned_snapshot_and_create_tables(lake: Lake) -> None:
    with connect("256MB", 1) as connection:
        connection.execute(f"CREATE TABLE built AS FROM {table_function(lake.january)}")

        assert connection.execute("SELECT count(*), sum(amount) FROM built").fetchall() == [(20, Decimal("47.50"))]


def test_a_table_without_snapshot_reads_as_no_rows_of_the_right_columns(lake: Lake) -> None:
    with connect("256MB", 1) as connection:
        answer = connection.execute(f"FROM {table_function(lake.empty)}")

        assert [(name, str(kind)) for name, kind, *_ in answer.description] == [
            ("day", "DATE"),
            ("region", "VARCHAR"),
            ("amount", "DECIMAL(18,2)"),
            ("n", "BIGINT"),
        ]
        assert answer.fetchall() == []


def test_a_connection_is_in_utc_also_for_cursors() -> None:
    with connect("256MB", 1) as connection, connection.cursor() as cursor:
        answer = cursor.execute("SELECT TIMESTAMPTZ '2024-07-01 00:00:00+02'::DATE").fetchall()

    assert answer == [(datetime.date(2024, 6, 30),)]


def test_a_locked_connection_reads_its_folders_and_not_those_that_only_begin_like_them(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake2").mkdir()
    for folder in ("lake", "lake2"):
        (tmp_path / folder / "a.csv").write_text("x\n1\n")
    with connect("256MB", 1) as connection:
        lock(connection, [str(tmp_path / "lake")])

        assert connection.execute(f"FROM read_csv({sql_text(str(tmp_path / 'lake' / 'a.csv'))})").fetchall() == [(1,)]
        with pytest.raises(Exception, match="Permission Error"):
            connection.execute(f"FROM read_csv({sql_text(str(tmp_path / 'lake2' / 'a.csv'))})")


def test_holding_a_pool_does_not_import_duckdb() -> None:
    code = "import sys, lakehouse.query.pool, lakehouse.query.engine; print('duckdb' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.getcwd()}
    )

    assert done.stdout == "False\n", done.stderr
