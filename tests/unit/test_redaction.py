"""What is taken out of logs and errors before anybody reads them."""

from pathlib import Path

import pytest

from lakehouse.access.keys import own_key
from lakehouse.redaction import Redaction
from lakehouse.settings import Settings

KEY = "k" * 40


def redaction(home: Path) -> Redaction:
    catalog = {"type": "rest", "uri": "https://lake:p%40ss-word@polaris/api", "credential": "client:very-hidden"}
    lake = {"state": "postgresql://ana:db-password@db/state", "catalog": catalog}
    return Redaction(Settings.model_validate({"home": home, "server": {"secret_key": KEY}, "lake": lake}))


@pytest.mark.parametrize(
    "secret",
    [KEY, "db-password", "client:very-hidden", "p@ss-word", "p%40ss-word"],
)
def test_a_secret_of_the_settings_is_taken_out_wherever_it_stands(tmp_path: Path, secret: str) -> None:
    assert redaction(tmp_path).text(f"no way to <{secret}> today") == "no way to <***> today"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("open s3://key:word@host/bucket", "open s3://***@host/bucket"),
        ("password=hunter2, user=ana", "password=***, user=ana"),
        ('{"api_key": "abc def", "rows": 3}', '{"api_key": ***, "rows": 3}'),
        ("AWS_SECRET_ACCESS_KEY=abc/def+ghi", "AWS_SECRET_ACCESS_KEY=***"),
        ("Authorization: Bearer abcdefgh.ijk", "Authorization: Bearer ***"),
        ("sent bearer abcdefghijk", "sent bearer ***"),
        ("got eyJhbGciOi.eyJzdWIi.c2ln back", "got *** back"),
        ("as AKIAABCDEFGHIJKLMNOP", "as ***"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(tmp_path: Path, said: str, shown: str) -> None:
    assert redaction(tmp_path).text(said) == shown


@pytest.mark.parametrize(
    "said",
    [
        "12 rows of raw.sales were read, line 3: 'x'",
        "https://host:8080/path",
        "the password is wrong",
    ],
)
def test_what_is_no_secret_stays(tmp_path: Path, said: str) -> None:
    assert redaction(tmp_path).text(said) == said


def test_the_keys_that_a_lake_has_made_for_itself_are_secrets(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    settings.folder.mkdir()
    key = own_key(settings.folder / "secret_key")

    assert Redaction(settings).text(f"a {key} b") == "a *** b"


def test_a_megabyte_without_a_break_is_read_in_no_time(tmp_path: Path) -> None:
    text = "password" * 130_000

    assert redaction(tmp_path).text(text) == text
