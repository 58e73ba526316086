"""Runs the portal under gunicorn until it is told to stop.

One rule: each web process opens the lake itself, since the workers that answer its questions belong to one process.
"""

import logging
import os
import signal
import socket
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker
from gunicorn.workers.gthread import ThreadWorker

from lakehouse.core import Lakehouse
from lakehouse.settings import Settings
from pipelines.schedule import Ticker
from portal.app import create_app

LOG_BYTES = 10_000_000
STOP_SECONDS = 5
"""Requests that run when the portal is stopped have this long to end."""


def run(settings: Settings, env: str, taken: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is called once, when requests are answered."""
    _Server(settings, env, taken, ready).run()


class _Master(Arbiter):  # type: ignore[misc]
    """The first process, which serves nothing and keeps the others alive."""

    def handle_hup(self) -> None:
        """Stop with the terminal, unless `nohup` has said otherwise; gunicorn itself would go on, out of sight."""
        if not self.app.outlives_terminal:
            raise StopIteration


class _WebProcess(ThreadWorker):  # type: ignore[misc]
    """A process that answers requests, until the first one tells it to stop."""

    def init_signals(self) -> None:
        """Listen to the first process alone: Ctrl-C reaches every process of a terminal, and two signals block it."""
        super().init_signals()
        for heard in (signal.SIGINT, signal.SIGHUP):
            signal.signal(heard, lambda *_: None)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """End at once, without closing the pool of threads: who is just using it would wait for itself."""
        Worker.handle_quit(self, sig, frame)


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with our settings."""

    def __init__(self, settings: Settings, env: str, taken: socket.socket, ready: Callable[[], None]) -> None:
        self._lake, self._env, self._taken, self._ready = settings, env, taken, ready
        self._lakehouse: Lakehouse | None = None
        self._ticker: Ticker | None = None
        self.outlives_terminal = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        super().__init__()

    def run(self) -> None:
        """Serve until told to stop."""
        _Master(self).run()

    def load_config(self) -> None:
        server = self._lake.server
        options: dict[str, Any] = {
            "bind": f"fd://{self._taken.fileno()}",
            "workers": server.workers,
            "threads": server.threads,
            "worker_class": _WebProcess,
            "graceful_timeout": STOP_SECONDS,
            "timeout": 120,
            "keepalive": 30,
            "limit_request_line": 8190,
            "forwarded_allow_ips": "",  # whom to believe is decided by server.trusted_proxies
            "control_socket_disable": True,
            "loglevel": "warning",
            "post_worker_init": self._started,
            "worker_exit": self._ended,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        _log_into(self._lake.folder / "logs")
        self._lakehouse = lakehouse = Lakehouse.open(self._lake.home)
        return create_app(lakehouse, self._env).server

    def _started(self, worker: Any) -> None:
        if self._lakehouse is not None:
            self._ticker = Ticker(self._lakehouse.settings, self._lakehouse.state)
            self._ticker.start()
        if worker.age == 1:  # the first web process; others, and those that replace one, say nothing
            self._ready()

    def _ended(self, _server: Any, worker: Any) -> None:
        if self._ticker is not None:
            self._ticker.stop()
        if self._lakehouse is not None:  # stopped before it had one
            self._lakehouse.close()
        if not worker.alive:  # told to stop; Python would take itself apart first, on a busy machine for seconds
            logging.shutdown()
            os._exit(0)


def _log_into(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    handler = RotatingFileHandler(folder / "lakeport.log", maxBytes=LOG_BYTES, backupCount=3, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.getLogger().addHandler(handler)
