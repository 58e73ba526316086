"""Several people at several web processes of one portal: one run, seen and ended by all, and nobody sees too much.

One rule: a tab is held by one web process, which is known, so that each of them is asked.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import TypeVar
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from lakehouse.core import Lakehouse
from lakehouse.query.scope import RowRule
from lakehouse.run_owner import birth
from lakehouse.runs import Ending, Runs
from lakehouse.state.schema import runs
from pipelines.context import run_folder
from pipelines.processes import of_run
from pipelines.run_log import LOG_NAME
from tests.bench.family import WORKERS
from tests.pipelines.lake import Lake, lines, source
from tests.pipelines.started_runs import GRANDCHILD, beside, until
from tests.portal.caller import FORM, Answered, Caller
from tests.portal.test_serve import Served, children
from tests.portal.visitor import PASSWORD

pytestmark = pytest.mark.slow  # a portal of two processes, and a run that does not end when it is asked to

PROCESSES = 2
ROWS = 1_500_000
"""Enough for a load that goes on while everybody looks at it."""
USERS = {"erik": "engineer", "adam": "admin", "rita": "admin", "vera": "viewer"}
RULES = {"rita": [RowRule("id", "=", ("a1",))]}
OLD = "of-yesterday"
FOUND, PRINTED = "a-row-that-failed", "what-its-tools-printed"
TOLD = {"adam": (True, True), "erik": (False, True), "rita": (False, False), "vera": (False, False)}
"""Who sees of a run of prod that failed the rows that a test has found, and the log."""
ROUNDS = 10

Given = TypeVar("Given")


@dataclass
class Tab:
    """A tab of somebody's browser, which is answered by one of the web processes."""

    name: str
    caller: Caller
    web: "Web"
    process: int

    def order(self, path: str, **fields: str) -> Answered:
        """What comes of a form that is sent."""
        self.hold()
        return self.caller.ask(path, urlencode(fields), FORM)

    def page(self, path: str) -> Answered:
        """What the router answers for a page."""
        self.hold()
        return self.caller.show(path)

    def parts(self) -> dict[str, str]:
        """How far the runs are, as an open page learns it."""
        self.hold()
        parts: dict[str, str] = self.caller.ask("/_runs").document["parts"]
        return parts

    def hold(self) -> None:
        """Open the connection until it is this tab's process that has taken it."""
        until(self._is_held, f"a connection to process {self.process}")

    def _is_held(self) -> bool:
        self.caller.ask("/health")
        if self.web.behind(self.caller) == self.process:
            return True
        self.caller.close()
        return False


@dataclass
class Web:
    """The web processes of a served lake."""

    port: int
    processes: Sequence[int]

    def behind(self, caller: Caller) -> int:
        """The process that holds the other end of a connection."""
        ends = [f"{port:04X}" for port in (self.port, caller.line)]
        rows = [row.split() for row in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
        [inode] = [row[9] for row in rows if [end.partition(":")[2] for end in row[1:3]] == ends]
        [process] = [one for one in self.processes if f"socket:[{inode}]" in set(_open_files(one))]
        return process


def _open_files(process: int) -> Iterator[str]:
    for file in Path(f"/proc/{process}/fd").iterdir():
        try:
            yield os.readlink(file)
        except OSError:  # closed meanwhile
            continue


@dataclass
class Several:
    """The lake, everybody's tabs, and where a grandchild of the next run writes its number."""

    lakehouse: Lakehouse
    tabs: Sequence[Tab]
    grandchild: Path

    def of(self, *names: str) -> list[Tab]:
        """The tabs of some people."""
        return [tab for tab in self.tabs if tab.name in names]


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Several]:
    lake, folder = Lake(tmp_path_factory.mktemp("several")), tmp_path_factory.mktemp("beside")
    lake.configure("[environments.dev]\n[environments.prod]", source())
    lake.write("sales.csv", lines(*(f"a{number},{number}" for number in range(ROWS))))
    variables = beside(folder / "site", GRANDCHILD.format(file=str(folder / "pid")))
    with Lakehouse.open(lake.home) as lakehouse, ExitStack() as stack:
        for name, role in USERS.items():
            lakehouse.users.add(name, PASSWORD, role, RULES.get(name, ()))
        failed_in_prod(lakehouse)
        served = stack.enter_context(Served(lake.home, "--workers", str(PROCESSES), **variables))
        web = Web(served.port, until(lambda: web_processes(served.process.pid), "the web processes"))
        tabs = [tab for name in USERS for tab in tabs_of(name, web, stack)]
        yield Several(lakehouse, tabs, folder / "pid")


def failed_in_prod(lakehouse: Lakehouse) -> None:
    """A run of prod in which a test failed, as a refresh leaves it."""
    failure = {"test": "unique_ids", "message": "Got 1 result.", "failures": 1, "reads": ["marts.ids"]}
    kept = {"columns": [{"name": "id", "type": "VARCHAR"}], "rows": [[FOUND]], "complete": True}
    folder = run_folder(lakehouse.settings, OLD)
    (folder / "failures").mkdir(parents=True)
    (folder / "failures" / "unique_ids.json").write_text(json.dumps(kept), encoding="utf-8")
    (folder / LOG_NAME).write_text(f"{PRINTED}\n", encoding="utf-8")
    Runs(lakehouse.state).begin(OLD, "prod", "refresh", "adam")
    result = {"tests": {"passed": 41, "failed": 1}, "failures": [{**failure, "file": "failures/unique_ids.json"}]}
    Runs(lakehouse.state).end(OLD, Ending("failed", result, "Nothing was released, because tests or models failed."))


def web_processes(first: int) -> list[int]:
    """The web processes, once all of them are there."""
    found = [one for one in children(first) if WORKERS not in Path(f"/proc/{one}/cmdline").read_bytes()]
    return found if len(found) == PROCESSES else []


def tabs_of(name: str, web: Web, stack: ExitStack) -> Iterator[Tab]:
    """A tab at each of the web processes, in one browser."""
    cookies: dict[str, str] = {}
    for process in web.processes:
        caller = stack.enter_context(closing(Caller(web.port)))
        if not cookies:
            caller.log_in(name)
            cookies = caller.cookies
        caller.cookies = cookies
        yield Tab(name, caller, web, process)


def at_once(tabs: Sequence[Tab], ask: Callable[[Tab], Given]) -> list[Given]:
    """What each tab gets when all of them ask at the same moment, over the connections that they hold."""
    together = Barrier(len(tabs))

    def one(tab: Tab) -> Given:
        tab.hold()
        together.wait()
        return ask(tab)

    with ThreadPoolExecutor(len(tabs)) as pool:
        return list(pool.map(one, tabs))


def test_equal_clicks_start_one_run_which_all_see_and_whose_grandchildren_a_cancel_reaches(several: Several) -> None:
    lakehouse, clickers, viewers = several.lakehouse, several.of("erik", "adam"), several.of("vera")
    answers = at_once(clickers, lambda tab: tab.caller.ask("/_runs/start", urlencode({"env": "dev"}), FORM))

    [started] = [answer.document for answer in answers if answer.status == 200]
    refused = [answer.document["text"] for answer in answers if answer.status == 409]
    run: str = started["run"]
    assert len(refused) == 3
    assert all(f"Run {run} " in text for text in refused)

    until(lambda: all("Load sales" in tab.parts().get(run, "") for tab in clickers), "the load, seen by all")
    grandchild = int(until(lambda: several.grandchild.read_text(encoding="ascii"), "the grandchild"))
    assert all(run in tab.page("/pipelines").shown for tab in clickers)
    assert all(tab.parts() == {} for tab in viewers)
    assert all(run not in tab.page("/pipelines").body.decode() for tab in viewers)
    with lakehouse.state.read() as connection:
        owner = connection.execute(select(runs.c.owner).where(runs.c.id == run)).scalar_one()
    folder = run_folder(lakehouse.settings, run)
    assert {grandchild} < {process.pid for process in of_run(owner, folder)}

    cancelled = several.of("adam")[-1].order(f"/_runs/{run}/cancel")

    assert (cancelled.status, cancelled.document["text"]) == (200, f"Run {run} was asked to end.")
    until(lambda: not of_run(owner, folder), "the end of all its processes")
    assert birth(grandchild) is None
    shown = Runs(lakehouse.state).show(run)
    assert (shown["state"], shown["cancelled_by"], shown["release"]) == ("cancelled", "adam", None)
    for tab in clickers:
        assert tab.parts() == {}
        assert "The run was cancelled by adam. Nothing was released." in tab.page(f"/pipelines/runs/{run}").shown


def page_of_a_run(tab: Tab) -> tuple[bool, bool]:
    """Whether the page of the run that failed shows this tab the rows that a test has found, and the log."""
    body = tab.caller.show(f"/pipelines/runs/{OLD}").body
    return FOUND.encode() in body, PRINTED.encode() in body


def log_of_a_run(tab: Tab) -> tuple[bool, bool]:
    """The same of the log as a file, which holds no rows."""
    return TOLD[tab.name][0], PRINTED.encode() in tab.caller.ask(f"/_runs/{OLD}/files/{LOG_NAME}").body


@pytest.mark.parametrize("ask", [page_of_a_run, log_of_a_run])
def test_equal_requests_at_once_give_nobody_the_answer_of_somebody_else(
    several: Several, ask: Callable[[Tab], tuple[bool, bool]]
) -> None:
    for _ in range(ROUNDS):
        assert at_once(several.tabs, ask) == [TOLD[tab.name] for tab in several.tabs]
