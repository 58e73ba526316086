"""Says how far dbt is: which models and tests have begun and ended, and how many of how many.

One rule: dbt calls from several threads, and nothing that is said here may disturb it.
"""

import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any

from pipelines.events import Events

MODELS, TESTS, NODES = "models", "tests", "nodes"


class BuildProgress:
    """Listens to one invocation of dbt that works on nodes of these kinds, each named as dbt does (`model`, `test`)."""

    def __init__(self, events: Events, kinds: Iterable[str]) -> None:
        self._events, self._lock = events, threading.Lock()
        self._total = Counter(_unit(kind) for kind in kinds)
        self._total[NODES] = self._total.total()
        self._done: Counter[str] = Counter()
        for unit in (MODELS, TESTS):
            events.progress("build", "", 0, self._total[unit], unit)

    def __call__(self, event: Any) -> None:
        """What dbt has just said."""
        if event.info.name == "NodeStart":
            self._events.mark("build", f"{event.data.node_info.node_name} started")
        elif event.info.name == "NodeFinished":
            node = event.data.node_info
            message = f"{node.node_name} {node.node_status}"
            with self._lock:
                for unit in (_unit(node.resource_type), NODES):
                    self._done[unit] += 1
                    self._events.progress("build", message, self._done[unit], self._total[unit], unit)


def _unit(kind: str) -> str:
    return TESTS if kind == "test" else MODELS
