"""Answers that were given before, and questions that are being answered right now.

One rule: the key of an answer holds everything it depends on, the pins included; so nothing here ever has to expire.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from lakehouse.errors import LakeportError, Stopped, Unavailable

OVERHEAD_BYTES = 2048
"""Rough cost of an entry besides its rows."""

T = TypeVar("T")


class OutOfTime(Stopped):
    """The time of one asker was over; somebody else's may not be."""


class Cache(Generic[T]):
    """Values up to so many bytes together; the one that was not used for longest goes first. Thread-safe."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._used = 0
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        """The value of the key, now the most recently used one, or None."""
        with self._lock:
            found = self._entries.get(key)
            if found is None:
                return None
            self._entries.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: T, size_bytes: int) -> None:
        """Keep a value; one that is larger than the whole cache is not kept."""
        size = size_bytes + OVERHEAD_BYTES
        if size > self._limit:
            return
        with self._lock:
            self._used += size - self._entries.pop(key, (value, 0))[1]
            self._entries[key] = value, size
            while self._used > self._limit:
                self._used -= self._entries.popitem(last=False)[1][1]


class SingleFlight(Generic[T]):
    """Equal work at the same time is done once, by whoever came first. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, Future[T]] = {}

    def run(self, key: Hashable, work: Callable[[], T], timeout_seconds: float) -> tuple[T, bool]:
        """The result of `work`, and whether this call did it.

        Who joins work that runs gets its result or its error, and a `TimeoutError` when its own time is over before.
        When only the time of whoever did it was over, one of those who joined does it again.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            with self._lock:
                flight = self._flights.get(key)
                if flight is None:
                    mine = self._flights[key] = Future()
            if flight is None:
                return self._lead(key, mine, work), True
            error = flight.exception(max(0.0, deadline - time.monotonic()))
            if isinstance(error, OutOfTime) and time.monotonic() < deadline:
                continue
            if isinstance(error, LakeportError):
                raise type(error)(*error.args) from error
            return flight.result(), False

    def _lead(self, key: Hashable, mine: "Future[T]", work: Callable[[], T]) -> T:
        error: BaseException = Unavailable("Whoever asked this question first was interrupted. Ask again.")
        try:
            result = work()
            mine.set_result(result)
            return result
        except Exception as failure:
            error = failure
            raise
        finally:
            with self._lock:
                del self._flights[key]
            if not mine.done():
                mine.set_exception(error)
