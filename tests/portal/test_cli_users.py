"""`lakeport user`: users are made, changed and removed, and a password is never seen again."""

import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lakehouse.access.sessions import Sessions
from lakehouse.access.users import User, Users
from lakehouse.settings import AccessSettings
from lakehouse.state.store import State
from portal.cli.app import app
from tests.pipelines.lake import ROOT, Lake
from tests.portal.command_line import Said, lakeport

PASSWORD = "correct horse battery"  # noqa: S105  # what the tests log in with
STDIN = "--password-stdin"


@pytest.fixture
def home(lake: Lake) -> Path:
    """A lake with nothing in it."""
    lake.configure("")
    return lake.home


@pytest.fixture
def with_ana(home: Path) -> Path:
    """A lake with one user: ana, an analyst."""
    assert given(PASSWORD, "user", "add", "ana", "--role", "analyst", STDIN, home=home).code == 0
    return home


def given(typed: str | bytes, *words: str, home: Path) -> Said:
    """Run one command with something on its standard input."""
    raw = typed if isinstance(typed, bytes) else f"{typed}\n".encode()
    result = CliRunner().invoke(app, [*words, "--home", str(home)], input=raw, prog_name="lakeport")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)


def login(home: Path, name: str, password: str) -> User | None:
    """Who is let in with this name and password."""
    with closing(State(f"sqlite:///{home}/.lakeport/state.db")) as state:
        return Users(state).authenticate(name, password)


def files_with(home: Path, text: str) -> list[Path]:
    """The files of a lake that hold a text."""
    return [path for path in home.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_a_user_is_added_and_can_log_in(home: Path) -> None:
    added = given(PASSWORD, "user", "add", "Ana", "--role", "analyst", STDIN, "--json", home=home)

    assert added.code == 0
    user = login(home, "ana", PASSWORD)
    assert user is not None
    assert added.document == {"name": "ana", "role": "analyst", "disabled": False, "created": user.created, "rules": []}


def test_users_are_listed(with_ana: Path) -> None:
    given(PASSWORD, "user", "add", "ben", "--role", "viewer", STDIN, home=with_ana)
    lakeport("user", "set", "ben", "--disable", home=with_ana)

    as_json, shown = lakeport("user", "list", "--json", home=with_ana), lakeport("user", "list", home=with_ana)

    assert [(user["name"], user["role"], user["disabled"]) for user in as_json.document] == [
        ("ana", "analyst", False),
        ("ben", "viewer", True),
    ]
    assert {*as_json.document[0]} == {"name", "role", "disabled", "created", "rules"}
    assert [line.split()[0:5:2] for line in shown.out.splitlines()[2:]] == [
        ["ana", "analyst", "enabled"],
        ["ben", "viewer", "disabled"],
    ]


def test_without_users_the_list_is_empty(home: Path) -> None:
    assert lakeport("user", "list", "--json", home=home).document == []
    assert lakeport("user", "list", home=home).code == 0


def test_a_role_is_changed(with_ana: Path) -> None:
    changed = lakeport("user", "set", "ANA", "--role", "admin", "--json", home=with_ana)

    assert (changed.code, changed.document["name"], changed.document["role"]) == (0, "ana", "admin")
    user = login(with_ana, "ana", PASSWORD)
    assert user is not None
    assert user.role == "admin"


def test_a_user_is_disabled_and_enabled_again(with_ana: Path) -> None:
    disabled = lakeport("user", "set", "ana", "--disable", home=with_ana)
    while_disabled = login(with_ana, "ana", PASSWORD)
    enabled = lakeport("user", "set", "ana", "--enable", "--json", home=with_ana)

    assert (disabled.code, disabled.out, while_disabled) == (0, "ana is analyst and cannot log in.\n", None)
    assert (enabled.code, enabled.document["disabled"]) == (0, False)
    assert login(with_ana, "ana", PASSWORD) is not None


def test_a_change_of_nothing_is_refused_with_what_can_be_changed(with_ana: Path) -> None:
    refused = lakeport("user", "set", "ana", "--json", home=with_ana)

    assert refused.code == 2
    assert refused.error["text"] == "Say what to change: --role, --rule, --no-rules, --disable or --enable."


def test_a_user_is_removed(with_ana: Path) -> None:
    removed = lakeport("user", "remove", "Ana", "--json", home=with_ana)

    assert (removed.code, removed.document) == (0, {"removed": "ana"})
    assert lakeport("user", "list", "--json", home=with_ana).document == []
    assert login(with_ana, "ana", PASSWORD) is None


def test_a_forgotten_password_is_replaced_and_open_sessions_end(with_ana: Path) -> None:
    with closing(State(f"sqlite:///{with_ana}/.lakeport/state.db")) as state:
        token = Sessions(state, AccessSettings()).open("ana")

        changed = given("staple of another kind", "user", "password", "ana", STDIN, "--json", home=with_ana)

        assert (changed.code, changed.document["name"]) == (0, "ana")
        assert Sessions(state, AccessSettings()).find(token) is None
    assert login(with_ana, "ana", PASSWORD) is None
    assert login(with_ana, "ana", "staple of another kind") is not None


@pytest.mark.parametrize(
    ("typed", "password"),
    [
        (b"first line of it\nsecond line\n", "first line of it"),
        (b"no line end at all", "no line end at all"),
        (b"from windows\r\n", "from windows"),
        (b"  spaces count  \n", "  spaces count  "),
        ("пароль-мой\n".encode(), "пароль-мой"),
    ],
)
def test_the_password_is_the_first_line_of_standard_input(home: Path, typed: bytes, password: str) -> None:
    assert given(typed, "user", "add", "ana", "--role", "viewer", STDIN, home=home).code == 0

    assert login(home, "ana", password) is not None


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (b"", "Standard input is empty. Give the password in its first line."),
        (b"\n", "The password is too short. Use at least 8 characters."),
        (b"\xff\xfe password\n", "The first line of standard input is not UTF-8 text."),
        (b"short\n", "The password is too short. Use at least 8 characters."),
    ],
)
def test_a_bad_password_on_standard_input_is_refused(home: Path, typed: bytes, sentence: str) -> None:
    refused = given(typed, "user", "add", "ana", "--role", "viewer", STDIN, "--json", home=home)

    assert (refused.code, refused.error["text"]) == (2, sentence)
    assert lakeport("user", "list", "--json", home=home).document == []


@pytest.mark.parametrize("words", [("add", "ben", "--role", "viewer"), ("password", "ana")])
def test_without_a_terminal_a_password_is_not_asked_for(with_ana: Path, words: tuple[str, ...]) -> None:
    refused = given("staple of another kind", "user", *words, "--json", home=with_ana)

    assert refused.code == 2
    assert refused.error["text"] == (
        "There is no terminal to type a password at. Give it on standard input, with --password-stdin."
    )
    assert login(with_ana, "ana", PASSWORD) is not None


def test_an_unknown_role_lists_the_roles(with_ana: Path) -> None:
    told = "No role named 'boss'. Known roles: admin, analyst, engineer, viewer."

    added = given(PASSWORD, "user", "add", "ben", "--role", "boss", STDIN, "--json", home=with_ana)
    changed = lakeport("user", "set", "ana", "--role", "boss", "--json", home=with_ana)

    assert [(said.code, said.error["text"]) for said in (added, changed)] == [(2, told), (2, told)]


@pytest.mark.parametrize(
    "words", [("set", "ben", "--role", "viewer"), ("remove", "ben"), ("password", "ben"), ("password", "ben", STDIN)]
)
def test_an_unknown_user_lists_the_users_before_a_password_is_asked_for(with_ana: Path, words: tuple[str, ...]) -> None:
    refused = given(PASSWORD, "user", *words, "--json", home=with_ana)

    assert (refused.code, refused.error["text"]) == (2, "No user named 'ben'. Known users: ana.")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ANA", "There is a user 'ana' already. Choose another name."),
        ("operator:ana", "'operator:ana' cannot name a user. Use at most 100 letters without accents, digits and"),
    ],
)
def test_a_name_that_cannot_be_had_is_refused_before_a_password_is_asked_for(
    with_ana: Path, name: str, sentence: str
) -> None:
    refused = lakeport("user", "add", name, "--role", "viewer", "--json", home=with_ana)

    assert refused.code == 2
    assert refused.error["text"].startswith(sentence)


def test_a_password_cannot_be_an_argument(home: Path) -> None:
    for words in (
        ("add", "ana", PASSWORD, "--role", "viewer"),
        ("add", "ana", "--role", "viewer", f"{STDIN}={PASSWORD}"),
    ):
        assert lakeport("user", *words, home=home).code == 2

    assert lakeport("user", "list", "--json", home=home).document == []


def test_a_password_stands_in_no_output_and_no_file(home: Path) -> None:
    said = [
        given(PASSWORD, "user", "add", "ana", "--role", "viewer", STDIN, home=home),
        given(PASSWORD, "user", "add", "ana", "--role", "viewer", STDIN, "--json", home=home),
        given(PASSWORD, "user", "add", "correct", "--role", "boss", STDIN, "--json", home=home),
        given(f"{PASSWORD}\ud800".encode("utf-8", "surrogatepass"), "user", "password", "ana", STDIN, home=home),
        given(PASSWORD * 20, "user", "password", "ana", STDIN, "--json", home=home),
        given(PASSWORD, "user", "password", "ana", STDIN, "--json", home=home),
        lakeport("user", "list", "--json", home=home),
    ]

    assert [one.code for one in said] == [0, 2, 2, 2, 2, 0, 0]
    assert [one for one in said if PASSWORD in one.out + one.err or "argon2" in one.out + one.err] == []
    assert files_with(home, PASSWORD) == []
    assert files_with(home, "$argon2id$") != []


def test_users_are_those_of_the_lake_whatever_its_environments_are(lake: Lake) -> None:
    lake.configure("[environments.prod]")

    added = given(PASSWORD, "user", "add", "ana", "--role", "viewer", STDIN, home=lake.home)

    assert (added.code, added.out) == (0, "ana can log in now, as viewer.\n")


@pytest.mark.parametrize(
    "words",
    [
        ("add", "ana", "--role", "viewer"),
        ("list",),
        ("set", "ana", "--disable"),
        ("remove", "ana"),
        ("password", "ana"),
    ],
)
def test_without_a_lake_every_command_says_how_to_make_one(tmp_path: Path, words: tuple[str, ...]) -> None:
    refused = lakeport("user", *words, "--json", home=tmp_path)

    assert refused.code == 2
    assert refused.error["text"].startswith(f"There is no lake in {tmp_path}.")
    assert list(tmp_path.iterdir()) == []


AT_TERMINAL = (
    "import fcntl, sys, termios\n"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"  # the terminal belongs to this process, so Ctrl-C at it is a signal
    "from portal.cli import main\n"
    "main()\n"
)


def at_terminal(home: Path, *words: str, typed: Sequence[bytes]) -> tuple[int, str, str]:
    """Run a command at a terminal of its own, and type something at each question.

    Returns exit code, standard output, and what the screen shows.
    """
    screen, keyboard = pty.openpty()
    command = [sys.executable, "-c", AT_TERMINAL, "user", *words, "--home", str(home)]
    streams = {"stdin": keyboard, "stdout": subprocess.PIPE, "stderr": keyboard}
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, **streams)
    os.close(keyboard)
    shown = b""
    for questions, keys in enumerate(typed, start=1):
        while shown.count(b": ") < questions:
            shown += os.read(screen, 1024)
        os.write(screen, keys)
    out, _ = process.communicate(timeout=60)
    shown += drained(screen)
    return process.returncode, out.decode(), shown.decode().replace("\r\n", "\n")


def drained(screen: int) -> bytes:
    """What is still on the screen of a terminal that nobody else holds any more."""
    os.set_blocking(screen, False)
    rest = b""
    try:
        while piece := os.read(screen, 1024):
            rest += piece
    except OSError:  # Linux says so when the other side is closed and everything was read
        pass
    os.close(screen)
    return rest


def test_at_a_terminal_the_password_is_typed_twice_and_not_shown(home: Path) -> None:
    code, out, shown = at_terminal(home, "add", "ana", "--role", "viewer", typed=[f"{PASSWORD}\n".encode()] * 2)

    assert (code, out) == (0, "ana can log in now, as viewer.\n")
    assert shown == "Password: \nOnce more: \n"
    assert login(home, "ana", PASSWORD) is not None


def test_at_a_terminal_two_different_passwords_change_nothing(with_ana: Path) -> None:
    code, out, shown = at_terminal(with_ana, "password", "ana", typed=[b"one of a kind\n", b"another of its kind\n"])

    assert (code, out) == (2, "")
    assert "The two passwords are not the same, and nothing was changed. Try again." in shown
    assert "kind" not in shown
    assert login(with_ana, "ana", PASSWORD) is not None


@pytest.mark.parametrize(
    ("key", "sentence"),
    [(b"\x04", "No password was given, and nothing was changed."), (b"\x03", "Stopped, as you asked.")],
)
def test_whoever_types_no_password_changes_nothing(with_ana: Path, key: bytes, sentence: str) -> None:
    code, out, shown = at_terminal(with_ana, "password", "ana", typed=[key])

    assert (code, out) == (5, "")
    assert sentence in shown
    assert login(with_ana, "ana", PASSWORD) is not None
