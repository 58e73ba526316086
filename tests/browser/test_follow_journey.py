"""Pages that stand open while a release is published by a real refresh: what they show, when, and what they keep.

One rule: every test publishes a release of its own and leaves the lake with it; none counts on a number.
"""

import os
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from lakehouse.releases import Release
from pipelines.sample.generator import write_sample
from tests.browser.conftest import Served, served
from tests.browser.person import Person
from tests.conftest import SAMPLE_COLUMNS
from tests.pipelines.lake import Lake, source
from tests.portal.visitor import PASSWORD

ALL = "/revenue?period=all&grain=month"
FINDER, FOUND = ".lp-filters details[open] input[type=search]", ".lp-filters details[open] .lp-found a"
LIMIT_SECONDS = 2.0
NOTE_CHANGES = """
const value = () => document.querySelector(".lp-tile .lp-value")?.title;
const before = value();
window.sameDocument = true;
window.changedAt = null;
new MutationObserver(() => {
  if (window.changedAt === null && value() && value() !== before) window.changedAt = Date.now();
}).observe(document.documentElement, { childList: true, subtree: true });
"""


@pytest.fixture(scope="module")
def open_lake(tmp_path_factory: pytest.TempPathFactory, _chromium: None) -> Iterator[Served]:
    """A lake of these tests with its first release, and its portal."""
    lake = Lake(tmp_path_factory.mktemp("followed"))
    lake.configure(source(columns=SAMPLE_COLUMNS, key=["order_id"]))
    write_sample(lake.home / "sales.csv")
    assert lake.start().ending == ("success", 0)
    with served(lake, tmp_path_factory.mktemp("served") / "log") as found:
        yield found


@pytest.fixture
def bea(dash_br: Any, open_lake: Served) -> Person:
    """Somebody who looks at all data by month."""
    person = Person(dash_br.driver, open_lake.url)
    person.visit("/login")
    person.log_in("bea", PASSWORD)
    person.visit(ALL)
    person.see(".lp-tile")
    person.wait_for_chart()
    person.run(NOTE_CHANGES)
    return person


def publish(served: Served) -> Release:
    """One order of 100.00 more, by a refresh."""
    orders = served.lake.home / "sales.csv"
    number = orders.read_text(encoding="utf-8").count("\n")
    with orders.open("a", encoding="utf-8") as file:
        file.write(f"NEW-{number},CUST-0001,2024-03-31,Laptop,1,100.00,North\n")
    assert served.lake.start().ending == ("success", 0)
    with served.lake.open() as workspace:
        return workspace.release


def crowding() -> float:
    """How many programs share each core of this machine, for everything takes so much longer; 1 where one is free."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def asked(person: Person) -> int:
    """How often the page has asked for a newer release."""
    return sum(name.endswith("/_release") for name in person.loaded)


def look_away(person: Person, is_hidden: bool) -> None:
    """Put another tab in front of the page, or take it away."""
    person.run(
        "Object.defineProperty(document, 'visibilityState', { value: arguments[0], configurable: true });"
        "document.dispatchEvent(new Event('visibilitychange'))",
        "hidden" if is_hidden else "visible",
    )


def wait_for_questions(person: Person, more: int = 2) -> None:
    """Wait until the page has asked some more times."""
    before = asked(person)
    person.wait(lambda: asked(person) >= before + more)


def test_a_new_release_is_on_the_open_page_within_two_seconds_and_everything_stays(
    bea: Person, open_lake: Served
) -> None:
    bea.size(1440, 600)
    bea.click(".lp-fold summary")
    bea.run("window.scrollTo(0, 300); document.querySelector('.lp-bars a').focus({preventScroll: true})")
    focused, before = bea.focused, bea.tile()

    release = publish(open_lake)

    bea.wait(lambda: bea.tile() != before)
    bea.wait(lambda: bea.text("[data-lp-news]") == f"Release {release.number} is here: the numbers were updated")
    late = bea.run("return changedAt") / 1000 - datetime.fromisoformat(release.published).timestamp()
    assert late < LIMIT_SECONDS * crowding()
    assert float(bea.tile().replace(",", "")) == pytest.approx(float(before.replace(",", "")) + 100)
    assert f"release {release.number}, just now" in bea.text(".lp-header summary")
    assert bea.place == ALL
    assert bea.run("return [scrollY, document.querySelectorAll('.lp-fold[open]').length, sameDocument]") == [
        300,
        1,
        True,
    ]
    assert bea.focused[:4] == focused[:4]
    assert bea.complaints == []


@pytest.mark.slow
def test_a_page_waits_until_its_user_is_done_and_keeps_what_was_typed(bea: Person, open_lake: Served) -> None:
    before = bea.tile()
    bea.click(".lp-filters summary", "Product")
    bea.see(FINDER).send_keys("Head")
    bea.wait(lambda: len(bea.all(FOUND)) == 1)

    release = publish(open_lake)
    bea.wait(lambda: bea.text("[data-lp-news]").startswith(f"Release {release.number} is here\nShow it"))
    wait_for_questions(bea)
    while_typing = bea.tile(), bea.see(FINDER).get_property("value"), bea.open_panels
    bea.click("h1")

    bea.wait(lambda: bea.tile() != before)
    assert while_typing[:2] == (before, "Head")
    assert len(while_typing[2]) == 1
    bea.click(".lp-filters summary", "Product")
    bea.wait(lambda: bea.see(FINDER).get_property("value") == "Head")
    bea.wait(lambda: [one.text for one in bea.all(FOUND)] == ["Headset"])
    assert bea.complaints == []


def test_a_statement_and_its_result_stay_until_the_newer_release_is_asked_for(bea: Person, open_lake: Served) -> None:
    bea.forget_me()
    bea.visit("/login?next=/sql")
    bea.see("[name=username]").send_keys("ana")
    bea.see("[name=password]").send_keys(PASSWORD)
    bea.click("button[type=submit]")
    bea.see("#sql-statement").send_keys("select count(*) as n from marts.order_lines")
    bea.click("button", "Run")
    bea.wait(lambda: "1 row, complete" in bea.text("#sql-result"))
    bea.see("#sql-statement").send_keys(" -- and more")

    release = publish(open_lake)
    bea.wait(lambda: f"Release {release.number} is here" in bea.text("[data-lp-news]"))
    wait_for_questions(bea)
    result = bea.text("#sql-result")
    bea.click("[data-lp-again]")

    bea.wait(lambda: f"Release {release.number} " in bea.text(".lp-stamp"))
    assert "1 row, complete" in result
    written = "return document.querySelector('#sql-statement').value"
    bea.wait(lambda: bea.run(written) == "select count(*) as n from marts.order_lines -- and more")


def test_nothing_is_asked_while_nobody_looks_and_at_once_when_somebody_does(bea: Person) -> None:
    wait_for_questions(bea)
    look_away(bea, True)
    hidden = asked(bea)
    time.sleep(2.5)
    still = asked(bea)

    look_away(bea, False)

    assert still <= hidden + 1  # one may have been on its way
    bea.wait(lambda: asked(bea) > still)


@pytest.mark.slow
def test_the_past_is_not_followed(bea: Person) -> None:
    bea.visit(f"{ALL}&at=1")
    bea.see(".lp-asof")
    before = asked(bea)

    time.sleep(2.5)

    assert asked(bea) == before == 0


def test_a_login_that_has_ended_leads_to_the_form_by_itself_and_back(bea: Person) -> None:
    bea.forget_me()

    bea.wait(lambda: bea.place == "/login?next=%2Frevenue%3Fperiod%3Dall%26grain%3Dmonth")


@pytest.mark.slow
def test_a_portal_out_of_reach_is_said_until_it_is_back(bea: Person) -> None:
    bea.cut(True)
    bea.wait(lambda: bea.text("[data-lp-away]").startswith("You are offline. What you see is release "))
    bea.click(".lp-bars a", "West")  # changes the address, and nothing can be drawn for it
    bea.cut(False)

    bea.wait(lambda: not bea.all("[data-lp-away]:not([hidden])"))
    bea.wait(lambda: bea.all(".lp-bars-row[aria-current]"))
    assert bea.run("return sameDocument")
