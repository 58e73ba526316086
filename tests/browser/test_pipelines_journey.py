"""Refreshes from the page Pipelines in a real browser: started, watched, cancelled, and outliving the portal.

One rule: the runs are the product's own, as slow as this machine makes them; nothing is measured but what was promised.
"""

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome

from lakehouse.core import Lakehouse
from lakehouse.runs import Runs
from pipelines.sample.generator import write_sample
from tests.browser.axe import found
from tests.browser.conftest import pytest_setup_options
from tests.browser.person import Person
from tests.browser.test_follow_journey import LIMIT_SECONDS, crowding
from tests.conftest import LATE_LINE, SAMPLE_COLUMNS
from tests.pipelines.lake import Lake, source
from tests.pipelines.started_runs import until
from tests.portal.visitor import PASSWORD

USERS = {"erik": "engineer", "adam": "admin", "bea": "viewer"}
REFRESH, CANCEL, SURE = ".lp-start > form button", ".lp-head .lp-pop > summary", ".lp-order .is-danger"
PERCENT = "return Number(document.querySelector('[data-lp-part] [role=progressbar]')?.ariaValueNow ?? -1)"
SHOWN = "return document.querySelector('[data-lp-part]').dataset.lpPart"
LINES = "return document.querySelectorAll('.lp-log > span').length"
AT_END = "const log = document.querySelector('.lp-log'); return log.scrollHeight - log.scrollTop - log.clientHeight < 4"
CHANGED = """
const value = () => document.querySelector(".lp-tile .lp-value")?.title;
const before = value();
window.changedAt = null;
new MutationObserver(() => {
  if (window.changedAt === null && value() && value() !== before) window.changedAt = Date.now();
}).observe(document.documentElement, { childList: true, subtree: true });
"""


class Portal:
    """A portal of its own at one port, which can be ended and started again."""

    def __init__(self, lake: Lake, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._lake, self._log = lake, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--home", str(self._lake.home), "--port", str(self.port)]
        command = [sys.executable, "-m", "portal.cli", "serve", *options]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=dict(os.environ))
        until(self._answers, "the portal's answer")

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(60)

    def _answers(self) -> bool:
        with (
            suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer,
        ):  # loopback
            return bool(answer.status == 200)
        return False


@pytest.fixture(scope="module")
def portal_process(tmp_path_factory: pytest.TempPathFactory, _chromium: None) -> Iterator[tuple[Portal, Lake]]:
    """A lake with its first release and one order more in its file, and its portal."""
    lake = Lake(tmp_path_factory.mktemp("operated"))
    lake.configure(source(columns=SAMPLE_COLUMNS, key=["order_id"]))
    write_sample(lake.home / "sales.csv")
    assert lake.start().ending == ("success", 0)
    with (lake.home / "sales.csv").open("a", encoding="utf-8") as file:
        file.write(LATE_LINE)
    with Lakehouse.open(lake.home) as lakehouse:
        for name, role in USERS.items():
            lakehouse.users.add(name, PASSWORD, role)
    portal = Portal(lake, tmp_path_factory.mktemp("served") / "log")
    portal.start()
    yield portal, lake
    portal.stop()


@contextmanager
def somebody(url: str, name: str, path: str, sign: str) -> Iterator[Person]:
    """One of the users at a browser of their own, on a page."""
    options = pytest_setup_options()
    options.add_argument("--no-sandbox")
    person = Person(Chrome(options=options), url)
    try:
        person.visit(f"/login?next={path}")
        person.see("[name=username]").send_keys(name)
        person.see("[name=password]").send_keys(PASSWORD)
        person.click("button[type=submit]")
        person.see(sign)
        yield person
    finally:
        person.driver.quit()


def newest(lake: Lake) -> dict[str, Any]:
    with Lakehouse.open(lake.home) as lakehouse:
        return Runs(lakehouse.state).list("dev", 1)[0]


def begin(person: Person) -> str:
    """Press Refresh, and wait for the run's card; its id."""
    person.click(REFRESH, "Refresh")
    until(lambda: person.run(PERCENT) >= 0, "the card of the run")
    return str(person.run(SHOWN))


def test_a_refresh_is_watched_by_two_cancelled_by_one_and_the_next_outlives_the_portal(
    portal_process: tuple[Portal, Lake],
) -> None:
    portal, lake = portal_process
    url = f"http://127.0.0.1:{portal.port}"
    with somebody(url, "erik", "/pipelines", ".lp-env") as erik, somebody(url, "adam", "/pipelines", ".lp-env") as adam:
        run = begin(erik)
        first, lines = erik.run(PERCENT), erik.run(LINES)
        until(lambda: erik.run(PERCENT) > first and erik.run(LINES) > lines, "the bar's move")
        assert erik.run(AT_END)
        erik.visit("/pipelines")
        until(lambda: erik.run(PERCENT) >= 0, "the run after a reload")
        until(lambda: adam.run(PERCENT) >= 0, "the run in the other tab")
        assert run in adam.text(".lp-head h2")
        assert [person.run(SHOWN) for person in (erik, adam)] == [run, run]

        assert found(erik) == []
        assert erik.run("return document.documentElement.scrollWidth <= innerWidth")

        adam.click(CANCEL, "Cancel run")
        adam.click(SURE, "Cancel run")

        for person in (erik, adam):
            until(lambda person=person: "Cancelled" in person.text(".lp-runs tbody tr"), "the cancelled run")
        assert newest(lake)["state"] == "cancelled"
        assert newest(lake)["cancelled_by"] == "adam"

        with somebody(url, "bea", "/revenue?period=all", ".lp-tile") as bea:
            again = begin(erik)
            assert again != run
            until(lambda: erik.run(PERCENT) > 0, "progress")
            portal.stop()
            portal.start()
            bea.visit("/revenue?period=all")
            bea.see(".lp-tile")
            bea.run(CHANGED)

            until(lambda: newest(lake)["ended"], "the end of the run")
            ended = newest(lake)
            assert (ended["run"], ended["state"], ended["release"]) == (again, "success", 2)
            until(lambda: bea.run("return changedAt"), "the new number")
            with lake.open() as workspace:
                published = datetime.fromisoformat(workspace.release.published).timestamp()
            assert bea.run("return changedAt") / 1000 - published < LIMIT_SECONDS * crowding()
        until(lambda: "Published" in erik.text(".lp-runs tbody tr"), "the published run")
        assert [said for said in adam.complaints if "ERR_CONNECTION_REFUSED" not in said] == []  # while it was away
