"""The door to DuckDB: SQL and pins in, Arrow out, in memory or on disk, from a small pool of worker processes.

One rule: whoever holds a pool never runs a query itself, so no query can take this process down.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from lakehouse.errors import RequestWrong, StatementWrong, Stopped, Unavailable
from lakehouse.query.answer import Answer
from lakehouse.query.cache import Cache, OutOfTime, SingleFlight
from lakehouse.query.crew import Crew, check_wanted
from lakehouse.query.hot import hot_folder
from lakehouse.query.pins import Pins, pins_key
from lakehouse.query.process import Reply, TimeUp, Worker, WorkerGone
from lakehouse.query.scope import Scope
from lakehouse.query.spool import Room, Spooled
from lakehouse.query.wire import Limits
from lakehouse.settings import QuerySettings

EVERYTHING = Scope()
"""Sees every table."""

T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """One statement on pinned tables, by somebody who sees `scope`; of the tables `public` every row.

    A `trusted` one was written by Lakeport itself; any other goes through the guard. `max_rows` and `timeout_seconds`
    can tighten the settings' limits, not widen them. Askers take turns, each with a limit of what it runs at once; the
    one without a name is Lakeport itself, without that limit. `QueryPool.cancel` takes the `cancel_token`.
    """

    sql: str
    pins: Pins
    scope: Scope = EVERYTHING
    public: frozenset[str] = frozenset()
    trusted: bool = False
    max_rows: int | None = None
    timeout_seconds: float | None = None
    asker: str = ""
    cancel_token: str = ""

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

    def __init__(
        self, settings: QuerySettings, folders: Sequence[str], mask_key: str = "", own_folder: Path | None = None
    ) -> None:
        """A pool whose workers may read below `folders` (paths or URLs) and nowhere else.

        `mask_key` is what values of hashed columns are hashed with. In `own_folder` exports lie while they are read,
        and hot copies of the tables.
        """
        self._settings = settings
        limits = Limits(
            threads=settings.threads,
            memory_mb=settings.memory_mb,
            address_space_mb=settings.address_space_mb,
            folders=tuple(folder if "://" in folder else str(Path(folder).absolute()) for folder in folders),
            mask_key=mask_key,
            hot=str(hot_folder(own_folder).absolute()) if own_folder and settings.hot_table_mb else "",
        )
        self._cache: Cache[Reply] = Cache(settings.cache_mb << 20)
        self._flights: SingleFlight[Reply] = SingleFlight()
        self._crew = Crew(limits, settings.workers, settings.per_user)
        # Exports have workers of their own, which go behind: no question waits for one, and they take what is left.
        self._exporters = Crew(limits, max(1, settings.workers - 1), settings.per_user, goes_behind=True)
        self._room = Room(own_folder, settings.export_mb << 20)

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
        request = self._request(question, self._settings.timeout_seconds, self._settings.max_rows)
        timeout = request["timeout"]
        key = request["scope"], request["key"], request["sql"], request["max_rows"], request["trusted"]
        reply = self._cache.get(key)
        ran = False
        if reply is None:
            self._crew.check_open()
            try:
                # Nobody shares the fate of somebody else's question: its place in the line, its end, its cancelling.
                flight = *key, question.asker, question.cancel_token
                reply, ran = self._flights.run(flight, lambda: self._reply(key, request, started + timeout), timeout)
            except TimeoutError as error:
                raise Stopped(*_late(timeout).args) from error
            except OutOfTime as error:
                raise Stopped(*error.args) from error
        return Answer(reply.table, reply.complete, cached=not ran, seconds=time.monotonic() - started)

    def export(self, question: Question) -> Spooled:
        """The rows of the question on disk, under the limits of exports; they are neither shared nor kept.

        Raises what `ask` raises, and `Busy` when the asker has too many of them. The caller closes what it gets.
        """
        started = time.monotonic()
        request = self._request(question, self._settings.export_seconds, self._settings.export_rows)
        request["is_export"] = True
        self._exporters.check_open()
        spool = self._room.spool(question.asker)
        deadline = started + request["timeout"]
        try:
            said = self._on_worker(
                self._exporters, request, deadline, lambda worker: worker.listen(request, deadline, spool.write)
            )
        except BaseException:
            spool.close()
            raise
        return Spooled(spool, said["rows"], said["complete"], time.monotonic() - started)

    def close(self) -> None:
        """End all workers; who still waits gets `Unavailable`. Closing twice is fine."""
        self._crew.close()
        self._exporters.close()

    def cancel(self, token: str) -> bool:
        """Stop the questions that carry this token; their askers get `Stopped`. False when there was none."""
        return self._crew.cancel(token) or self._exporters.cancel(token)

    def _request(self, question: Question, seconds: float, most_rows: int) -> dict[str, Any]:
        scope = question.scope
        visible = {name: pin for name, pin in question.pins.items() if scope.sees(name)}
        public = question.public & visible.keys()
        return {
            "sql": question.sql,
            "pins": {name: (pin.metadata, pin.snapshot) for name, pin in visible.items()},
            "public": sorted(public),
            "key": pins_key(visible, public),
            "scope": scope.key,
            "rights": scope.to_json(),
            "trusted": question.trusted,
            "asker": question.asker,
            "token": question.cancel_token,
            "timeout": min(question.timeout_seconds or seconds, seconds),
            "max_rows": most_rows if question.max_rows is None else min(question.max_rows, most_rows),
            "is_export": False,
        }

    def _reply(self, key: tuple[str, ...], request: dict[str, Any], deadline: float) -> Reply:
        # An equal question may have been answered since this one looked.
        reply = self._cache.get(key)
        if reply is None:
            # While this one waits for its turn, somebody else may have the same answer.
            reply = self._on_worker(
                self._crew, request, deadline, lambda worker: self._cache.get(key) or worker.ask(request, deadline)
            )
            if reply.stable:
                self._cache.put(key, reply, reply.size_bytes)
        return reply

    def _on_worker(self, crew: Crew, request: dict[str, Any], deadline: float, work: Callable[[Worker], T]) -> T:
        """What `work` gets from a worker; done again when one had gone before it read the question."""
        gone: WorkerGone | None = None
        with crew.ticket(request["asker"], request["token"]) as ticket:
            for _ in range(self._settings.workers + 1):
                worker = crew.take(ticket, request["scope"], request["key"], deadline)
                try:
                    return work(worker)
                except TimeUp as error:
                    raise _late(request["timeout"], is_export=request["is_export"]) from error
                except WorkerGone as error:
                    crew.check_open()
                    check_wanted(ticket)
                    if error.had_read:
                        raise _lost(error) from error
                    gone = error
                finally:
                    crew.give_back(ticket, worker)
        raise Unavailable("Query workers do not start; the log has their last words. Run `lakeport doctor`.") from gone


def _late(timeout: float, *, is_export: bool = False) -> OutOfTime:
    setting = "query.export_seconds" if is_export else "query.timeout_seconds"
    return OutOfTime(
        f"The query was stopped after {timeout:g} s. Ask for less (a shorter time range, fewer groups), "
        f"or raise {setting}."
    )


def _lost(gone: WorkerGone) -> Stopped | Unavailable:
    if gone.how == "SIGXCPU":
        return Stopped("The query used more processor time than one query may and was stopped. Ask for less.")
    if gone.out_of_memory:
        return Stopped(f"The query's own process was killed ({gone.how}), most likely for its memory. Ask for less.")
    return Unavailable(
        f"The query's own process broke ({gone.how}): a damaged data file, or a fault of the engine. "
        "Nothing else is affected; run `lakeport doctor`."
    )
