"""Somebody who uses the portal in a browser: what they do, and what they see."""

from collections.abc import Callable
from typing import Any

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.portal.visitor import PASSWORD

PATIENCE_SECONDS = 20
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}

TILE = """
const tile = [...document.querySelectorAll(".lp-tile")].find(one => one.innerText.startsWith(arguments[0]));
return tile?.querySelector(".lp-value").title ?? "";
"""


class Person:
    """One person at one browser."""

    def __init__(self, driver: Any, url: str) -> None:
        self.driver, self.url = driver, url

    def take_phone(self) -> None:
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
        self.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})

    def go(self, path: str) -> None:
        self.driver.get(self.url + path)

    def log_in(self, name: str, password: str = PASSWORD) -> None:
        """Fill in the form that is there, and wait for the page behind it."""
        self.type("username", name)
        self.type("password", password)
        self.click("button[type=submit]")
        self.until(lambda: "/login" not in self.address)
        self.see(".lp-tile")

    def forget_me(self) -> None:
        """Become somebody who has never been here."""
        self.driver.delete_all_cookies()

    def type(self, field: str, text: str) -> None:
        self.find(f"[name={field}]").send_keys(text)

    def find(self, css: str) -> WebElement:
        """The first element of a selector that is on the screen."""
        return self.until(lambda: next((one for one in self.all(css) if one.is_displayed()), None))

    def all(self, css: str) -> list[WebElement]:
        found: list[WebElement] = self.driver.find_elements(By.CSS_SELECTOR, css)
        return found

    see = find

    def click(self, css: str, text: str = "") -> None:
        """Click what is there; with a text, the first of them that holds it."""
        self.until(lambda: self._clicked(css, text))

    def _clicked(self, css: str, text: str) -> bool:
        for one in self.all(css):
            if one.is_displayed() and text in one.text:
                self.run("arguments[0].scrollIntoView({block: 'center'})", one)  # bars at the edges stay in front
                one.click()
                return True
        return False

    def choose(self, menu: str, entry: str) -> None:
        """Open a menu of the filter bar, and follow one of its links."""
        self.click(".lp-filters summary", menu)
        self.click("details[open] a", entry)

    def press(self, *keys: str) -> None:
        self.driver.switch_to.active_element.send_keys(*keys)

    def escape(self) -> None:
        self.press(Keys.ESCAPE)

    @property
    def address(self) -> str:
        """Path and query string."""
        address: str = self.driver.current_url.removeprefix(self.url)
        return address

    def tile(self, label: str = "Revenue") -> str:
        """The exact value of a tile."""
        return str(self.run(TILE, label))

    def text(self, css: str) -> str:
        """The words of the first element of a selector, read at one moment: pages are drawn anew while one looks."""
        return str(self.run("return document.querySelector(arguments[0])?.innerText ?? ''", css))

    def wait_for_tile(self, value: str, label: str = "Revenue") -> None:
        self.until(lambda: self.tile(label) == value, f"the tile {label} does not show {value}")

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    @property
    def theme(self) -> str:
        return str(self.run("return document.documentElement.dataset.bsTheme"))

    @property
    def loaded(self) -> list[str]:
        """Addresses of everything that the document has loaded."""
        found: list[str] = self.run(
            "return performance.getEntries().map(one => one.name).filter(name => /:/.test(name))"
        )
        return found

    @property
    def complaints(self) -> list[str]:
        """What the browser's console has to say since one has looked last."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def until(self, what: Callable[[], Any], message: str = "") -> Any:
        """Wait until something is so; elements that are drawn anew meanwhile are looked for again."""
        from selenium.common.exceptions import ElementNotInteractableException, StaleElementReferenceException

        wait = WebDriverWait(
            self.driver,
            PATIENCE_SECONDS,
            poll_frequency=0.05,
            ignored_exceptions=[StaleElementReferenceException, ElementNotInteractableException],
        )
        return wait.until(lambda _driver: what(), message)
