"""The door to DuckDB: SQL and pins in, an Arrow table out, from a small pool of worker processes.

One rule: whoever holds a pool never runs a query itself, so no query can take this process down.
"""

import os
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from lakehouse.errors import RequestWrong, StatementWrong, Stopped, Unavailable
from lakehouse.query.answer import Answer
from lakehouse.query.cache import Cache, SingleFlight
from lakehouse.query.pins import Pins, Scope, pins_key
from lakehouse.query.process import Reply, TimeUp, Worker, WorkerGone
from lakehouse.query.wire import Limits
from lakehouse.settings import QuerySettings

EVERYTHING = Scope()
"""Sees every table."""

CLOSED_TEXT = "Lakeport is shutting down; ask again in a moment."


@dataclass(frozen=True)
class Question:
    """One statement on pinned tables, by somebody who sees `scope`.

    `max_rows` and `timeout_seconds` can tighten the settings' limits, not widen them.
    """

    sql: str
    pins: Pins
    scope: Scope = EVERYTHING
    max_rows: int | None = None
    timeout_seconds: float | None = None

    def __post_init__(self) -> None:
        try:
            readable = b"\0" not in self.sql.encode()
        except UnicodeEncodeError:
            readable = False
        if not readable:
            raise StatementWrong("The statement holds a character that is no valid Unicode text. Type it again.")
        if self.max_rows is not None and self.max_rows < 0:
            raise RequestWrong(f"The row limit is {self.max_rows}; give 0 or more.")
        if self.timeout_seconds is not None and not self.timeout_seconds > 0:
            raise RequestWrong(f"The timeout is {self.timeout_seconds:g} s; give more than 0.")


class QueryPool:
    """Query workers, started when they are needed, with a cache of answers before them. Thread-safe."""

    def __init__(self, settings: QuerySettings, folders: Sequence[str]) -> None:
        """A pool whose workers may read below `folders` (paths or URLs) and nowhere else."""
        self._settings = settings
        self._limits = Limits(
            threads=settings.threads,
            memory_mb=settings.memory_mb,
            address_space_mb=settings.address_space_mb,
            folders=tuple(folder if "://" in folder else str(Path(folder).absolute()) for folder in folders),
        )
        self._cache: Cache[Reply] = Cache(settings.cache_mb << 20)
        self._flights: SingleFlight[Reply] = SingleFlight()
        self._changed = threading.Condition()
        self._workers: list[Worker] = []
        self._idle: list[Worker] = []
        self._closed = False
        self._owner = os.getpid()
        self._finalizer = weakref.finalize(self, _kill_all, self._workers, self._owner)

    def __enter__(self) -> "QueryPool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, question: Question) -> Answer:
        """The rows of the question.

        Raises `StatementWrong` (the SQL), `Stopped` (time, memory, a lost worker) or `Unavailable` (data, shutdown).
        """
        started = time.monotonic()
        timeout = min(question.timeout_seconds or self._settings.timeout_seconds, self._settings.timeout_seconds)
        request = self._request(question, timeout)
        key = request["scope"], request["key"], request["sql"], request["max_rows"]
        reply = self._cache.get(key)
        ran = False
        if reply is None:
            self._check_open()
            try:
                reply, ran = self._flights.run(key, lambda: self._reply(key, request, started + timeout), timeout)
            except TimeoutError as error:
                raise _late(timeout) from error
        return Answer(reply.table, reply.complete, cached=not ran, seconds=time.monotonic() - started)

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

    def _request(self, question: Question, timeout: float) -> dict[str, Any]:
        scope = question.scope
        visible = {name: pin for name, pin in question.pins.items() if scope.sees(name)}
        limit = self._settings.max_rows
        return {
            "sql": question.sql,
            "pins": {name: (pin.metadata, pin.snapshot) for name, pin in visible.items()},
            "key": pins_key(visible),
            "scope": scope.key,
            "timeout": timeout,
            "max_rows": limit if question.max_rows is None else min(question.max_rows, limit),
        }

    def _reply(self, key: tuple[str, ...], request: dict[str, Any], deadline: float) -> Reply:
        # An equal question may have been answered since this one looked.
        reply = self._cache.get(key)
        if reply is None:
            reply = self._asked(request, deadline)
            if reply.stable:
                self._cache.put(key, reply, reply.size_bytes)
        return reply

    def _asked(self, request: dict[str, Any], deadline: float) -> Reply:
        """The reply of a worker; asked twice when the first one had gone before it read the question."""
        gone: WorkerGone | None = None
        for _ in range(2):
            worker = self._take(request, deadline)
            try:
                return worker.ask(request, deadline)
            except TimeUp as error:
                raise _late(request["timeout"]) from error
            except WorkerGone as error:
                self._check_open()
                if error.had_read:
                    raise _lost(error) from error
                gone = error
            finally:
                self._give_back(worker)
        raise Unavailable("Query workers do not start; the log has their last words. Run `lakeport doctor`.") from gone

    def _take(self, request: dict[str, Any], deadline: float) -> Worker:
        """A free worker, if possible one that knows the pins; a new one while there may be more; or wait for one."""
        with self._changed:
            while True:
                self._check_open()
                worker = self._free(request["scope"], request["key"])
                if worker is not None:
                    return worker
                if len(self._workers) < self._settings.workers:
                    worker = _started(self._limits)
                    self._workers.append(worker)
                    return worker
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise Stopped(
                        f"No query worker was free within {request['timeout']:g} s. Ask again, or raise query.workers."
                    )
                self._changed.wait(remaining)

    def _free(self, scope: str, pins: str) -> Worker | None:
        for dead in [worker for worker in self._idle if not worker.usable]:
            self._idle.remove(dead)
            self._drop(dead)
        found = next((worker for worker in self._idle if worker.knows(scope, pins)), None)
        if found is None and self._idle:
            found = self._idle[-1]
        if found is not None:
            self._idle.remove(found)
        return found

    def _give_back(self, worker: Worker) -> None:
        with self._changed:
            if worker.usable and not self._closed:
                self._idle.append(worker)
            else:
                self._drop(worker)
            self._changed.notify()

    def _drop(self, worker: Worker) -> None:
        worker.close()
        self._workers.remove(worker)

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable(CLOSED_TEXT)
        if self._owner != os.getpid():
            raise Unavailable("This query pool belongs to the process that forked this one; open one of its own.")


def _started(limits: Limits) -> Worker:
    try:
        return Worker(limits)
    except OSError as error:
        raise Unavailable("No query worker could be started: the machine is out of processes or memory.") from error


def _late(timeout: float) -> Stopped:
    return Stopped(
        f"The query was stopped after {timeout:g} s. Ask for less (a shorter time range, fewer groups), "
        "or raise query.timeout_seconds."
    )


def _lost(gone: WorkerGone) -> Stopped | Unavailable:
    if gone.out_of_memory:
        return Stopped(f"The query's own process was killed ({gone.how}), most likely for its memory. Ask for less.")
    return Unavailable(
        f"The query's own process broke ({gone.how}): a damaged data file, or a fault of the engine. "
        "Nothing else is affected; run `lakeport doctor`."
    )


def _kill_all(workers: list[Worker], owner: int) -> None:
    """For a pool that nobody closed. A forked child shares its memory, but not its workers."""
    if owner == os.getpid():
        for worker in workers:
            worker.close()
