"""What axe, the checker of accessibility, finds on every screen in both themes and on a phone."""

import pytest

from tests.browser.axe import found
from tests.browser.person import Person

PAGES = {
    "Home": "/",
    "Home in the past": "/?at=1",
    "Revenue": "/revenue?period=all",
    "the past": "/revenue?period=all&at=1",
    "a filter that finds nothing": "/revenue?region=Nowhere",
    "a number explained, in a month": "/revenue?from=2024-02-01&to=2024-02-29&customer_id=CUST-0012&about=revenue",
    "a wrong address": "/revenue?period=never",
    "SQL": "/sql?q=select%201",
    "Data": "/data",
    "a table": "/data?table=marts.order_lines",
    "a metric": "/data?metric=revenue",
    "the account": "/account",
    "no such page": "/nothing-here",
}

OF_RUNS = {
    "Pipelines": "/pipelines",
    "its sources": "/pipelines?section=sources",
    "its schedules": "/pipelines?section=schedules",
    "its tests": "/pipelines?section=tests",
    "its quarantine": "/pipelines?section=quarantine",
}
"""Of an admin."""


def show(person: Person, path: str, theme: str) -> None:
    person.driver.add_cookie({"name": "lakeport_theme", "value": theme, "path": "/"})
    person.visit(path)
    person.wait(lambda: person.theme == theme)
    person.wait(lambda: person.text("h1"))
    person.wait(lambda: not person.all(".lp-skeleton"))


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_no_section_of_the_page_pipelines_has_a_serious_fault(person: Person, theme: str) -> None:
    assert _faults_of_runs(person, theme) == {}


@pytest.mark.slow
@pytest.mark.usefixtures("on_the_phone")
def test_none_of_them_has_one_on_a_phone(person: Person) -> None:
    assert _faults_of_runs(person, "light", is_phone=True) == {}


def _faults_of_runs(person: Person, theme: str, *, is_phone: bool = False) -> dict[str, list[str]]:
    person.visit("/login")
    person.log_in("boris")
    faults = {}
    for name, path in OF_RUNS.items():
        show(person, path, theme)
        faults[name] = found(person)
        assert not is_phone or person.run("return document.documentElement.scrollWidth <= innerWidth"), name
    return {name: fault for name, fault in faults.items() if fault}


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_no_screen_has_a_serious_fault(person: Person, theme: str) -> None:
    person.visit("/login")
    faults = {"the login form": found(person)}
    person.log_in("ana")
    for name, path in PAGES.items():
        show(person, path, theme)
        faults[name] = found(person)
    person.visit("/revenue")
    for number in range(len(person.all("details"))):
        person.run("document.querySelectorAll('details').forEach((one, at) => one.open = at === arguments[0])", number)
        faults[f"panel {number}"] = found(person)

    assert {name: fault for name, fault in faults.items() if fault} == {}


@pytest.mark.slow
@pytest.mark.usefixtures("on_the_phone")
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_screen_of_a_phone_has_one(person: Person, theme: str) -> None:
    person.visit("/login")
    faults = {"the login form": found(person)}
    person.log_in("ana")
    for name, path in PAGES.items():
        show(person, path, theme)
        faults[name] = found(person)
        assert person.run("return document.documentElement.scrollWidth <= innerWidth"), name

    assert {name: fault for name, fault in faults.items() if fault} == {}


def test_the_checker_finds_a_fault_where_there_is_one(person: Person) -> None:
    person.visit("/login")
    person.run(
        "document.querySelector('[name=password]').closest('label').replaceWith(document.createElement('input'))"
    )

    assert [fault.split(":")[0] for fault in found(person)] == ["label"]
