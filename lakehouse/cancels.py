"""Who wants a statement stopped that another process runs: of several web processes the wish may have come to any.

One rule: a wish is for what was running when it came. A statement that begins later under the same token is not meant.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, insert, select

from lakehouse.errors import Unavailable
from lakehouse.state.schema import cancels, now, stamp
from lakehouse.state.store import State

LOOK_SECONDS = 0.25
"""How often a process looks for wishes, while it runs something that may be stopped."""

KEPT = timedelta(minutes=5)
"""How long a wish stays in the store, where no process has to have come across it meanwhile."""


class Cancels:
    """The wishes of one state store, and what this process runs. Thread-safe."""

    def __init__(self, state: State, stop: Callable[[str], bool]) -> None:
        """`stop` stops what this process runs under a token."""
        self._state, self._stop = state, stop
        self._lock = threading.Lock()
        self._running: list[tuple[str, int]] = []
        """The token of each statement that runs, and the last wish before it began."""
        self._looking: threading.Thread | None = None

    def ask(self, token: str) -> None:
        """Want that stopped which some process runs under this token."""
        with self._state.write(flush=False) as connection:
            connection.execute(insert(cancels).values(token=token, at=now()))
            connection.execute(delete(cancels).where(cancels.c.at < stamp(datetime.now(UTC) - KEPT)))

    @contextmanager
    def stoppable(self, token: str) -> Iterator[None]:
        """What runs here while this is open is stopped when somebody wants it; without a token nobody can."""
        if not token:
            yield
            return
        with self._state.read() as connection:
            last = connection.scalar(select(func.max(cancels.c.number))) or 0
        mine = (token, last)
        with self._lock:
            self._running.append(mine)
            if self._looking is None:
                self._looking = threading.Thread(target=self._look, name="cancels", daemon=True)
                self._looking.start()
        try:
            yield
        finally:
            with self._lock:
                self._running.remove(mine)

    def _look(self) -> None:
        """Stop what is wanted to be stopped, until nothing runs."""
        while True:
            time.sleep(LOOK_SECONDS)
            with self._lock:
                running = list(self._running)
                if not running:
                    self._looking = None
                    return
            with suppress(Unavailable):  # the store is away: the next look may find it
                for token in self._wanted(running):
                    self._stop(token)

    def _wanted(self, running: list[tuple[str, int]]) -> set[str]:
        """The tokens of those for which there is a wish that came after they had begun."""
        meant = cancels.c.token.in_({token for token, _ in running})
        wishes = select(cancels.c.token, func.max(cancels.c.number).label("newest")).where(meant)
        with self._state.read() as connection:
            newest = {row.token: row.newest for row in connection.execute(wishes.group_by(cancels.c.token))}
        return {token for token, last in running if newest.get(token, 0) > last}
