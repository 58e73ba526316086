"""A served lake that is refreshed again and again, and somebody who reads it meanwhile.

One rule: each refresh has something new to load and is ordered over HTTP, as an admin does; so it is a child of the
portal, at the priority that the portal gives it.
"""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select

from lakehouse.core import Lakehouse
from lakehouse.run_owner import process_of
from lakehouse.runs import Runs
from lakehouse.state.schema import runs
from pipelines.create import create_lake
from pipelines.sample.generator import write_sample
from tests.bench.browser import Client, text_of
from tests.bench.measured import cost_of
from tests.bench.served import NAME, Served
from tests.bench.states import COMMON
from tests.pipelines.started_runs import until
from tests.portal.caller import FORM, Answered, Caller
from tests.portal.visitor import PASSWORD
from tests.portal.whole_answers import Read, Seen

ADMIN = "ada"
FILE = Path("data", "sales.csv")
REGIONS = ("Central", "East", "North", "South", "West")
LINE = "ORD-M{number:05}{region[0]},CUST-0001,2024-03-31,Laptop,{number},10.00,{region}\n"
"""One of the lines that a refresh finds: none of the states shows the same numbers before and after it."""


@dataclass(frozen=True)
class Refreshed:
    """A refresh that has ended well: its release, how long it took, and at which priority its process ran."""

    release: int
    seconds: float
    nice: int


class Refreshes:
    """Somebody who presses Refresh as soon as the last one has ended."""

    def __init__(self, home: Path, lakehouse: Lakehouse, caller: Caller) -> None:
        self._file, self._state, self._caller = home / FILE, lakehouse.state, caller
        self.done = list[Refreshed]()

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Refresh after refresh while the block lasts; the last one has ended when it is left."""
        over = Event()
        with ThreadPoolExecutor(1) as pool:
            working = pool.submit(self._go_on, over)
            try:
                yield
            finally:
                over.set()
            working.result()

    def _go_on(self, over: Event) -> None:
        while not over.is_set():
            self._refresh()

    def _refresh(self) -> None:
        number, began = len(self.done) + 1, time.monotonic()
        with self._file.open("a", encoding="utf-8") as file:
            file.writelines(LINE.format(number=number, region=region) for region in REGIONS)
        answer = self._caller.ask("/_runs/start", urlencode({"env": "dev"}), FORM)
        assert answer.status == 200, answer.body
        record, nice = self._ended(answer.document["run"])
        assert (record["state"], record["rows_quarantined"]) == ("success", 0), record
        self.done.append(Refreshed(record["release"], time.monotonic() - began, nice))

    def _ended(self, run: str) -> tuple[dict[str, Any], int]:
        """The record of a run that has ended, and the priority that its process was seen with last."""
        seen = [0]

        def look() -> dict[str, Any] | None:
            with suppress(ProcessLookupError):
                seen.append(self._priority(run))
            record = Runs(self._state).show(run)
            return record if record["ended"] else None

        return until(look, f"the end of run {run}"), seen[-1]

    def _priority(self, run: str) -> int:
        with self._state.read() as connection:
            owner = connection.execute(select(runs.c.owner).where(runs.c.id == run)).scalar_one()
        process = process_of(owner)
        if process is None or not process.lives:
            raise ProcessLookupError
        return os.getpriority(os.PRIO_PROCESS, process.pid)


@dataclass(frozen=True)
class Asked:
    """How long an answer took, in ms, and whether it was the first of its state at its release."""

    ms: float
    is_first: bool


class Reader:
    """Somebody who goes through the common states, one after the other, as fast as the answers come."""

    def __init__(self, client: Client) -> None:
        self.seen = Seen()
        self._client = client
        self._known = set[tuple[str, int]]()
        self._asked = 0

    def read(self, callbacks: int) -> list[Asked]:
        """So many answers, which are kept to be looked at later."""
        self._client.close()  # the server has done so by now if the last ones were long ago
        return [self._read() for _ in range(callbacks)]

    def _read(self) -> Asked:
        search = COMMON[self._asked % len(COMMON)]
        began = time.perf_counter()
        body = self._client.page(search)
        spent = 1000 * (time.perf_counter() - began)
        self._asked += 1
        return Asked(spent, self._take_note(search, text_of(body)))

    def _take_note(self, search: str, text: bytes) -> bool:
        """Keep an answer; whether it is the first of its state at its release."""
        release = int(self._client.release)
        before = self.seen.reads[-1].release if self.seen.reads else 0
        assert release >= before, f"release {before} was followed by {release}"
        content = Answered(200, {}, text).shown
        self.seen.add(Read(f"/revenue{search}", before, 0, release, content), text)
        is_first = (search, release) not in self._known
        self._known.add((search, release))
        return is_first


@dataclass(frozen=True)
class Changing:
    """A served lake that changes, with somebody who reads it."""

    lakehouse: Lakehouse
    refreshes: Refreshes
    reader: Reader


@contextmanager
def changing(home: Path) -> Iterator[Changing]:
    """A lake of a thousand lines in a new folder, refreshed once and served."""
    create_lake(home, "sales")
    write_sample(home / FILE)
    with Lakehouse.open(home) as lakehouse:
        lakehouse.users.add(NAME, PASSWORD, "viewer")
        lakehouse.users.add(ADMIN, PASSWORD, "admin")
        cost_of(["pipelines.run", "refresh", "--home", str(home)], home)
        with Served(home) as served, closing(Caller(served.port)) as caller, served.client() as client:
            caller.log_in(ADMIN)
            yield Changing(lakehouse, Refreshes(home, lakehouse, caller), Reader(client))
