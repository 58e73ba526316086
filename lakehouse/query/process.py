"""The parent's end of one query worker: starts it, asks it, kills it.

One rule: whatever happens to the worker, the caller gets an answer or an error within its deadline and two seconds.
"""

import contextlib
import io
import json
import logging
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lakehouse.child import bare_environment
from lakehouse.errors import Unavailable, as_told
from lakehouse.query import wire
from lakehouse.query.confine import Held

GRACE_SECONDS = 2.0
"""Time between the interrupt at the deadline and the kill: an interrupt cannot stop one huge scalar."""

KNOWN = 64
"""How many (scope, pins) a worker is remembered for."""

CONFINEMENT_SECONDS = 30
"""How long the process may take that says what is in force."""

_COMMAND = (sys.executable, "-P", "-m", "lakehouse.query.confine")
_log = logging.getLogger(__name__)


class TimeUp(Exception):
    """The question reached its deadline."""


class WorkerGone(Exception):
    """The process ended instead of answering: `had_read` says whether it knew the question, `how` what ended it."""

    def __init__(self, had_read: bool, how: str, out_of_memory: bool) -> None:
        super().__init__(how)
        self.had_read, self.how, self.out_of_memory = had_read, how, out_of_memory


class EngineSaid(Exception):
    """What the engine itself said, as the cause of an error: it may name files and quote data."""


@dataclass(frozen=True)
class Reply:
    """Rows from a worker. `stable`: the same pins would always give them; `size_bytes`: what they take in memory."""

    table: pa.Table
    size_bytes: int
    complete: bool
    stable: bool


class Worker:
    """One worker process. Used by one thread at a time, except for `kill`."""

    def __init__(self, limits: wire.Limits) -> None:
        # DuckDB must be able to name the folder that it is in, even though there is nothing to find.
        self._folder = tempfile.mkdtemp(prefix="lakeport-worker-")
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(  # noqa: S603 - this very Python, and no words of anybody else
            [*_COMMAND, "lakehouse.query.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            bufsize=0,
            cwd=self._folder,
            env=bare_environment(),
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - for the type checker: both are pipes
        assert self._process.stdout is not None  # noqa: S101
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)
        # It starts to import as soon as it knows its limits. One that died at once is noticed by whoever asks it.
        with contextlib.suppress(BrokenPipeError, TimeUp):
            self._send(wire.pack_limits(limits), time.monotonic() + GRACE_SECONDS)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self.tired = False
        self._ended = False

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def usable(self) -> bool:
        """Whether it runs, and may be asked again."""
        return not self.tired and not self._ended and self._process.poll() is None

    def knows(self, scope: str, pins: str) -> bool:
        """Whether it was asked about these pins in this scope before, so that they are open there."""
        return (scope, pins) in self._known

    def ask(self, question: dict[str, Any], deadline: float) -> Reply:
        """Rows of the question, as `listen` gets them."""
        pieces: list[bytearray] = []
        last = self.listen(question, deadline, pieces.append)
        body = b"".join(pieces)
        return Reply(pa.ipc.open_stream(body).read_all(), len(body), last["complete"], last["stable"])

    def listen(self, question: dict[str, Any], deadline: float, keep: Callable[[bytearray], None]) -> dict[str, Any]:
        """What the worker says of its answer, after `keep` was given all pieces of the Arrow stream.

        The question's `deadline` is on the monotonic clock. Raises what the worker said, what `keep` raises, `TimeUp`,
        or `WorkerGone`. After anything but an answer or an error of the worker it is no longer usable.
        """
        had_read = False
        kill_at = deadline + GRACE_SECONDS
        answered = False
        try:
            self._send(wire.pack(wire.QUESTION, {**question, "deadline": deadline}), kill_at)
            while True:
                kind, payload = wire.read_frame(lambda size: self._receive(size, kill_at))
                had_read = True
                if kind == wire.DATA:
                    keep(payload)
                elif kind != wire.READ:
                    break
            answered = True
        except (EOFError, BrokenPipeError) as error:
            raise self._gone(had_read) from error
        finally:
            if not answered:
                self.tired = True
        last: dict[str, Any] = json.loads(payload)
        self.tired = last["tired"]
        if kind == wire.ERROR:
            raise _said(last)
        self._remember(question["scope"], question["key"])
        return last

    def end(self) -> None:
        """Let the process end; whoever asks it notices."""
        self._ended = True
        self._process.kill()

    def kill(self) -> None:
        """End the process now; may be called while another thread asks it."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End the process and free its pipes and its folder."""
        self.kill()
        with contextlib.suppress(OSError):
            os.rmdir(self._folder)
        for file in (self._process.stdin, self._process.stdout, self._complaints):
            if file is not None:
                file.close()

    def _remember(self, scope: str, pins: str) -> None:
        self._known[scope, pins] = None
        self._known.move_to_end((scope, pins))
        if len(self._known) > KNOWN:
            self._known.popitem(last=False)

    def _send(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        while rest:
            _wait(self._to, select.POLLOUT, deadline)
            rest = rest[os.write(self._to, rest) :]

    def _receive(self, size: int, deadline: float) -> bytearray:
        data = bytearray(size)
        rest = memoryview(data)
        while rest:
            _wait(self._from, select.POLLIN, deadline)
            count = os.readv(self._from, [rest])
            if count == 0:
                raise EOFError
            rest = rest[count:]
        return data

    def _gone(self, had_read: bool) -> WorkerGone:
        self._process.kill()
        code = self._process.wait()
        size = self._complaints.seek(0, io.SEEK_END)
        self._complaints.seek(max(0, size - 4000))
        words = self._complaints.read().decode(errors="replace")
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        _log.warning("Query worker %d ended by %s. It said: %s", self.pid, how, words or "nothing")
        return WorkerGone(had_read, how, out_of_memory=how == "SIGKILL" or "bad_alloc" in words)


def confinement(limits: wire.Limits) -> list[Held]:
    """What would be in force in a worker with these limits, found by a process that confines itself and ends."""
    try:
        done = subprocess.run(  # noqa: S603 - this very Python, and no words of anybody else
            [*_COMMAND, "report"],
            input=wire.pack_limits(limits),
            capture_output=True,
            timeout=CONFINEMENT_SECONDS,
            cwd="/",
            env=bare_environment(),
            check=True,
        )
        answer = io.BytesIO(done.stdout)
        _, payload = wire.read_frame(lambda size: bytearray(answer.read(size)))
        return [Held(**held) for held in json.loads(payload)["held"]]
    except (OSError, subprocess.SubprocessError, ValueError, struct.error) as error:
        raise Unavailable("A process like a query worker does not start. Install Lakeport again.") from error


def _said(last: dict[str, Any]) -> Exception:
    """The error that a worker named."""
    if last["error"] == wire.TIME_UP:
        return TimeUp()
    error = as_told(last["error"], last["text"])
    if last["detail"]:
        error.__cause__ = EngineSaid(last["detail"])
        level = logging.WARNING if type(error) is Unavailable else logging.DEBUG
        _log.log(level, "%s: %s", last["error"], last["detail"])
    return error


def _wait(pipe: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(pipe, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeUp
