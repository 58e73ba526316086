"""`lakeport serve` as real processes: what it answers, how it is stopped, and what it says when it cannot start.

One rule: everything is asked over a socket, and every process that a test has started is gone at its end.
"""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest

from lakehouse.core import Lakehouse
from lakehouse.errors import Unavailable
from lakehouse.settings import ServerSettings
from portal.address import take
from tests.pipelines.lake import ROOT, Lake
from tests.portal.visitor import PASSWORD, ROUTER

COMMAND = (sys.executable, "-m", "portal.cli")
NAME = "served-ann"
KEY = "a key of the test, which is long enough for it"
PRODUCTION = "[environments.dev]\n[environments.prod]\n"
PATIENCE_SECONDS = 60
STOPPED_SECONDS = 12
"""Requests have five seconds to end; the rest is for machines that are busy."""


def environment(**variables: str) -> dict[str, str]:
    """The variables of this process without those that set a lake."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LAKEPORT_")} | variables


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Served:
    """A command that serves the portal of a lake, in a session of its own, as at a terminal."""

    def __init__(self, home: Path, *words: str, command: str = "serve", **variables: str) -> None:
        self.port = free_port()
        whole = (*COMMAND, command, "--home", str(home), "--port", str(self.port), *words)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        self.process = subprocess.Popen(  # type: ignore[call-overload]
            whole, cwd=ROOT, env=environment(**variables), text=True, start_new_session=True, **pipes
        )
        self.out = self.err = ""

    def __enter__(self) -> "Served":
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise AssertionError(f"The portal does not answer: {self.out}{self.err}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_error: object) -> None:
        if self.process.returncode is None:
            self.stop()

    def answers(self) -> bool:
        """Whether the portal is there."""
        try:
            return Guest(self.port).ask("/health")[0] == 200
        except OSError:
            return False

    def stop(self, word: int = signal.SIGTERM, *, all_of_them: bool = False) -> float:
        """Say a signal to the first process, or to all as a terminal does; returns how many seconds it took to end."""
        began = time.monotonic()
        (os.killpg if all_of_them else os.kill)(self.process.pid, word)
        self.out, self.err = self.process.communicate(timeout=PATIENCE_SECONDS)
        return time.monotonic() - began

    def family(self) -> list[int]:
        """The first process, its web processes, and their query workers."""
        found = [self.process.pid]
        for parent in found:
            found += children(parent)
        return found


def children(parent: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{parent}/task").iterdir())
        return [int(one) for task in tasks for one in (task / "children").read_text(encoding="utf-8").split()]
    except OSError:  # it has ended in the meantime
        return []


def left_of(family: Sequence[int]) -> list[int]:
    """Those of the processes that do not end within the time that a busy machine may need."""
    deadline = time.monotonic() + STOPPED_SECONDS
    left = list(family)
    while left and time.monotonic() < deadline:
        left = [one for one in left if Path(f"/proc/{one}").exists()]
        time.sleep(0.05)
    return left


class Guest:
    """A browser that opens a connection for every request."""

    def __init__(self, port: int) -> None:
        self.port, self.cookies = port, dict[str, str]()

    def ask(self, path: str, body: str | None = None, kind: str = "application/json") -> tuple[int, str]:
        """The status and the text of the answer; with a body it is a POST."""
        said = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        said |= {"Content-Type": kind, "X-CSRFToken": self.cookies.get("_csrf_token", "")} if body is not None else {}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET" if body is None else "POST", path, body, said)
            answer = connection.getresponse()
            for given in answer.msg.get_all("Set-Cookie") or ():
                name, _, value = given.partition(";")[0].partition("=")
                self.cookies[name] = value
            return answer.status, answer.read().decode()

    def log_in(self, name: str = NAME, password: str = PASSWORD) -> int:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.ask("/login")[1])
        assert token is not None
        form = {"username": name, "password": password, "csrf_token": token[1]}
        return self.ask("/login", urlencode(form), "application/x-www-form-urlencoded")[0]

    def draw(self) -> tuple[int, str]:
        """The router's answer, for which a query worker is needed."""
        values = (
            ("shell-location", "pathname", "/revenue"),
            ("shell-location", "search", ""),
            ("shell-theme", "data", None),
        )
        inputs = [{"id": one, "property": kind, "value": value} for one, kind, value in values]
        outputs = [{"id": one, "property": "children"} for one in ("shell-menu", "shell-page")]
        return self.ask("/_dash-update-component", json.dumps({"output": ROUTER, "outputs": outputs, "inputs": inputs}))


@pytest.fixture(scope="module")
def home(sample_lake: Lake) -> Iterator[Path]:
    """A lake with a release and a user."""
    with Lakehouse.open(sample_lake.home) as lakehouse:
        lakehouse.users.add(NAME, PASSWORD, "viewer")
    yield sample_lake.home
    with Lakehouse.open(sample_lake.home) as lakehouse:
        lakehouse.users.remove(NAME)


@pytest.fixture
def guest_house(lake: Lake) -> Path:
    """A lake with a user, an environment for production, and nothing in it."""
    lake.configure(PRODUCTION)
    with Lakehouse.open(lake.home) as lakehouse:
        lakehouse.users.add(NAME, PASSWORD, "viewer")
    return lake.home


def run(*words: str | Path, before: Sequence[str] = (), **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command that does not get as far as serving."""
    return subprocess.run(
        [*before, *COMMAND, *map(str, words)],
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


@pytest.mark.parametrize(
    ("word", "all_of_them"),
    [
        (signal.SIGTERM, False),
        (signal.SIGTERM, True),
        (signal.SIGINT, False),
        (signal.SIGINT, True),
        (signal.SIGHUP, True),
    ],
    ids=["SIGTERM", "SIGTERM to all", "SIGINT", "Ctrl-C", "a terminal that is closed"],
)
def test_it_stops_when_it_is_told_to_and_leaves_nothing(home: Path, word: int, all_of_them: bool) -> None:
    with Served(home) as served:
        guest = Guest(served.port)
        assert (guest.log_in(), guest.draw()[0]) == (302, 200)
        family = served.family()

        seconds = served.stop(word, all_of_them=all_of_them)

    assert (served.process.returncode, served.err) == (0, "")
    assert served.out == f"The portal is on http://127.0.0.1:{served.port} (Ctrl-C stops it).\n"
    assert seconds < STOPPED_SECONDS
    assert len(family) >= 3
    assert left_of(family) == []
    assert not served.answers()


def test_nothing_is_left_when_it_is_killed(home: Path) -> None:
    with Served(home) as served:
        guest = Guest(served.port)
        assert (guest.log_in(), guest.draw()[0]) == (302, 200)
        family = served.family()

        os.kill(served.process.pid, signal.SIGKILL)
        served.process.communicate(timeout=PATIENCE_SECONDS)

    assert left_of(family) == []


def test_it_can_be_started_again_at_once_beside_connections_that_have_ended(guest_house: Path) -> None:
    with Served(guest_house) as served, closing(http.client.HTTPConnection("127.0.0.1", served.port)) as kept:
        kept.request("GET", "/health")
        assert kept.getresponse().read()
        served.stop()  # the server closes first, so its side of the connection lingers

    taken = take(ServerSettings(port=served.port))

    taken.close()


def test_with_json_the_address_is_all_that_it_prints(guest_house: Path) -> None:
    with Served(guest_house, "--json") as served:
        served.stop()

    assert json.loads(served.out) == {"url": f"http://127.0.0.1:{served.port}"}
    assert served.err == f"The portal is on http://127.0.0.1:{served.port} (Ctrl-C stops it).\n"


def test_a_session_counts_in_every_web_process_and_outlives_one_of_them(home: Path) -> None:
    with Served(home, "--workers", "2") as served:
        guest = Guest(served.port)
        assert guest.log_in() == 302
        assert [guest.draw()[0] for _ in range(20)] == [200] * 20
        web = children(served.process.pid)

        os.kill(web[0], signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(children(served.process.pid)) < 2 or web[0] in children(served.process.pid):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        statuses = [guest.draw()[0] for _ in range(20)]
        served.stop()

    assert len(web) == 2
    assert statuses == [200] * 20
    assert PASSWORD not in served.out + served.err


def test_a_web_process_that_dies_in_the_middle_is_replaced(guest_house: Path) -> None:
    with Served(guest_house) as served:
        guest = Guest(served.port)
        assert guest.log_in() == 302
        os.kill(children(served.process.pid)[0], signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not served.answers():
            assert time.monotonic() < deadline
        said = guest.ask("/revenue")[0]
        served.stop()

    assert said == 200
    assert served.out.count("The portal is on") == 1


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_a_port_in_use_is_a_sentence(guest_house: Path, words: list[str]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        done = run("serve", "--home", guest_house, "--port", str(port), *words)

    sentence = (
        f"Port {port} on 127.0.0.1 cannot be used: address already in use. "
        "Stop what uses it, or choose another with --port."
    )
    assert (done.returncode, done.stderr) == (4, f"{sentence}\n")
    assert (json.loads(done.stdout)["error"]["text"] if words else sentence) == sentence


def test_a_port_belongs_to_whoever_took_it_first_also_before_it_is_served() -> None:
    first = take(settings := ServerSettings(port=free_port()))

    with closing(first), pytest.raises(Unavailable, match="address already in use"):
        take(settings)


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b", "x" * 70, "256.1.1.1", "203.0.113.9", " ", ""])
def test_a_host_that_is_none_of_this_machine_is_a_sentence(host: str) -> None:
    settings = ServerSettings().model_copy(update={"host": host})

    with pytest.raises(Unavailable) as raised:
        take(settings)

    assert str(raised.value) == f"There is no address {host!r} to listen on. Name one of this machine with --host."


def test_a_port_for_root_is_a_sentence_for_others(guest_house: Path) -> None:
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text(encoding="utf-8")) < 1024:
        pytest.skip("everybody may use every port here")
    as_others = () if os.geteuid() else ("setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service")
    if as_others and shutil.which(as_others[0]) is None:
        pytest.skip("root may use every port, and setpriv is not there")

    done = run("serve", "--home", guest_house, "--port", "81", before=as_others)

    sentence = "Port 81 may not be used by this account. Choose one above 1023 with --port.\n"
    assert (done.returncode, done.stdout, done.stderr) == (4, "", sentence)


def test_production_without_a_key_of_its_own_is_not_served(guest_house: Path) -> None:
    done = run("serve", "--home", guest_house, "--env", "prod", "--port", str(free_port()))

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("server.secret_key is missing, and prod is not served without one. Put 32 characters")
    assert done.stderr.count("\n") == 1


def test_a_key_that_is_too_short_is_refused_and_not_repeated(guest_house: Path) -> None:
    done = run("serve", "--home", guest_house, "--port", str(free_port()), LAKEPORT_SERVER__SECRET_KEY=KEY[:31])

    assert (done.returncode, done.stdout) == (2, "")
    assert "secret_key must have at least 32 characters" in done.stderr
    assert KEY[:31] not in done.stderr


def words_in(folder: Path) -> bytes:
    """Everything that stands in the files of a folder."""
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_a_key_from_a_file_signs_and_shows_up_nowhere(guest_house: Path, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n", encoding="utf-8")
    with Served(guest_house, "--env", "prod", LAKEPORT_SERVER__SECRET_KEY_FILE=str(file)) as served:
        guest = Guest(served.port)
        statuses = [guest.log_in(password="a wrong one, typed"), guest.log_in()]  # noqa: S106  # no secret
        served.stop()

    seen = words_in(guest_house / ".lakeport") + (served.out + served.err).encode()
    assert statuses == [401, 302]
    assert not (guest_house / ".lakeport" / "secret_key").exists()
    assert [
        word
        for word in (KEY, PASSWORD, "a wrong one, typed", guest.cookies["lakeport_session"])
        if word.encode() in seen
    ] == []


def test_the_key_of_dev_is_for_its_owner_alone_and_stays_the_same(guest_house: Path) -> None:
    file = guest_house / ".lakeport" / "secret_key"
    with Served(guest_house) as served:
        guest = Guest(served.port)
        assert guest.log_in() == 302
    key = file.read_text(encoding="utf-8")

    with Served(guest_house) as again:
        guest.port = again.port
        assert guest.ask("/revenue")[0] == 200

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(key.strip()) >= 32
    assert file.read_text(encoding="utf-8") == key
    assert key.strip().encode() not in words_in(guest_house / ".lakeport" / "logs")


def test_an_address_line_that_is_too_long_and_other_noise_leave_it_well(guest_house: Path) -> None:
    noise = [
        b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"nothing\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
    ]
    with Served(guest_house) as served:
        for sent in noise:
            with closing(socket.create_connection(("127.0.0.1", served.port), timeout=10)) as connection:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                assert b"Traceback" not in connection.recv(1 << 16)
        assert served.answers()
        served.stop()

    assert "Traceback" not in served.out + served.err
