"""Pictures of every page and state for docs/screenshots: `python -m tests.browser.screenshots FOLDER`.

One rule: a picture shows what somebody sees who has just come there; nothing on it is put in for the picture. axe looks
at each of them as well.
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
from tests.browser.axe import found
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
SCHEDULES = """
[schedules.nightly]
cron = "15 4 * * *"
env = "dev"
[schedules.often]
cron = "*/20 8-18 * * 1-5"
env = "staging"
"""
WINDOWS = [("light", DESK), ("dark", DESK), ("light", PHONE), ("dark", PHONE)]


EDITOR = "[data-lp-editor]"
STATEMENT = "select+region%2C+count(*)+as+n%0Afrom+marts.order_lines+group+by+all+order+by+n+desc"


@dataclass(frozen=True)
class Picture:
    """One state of a page: its file's name, its address, and what must be there before the picture is taken.

    `touched` is what somebody has clicked to come to it, `opens` what is there then. What a phone has elsewhere is
    taken at a desk alone.
    """

    name: str
    address: str
    there: str = ".lp-stamp"
    touched: tuple[str, str] = ("", "")
    opens: str = ""
    without_scripts: bool = False
    is_for_desks: bool = False


SAMPLE = (
    Picture("home", "/"),
    Picture("revenue", "/revenue"),
    Picture("revenue-past", "/revenue?period=last-90-days&at=1"),
    Picture("revenue-about", "/revenue?period=last-90-days&about=revenue", ".lp-about"),
    Picture("revenue-drilled", "/revenue?from=2024-02-01&to=2024-02-29&region=West&product=Laptop"),
    Picture("revenue-no-earlier-data", "/revenue?period=all"),
    Picture("revenue-empty", "/revenue?from=2031-01-01&to=2031-01-31"),
    Picture("revenue-error", "/revenue?period=last-century", ".lp-error"),
    Picture("revenue-loading", "/revenue", ".lp-waiting", without_scripts=True),
    Picture(
        "revenue-export",
        "/revenue",
        touched=("summary", "Export"),
        opens="details[open]",
        is_for_desks=True,
    ),
    Picture("data", "/data"),
    Picture("data-table", "/data?table=marts.order_lines"),
    Picture("data-metric", "/data?metric=average_order_value"),
    Picture("sql", f"/sql?q={STATEMENT}", EDITOR),
    Picture("sql-result", f"/sql?q={STATEMENT}", EDITOR, ("button", "Run"), ".lp-result table"),
    Picture(
        "sql-mistake", "/sql?q=select+nope(1)+as+n%0Afrom+marts.order_lines", EDITOR, ("button", "Run"), ".lp-error"
    ),
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
    Picture("pipelines-start", "/pipelines", touched=(".lp-start summary", ""), opens=".lp-start details[open]"),
    Picture("pipelines-sources", "/pipelines?section=sources"),
    Picture("pipelines-schedules", "/pipelines?section=schedules"),
    Picture("pipelines-tests", "/pipelines?section=tests"),
    Picture("pipelines-quarantine", "/pipelines?section=quarantine"),
)
"""Of the sample after records that do not fit, with a release that waits and a run that failed, by an admin."""


def main(folder: Path) -> None:
    """Take them all, and end with what axe finds on them."""
    folder.mkdir(parents=True, exist_ok=True)
    faults = []
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        chrome = stack.enter_context(_chrome())
        for lake, name, pictures in _lakes(Path(place)):
            with served(lake, Path(place) / "log") as portal:
                person = Person(chrome, portal.url)
                person.forget_me()
                person.visit("/login")
                if name == "ana" and pictures is SAMPLE:
                    faults += _take_all(person, [Picture("login", "/login", "form")], folder)
                person.visit("/login")
                _log_in(person, name)
                faults += _take_all(person, pictures, folder)
        address = stack.enter_context(serving(showcase()))
        faults += _take_all(Person(chrome, address), [Picture("components", "", ".lp-tile")], folder)
    if faults:
        sys.exit("\n".join(faults))


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
    lake.configure('[environments.staging]\n[environments.dev]\n[publish.staging]\nwait = "always"', SCHEDULES, columns)
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


def _take_all(person: Person, pictures: Sequence[Picture], folder: Path) -> list[str]:
    """Take them in every window; returns what axe finds on them."""
    faults = []
    for theme, (width, height) in WINDOWS:
        person.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", _media(theme))
        person.run(f"document.cookie = 'lakeport_theme={theme}; Path=/'")
        for picture in pictures:
            if picture.is_for_desks and (width, height) != DESK:
                continue
            person.size(width, height)
            off = {"value": picture.without_scripts}
            person.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", off)
            person.visit(picture.address)
            if not picture.without_scripts:
                _come_to(person, picture, width, height)
            kind = "" if width == DESK[0] else "-phone"
            name = f"{picture.name}{kind}{'-dark' if theme == 'dark' else ''}.webp"
            _take(person, folder / name)
            person.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
            if not picture.without_scripts:
                faults += [f"{name}: {fault}" for fault in found(person)]
    return faults


def _come_to(person: Person, picture: Picture, width: int, height: int) -> None:
    """Do what leads to the picture's state, and make the window as high as the page."""
    person.see(picture.there)
    person.wait(lambda: not person.all(".lp-plot:not(:has(.main-svg))"))
    if picture.opens:
        person.click(*picture.touched)
        person.see(picture.opens)
    long = min(HIGHEST, int(person.run("return document.documentElement.scrollHeight")))
    person.size(width, max(height, long))
    person.driver.execute_async_script(PAINTED)


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
