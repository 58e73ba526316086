"""A real Chromium before a real server: `dash.testing` drives the one, `lakeport serve` is the other.

One rule: without Chromium these tests are skipped and say why; where `LAKEPORT_TEST_BROWSER=needed` they fail instead.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options

from lakehouse.core import Lakehouse
from tests.browser.person import Person
from tests.browser.showcase import serving, showcase
from tests.browser.window import Window
from tests.pipelines.lake import Lake
from tests.portal.visitor import PASSWORD

USERS = {"bea": "viewer", "ana": "analyst", "boris": "admin"}
START_SECONDS = 60
MISSING = "chromium and chromedriver are not on the PATH; make browser installs them"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def pytest_setup_options() -> Options:
    """Chromium without a screen, and without any talk to its maker."""
    options = Options()
    for argument in (
        "--headless=new",
        "--window-size=1440,1000",
        "--hide-scrollbars",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ):
        options.add_argument(argument)
    options.binary_location = shutil.which("chromium") or ""
    return options


@pytest.fixture(scope="session", autouse=True)
def _chromium() -> None:
    driver = shutil.which("chromedriver")
    if driver is None or shutil.which("chromium") is None:
        if os.environ.get("LAKEPORT_TEST_BROWSER") == "needed":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    os.environ["SE_CHROMEDRIVER"] = driver  # else selenium asks the network for one


@dataclass(frozen=True)
class Served:
    """A portal that answers: its address, and the lake behind it."""

    url: str
    lake: Lake


@pytest.fixture(scope="session")
def portal(sample_lake: Lake, tmp_path_factory: pytest.TempPathFactory, _chromium: None) -> Iterator[Served]:
    """The sample lake's portal, as a process of its own, with free SQL and a user of each role that tests need."""
    with served(sample_lake, tmp_path_factory.mktemp("served") / "log") as found:
        yield found


@contextmanager
def served(lake: Lake, log_file: Path) -> Iterator[Served]:
    """The portal of a lake for as long as it is needed."""
    with Lakehouse.open(lake.home) as lakehouse:
        for name, role in USERS.items():
            lakehouse.users.add(name, PASSWORD, role)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "portal.cli", "serve", "--home", str(lake.home), "--port", str(port)]
    with log_file.open("w+") as log:
        environment = {**os.environ, "LAKEPORT_QUERY__FREE_SQL": "true"}
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            _wait(f"http://127.0.0.1:{port}/health", server, log)
            yield Served(f"http://127.0.0.1:{port}", lake)
        finally:
            server.terminate()
            server.wait(30)
    with Lakehouse.open(lake.home) as lakehouse:
        for name in USERS:
            lakehouse.users.remove(name)


def _wait(url: str, server: subprocess.Popen[bytes], log: Any) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # loopback
                if answer.status == 200:
                    return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    log.seek(0)
    pytest.fail(f"The portal did not start:\n{log.read()}")


@pytest.fixture
def person(dash_br: Any, portal: Served) -> Person:
    """Somebody at a desk with a browser that has never been here."""
    return Person(dash_br.driver, portal.url)


@pytest.fixture
def on_the_phone(person: Person) -> Person:
    """The same with a phone's screen."""
    person.take_phone()
    return person


@pytest.fixture(scope="module")
def chromium(_chromium: None) -> Iterator[Chrome]:
    """One browser for many small tests; it writes down what it asks for."""
    options = pytest_setup_options()
    options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    driver = Chrome(options=options)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the showcase is served."""
    with serving(showcase()) as found:
        yield found


@pytest.fixture
def window(chromium: Chrome, address: str) -> Iterator[Window]:
    """The showcase, opened anew in a light desktop window without cookies."""
    window = Window(chromium, address)
    window.size(1440, 1000)
    window.prefer("light")
    chromium.get(address)
    chromium.delete_all_cookies()
    window.open("")
    yield window
    chromium.execute_cdp_cmd("Network.disable", {})
