"""Where the time of a revenue page goes, in CPU-ms by part: `python -m tests.bench.profile_page HOME [TIMES]`.

One rule: it counts CPU, which a busy machine stretches far less than the clock; the parts add up to the whole.
"""

import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

from flask_compress import Compress

from lakehouse.access.audit import Audit
from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse, Workspace
from lakehouse.query.pool import QueryPool
from portal import screens
from portal.app import create_app
from portal.page import Visit
from portal.pages import PAGES
from portal.sales import Sales
from tests.bench.measured import show
from tests.portal.visitor import PASSWORD, ROUTER, Visitor

NAME = "page-profiler"
REST = "session, rights, routing, frame"
WORKERS = "query workers"


class Parts:
    """CPU seconds of this thread by part; a part that is called by another one is taken off it."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self._inner = [0.0]

    def timed(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, whose time is counted."""

        @wraps(work)
        def run(*given: Any, **named: Any) -> Any:
            began = time.thread_time()
            self._inner.append(0.0)
            try:
                return work(*given, **named)
            finally:
                took = time.thread_time() - began
                self.spent[part] += took - self._inner.pop()
                self._inner[-1] += took

        return run

    def watch(self, part: str, owner: Any, *names: str) -> None:
        """Count the time of some functions of a class or module."""
        for name in names:
            setattr(owner, name, self.timed(part, getattr(owner, name)))


def watched() -> tuple[Parts, tuple[Any, ...]]:
    """The parts of a page, counted from here on, and the pages to make a portal of."""
    parts = Parts()
    parts.watch("plans into SQL", Workspace, "_compiled", "_lines", "line_count", "columns")
    parts.watch("asking a query worker", QueryPool, "ask")
    parts.watch("HTML and JSON", screens, "draw")
    parts.watch("audit record", Audit, "write")
    parts.watch("compression", Compress, "after_request")
    return parts, tuple(replace(page, layout=parts.timed("words, links and elements", page.layout)) for page in PAGES)


def cost(parts: Parts, lakehouse: Lakehouse, ask: Callable[[], Any], times: int) -> dict[str, float]:
    """CPU-ms of one request by part."""
    parts.spent.clear()
    workers, began = _workers(lakehouse), time.thread_time()
    for _ in range(times):
        ask()
    whole = time.thread_time() - began
    spent = {**parts.spent, REST: whole - sum(parts.spent.values()), WORKERS: _workers(lakehouse) - workers}
    return {part: 1000 * seconds / times for part, seconds in spent.items()}


def _workers(lakehouse: Lakehouse) -> float:
    """CPU seconds of all query workers until now."""
    tasks = [task for one in lakehouse.pool._crew._workers for task in Path(f"/proc/{one.pid}/task").iterdir()]
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def addresses(workspace: Workspace, times: int) -> list[str]:
    """Addresses of the page that nobody has asked for: weeks of different days."""
    bounds = Sales(workspace, Visit("/revenue")).bounds
    assert bounds is not None
    most = bounds.days // 4
    days = random.Random(1).sample(  # noqa: S311  # no secret
        [(first, last) for first in range(1, most) for last in range(most)], times
    )
    return [
        f"/revenue?from={bounds.first + timedelta(first)}&to={bounds.last - timedelta(last)}&grain=week"
        for first, last in days
    ]


def main(home: Path, times: int) -> None:
    """Print the table."""
    parts, pages = watched()
    with Lakehouse.open(home) as lakehouse:
        lakehouse.users.add(NAME, PASSWORD, "viewer")
        try:
            visitor = Visitor(create_app(lakehouse, pages=pages).server)
            visitor.log_in(NAME)
            asked = addresses(lakehouse.as_user(operator()), times + 8)

            def page(address: str) -> None:
                search = address.partition("?")[2]
                where = [("shell-location", "pathname", "/revenue"), ("shell-location", "search", f"?{search}")]
                answer = visitor.callback(ROUTER, [*where, ("shell-theme", "data", None)], **{"Accept-Encoding": "br"})
                assert answer.status_code == 200, answer.status

            for address in asked[:8]:  # both workers know the tables, and DuckDB its files
                page(address)
            new = iter(asked[8:])
            kept = cost(parts, lakehouse, lambda: page(asked[0]), times)
            first = cost(parts, lakehouse, lambda: page(next(new)), times)
        finally:
            lakehouse.users.remove(NAME)
    lines = [
        (part, f"{kept.get(part, 0):.1f}", f"{first[part]:.1f}") for part in sorted(first, key=lambda one: -first[one])
    ]
    lines.append(("in all", f"{sum(kept.values()):.1f}", f"{sum(first.values()):.1f}"))
    show(f"{times} requests each, CPU-ms of one", ("part", "asked before", "never asked"), lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20)
