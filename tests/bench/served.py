"""A portal as it is served in earnest, in processes of its own: started, waited for, stopped.

One rule: nothing of it runs in the process that measures it.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.browser import Client
from tests.bench.family import Used, used_by
from tests.bench.measured import free_port

NAME = "ann"
"""The user of every lake."""

PORTAL = "portal.cli"
WITH_TILE = "tests.bench.tile_server"

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60
_LARGEST_COPY = "LAKEPORT_QUERY__HOT_TABLE_MB"
HOT = {_LARGEST_COPY: "65536"}
"""Variables with which tables of any size get hot copies, and these are read."""
NOT_HOT = {_LARGEST_COPY: "0"}
"""Variables with which Iceberg itself is read."""


class Served:
    """A served lake. `start_seconds` is how long it took until `/health` said that it is ready."""

    def __init__(self, home: Path, program: str = PORTAL, **variables: str) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", program, "serve", "--home", str(home), "--port", str(self.port)]
        began = time.perf_counter()
        self._process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **variables}, stdout=subprocess.DEVNULL, start_new_session=True
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        self.start_seconds = time.perf_counter() - began

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(PATIENCE_SECONDS)

    @property
    def first(self) -> int:
        """Id of the first process."""
        return self._process.pid

    @property
    def used(self) -> Used:
        """CPU seconds that it has used until now."""
        return used_by(self.first)

    @contextmanager
    def client(self, name: str = NAME) -> Iterator[Client]:
        """A browser of a user who has logged in."""
        client = Client(self.port)
        try:
            client.log_in(name)
            yield client
        finally:
            client.close()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._is_ready():
            assert self._process.poll() is None, "The portal has ended instead of being served."
            assert time.monotonic() < deadline, "The portal does not answer."
            time.sleep(0.01)

    def _is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS) as asked:
                asked.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return asked.recv(100).startswith(b"HTTP/1.1 200 ")
        except OSError:
            return False
