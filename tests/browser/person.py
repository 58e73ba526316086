"""Somebody who uses the portal: what they do, and what they see."""

from selenium.webdriver.remote.webelement import WebElement

from tests.browser.window import Window
from tests.portal.visitor import PASSWORD

PHONE = (390, 844)
TILE = """
const tile = [...document.querySelectorAll(".lp-tile")].find(one => one.innerText.startsWith(arguments[0]));
return tile?.querySelector(".lp-value").title ?? "";
"""


class Person(Window):
    """One person at one browser."""

    def take_phone(self) -> None:
        self.size(*PHONE)
        self.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})

    def visit(self, path: str) -> None:
        """Load the document at a path."""
        self.driver.get(self.address + path)

    def log_in(self, name: str, password: str = PASSWORD) -> None:
        """Fill in the form that is there, and wait for the page behind it."""
        self.see("[name=username]").send_keys(name)
        self.see("[name=password]").send_keys(password)
        self.click("button[type=submit]")
        self.wait(lambda: "/login" not in self.place)
        self.see(".lp-tile")

    def forget_me(self) -> None:
        """Become somebody who has never been here."""
        self.driver.delete_all_cookies()

    def see(self, css: str) -> WebElement:
        """The first element of a selector that is on the screen, once there is one."""
        found: WebElement = self.wait(lambda: next((one for one in self.all(css) if one.is_displayed()), None), css)
        return found

    def click(self, css: str, text: str = "") -> None:
        """Click what is there; with a text, the first of them that holds it."""
        self.wait(lambda: self._clicked(css, text), f"nothing to click: {css} {text}")

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

    @property
    def place(self) -> str:
        """Path and query string."""
        place: str = self.driver.current_url.removeprefix(self.address)
        return place

    def text(self, css: str) -> str:
        """The words of the first element of a selector, read at one moment: pages are drawn anew while one looks."""
        return str(self.run("return document.querySelector(arguments[0])?.innerText ?? ''", css))

    def tile(self, label: str = "Revenue") -> str:
        """The exact value of a tile."""
        return str(self.run(TILE, label))

    def wait_for_tile(self, value: str, label: str = "Revenue") -> None:
        self.wait(lambda: self.tile(label) == value, f"the tile {label} does not show {value}")

    def wait_for_chart(self) -> None:
        """The library of charts comes with the first one, and draws it after everything else is there."""
        self.wait(lambda: self.all(".scatterlayer path.js-line"), "no chart was drawn")

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
