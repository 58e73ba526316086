"""What scripts and sheets do, in a real browser."""

import json
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.window import Window

GRAIN, REGION = 0, 1
"""The popovers of the filter bar, in their order."""


def filter_button(window: Window, number: int) -> None:
    """Press the button of a filter."""
    window.one(".lp-filters summary", number).click()


def test_nothing_is_asked_of_another_server_and_plotly_is_ours(window: Window) -> None:
    window.driver.get_log("performance")

    window.open("")

    events = [json.loads(entry["message"])["message"] for entry in window.driver.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    plotly = [urlsplit(url).path.rsplit("/", 1)[-1] for url in asked if "plotly" in url]
    assert {urlsplit(url).netloc for url in asked if not url.startswith("data:")} == {urlsplit(window.address).netloc}
    assert plotly == ["plotly-basic.min.js"]


def test_one_popover_is_open_at_a_time_and_a_click_elsewhere_closes_it(window: Window) -> None:
    filter_button(window, GRAIN)
    filter_button(window, REGION)
    both = window.wait(lambda: window.open_panels)
    window.one("h1").click()

    assert both == ["Region: Region all"]
    assert window.open_panels == []


def test_escape_closes_a_popover_and_gives_the_focus_back(window: Window) -> None:
    filter_button(window, GRAIN)
    window.press(Keys.TAB)
    inside = window.focused

    window.press(Keys.ESCAPE)

    assert inside == "Day"
    assert window.open_panels == []
    assert window.focused == "Grain: Week"


def test_the_focus_that_leaves_a_popover_closes_it(window: Window) -> None:
    filter_button(window, GRAIN)

    window.press(Keys.TAB, Keys.TAB, Keys.TAB)

    assert window.focused == "Region: Region all"
    assert window.open_panels == []


def test_a_choice_of_one_closes_its_popover_and_leaves_the_focus_on_its_button(window: Window) -> None:
    filter_button(window, GRAIN)

    window.one("details[open] .lp-choice").click()

    window.wait(lambda: window.focused == "Grain: Week")
    assert window.search == "?grain=day"
    assert window.open_panels == []


def test_a_choice_of_several_keeps_its_popover_open_and_the_focus(window: Window) -> None:
    filter_button(window, REGION)

    window.one("details[open] .lp-choice", 1).click()

    window.wait(lambda: window.all(".lp-bars-row[aria-current]"))
    assert window.search == "?region=France"
    assert len(window.open_panels) == 1
    assert window.focused == "France"


def test_a_link_changes_the_address_in_place_and_the_way_back_is_open(window: Window) -> None:
    window.size(1440, 500)
    window.run("window.sameDocument = true; window.scrollTo(0, 150)")
    window.run("arguments[0].focus({ preventScroll: true })", window.one(".lp-bars-row", 2))

    window.press(Keys.ENTER)
    window.wait(lambda: window.all(".lp-bars-row[aria-current]"))
    there = window.search, window.run("return scrollY"), window.focused[:11]
    window.driver.back()
    window.wait(lambda: not window.all(".lp-bars-row[aria-current]"))

    assert there == ("?region=Switzerland", 150, "Switzerland")
    assert window.search == ""
    assert window.run("return window.sameDocument")


def test_a_link_to_another_page_starts_at_its_top(window: Window) -> None:
    window.size(1440, 500)
    window.run("window.scrollTo(0, 150)")

    window.one(".lp-stamp a").send_keys(Keys.ENTER)

    window.wait(lambda: window.run("return document.activeElement.tagName") == "MAIN")
    assert window.run("return [location.pathname, scrollY]") == ["/lake/other", 0]


def test_an_open_table_stays_open_when_a_filter_changes(window: Window) -> None:
    window.one(".lp-fold summary").click()

    window.one(".lp-bars-row", 1).send_keys(Keys.ENTER)

    window.wait(lambda: window.all(".lp-bars-row[aria-current]"))
    assert len(window.all(".lp-fold[open]")) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_visit_has_the_theme_that_the_system_prefers(window: Window, scheme: str) -> None:
    window.driver.delete_all_cookies()
    window.prefer(scheme)

    window.open("")

    assert window.run("return document.documentElement.dataset.bsTheme") == scheme
    assert window.driver.get_cookie("lakeport_theme")["value"] == scheme


def test_the_button_switches_the_theme_and_the_figures_follow(window: Window) -> None:
    window.run("window.told = []; addEventListener('lp-theme', (event) => told.push(event.detail))")

    window.one("[data-lp-theme]").click()

    window.wait(lambda: window.run("return document.querySelector('.ytick text')?.style.fill") == "rgb(158, 171, 189)")
    cookie = window.driver.get_cookie("lakeport_theme")
    assert (cookie["value"], cookie["path"], cookie["sameSite"]) == ("dark", "/lake/", "Lax")
    assert window.run("return [document.documentElement.dataset.bsTheme, told]") == ["dark", ["dark"]]
    assert window.run("return document.activeElement.hasAttribute('data-lp-theme')")


def test_share_says_that_the_address_was_copied(window: Window) -> None:
    window.one("[data-lp-copy]").click()

    window.wait(lambda: window.one("[data-lp-copy]").text == "Copied")
    window.wait(lambda: window.one("[data-lp-copy]").text == "Share")


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_an_answer_that_failed_is_said_and_can_be_dismissed(window: Window, status: int) -> None:
    window.go(f"?answer={status}")
    said = window.wait(lambda: window.message)
    window.one("[data-lp-dismiss]").click()

    window.wait(lambda: not window.message)
    assert said == "The server's own sentence."


def test_a_lost_network_is_said_until_it_is_back_and_then_what_was_asked_is_shown(window: Window) -> None:
    bar = window.one("[data-lp-away]")
    window.cut(True)
    window.go("?region=France")
    window.wait(bar.is_displayed)
    said = bar.text
    window.cut(False)

    window.wait(lambda: window.all(".lp-bars-row[aria-current]"))
    window.wait(lambda: not bar.is_displayed())
    assert said == "You are offline."
    assert window.message == ""


def test_whoever_is_no_longer_logged_in_goes_to_the_login_and_back_from_there(window: Window) -> None:
    window.go("?answer=401&region=North%20East")

    window.wait(lambda: "/login" in window.driver.current_url)
    assert urlsplit(window.driver.current_url)[2:4] == (
        "/lake/login",
        "next=%2F%3Fanswer%3D401%26region%3DNorth%2520East",
    )


def test_a_line_at_the_top_says_that_an_answer_takes_long(window: Window) -> None:
    is_busy = "return document.documentElement.classList.contains('lp-busy')"

    window.go("?slow=1.2")
    at_once = window.run(is_busy)

    window.wait(lambda: window.run(is_busy))
    window.wait(lambda: not window.run(is_busy))
    assert not at_once


def test_words_say_that_a_page_takes_very_long(window: Window) -> None:
    words = window.one("[data-lp-slow]")

    window.go("?slow=2.6")
    at_once = words.is_displayed()

    window.wait(words.is_displayed)
    assert not at_once
    assert words.text == "Still working; large periods take longer"
    window.wait(lambda: not words.is_displayed())


@pytest.mark.parametrize(("part", "is_left"), [(0.2, False), (0.8, True)])
def test_the_box_at_a_point_says_everything_beside_it_and_inside_the_plot(
    window: Window, part: float, is_left: bool
) -> None:
    tip = window.point_at_plot(part)

    lines = [
        (one.text, other.text) for one, other in zip(window.all(".lp-tip dt"), window.all(".lp-tip dd"), strict=True)
    ]
    number = round(part * 25)
    assert window.one(".lp-tip b").text == f"Week {number}"
    assert lines == [
        ("Revenue", f"{number + 1},000.00"),
        ("26 weeks before", "9,000.00"),
        ("Change", "+9.1 %"),
        ("Share of the period", "3.0 %"),
    ]
    plot, dot = window.one(".lp-plot").rect, window.one(".lp-point").rect
    assert plot["x"] <= tip.rect["x"]
    assert tip.rect["x"] + tip.rect["width"] <= plot["x"] + plot["width"]
    assert (tip.rect["x"] < dot["x"]) is is_left
    assert not [box for box in window.all(".hoverlayer .hovertext") if box.is_displayed()]


def test_a_gap_says_that_there_is_no_data_and_has_no_dot(window: Window) -> None:
    window.point_at_plot(3 / 25)

    assert window.one(".lp-tip dd").text == "no data"
    assert not window.one(".lp-point").is_displayed()


@pytest.mark.parametrize("width", [320, 390, 640, 800, 1100, 1360])
def test_no_page_scrolls_sideways(window: Window, width: int) -> None:
    window.size(width, 900)
    window.open("")
    for summary in window.all("summary"):
        if summary.is_displayed():
            summary.send_keys(Keys.ENTER)

        assert window.run("return document.documentElement.scrollWidth") == width


def test_on_a_phone_the_filters_are_behind_a_button(window: Window) -> None:
    window.size(390, 844)
    window.open("")
    hidden = not window.one(".lp-filters summary").is_displayed()

    window.one("[data-lp-filters]").click()
    shown = window.one(".lp-filters summary").is_displayed()
    window.press(Keys.ESCAPE)

    assert (hidden, shown, window.one(".lp-filters summary").is_displayed()) == (True, True, False)
    assert window.one("[data-lp-filters]").get_attribute("aria-expanded") == "false"
    assert window.focused == "Filters"


def test_who_wants_no_motion_gets_none(window: Window) -> None:
    feature = {"name": "prefers-reduced-motion", "value": "reduce"}
    window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    assert window.run("return getComputedStyle(document.querySelector('.lp-button')).transitionDuration") == "0s"
