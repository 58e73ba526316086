"""`python child.py POINT ...`: `python -m pipelines.run ...` that kills itself somewhere, without hooks in the product.

One rule: nothing runs after the point where the process is killed: no `finally`, no flush, no other thread.

A point is `KIND:WHAT`; WHAT is a text, or a number that counts from 1. Before it may stand what happens there instead
of SIGKILL: `stop` (SIGSTOP, until somebody lets the process go on), `term` (the polite signal), or `fill` (the disk on
which the lake lies is filled to the last byte). `count:FILE` is an undisturbed run that writes down how often each kind
was reached.
"""

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.default import DefaultDialect

import lakehouse.runs
import pipelines.inputs
import pipelines.run

REACHED: Counter[str] = Counter()


class Point:
    """Where something happens to the process, and what."""

    def __init__(self, text: str, home: Path) -> None:
        acts: dict[str, Callable[[], None]] = {
            "stop": partial(os.kill, os.getpid(), signal.SIGSTOP),
            "term": partial(os.kill, os.getpid(), signal.SIGTERM),
            "fill": partial(fill, home / "ballast"),
        }
        first, _, rest = text.partition(":")
        self._act = acts.get(first, partial(os.kill, os.getpid(), signal.SIGKILL))
        self.kind, _, self.what = (rest if first in acts else text).partition(":")

    def reach(self, kind: str, text: str | None = None) -> None:
        """The process is at the next place of this kind; `text` says which one where a number would not."""
        REACHED[kind] += 1
        here = (str(REACHED[kind]), text)
        if kind == self.kind and self.what in here:
            self._act()


def fill(ballast: Path) -> None:
    """Leave no byte on the disk."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1):
            with suppress(OSError):
                while file.write(b"0" * size):
                    pass


def before(owner: Any, name: str, reach: Callable[..., None]) -> None:
    """Reach a point before each call; it is told the call's arguments."""
    original = getattr(owner, name)

    def wrapped(*args: Any, **named: Any) -> Any:
        reach(*args, **named)
        return original(*args, **named)

    setattr(owner, name, wrapped)


def after(owner: Any, name: str, reach: Callable[..., None]) -> None:
    """Reach a point after each call; it is told the call's arguments."""
    original = getattr(owner, name)

    def wrapped(*args: Any, **named: Any) -> Any:
        result = original(*args, **named)
        reach(*args, **named)
        return result

    setattr(owner, name, wrapped)


def after_each(owner: Any, name: str, reach: Callable[..., None]) -> None:
    """Reach a point when a generator's consumer comes back for more: it has done something with the last value."""
    original = getattr(owner, name)

    def wrapped(*args: Any, **named: Any) -> Iterator[Any]:
        for value in original(*args, **named):
            yield value
            reach()

    setattr(owner, name, wrapped)


def watch_databases(point: Point) -> None:
    """Points before and after every commit of the state store and the catalog, and after each change of a pointer."""

    def database(connection: Any) -> str:
        return Path(connection.execute("pragma database_list").fetchone()[2]).stem

    def commits(place: str) -> Callable[..., None]:
        return lambda _dialect, connection: point.reach(f"{place}-{database(connection)}-commit")

    def moved(_connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("UPDATE iceberg_tables"):
            point.reach("pointer-moved")
        if statement.startswith("UPDATE releases"):
            point.reach("release-changed")

    before(DefaultDialect, "do_commit", commits("before"))
    after(DefaultDialect, "do_commit", commits("after"))
    event.listen(Engine, "after_cursor_execute", moved)


def watch_files(point: Point) -> None:
    """Points after each data file, metadata file and candidate, and around the result file."""
    from pyiceberg.catalog import MetastoreCatalog

    from lakehouse.tables import internals
    from lakehouse.tables.write import Staged

    after_each(internals, "write_files", lambda: point.reach("data-file"))
    original = MetastoreCatalog._write_metadata

    def write_metadata(*args: Any, **named: Any) -> None:
        original(*args, **named)
        point.reach("metadata")

    MetastoreCatalog._write_metadata = staticmethod(write_metadata)  # type: ignore[method-assign]
    after(Staged, "write_candidate", lambda staged, _run: point.reach("candidate", staged.table))
    before(Path, "replace", lambda path, _target: point.reach("before-rename", path.name))


def watch_work(point: Point) -> None:
    """Points where the run says that something has happened, and inside dlt."""
    import dlt

    import pipelines.extract
    from pipelines.events import Events

    after(Events, "mark", lambda _events, _step, message: point.reach("mark", message))
    after(Events, "end", lambda _events, step, _message="": point.reach("end", step))
    after_each(pipelines.extract, "read_csv", lambda: point.reach("batch"))
    before(dlt.Pipeline, "normalize", lambda *_a, **_n: point.reach("before-normalize"))
    before(dlt.Pipeline, "load", lambda *_a, **_n: point.reach("before-dlt-load"))


def main(arguments: list[str]) -> NoReturn:
    """Do one run with a point in it."""
    text, *rest = arguments
    point = Point(text, Path(rest[rest.index("--home") + 1]))
    # Both would change the count of commits: the heartbeat at any time, the hashes when the files are not new any more.
    lakehouse.runs.BEAT_SECONDS = float(os.environ.get("BEAT_SECONDS", "3600"))
    pipelines.inputs.SETTLED_SECONDS = 0.0
    for watch in (watch_databases, watch_files, watch_work):
        watch(point)
    sys.argv[1:] = rest
    try:
        pipelines.run.program()
    finally:
        if point.kind == "count":
            Path(point.what).write_text(json.dumps(REACHED))


if __name__ == "__main__":
    main(sys.argv[1:])
