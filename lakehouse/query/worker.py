"""A query worker: the process that runs DuckDB, one question at a time, until its parent closes the pipe or is gone.

One rule: it may be killed at any moment; it owns nothing and writes nothing but its answer. Started by
`lakehouse.query.process` through `lakehouse.query.confine`; standard input and output carry frames.
"""

import contextlib
import io
import json
import os
import resource
import select
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any, cast

import duckdb

from lakehouse.errors import LakeportError, StatementWrong, Unavailable
from lakehouse.query import guard, wire
from lakehouse.query.confine import allow_seconds, places
from lakehouse.query.instance import Instance, Tables
from lakehouse.query.scope import Scope
from lakehouse.query.statement import Checked, trusted
from lakehouse.query.travel import send_rows
from lakehouse.query.trouble import DATA_TEXT, FOREIGN, Interrupted, is_fatal, translated, unknown_table

INSTANCES = 8
"""How many scopes keep their DuckDB; the one that was not used for longest is closed first."""

FULL_SHARE = 0.75
"""Share of the address space after which the worker asks to be replaced: caches of idle instances only ever grow."""

AGAIN_SECONDS = 0.05
"""An interrupt is repeated: one that comes before the statement has begun is forgotten by DuckDB."""


CPU_GRACE_SECONDS = 5
"""Longer than from the deadline to the kill: the limit of CPU time is for a parent that cannot kill any more."""


class Running:
    """The statement that runs now, and when it must be interrupted. Shared by the two threads of a worker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deadline: float | None = None
        self._cursor: duckdb.DuckDBPyConnection | None = None

    def expect(self, deadline: float) -> None:
        """A question has been read; `deadline` is on the machine's monotonic clock, which all its processes share."""
        with self._lock:
            self._deadline = deadline

    def on(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """From now on this cursor is what to interrupt."""
        with self._lock:
            self._cursor = cursor

    def over(self) -> None:
        """Nothing runs: an interrupt can no longer hit the next question."""
        with self._lock:
            self._deadline = self._cursor = None

    @property
    def late(self) -> bool:
        """Whether the deadline has passed."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    def interrupt_if_late(self) -> float:
        """Interrupt what is late; returns in how many seconds to look again."""
        with self._lock:
            if self._deadline is None:
                return 1.0
            if not self.late:
                return min(1.0, max(0.0, self._deadline - time.monotonic()) + 0.001)
            if self._cursor is not None:
                self._cursor.interrupt()
            return AGAIN_SECONDS


class Worker:
    """Answers questions: one locked instance per scope, kept as long as it is used."""

    def __init__(self, limits: wire.Limits, answers: int, running: Running) -> None:
        self._limits, self._answers, self._running = limits, answers, running
        self._instances: OrderedDict[str, Instance] = OrderedDict()

    def answer(self, question: dict[str, Any]) -> None:
        """Send the frames of one question."""
        wire.write_all(self._answers, wire.pack(wire.READ, {}))
        try:
            last = wire.ANSWER, self._rows(question)
        except LakeportError as error:
            last = wire.ERROR, self._error(type(error).__name__, str(error), error.__cause__)
        except Interrupted as error:
            last = wire.ERROR, self._error(wire.TIME_UP, "", error.__cause__)
        self._running.over()
        kind, content = last
        wire.write_all(self._answers, wire.pack(kind, {**content, "tired": content.get("tired") or self._full()}))

    def _rows(self, question: dict[str, Any]) -> dict[str, Any]:
        if self._running.late:
            raise Interrupted
        instance = self._instance(question)
        cursor = instance.cursor()
        self._running.on(cursor)
        try:
            statement = self._checked(cursor, question)
            self._show(instance, cursor, question, statement)
            frames = wire.DataFrames(self._answers)
            try:
                return self._run(cursor, statement, question, frames)
            except Unavailable:
                if frames.has_begun or not self._mended(instance, cursor, question, statement):
                    raise
            return self._run(cursor, statement, question, wire.DataFrames(self._answers))
        finally:
            self._running.over()
            cursor.close()

    def _checked(self, cursor: duckdb.DuckDBPyConnection, question: dict[str, Any]) -> Checked:
        """What will be executed: of a trusted statement itself, of any other what the guard has written."""
        check = trusted if question["trusted"] else guard.check
        try:
            return check(cursor, question["sql"], question["pins"].keys())
        except FOREIGN as error:
            raise translated(error, self._limits.readable) from error

    def _show(
        self, instance: Instance, cursor: duckdb.DuckDBPyConnection, question: dict[str, Any], statement: Checked
    ) -> None:
        with self._reading():
            instance.show(cursor, Tables.of(question), statement.tables, fenced=not question["trusted"])

    def _mended(
        self, instance: Instance, cursor: duckdb.DuckDBPyConnection, question: dict[str, Any], statement: Checked
    ) -> bool:
        with self._reading():
            return instance.mend(cursor, Tables.of(question), statement.tables, fenced=not question["trusted"])

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """What DuckDB raises while it opens tables is about them, not about the statement."""
        try:
            yield
        except FOREIGN as error:
            seen = translated(error, self._limits.readable)
            raise (Unavailable(DATA_TEXT) if isinstance(seen, StatementWrong) else seen) from error

    def _run(
        self, cursor: duckdb.DuckDBPyConnection, statement: Checked, question: dict[str, Any], frames: wire.DataFrames
    ) -> dict[str, Any]:
        try:
            cursor.execute(statement.sql)
            sink = io.BufferedWriter(frames, wire.CHUNK_BYTES)
            max_bytes = None if question["is_export"] else self._limits.memory_mb << 20
            sent = send_rows(cursor, sink, question["max_rows"], max_bytes)
            sink.flush()
        except FOREIGN as error:
            unknown = unknown_table(error, question["pins"])
            raise unknown or translated(error, self._limits.readable) from error
        finally:
            frames.is_over = True
        return {"rows": sent.rows, "complete": sent.complete, "stable": statement.stable}

    def _instance(self, question: dict[str, Any]) -> Instance:
        key = question["scope"]
        if key not in self._instances:
            while len(self._instances) >= INSTANCES:
                self._instances.popitem(last=False)[1].close()
            self._instances[key] = Instance(self._limits, Scope.from_json(question["rights"]))
        self._instances.move_to_end(key)
        return self._instances[key]

    def _error(self, name: str, text: str, cause: BaseException | None) -> dict[str, Any]:
        detail = f"{type(cause).__name__}: {cause}" if cause else ""
        return {"error": name, "text": text, "detail": detail, "tired": cause is not None and is_fatal(cause)}

    def _full(self) -> bool:
        with open("/proc/self/statm", encoding="ascii") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        return used > FULL_SHARE * (self._limits.address_space_mb << 20)


def watch(pipe: int, inbox: "SimpleQueue[dict[str, Any]]", running: Running, limits: wire.Limits) -> None:
    """Read questions, interrupt what is late, and end the process when the parent has gone. Never returns."""
    parent, known = os.getppid(), places(limits.readable)
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    while True:
        if poll.poll(running.interrupt_if_late() * 1000):
            try:
                _, payload = wire.read_frame(wire.reader(pipe))
            except (EOFError, OSError):
                os._exit(0)
            if places(limits.readable) != known:
                # A folder was made, or made again: this process may not read it. Nothing is lost, another one is asked.
                os._exit(0)
            question = json.loads(payload)
            seconds = max(0.0, question["deadline"] - time.monotonic()) + CPU_GRACE_SECONDS
            allow_seconds(seconds * (limits.threads + 1))
            running.expect(question["deadline"])
            inbox.put(question)
        # A process that the parent forked may hold the pipe open after the parent's death.
        if os.getppid() != parent:
            os._exit(0)


def main(limits: wire.Limits) -> None:
    """Serve the pool that started this process; it has been confined, and no thread was started before."""
    questions, answers = os.dup(0), os.dup(1)
    # Whatever a library prints must not land between the frames.
    os.dup2(2, 1)
    running, inbox = Running(), cast("SimpleQueue[dict[str, Any]]", SimpleQueue())
    threading.Thread(target=watch, args=(questions, inbox, running, limits), daemon=True).start()
    worker = Worker(limits, answers, running)
    with contextlib.suppress(BrokenPipeError):
        while True:
            worker.answer(inbox.get())
