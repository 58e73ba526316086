"""The doctor: what it finds, and the cure that it names. It never repairs anything."""

import os
from pathlib import Path

import pytest

from pipelines.create import create_lake
from portal import doctor
from portal.doctor import Check, examine
from tests.portal.command_line import lakeport


def found(home: Path) -> dict[str, Check]:
    return {check["check"]: check for check in examine(home)}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A new lake."""
    return create_lake(tmp_path / "lake", "sales")


def test_a_new_lake_is_healthy(home: Path) -> None:
    said = lakeport("doctor", "--json", home=home)

    assert said.code == 0
    assert {check["state"] for check in said.document} == {"pass"}
    assert all(set(check) == {"check", "state", "detail", "cure"} for check in said.document)
    assert lakeport("doctor", home=home).out.startswith("ok   python: Python 3.")


def test_without_a_lake_the_doctor_says_how_to_make_one_and_makes_nothing(tmp_path: Path) -> None:
    said = lakeport("doctor", "--json", home=tmp_path)

    assert said.code == 4
    states = {check["check"]: check["state"] for check in said.document}
    assert (states["settings"], states["folder"], states["state"]) == ("fail", "fail", "skip")
    assert f"`lakeport init {tmp_path}`" in found(tmp_path)["folder"]["cure"]
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_is_not_there_is_no_error_of_its_own(tmp_path: Path) -> None:
    assert found(tmp_path / "nowhere")["folder"]["state"] == "fail"


@pytest.mark.parametrize(
    "line",
    [
        'password = "hunter2"',
        'catalog = { token = "abc" }',
        'catalog = { "s3.secret-access-key" = "abc" }',
        "client_secret = 'abc#def'",
        'state = "postgresql://ana:hunter2@db/lake"',
        'state = "redis://:hunter2@db/0"',
        'CREDENTIAL = "abc"',
    ],
)
def test_a_secret_in_the_settings_is_found_with_its_line_and_not_repeated(home: Path, line: str) -> None:
    (home / "lakeport.toml").write_text(f"[lake]\n\n{line}\n", encoding="utf-8")

    check = found(home)["secrets"]

    assert (check["state"], check["detail"]) == ("fail", "lakeport.toml, line 3 holds a secret")
    assert "LAKEPORT_<SECTION>__<KEY>_FILE" in check["cure"]


@pytest.mark.parametrize(
    "line",
    [
        '# password = "x"',
        'state = "postgresql://db/lake"',
        'token = { type = "text" }',
        'path = "data/tokens.csv"',
        'token = ""',
    ],
)
def test_what_only_looks_like_a_secret_is_none(home: Path, line: str) -> None:
    (home / "lakeport.toml").write_text(f"{line}\n", encoding="utf-8")

    assert found(home)["secrets"]["state"] == "pass"


def test_a_secret_that_others_can_read_is_found(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"sqlite:///{tmp_path}/x.db", encoding="utf-8")
    monkeypatch.setenv("LAKEPORT_LAKE__STATE_FILE", str(secret))

    secret.chmod(0o644)
    assert found(home)["secrets"]["detail"] == f"{secret} can be read by others; use chmod 600"
    secret.chmod(0o600)
    assert found(home)["secrets"]["state"] == "pass"


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701])
def test_a_folder_that_others_can_enter_is_found(home: Path, mode: int) -> None:
    (home / ".lakeport").chmod(mode)

    check = found(home)["folder"]

    assert check["state"] == "fail"
    assert check["detail"].endswith(f"can be read by others (mode {mode:o}); use chmod 700")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_found(home: Path) -> None:
    (home / ".lakeport").chmod(0o500)

    assert found(home)["folder"]["state"] == "fail"


def test_wrong_settings_are_found_and_do_not_hide_the_other_checks(home: Path) -> None:
    (home / "lakeport.toml").write_bytes(b"[quer]\n\xff")

    checks = found(home)

    assert (checks["settings"]["state"], checks["state"]["state"]) == ("fail", "fail")
    assert "cannot be read" in checks["settings"]["detail"]
    assert checks["secrets"]["state"] == "pass"


def test_a_broken_state_store_is_found(home: Path) -> None:
    (home / ".lakeport" / "state.db").write_bytes(b"no database" * 1000)

    assert found(home)["state"]["detail"].startswith("The state store is not a database.")


def test_a_full_disk_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE_MB", 10**12)

    assert found(home)["disk"]["state"] == "fail"


def test_versions_that_are_not_the_pinned_ones_are_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = ["duckdb==0.1", "no-such-package>=1", 'no-such-extra; extra == "dev"']
    monkeypatch.setattr("portal.doctor.metadata.requires", lambda _: pinned)

    detail = found(home)["versions"]["detail"]

    assert detail.startswith("duckdb is ")
    assert detail.endswith(", not ==0.1; no-such-package is missing")


def test_the_doctor_counts_hot_copies_and_finds_a_folder_that_is_none(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(home)["hot copies"]["detail"] == "0 with 0.0 MiB"

    (home / ".lakeport" / "hot").write_text("no folder", encoding="utf-8")
    check = found(home)["hot copies"]
    assert (check["state"], "read from Iceberg" in check["detail"]) == ("fail", True)

    monkeypatch.setenv("LAKEPORT_QUERY__HOT_TABLE_MB", "0")
    assert found(home)["hot copies"]["state"] == "skip"
