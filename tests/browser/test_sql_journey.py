"""What an analyst does on the SQL page: write, run, mend what is marked, stop what takes too long."""

import time
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.browser.axe import found
from tests.browser.person import Person

FIELD, RESULT = "#sql-statement", "#sql-result"
LINES = "marts.order_lines"
SLOW = f"select sum(a.quantity * d.quantity) from {', '.join(f'{LINES} {name}' for name in 'abcd')}"
SELECTED = "const field = document.activeElement; return field.value?.slice(field.selectionStart, field.selectionEnd)"


def written(person: Person) -> str:
    """What the editor holds."""
    return str(person.see(FIELD).get_property("value"))


def write(person: Person, statement: str) -> None:
    """Type a statement in the place of the one that is there."""
    person.see(FIELD).send_keys(Keys.CONTROL, "a")
    person.see(FIELD).send_keys(statement)


def run_by_keys(person: Person) -> None:
    ActionChains(person.driver).key_down(Keys.CONTROL).send_keys(Keys.ENTER).key_up(Keys.CONTROL).perform()


def wait_for_result(person: Person, *words: str) -> None:
    person.wait(lambda: all(word in person.text(RESULT) for word in words), f"the result does not say {words}")


def test_an_analyst_writes_runs_mends_and_stops(person: Person) -> None:
    person.visit("/login")
    person.log_in("ana")
    person.click(".lp-menu a", "SQL")
    write(person, "select region, nope(1)\nfrom ")
    person.click(".lp-schema summary", LINES)
    person.click(".lp-schema details[open] .is-table", LINES)
    assert written(person) == f"select region, nope(1)\nfrom {LINES}"

    run_by_keys(person)
    wait_for_result(person, "no function 'nope'", "Go to line 1")
    assert person.run(SELECTED) == "nope"
    faults = {"a mistake": found(person)}

    person.press("count")  # over what is selected
    write(person, f"select region, count(*) as n from {LINES} group by region order by n desc")
    person.click("button", "Run")
    wait_for_result(person, "5 rows, complete", "West")
    faults["a result"] = found(person)
    assert "count%28*%29" in person.place

    theme = person.theme
    person.click("[data-lp-theme]")
    person.wait(lambda: person.theme != theme)
    assert "West" in person.text(RESULT)

    write(person, SLOW)
    person.click("button", "Run")
    person.wait(lambda: person.text("#sql-said") == "Running")
    time.sleep(0.5)  # until a worker has it
    started = time.monotonic()
    person.click("button", "Cancel")
    wait_for_result(person, "The query was cancelled.")
    assert time.monotonic() - started < 3
    assert {name: fault for name, fault in faults.items() if fault} == {}
    assert person.complaints == []


def test_what_is_written_goes_with_its_address_to_the_past_and_into_a_link(person: Person) -> None:
    person.visit("/login")
    person.log_in("ana")
    person.visit("/sql")
    write(person, f"select count(*) as n from {LINES}")
    person.click("summary", "Now")
    person.click("details[open] a", "Release 1")
    person.see(".lp-asof")
    person.wait(lambda: written(person) == f"select count(*) as n from {LINES}")
    person.click("button", "Run")
    wait_for_result(person, "1000", "release 1")

    person.visit(person.place)
    person.see(FIELD)
    assert written(person) == f"select count(*) as n from {LINES}"
    assert "No result yet" in person.text(RESULT)
    person.click(".lp-history button", "select count(*)")
    person.click("button", "Run")
    wait_for_result(person, "1000")


@pytest.mark.usefixtures("on_the_phone")
def test_it_is_usable_on_a_phone(person: Person) -> None:
    person.visit("/login")
    person.log_in("ana")
    person.visit(f"/sql?q=select+*+from+{LINES}+limit+20")
    person.click("button", "Run")
    wait_for_result(person, "20 rows, complete")

    assert person.run("return document.documentElement.scrollWidth <= innerWidth")
    assert found(person) == []


def test_a_result_is_saved_as_a_file(person: Person, tmp_path: Path) -> None:
    person.visit("/login")
    person.log_in("ana")
    person.click(".lp-menu a", "SQL")
    person.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    write(person, f"select region, count(*) as n from {LINES} group by region order by region")
    run_by_keys(person)
    wait_for_result(person, "5 rows, complete")

    person.click("button", "CSV")

    person.wait(lambda: list(tmp_path.glob("sql.release-*.all-5-rows.csv")) != [], "no file came")
    assert next(tmp_path.glob("*.csv")).read_text(encoding="utf-8").startswith('"region","n"\n')
