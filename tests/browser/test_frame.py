"""The frame around every page: while one waits, on paper, with a folded menu, by keyboard.

One rule: sizes are compared with what came, never with numbers that stand here.
"""

import base64
import re
import zlib

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.person import Person

ALL = "/revenue?period=all&grain=month"
PERIOD = "/revenue"
"""With lines to compare, so that the chart has a legend on a phone."""
RENDERER = "*dash_renderer*"
NOTE_SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
MOST_SHIFTED = 0.1
NEAR_PX = 2
PLACES = """
return [...document.querySelectorAll(arguments[0])].slice(0, 8).map((one) => {
  const { x, y, width, height } = one.getBoundingClientRect();
  return [x, y, width, height].map(Math.round);
});
"""


@pytest.fixture
def bea(person: Person) -> Person:
    """Somebody who has logged in."""
    person.visit("/login")
    person.log_in("bea")
    return person


def block(person: Person, *urls: str) -> None:
    """Keep the browser from what it would load."""
    person.driver.execute_cdp_cmd("Network.enable", {})
    person.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": list(urls)})


@pytest.mark.parametrize("size", [(1440, 1000), (390, 844)], ids=["desk", "phone"])
def test_the_shape_of_a_page_is_where_the_page_will_be(bea: Person, size: tuple[int, int]) -> None:
    bea.size(*size)
    block(bea, RENDERER)
    bea.visit(PERIOD)
    shape = bea.run(PLACES, ".lp-waiting :is(.lp-top, .lp-tile, .lp-shape.is-chart)")
    block(bea)
    bea.visit(PERIOD)
    bea.see(".lp-tile .lp-value")

    page = bea.run(PLACES, "#shell-page :is(.lp-top, .lp-tile, .lp-card:has(.lp-plot))")
    assert len(shape) == len(page) == 7
    shape[-1].pop()  # how high the card of the chart is: the names of its lines may take two lines on a phone
    page[-1].pop()
    assert shape == [pytest.approx(place, abs=NEAR_PX) for place in page]
    assert not bea.all(".lp-waiting")


def test_nothing_jumps_while_a_page_loads(bea: Person) -> None:
    added = bea.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": NOTE_SHIFTS})
    bea.visit(ALL)
    bea.wait_for_chart()

    assert bea.run("return shifted") < MOST_SHIFTED
    bea.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def test_before_any_script_the_menu_is_there(bea: Person) -> None:
    block(bea, RENDERER)
    bea.visit("/revenue")

    assert bea.see(".lp-waiting .lp-menu [aria-current]").text == "Revenue"
    assert bea.see(".lp-waiting h1").text == "Revenue"
    assert "is on its way" in bea.text(".lp-waiting [role=status]")
    block(bea)


def printed(person: Person) -> str:
    """The page on paper, as the commands of a PDF that are not compressed any more."""
    person.driver.execute_cdp_cmd("Page.enable", {})
    paper = person.driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    whole = base64.b64decode(paper["data"])
    parts = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", whole, re.DOTALL)
    return whole.decode("latin-1") + "".join(_inflated(part) for part in parts)


def _inflated(part: bytes) -> str:
    try:
        return zlib.decompress(part).decode("latin-1")
    except zlib.error:
        return ""


def test_paper_is_a4_and_holds_the_numbers_and_their_release_but_nothing_to_press(bea: Person) -> None:
    bea.visit(f"{ALL}&region=West")
    bea.wait_for_chart()
    paper = printed(bea)
    bea.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})

    shown = "return [...document.querySelectorAll(arguments[0])].filter((one) => one.checkVisibility()).length"
    assert re.search(r"/MediaBox \[0 0 59[45](\.\d+)? 84[12](\.\d+)?\]", paper)
    assert (
        bea.run(shown, ".lp-menu, .lp-header summary, .lp-filters :is(a, button, summary), .lp-toasts, [data-lp-away]")
        == 0
    )
    assert bea.run(shown, "button, input, summary") == 0
    assert bea.text(".lp-filters-said") == "All data, by month, West"
    assert re.match(r"Release \d+ · .+ tests passed", bea.text(".lp-stamp"))
    assert bea.run(shown, ".lp-stamp, .lp-tile, .lp-plot .main-svg, .lp-bars") > 6
    bea.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_on_paper_a_dark_page_is_black_on_white_and_its_chart_as_wide_as_its_card(bea: Person) -> None:
    bea.visit(ALL)
    bea.wait_for_chart()
    if bea.theme == "light":
        bea.click("[data-lp-theme]")
        bea.wait(lambda: bea.theme == "dark")
        bea.wait_for_chart()
    bea.run("dispatchEvent(new Event('beforeprint'))")
    bea.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    bea.size(703, 1000)

    color = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
    assert bea.run(color, "body", "color") == "rgb(0, 0, 0)"
    assert bea.run(color, ".lp-card", "backgroundColor") == "rgb(255, 255, 255)"
    assert bea.run(color, ".lp-plot text", "fill") == "rgb(0, 0, 0)"
    drawing, room = (bea.run(PLACES, one)[0][2] for one in (".lp-plot .main-svg", ".lp-chart"))
    assert drawing == pytest.approx(room, abs=1)
    bea.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    bea.run("dispatchEvent(new Event('afterprint'))")
    assert not bea.all(".main-svg[viewBox]")
    bea.size(1440, 1000)
    bea.click("[data-lp-theme]")
    bea.wait(lambda: bea.theme == "light")


def test_the_menu_folds_by_choice_and_stays_so(bea: Person) -> None:
    bea.size(1440, 1000)
    bea.visit(ALL)
    bea.see(".lp-tile .lp-value")
    width = "return document.querySelector('.lp-menu').offsetWidth"
    open_width = bea.run(width)
    bea.click("[data-lp-menu]")
    folded = bea.run(width)
    bea.driver.refresh()
    bea.see(".lp-tile .lp-value")

    assert (open_width, folded, bea.run(width)) == (208, 56, 56)
    assert bea.see("[data-lp-menu]").get_attribute("aria-pressed") == "true"
    assert bea.see(".lp-menu [aria-current]").accessible_name == "Revenue"
    bea.click("[data-lp-menu]")
    assert bea.run(width) == 208


def test_the_menu_is_folded_where_there_is_little_room(bea: Person) -> None:
    bea.size(1360, 900)

    assert bea.run("return document.querySelector('.lp-menu').offsetWidth") == 56
    assert not bea.run("return document.querySelector('[data-lp-menu]').checkVisibility()")


def test_the_first_tab_skips_to_the_content(bea: Person) -> None:
    bea.visit(ALL)
    bea.see(".lp-tile .lp-value")
    bea.press(Keys.TAB)
    first = bea.focused

    bea.press(Keys.ENTER)

    bea.wait(lambda: bea.run("return document.activeElement.id") == "content")
    assert first == "Skip to content"


def test_a_page_that_is_not_there_keeps_the_menu(bea: Person) -> None:
    bea.visit("/nowhere")

    assert bea.text("h1") == "No such page"
    assert "There is no such page." in bea.text("main")
    bea.click(".lp-menu a", "Revenue")
    bea.see(".lp-tile .lp-value")
    assert bea.run("return document.title") == "Revenue · Lakeport"
