"""The grid of lines in a browser: turned, sorted and searched in place, and whoever uses it stays where they are."""

from selenium.webdriver.common.keys import Keys

from tests.browser.person import Person

ALL = "/revenue?period=all"
FOOT = ".lp-pager .lp-num"
SEARCH = ".lp-find input[type=search]"


def test_the_grid_is_turned_sorted_and_searched_in_one_document(person: Person) -> None:
    person.visit("/login")
    person.log_in("bea")
    person.visit(ALL)
    person.wait(lambda: person.text(FOOT) == "1–25 of 1,001 lines")
    person.run("window.isSame = true; document.querySelector('.lp-window').scrollTop = 600")

    person.click("[aria-label='Next page']")
    person.wait(lambda: person.text(FOOT) == "26–50 of 1,001 lines")
    assert person.run("return document.querySelector('.lp-window').scrollTop") == 0
    person.click(".lp-window thead a", "Region")
    person.wait(lambda: person.place == f"{ALL}&sort=region")
    person.wait(lambda: person.text("[aria-sort]").startswith("Region"))
    assert person.run("return document.activeElement.innerText").startswith("Region")
    height = person.run("return scrollY")
    person.see(SEARCH).send_keys("Lap", Keys.ENTER)
    person.wait(lambda: person.place == f"{ALL}&sort=region&find=Lap")
    person.wait(lambda: "of 1,001 lines hold “Lap”" in person.text(".lp-lines"))

    assert person.run("return document.activeElement.name") == "find"
    assert person.run("return [window.isSame, scrollY]") == [True, height]
    person.driver.back()
    person.wait(lambda: person.text(FOOT) == "1–25 of 1,001 lines")
    assert person.complaints == []


def test_on_a_phone_the_lines_are_cards_that_a_menu_sorts(person: Person) -> None:
    person.take_phone()
    person.visit("/login")
    person.log_in("bea")
    person.visit(ALL)
    card = person.see(".lp-window tbody tr")

    assert len([one for one in card.find_elements("css selector", "th, td") if one.is_displayed()]) == 5
    person.click(".lp-window-sort summary")
    person.click(".lp-window-sort a", "Line total")
    person.wait(lambda: person.place == f"{ALL}&sort=-line_total")
    assert person.run("return document.documentElement.scrollWidth") == 390
    assert person.complaints == []
