"""What people do with the portal, from the login form on, at a desk and on a phone."""

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import Served
from tests.browser.person import Person

ALL = "/revenue?period=all"
SEARCH, PRODUCTS, CUSTOMERS = "input[type=search]", "[id*=found][id*=product]", "[id*=found][id*=customer]"
WEST, EVERYTHING = "664,975.76", "3,036,521.03"  # the thousand rows of the sample, and 1,500.00 of the row after them


def test_somebody_logs_in_looks_filters_and_leaves(person: Person) -> None:
    person.visit("/")
    assert person.place == "/login"
    person.log_in("bea")
    assert person.place == "/"

    person.click(".lp-menu a", "Revenue")
    person.wait(lambda: person.place == "/revenue")
    person.choose("Last 30 days", "All data")
    person.wait_for_tile(EVERYTHING)
    person.choose("Week", "Month")
    person.wait(lambda: "Revenue by month" in person.text("main"))
    person.click(".lp-bars a", "West")
    person.wait_for_tile(WEST)
    assert person.place == "/revenue?period=all&grain=month&region=West"

    person.driver.back()
    person.wait_for_tile(EVERYTHING)
    person.driver.back()
    person.wait(lambda: "Revenue by week" in person.text("main"))
    person.driver.forward()
    person.driver.forward()
    person.wait_for_tile(WEST)
    assert "West" in person.text(".lp-filters")

    person.click(".lp-user")
    person.click("details[open] button", "Log out")
    person.wait(lambda: person.place == "/login")
    person.driver.back()
    person.wait(lambda: person.place.startswith("/login"))
    assert person.complaints == []


def test_a_link_shows_somebody_else_the_same(person: Person) -> None:
    person.visit("/login")
    person.log_in("bea")
    person.visit(f"{ALL}&region=West&grain=month")
    person.wait_for_tile(WEST)
    person.wait_for_chart()  # whose words are in the text too
    seen = person.text("main")

    person.forget_me()
    person.visit(f"{ALL}&region=West&grain=month")
    assert person.place.startswith("/login?next=")
    person.log_in("boris")

    assert person.place == f"{ALL}&region=West&grain=month"
    person.wait_for_tile(WEST)
    person.wait_for_chart()
    assert person.text("main") == seen


def test_a_second_click_releases_a_bar(person: Person) -> None:
    person.visit("/login")
    person.log_in("bea")
    person.visit(ALL)
    person.wait_for_tile(EVERYTHING)

    person.click(".lp-bars a", "West")
    person.wait_for_tile(WEST)
    person.click(".lp-bars a", "West")
    person.wait_for_tile(EVERYTHING)

    assert person.place == ALL


def test_the_row_that_came_later_is_on_the_page_and_not_in_the_past(person: Person) -> None:
    person.visit("/login")
    person.log_in("bea")
    person.visit("/revenue?from=2024-03-31&to=2024-03-31")
    person.wait_for_tile("1,500.00")

    person.click(".lp-header summary", "Now")
    person.click("details[open] a", "Release 1")
    person.wait(lambda: "at=1" in person.place)
    person.wait(lambda: "You are looking at the past" in person.text(".lp-asof"))
    person.wait(lambda: "1,500.00" not in person.text("main"))
    person.click(".lp-asof a", "Back to now")

    person.wait_for_tile("1,500.00")
    assert "at=" not in person.place


def test_the_theme_changes_with_the_chart_and_stays(person: Person) -> None:
    person.visit("/login")
    person.log_in("bea")
    person.visit("/revenue")
    before = person.theme
    stroke = "return getComputedStyle(document.querySelector('.scatterlayer path.js-line:last-of-type')).stroke"
    person.wait_for_chart()
    color = person.run(stroke)

    person.click("[data-lp-theme]")

    person.wait(lambda: person.theme != before)
    person.wait(lambda: person.run(stroke) != color)
    person.driver.refresh()
    person.see(".lp-tile")
    assert person.theme != before
    person.click("[data-lp-theme]")
    person.wait(lambda: person.theme == before)


def test_the_keyboard_is_enough(person: Person) -> None:
    person.visit("/login")
    person.log_in("bea")
    person.visit(ALL)
    person.wait_for_tile(EVERYTHING)

    person.run("document.querySelector('.lp-filters summary').focus()")
    person.press(" ")
    person.see("details[open]")
    person.press(Keys.ESCAPE)
    person.wait(lambda: not person.all("details.lp-pop[open]"))
    assert person.run("return document.activeElement.tagName") == "SUMMARY"
    person.run("document.querySelector('.lp-bars a').focus()")
    person.press(Keys.ENTER)

    person.wait_for_tile(WEST)


def test_a_product_is_found_by_typing(person: Person) -> None:
    person.visit("/login")
    person.log_in("bea")
    person.visit(ALL)
    person.wait_for_tile(EVERYTHING)

    person.click(".lp-filters summary", "Product")
    found = f"{PRODUCTS} a"
    assert "Headset" in [one.text for one in person.all(found)]
    person.see(f"details[open] {SEARCH}").send_keys("Head")
    person.wait(lambda: len(person.all(found)) == 1)
    person.click(found, "Headset")

    person.wait(lambda: "product=Headset" in person.place)
    person.wait(lambda: "1 of 7 products chosen" in person.text("main"))


def test_a_customer_is_found_under_more_filters_and_becomes_a_button(person: Person) -> None:
    person.visit("/login")
    person.log_in("bea")
    person.visit(ALL)
    person.wait_for_tile(EVERYTHING)

    person.click(".lp-filters summary", "Another filter")
    person.click(".lp-more-filter summary", "Customer")
    person.wait(lambda: len(person.all(f"{CUSTOMERS} a")) == 20)
    person.see(f"details[open] details[open] {SEARCH}").send_keys("-0012")
    person.wait(lambda: len(person.all(f"{CUSTOMERS} a")) == 1)
    person.click(f"{CUSTOMERS} a", "CUST-0012")

    person.wait(lambda: person.place == f"{ALL}&customer_id=CUST-0012")
    person.wait(lambda: "Customer" in person.text(".lp-filters-row"))
    assert person.complaints == []


def test_a_click_on_the_chart_leads_into_the_month_and_the_steps_out_again(person: Person) -> None:
    person.visit("/login")
    person.log_in("bea")
    person.visit(f"{ALL}&grain=month")
    person.wait_for_tile(EVERYTHING)
    person.wait(lambda: person.all(".lp-plot .nsewdrag"))

    plot = person.all(".lp-plot .nsewdrag")[0]
    ActionChains(person.driver).move_to_element(plot).pause(0.3).click().perform()

    person.wait(lambda: person.place == "/revenue?from=2024-02-01&to=2024-02-29&grain=day")
    person.wait(lambda: "Feb 2024" in person.text(".lp-trail"))
    person.click(".lp-trail a", "Q1 2024")
    person.wait(lambda: person.place == "/revenue?from=2024-01-01&to=2024-03-31&grain=month")
    assert person.complaints == []


def test_a_number_is_explained_and_its_sql_is_copied(person: Person) -> None:
    person.visit("/login")
    person.log_in("bea")
    person.visit(ALL)
    person.wait_for_tile(EVERYTHING)

    person.click(".lp-tile-menu summary")
    person.click("details[open] a", "About this number")
    person.wait(lambda: EVERYTHING in person.text(".lp-about"))
    person.wait(lambda: person.run("return document.activeElement.className") == "lp-about")
    person.click(".lp-about button", "Copy the SQL")
    person.wait(lambda: "Copied" in person.text(".lp-about"))
    person.press(Keys.ESCAPE)

    person.wait(lambda: not person.all(".lp-about"))
    assert person.place == ALL
    assert person.complaints == []


def test_days_are_chosen_in_a_calendar(person: Person) -> None:
    person.visit("/login")
    person.log_in("bea")
    person.visit("/revenue")

    person.click(".lp-filters summary", "Last 30 days")
    for name, day in (("from", "2024-02-01"), ("to", "2024-02-29")):
        person.run("const one = document.querySelector(arguments[0]); one.value = arguments[1];", f"[name={name}]", day)
    person.click(".lp-days button")

    person.wait(lambda: person.place == "/revenue?from=2024-02-01&to=2024-02-29")
    person.wait(lambda: "February 2024" in person.text(".lp-filters"))


def test_a_login_that_ended_leads_back_to_the_form(person: Person) -> None:
    person.visit("/login")
    person.log_in("bea")
    person.visit("/revenue")
    person.see(".lp-bars a")
    person.forget_me()

    person.run("document.querySelector('.lp-bars a')?.click()")  # the page may have noticed it by itself already

    person.wait(lambda: person.place.startswith("/login?next="))


def test_nothing_is_loaded_from_elsewhere(person: Person, portal: Served) -> None:
    person.visit("/login")
    person.log_in("bea")
    person.visit("/revenue")
    person.wait_for_chart()

    elsewhere = [name for name in person.loaded if not name.startswith((portal.url, "data:"))]

    assert elsewhere == []
    assert person.complaints == []


@pytest.mark.usefixtures("on_the_phone")
def test_the_same_on_a_phone(person: Person) -> None:
    person.visit("/")
    person.log_in("bea")
    person.click(".lp-tile", "Revenue")
    person.click("button", "Filters")
    person.choose("Last 30 days", "All data")
    person.wait_for_tile(EVERYTHING)
    person.click("button", "Filters")  # it stays open, so that one can go on choosing
    person.click(".lp-bars a", "West")
    person.wait_for_tile(WEST)
    person.driver.back()
    person.wait_for_tile(EVERYTHING)
    person.click("[data-lp-theme]")
    person.see("[aria-label='Light theme']")  # the page in the other theme is there

    assert person.run("return document.documentElement.scrollWidth <= innerWidth")
    person.click(".lp-user")
    person.click("details[open] button", "Log out")
    person.wait(lambda: person.place == "/login")
