"""`lakeport demo` as a way into the portal: its users, their passwords and its address.

One rule: a password stands in its own file and on a terminal, nowhere else.
"""

import json
import os
import pty
import re
import signal
import socket
import stat
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest

from lakehouse.core import Lakehouse
from portal.app import create_app
from tests.pipelines.lake import ROOT
from tests.portal.command_line import Said, lakeport
from tests.portal.signing_in import stranger, text, try_in
from tests.portal.test_serve import COMMAND, PATIENCE_SECONDS, Guest, Served, environment, free_port, words_in

ROLES = {"vera": "viewer", "anna": "analyst", "erik": "engineer", "ada": "admin"}
NOTICE = "This is a demo with invented data."


def passwords(home: Path) -> dict[str, str]:
    """What the files of the demo's users hold, without the newline at the end."""
    folder = home / ".lakeport" / "passwords"
    return {file.name: file.read_text(encoding="utf-8").removesuffix("\n") for file in sorted(folder.iterdir())}


def again(home: Path, *words: str) -> Said:
    """Make the demo once more, which refreshes it."""
    said = lakeport("demo", "--no-serve", *words, home=home)
    assert said.code == 0, said.err
    return said


def test_a_demo_that_is_not_served_has_no_address_and_names_its_users(demo_home: Path) -> None:
    said = again(demo_home, "--json").document

    assert said["url"] is None
    assert {user["name"]: user["role"] for user in said["users"]} == ROLES
    assert {Path(user["password_file"]) for user in said["users"]} == {
        demo_home / ".lakeport" / "passwords" / name for name in ROLES
    }


def test_a_password_is_one_line_that_its_owner_alone_may_read(demo_home: Path) -> None:
    folder = demo_home / ".lakeport" / "passwords"

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert re.fullmatch(r"[\w-]{16}\n", file.read_text(encoding="utf-8"))
    assert len(set(passwords(demo_home).values())) == len(ROLES)


def test_the_passwords_are_neither_printed_nor_written_elsewhere(demo: tuple[Path, Said]) -> None:
    home, first = demo
    kept = passwords(home).values()

    seen = [first, again(home), again(home, "--json")]

    assert [word for word in kept for said in seen if word in said.out + said.err] == []
    for place in (home / ".lakeport" / "runs", home / "lakeport.toml", home / ".lakeport" / "state.db"):
        content = words_in(place) if place.is_dir() else place.read_bytes()
        assert [word for word in kept if word.encode() in content] == []


def test_each_user_logs_in_with_the_password_of_the_file(demo_home: Path) -> None:
    with Lakehouse.open(demo_home) as lakehouse:
        server = create_app(lakehouse).server
        for name, password in passwords(demo_home).items():
            visitor = stranger(server)
            assert visitor.log_in(name, password).status_code == 302, name
            assert ROLES[name] in visitor.page("/revenue").text


def test_the_demo_says_that_it_is_one_on_the_form_and_on_every_page(demo_home: Path) -> None:
    with Lakehouse.open(demo_home) as lakehouse:
        server = create_app(lakehouse).server
        visitor = stranger(server)
        form = text(visitor.get("/login"))
        visitor.log_in("vera", passwords(demo_home)["vera"])

        assert f'<p class="lp-notice">{NOTICE}</p>' in form
        assert visitor.page("/revenue").one("lp-notice").text == NOTICE
        assert NOTICE in text(visitor.get("/account"))


def test_passwords_stay_when_the_demo_is_made_again(demo_home: Path) -> None:
    before = passwords(demo_home)

    again(demo_home)

    assert passwords(demo_home) == before


def test_a_file_that_was_removed_comes_back_with_another_password(demo_home: Path) -> None:
    before = passwords(demo_home)
    file = demo_home / ".lakeport" / "passwords" / "erik"
    file.unlink()

    again(demo_home)

    after = passwords(demo_home)
    assert {name for name in ROLES if after[name] != before[name]} == {"erik"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with Lakehouse.open(demo_home) as lakehouse:
        server = create_app(lakehouse).server
        assert try_in(stranger(server), "erik", before["erik"]).status_code == 401
        assert try_in(stranger(server), "erik", after["erik"]).status_code == 302


def test_a_user_who_was_removed_comes_back_with_another_password(demo_home: Path) -> None:
    before = passwords(demo_home)
    with Lakehouse.open(demo_home) as lakehouse:
        lakehouse.users.remove("anna")

    again(demo_home)

    after = passwords(demo_home)
    assert after["anna"] != before["anna"]
    with Lakehouse.open(demo_home) as lakehouse:
        visitor = stranger(create_app(lakehouse).server)
        assert visitor.log_in("anna", after["anna"]).status_code == 302


def test_the_demo_is_served_on_the_port_that_was_asked_for(demo_home: Path) -> None:
    with Served(demo_home, command="demo") as served:
        guest = Guest(served.port)
        statuses = [guest.ask("/health")[0], guest.log_in("vera", passwords(demo_home)["vera"]), guest.draw()[0]]
        served.stop(signal.SIGINT, all_of_them=True)

    assert statuses == [200, 302, 200]
    assert served.process.returncode == 0
    assert f"The portal is on http://127.0.0.1:{served.port} (Ctrl-C stops it)." in served.out
    assert [word for word in passwords(demo_home).values() if word in served.out + served.err] == []
    assert "Traceback" not in served.err


def test_with_json_the_demo_prints_its_address_and_is_served(demo_home: Path) -> None:
    with Served(demo_home, "--json", command="demo") as served:
        served.stop()

    said = json.loads(served.out)
    assert said["url"] == f"http://127.0.0.1:{served.port}"
    assert [user["name"] for user in said["users"]] == list(ROLES)
    assert [word for word in passwords(demo_home).values() if word in served.out + served.err] == []


def test_a_terminal_shows_the_passwords(demo_home: Path) -> None:
    port = free_port()
    terminal, other_end = pty.openpty()
    shown = bytearray()
    words = [*COMMAND, "demo", "--home", str(demo_home), "--port", str(port)]
    variables = environment(TERM="dumb", COLUMNS="200")
    with subprocess.Popen(
        words, cwd=ROOT, env=variables, stdin=other_end, stdout=other_end, stderr=other_end, start_new_session=True
    ) as process:
        os.close(other_end)
        stopped = threading.Timer(PATIENCE_SECONDS, process.kill)
        stopped.start()
        try:
            while piece := os.read(terminal, 1 << 16):
                shown += piece
                if b"Ctrl-C stops it" in shown:
                    process.send_signal(signal.SIGINT)
        except OSError:  # Linux says so when the other side has been closed
            pass
        stopped.cancel()
    os.close(terminal)

    lines = shown.decode()
    assert process.returncode == 0
    for name, password in passwords(demo_home).items():
        assert re.search(rf"^ +{name} +{ROLES[name]} +{re.escape(password)}\s*$", lines, re.MULTILINE), name


def test_a_port_in_use_is_said_before_anything_is_made(tmp_path: Path) -> None:
    home = tmp_path / "new"
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        said = lakeport("demo", "--port", str(port), "--json", home=home)

    assert (said.code, said.error["kind"]) == (4, "Unavailable")
    assert said.error["text"].startswith(f"Port {port} on 127.0.0.1 cannot be used: address already in use.")
    assert not home.exists()


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: str) -> None:
    said = lakeport("demo", "--port", port, home=tmp_path / "new")

    assert said.code == 2
    assert not (tmp_path / "new").exists()
