"""Pictures of every page and state for docs/screenshots: `python -m tests.browser.screenshots FOLDER`.

One rule: a picture shows what somebody sees who has just come there; nothing on it is put in for the picture.
"""

import base64
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from selenium.webdriver import Chrome
from selenium.webdriver.chrome.service import Service

from pipelines.sample.generator import write_sample
from tests.browser.conftest import pytest_setup_options, served
from tests.browser.person import PHONE, Person
from tests.browser.showcase import serving, showcase
from tests.conftest import LATE_LINE, SAMPLE_COLUMNS
from tests.pipelines.lake import Lake, source
from tests.portal.visitor import PASSWORD

DESK = (1440, 1000)
HIGHEST = 2400
QUALITY = 45
PRODUCTS = 5_000
PAINTED = "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))"
WINDOWS = [("light", DESK), ("dark", DESK), ("light", PHONE), ("dark", PHONE)]


@dataclass(frozen=True)
class Picture:
    """One state of a page: its file's name, its address, and what must be there before the picture is taken."""

    name: str
    address: str
    there: str = ".lp-stamp"
    without_scripts: bool = False


SAMPLE = (
    Picture("home", "/"),
    Picture("revenue", "/revenue?period=last-90-days"),
    Picture("revenue-past", "/revenue?period=last-90-days&at=1"),
    Picture("revenue-about", "/revenue?period=last-90-days&about=revenue", ".lp-about"),
    Picture("revenue-drilled", "/revenue?from=2024-02-01&to=2024-02-29&region=West&product=Laptop"),
    Picture("revenue-no-earlier-data", "/revenue?period=all"),
    Picture("revenue-empty", "/revenue?from=2031-01-01&to=2031-01-31"),
    Picture("revenue-error", "/revenue?period=last-century", ".lp-error"),
    Picture("revenue-loading", "/revenue", ".lp-waiting", without_scripts=True),
    Picture("data", "/data"),
    Picture("data-table", "/data?table=marts.order_lines"),
    Picture("data-metric", "/data?metric=average_order_value"),
    Picture("sql", "/sql?sql=select+region%2C+count(*)+from+marts.order_lines+group+by+all", "[data-lp-editor]"),
    Picture("no-such-page", "/nowhere", "h1"),
)
"""Of the thousand rows of the sample, by an analyst."""

LARGE = (Picture("revenue-5000-products", "/revenue?period=all"),)
"""Of thousands of products with long names."""

EMPTY = (Picture("home-empty", "/", "main"), Picture("revenue-no-release", "/revenue", "main"))
"""Of a lake in which nothing has been released."""

VIEWER = (Picture("forbidden", "/sql", "h1"),)
"""By a viewer."""


PIPELINES = (
    Picture("pipelines", "/pipelines"),
    Picture("pipelines-run", "/pipelines/runs/{run}", ".lp-gantt"),
    Picture("pipelines-sources", "/pipelines?section=sources"),
    Picture("pipelines-tests", "/pipelines?section=tests"),
    Picture("pipelines-quarantine", "/pipelines?section=quarantine"),
)
"""Of the sample after records that do not fit, with a release that waits and a run that failed, by an admin."""


def main(folder: Path) -> None:
    """Take them all."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        chrome = stack.enter_context(_chrome())
        for lake, name, pictures in _lakes(Path(place)):
            with served(lake, Path(place) / "log") as portal:
                person = Person(chrome, portal.url)
                person.forget_me()
                person.visit("/login")
                if name == "ana" and pictures is SAMPLE:
                    _take_all(person, [Picture("login", "/login", "form")], folder)
                person.visit("/login")
                _log_in(person, name)
                _take_all(person, pictures, folder)
        address = stack.enter_context(serving(showcase()))
        _take_all(Person(chrome, address), [Picture("components", "", ".lp-tile")], folder)


def _lakes(place: Path) -> Iterator[tuple[Lake, str, tuple[Picture, ...]]]:
    """Each lake, who looks at it, and at what."""
    sample = _lake(place / "sample")
    write_sample(sample.home / "sales.csv")
    assert sample.start().ending == ("success", 0)
    with (sample.home / "sales.csv").open("a", encoding="utf-8") as file:
        file.write(LATE_LINE)
    assert sample.start().ending == ("success", 0)
    yield sample, "ana", SAMPLE
    yield sample, "bea", VIEWER
    run = _worked_on(sample)
    yield sample, "boris", tuple(replace(one, address=one.address.format(run=run)) for one in PIPELINES)
    large = _lake(place / "large")
    lines = (
        f"ORD-{number},CUST-{number % 700},{date(2024, 1, 1) + timedelta(days=number % 120)},"
        f"Hand-made product number {number} of a catalogue with long names,{number % 7 + 1},{number % 90 + 10}.50,"
        f"{('North', 'The region beyond the seven mountains', 'South')[number % 3]}"
        for number in range(PRODUCTS)
    )
    header = "order_id,customer_id,order_date,product,quantity,amount,region"
    (large.home / "sales.csv").write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    assert large.start().ending == ("success", 0)
    yield large, "ana", LARGE
    yield _lake(place / "empty"), "ana", EMPTY


def _worked_on(lake: Lake) -> str:
    """More runs in two environments; returns the one that has put records aside."""
    columns = source(columns=SAMPLE_COLUMNS, key=["order_id"])
    lake.configure('[environments.staging]\n[environments.dev]\n[publish.staging]\nwait = "always"', columns)
    file = lake.home / "sales.csv"
    with file.open("a", encoding="utf-8") as sales:
        for number in range(3):
            sales.write(LATE_LINE.replace("9999", f"900{number}"))
            sales.write(LATE_LINE.replace("9999", f"910{number}").replace(",1,", ",many,"))
    ran = lake.start()
    assert ran.ending == ("success", 0)
    assert lake.start("refresh", "--env", "staging").ending == ("awaiting_publish", 0)
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace("region", "country", 1), encoding="utf-8")
    assert lake.start().ending[0] == "failed"
    file.write_text(whole, encoding="utf-8")
    return str(ran.result["run"])


def _lake(home: Path) -> Lake:
    home.mkdir()
    lake = Lake(home)
    lake.configure(source(columns=SAMPLE_COLUMNS, key=["order_id"]))
    return lake


def _log_in(person: Person, name: str) -> None:
    person.see("[name=username]").send_keys(name)
    person.see("[name=password]").send_keys(PASSWORD)
    person.click("button[type=submit]")
    person.wait(lambda: "/login" not in person.place)


def _take_all(person: Person, pictures: Sequence[Picture], folder: Path) -> None:
    for theme, (width, height) in WINDOWS:
        person.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", _media(theme))
        person.run(f"document.cookie = 'lakeport_theme={theme}; Path=/'")
        for picture in pictures:
            person.size(width, height)
            off = {"value": picture.without_scripts}
            person.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", off)
            person.visit(picture.address)
            if not picture.without_scripts:
                person.see(picture.there)
                person.wait(lambda: not person.all(".lp-plot:not(:has(.main-svg))"))
                long = min(HIGHEST, int(person.run("return document.documentElement.scrollHeight")))
                person.size(width, max(height, long))
                person.driver.execute_async_script(PAINTED)
            kind = "" if width == DESK[0] else "-phone"
            _take(person, folder / f"{picture.name}{kind}{'-dark' if theme == 'dark' else ''}.webp")
            person.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def _media(theme: str) -> dict[str, object]:
    features = {"prefers-color-scheme": theme, "prefers-reduced-motion": "reduce"}
    return {"features": [{"name": name, "value": value} for name, value in features.items()]}


def _take(person: Person, file: Path) -> None:
    taken = person.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    file.write_bytes(base64.b64decode(taken["data"]))


@contextmanager
def _chrome() -> Iterator[Chrome]:
    options = pytest_setup_options()
    options.add_argument("--no-sandbox")
    driver = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
