"""`[schedules.<name>]`: what is read, and what is said of each mistake, with its line."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lakehouse.errors import SettingsWrong
from lakehouse.settings import Settings, read_settings

BEFORE = """[environments.dev]
[environments.prod]
[sources.sales]
path = "sales.csv"
columns = { id = { type = "text" } }
[schedules.nightly]
"""
FIRST = BEFORE.count("\n") + 1
"""The line of the schedule's first key."""


def read(home: Path, keys: str, before: str = BEFORE, **environ: str) -> Settings:
    (home / "lakeport.toml").write_text(before + keys, encoding="utf-8")
    return read_settings(home, environ)


def test_a_schedule_needs_an_environment_and_a_time(tmp_path: Path) -> None:
    found = read(tmp_path, 'env = "prod"\ncron = "10 6 * * *"').schedules["nightly"]

    assert (found.env, found.job, found.source, found.full, found.late_minutes) == ("prod", "refresh", None, False, 60)


def test_its_time_is_the_lakes_unless_it_has_a_zone_of_its_own(tmp_path: Path) -> None:
    keys, winter = 'env = "prod"\ncron = "10 6 * * *"\n', datetime(2026, 1, 1, tzinfo=UTC)
    tokyo = {"LAKEPORT_SCHEDULES__NIGHTLY__TIMEZONE": "Asia/Tokyo"}

    lakes = read(tmp_path, keys, LAKEPORT_LAKE__TIMEZONE="Europe/Berlin").times("nightly")
    own = read(tmp_path, keys, LAKEPORT_LAKE__TIMEZONE="Europe/Berlin", **tokyo).times("nightly")

    assert lakes.following(winter) == datetime(2026, 1, 1, 5, 10, tzinfo=UTC)
    assert own.following(winter) == datetime(2026, 1, 1, 21, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("keys", "line", "key", "choices"),
    [
        ('cron = "10 6 * * *"\nenv = "prd"', 1, "env", "known: dev, prod"),
        ('env = "dev"\ncron = "61 6 * * *"', 1, "cron", r"minute \(0-59\)"),
        ('env = "dev"\ncron = "0 0 31 2 *"', 1, "cron", "never due"),
        ('env = "dev"\ncron = "1 1 * * *"\njob = "maintain"', 2, "job", "'refresh', 'load' or 'build'"),
        ('env = "dev"\ncron = "1 1 * * *"\nsource = "crm"', 2, "source", "known: sales"),
        ('env = "dev"\ncron = "1 1 * * *"\njob = "build"\nsource = "sales"', 3, "source", "a build loads nothing"),
        ('env = "dev"\ncron = "1 1 * * *"\njob = "build"\nfull = true', 3, "full", "a build loads nothing"),
        ('env = "dev"\ncron = "1 1 * * *"\ntimezone = "Mars"', 2, "timezone", "Europe/Berlin"),
        ('env = "dev"\ncron = "1 1 * * *"\nlate_minutes = -1', 2, "late_minutes", "greater than or equal to 0"),
        ('env = "dev"\ncron = "1 1 * * *"\ncrom = "x"', 2, "crom", "Did you mean 'cron'"),
    ],
)
def test_a_mistake_names_its_key_its_line_and_what_is_allowed(
    tmp_path: Path, keys: str, line: int, key: str, choices: str
) -> None:
    with pytest.raises(
        SettingsWrong, match=rf"lakeport.toml, line {FIRST + line}: .*schedules\.nightly\.{key}.*{choices}"
    ):
        read(tmp_path, keys)


def test_every_mistake_of_every_schedule_is_told(tmp_path: Path) -> None:
    keys = 'env = "x"\ncron = "1 1 * * *"\nsource = "y"\n[schedules.other]\nenv = "z"\ncron = "1 1 * * *"'

    with pytest.raises(SettingsWrong) as caught:
        read(tmp_path, keys)

    assert [text.split(": ")[1] for text in str(caught.value).splitlines()] == [
        "schedules.nightly.env",
        "schedules.nightly.source",
        "schedules.other.env",
    ]


def test_a_load_needs_something_to_load(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match=r"line 1: schedules\.nightly\.job: there are no sources"):
        read(tmp_path, 'env = "dev"\ncron = "1 1 * * *"', before="[schedules.nightly]\n")


def test_a_mistake_in_a_variable_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match=r"^LAKEPORT_SCHEDULES__NIGHTLY__ENV: schedules\.nightly\.env"):
        read(tmp_path, 'cron = "1 1 * * *"', LAKEPORT_SCHEDULES__NIGHTLY__ENV="prd")
