"""The worker processes of a pool: started when they are needed, given to askers in turn, replaced when they are lost.

One rule: whoever took a worker gives it back, whatever happened to it.
"""

import logging
import os
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from lakehouse.child import go_behind
from lakehouse.errors import Stopped, Unavailable
from lakehouse.query.cache import OutOfTime
from lakehouse.query.process import Worker
from lakehouse.query.turns import Ticket, Turns
from lakehouse.query.wire import Limits

CLOSED_TEXT = "Lakeport is shutting down; ask again in a moment."
CANCELLED_TEXT = "The query was cancelled."
_log = logging.getLogger(__name__)


class Crew:
    """Up to so many workers. Thread-safe."""

    def __init__(self, limits: Limits, workers: int, per_user: int, *, goes_behind: bool = False) -> None:
        """`per_user` is how many workers one asker may keep busy; 0 leaves one for others, where there are several.

        Workers that go behind let all other processes go first.
        """
        self._limits, self._most, self._goes_behind = limits, workers, goes_behind
        self._turns = Turns(per_user or max(1, workers - 1))
        self._changed = threading.Condition()
        self._workers: list[Worker] = []
        self._idle: list[Worker] = []
        self._tickets: dict[Ticket, Worker | None] = {}
        self._closed = False
        self._owner = os.getpid()
        self._finalizer = weakref.finalize(self, _kill_all, self._workers, self._owner)

    @contextmanager
    def ticket(self, asker: str, token: str) -> Iterator[Ticket]:
        """What a question needs to take a worker, and by which it can be cancelled until it is over."""
        ticket = Ticket(asker, token)
        with self._changed:
            self._tickets[ticket] = None
        try:
            yield ticket
        finally:
            with self._changed:
                del self._tickets[ticket]

    def take(self, ticket: Ticket, scope: str, pins: str, deadline: float) -> Worker:
        """A free worker when it is the asker's turn, if possible one that knows the pins.

        Raises `OutOfTime` at the deadline, `Stopped` when the ticket is cancelled, `Unavailable` when all is closed.
        """
        with self._changed:
            self._turns.join(ticket)
            try:
                while True:
                    self.check_open()
                    check_wanted(ticket)
                    worker = self._free(scope, pins) if self._turns.next() is ticket else None
                    if worker is not None:
                        self._begin(ticket, worker)
                        return worker
                    remaining = deadline - time.monotonic()
                    if remaining <= 0:
                        raise OutOfTime(self._full_text(ticket))
                    self._changed.wait(remaining)
            finally:
                self._turns.leave(ticket)
                self._changed.notify_all()

    def give_back(self, ticket: Ticket, worker: Worker) -> None:
        """The worker may serve the next one; a lost one is replaced at once, so that nobody waits for its start."""
        if not worker.usable:
            # Freeing gigabytes takes a while, in which others must not wait for the lock.
            worker.kill()
        with self._changed:
            self._turns.end(ticket)
            self._tickets[ticket] = None
            if worker.usable and not self._closed:
                self._idle.append(worker)
            else:
                self._drop(worker)
                self._add_spare()
            self._changed.notify_all()

    def cancel(self, token: str) -> bool:
        """Stop every question with this token, waiting or running; False when there is none."""
        with self._changed:
            meant = [ticket for ticket in self._tickets if token and ticket.token == token]
            for ticket in meant:
                ticket.cancelled = True
                worker = self._tickets[ticket]
                if worker is not None:
                    worker.end()
            self._changed.notify_all()
        return bool(meant)

    def close(self) -> None:
        """End all workers; who still waits gets `Unavailable`. Closing twice is fine."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            workers, idle = list(self._workers), list(self._idle)
            self._idle.clear()
        if self._owner != os.getpid():
            return
        for worker in workers:
            worker.kill()
        # The pipes of a busy worker are closed by the thread that reads them.
        for worker in idle:
            self._drop(worker)

    def check_open(self) -> None:
        """Raises `Unavailable` after `close`, and in a forked child."""
        if self._closed:
            raise Unavailable(CLOSED_TEXT)
        if self._owner != os.getpid():
            raise Unavailable("This query pool belongs to the process that forked this one; open one of its own.")

    def _begin(self, ticket: Ticket, worker: Worker) -> None:
        self._turns.start(ticket)
        self._tickets[ticket] = worker
        if ticket.asker and not self._idle:
            # Others will come, and should not wait for a start while this one runs.
            self._add_spare()

    def _free(self, scope: str, pins: str) -> Worker | None:
        for dead in [worker for worker in self._idle if not worker.usable]:
            self._idle.remove(dead)
            self._drop(dead)
        found = next((worker for worker in self._idle if worker.knows(scope, pins)), None)
        if found is None and self._idle:
            found = self._idle[-1]
        if found is not None:
            self._idle.remove(found)
        elif len(self._workers) < self._most:
            found = self._started()
        return found

    def _add_spare(self) -> None:
        """Where there is room, a worker that starts while nobody waits; the others are asked before it."""
        if self._closed or len(self._workers) >= self._most:
            return
        try:
            self._idle.insert(0, self._started())
        except Unavailable as error:
            # Whoever needs one tries again, and is told.
            _log.warning("%s", error)

    def _started(self) -> Worker:
        try:
            worker = Worker(self._limits)
            if self._goes_behind:
                go_behind(worker.pid)
        except OSError as error:
            text = "No query worker could be started: the machine is out of processes or memory."
            raise Unavailable(text) from error
        self._workers.append(worker)
        return worker

    def _drop(self, worker: Worker) -> None:
        worker.close()
        self._workers.remove(worker)

    def _full_text(self, ticket: Ticket) -> str:
        if self._turns.is_full(ticket.asker):
            return (
                "Your other queries were still running when the time of this one was over. Wait for them or stop them."
            )
        return "No query worker was free before the time of the query was over. Ask again, or raise query.workers."


def check_wanted(ticket: Ticket) -> None:
    """Raises `Stopped` when the question was cancelled."""
    if ticket.cancelled:
        raise Stopped(CANCELLED_TEXT)


def _kill_all(workers: list[Worker], owner: int) -> None:
    """For a crew that nobody closed. A forked child shares its memory, but not its workers."""
    if owner == os.getpid():
        for worker in workers:
            worker.close()
