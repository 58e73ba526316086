"""Passwords: which may be chosen, how they are kept, and that asking for an unknown user costs the same."""

import statistics
import subprocess
import sys
import time
from pathlib import Path
from unicodedata import normalize

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.access.passwords import check_password, hash_password, is_outdated, verify
from lakehouse.errors import RequestWrong
from tests.unit.access.conftest import PASSWORD

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("", "The password is too short. Use at least 8 characters."),
        ("1234567", "The password is too short. Use at least 8 characters."),
        ("ﬃ" * 2, "The password is too short. Use at least 8 characters."),  # each becomes three
        ("e\u0301" * 7, "The password is too short. Use at least 8 characters."),
        ("x" * 257, "The password is too long. Use at most 256 characters."),
        ("\ufdfa" * 15, "The password is too long. Use at most 256 characters."),  # each becomes 18
        ("x" * 1_000_000, "The password is too long. Use at most 256 characters."),
        (" " * 8, "The password is made of spaces only. Choose another one."),
        ("\u3000\t" * 8, "The password is made of spaces only. Choose another one."),
        ("anastasia", "The password is the user's own name. Choose another one."),
        ("AnaStasia", "The password is the user's own name. Choose another one."),
        ("ａnastasia", "The password is the user's own name. Choose another one."),
        ("secret \ud800 word", "The password holds a character that is no valid Unicode text. Choose another one."),
    ],
)
def test_a_bad_password_is_refused_with_the_reason(password: str, sentence: str) -> None:
    with pytest.raises(RequestWrong) as caught:
        check_password(password, "anastasia")

    assert str(caught.value) == sentence
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("password", ["12345678", "x" * 256, "    a   ", "ﬃxxxxx", "пароль-мой", "a\0b\0c\0d\0"])
def test_a_good_password_passes_and_is_known_again(password: str) -> None:
    check_password(password, "ana")

    assert verify(hash_password(password), password)


def test_a_password_is_kept_as_argon2id_with_the_parameters_that_owasp_names() -> None:
    found = extract_parameters(hash_password(PASSWORD))

    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (Type.ID, 19_456, 2, 1)
    assert (found.hash_len, found.salt_len) == (32, 16)
    assert not is_outdated(hash_password(PASSWORD))


def test_equal_passwords_are_kept_differently() -> None:
    assert hash_password(PASSWORD) != hash_password(PASSWORD)


@pytest.mark.parametrize(
    "typed", ["", "correct horse batter", "correct horse batteryy", "Correct horse battery", "x" * 1_000_000, "\ud800"]
)
def test_another_password_is_wrong(typed: str) -> None:
    assert not verify(hash_password(PASSWORD), typed)


def test_a_text_that_is_no_unicode_does_not_pass_for_an_empty_one() -> None:
    kept = hash_password("")

    assert not verify(kept, "\ud800")


@given(password=st.text(min_size=1, max_size=60), other=st.text(min_size=1, max_size=60))
@settings(max_examples=25, deadline=None)
def test_exactly_the_same_text_is_right_however_a_keyboard_composes_it(password: str, other: str) -> None:
    kept = hash_password(password)

    assert verify(kept, normalize("NFD", password))
    assert verify(kept, other) == (normalize("NFKC", other) == normalize("NFKC", password))


@pytest.mark.parametrize("typed", [PASSWORD, "", "\ud800"])
def test_nobody_has_the_password_of_an_unknown_user(typed: str) -> None:
    assert not verify(None, typed)


def test_a_password_of_older_parameters_is_still_right_and_known_as_outdated() -> None:
    kept = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)

    assert verify(kept, PASSWORD)
    assert is_outdated(kept)


def test_an_unknown_user_costs_the_same_work_as_a_wrong_password() -> None:
    kept = hash_password(PASSWORD)
    spent: dict[str | None, list[float]] = {kept: [], None: []}

    for _ in range(11):  # in turns, so that whatever else the machine does falls on both
        for one, seconds in spent.items():
            began = time.process_time()
            verify(one, "something else")
            seconds.append(time.process_time() - began)

    known, unknown = map(statistics.median, spent.values())
    assert known == pytest.approx(unknown, rel=0.2)
    assert unknown > 0.005


@pytest.mark.parametrize("first", ["None", "kept"])
def test_also_the_first_refusal_of_a_process_costs_the_same(first: str) -> None:
    code = (
        "import time\nimport argon2\nfrom lakehouse.access import passwords\n"
        "hashes = []\nplain = argon2.PasswordHasher.hash\n"
        f"kept = {hash_password(PASSWORD)!r}\n"
        "argon2.PasswordHasher.hash = lambda *given, **named: hashes.append(1) or plain(*given, **named)\n"
        f"passwords.verify({first}, 'something else')\nprint(len(hashes))"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "1\n"


@pytest.mark.parametrize("module", ["lakehouse.core", "lakehouse.access.users", "portal.cli.app"])
def test_a_process_that_sees_no_password_does_not_import_argon2(module: str) -> None:
    code = f"import sys, {module}\nprint([name for name in sys.modules if name.startswith(('argon2', '_argon2'))])"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
