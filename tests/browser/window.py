"""A window of a browser, in the words of tests.

One rule: nothing waits for a fixed time but what is about time.
"""

from collections.abc import Callable
from typing import Any

from selenium.common.exceptions import ElementNotInteractableException, StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE_SECONDS = 20
GONE = (StaleElementReferenceException, ElementNotInteractableException)


class Window:
    """The showcase as its user has it."""

    def __init__(self, driver: Chrome, address: str) -> None:
        self.driver, self.address = driver, address

    def open(self, search: str) -> None:
        """Load the document at an address and wait for the page."""
        self.driver.get(self.address + search)
        self.wait(lambda: self.all(".lp-plot .main-svg"))

    def go(self, search: str) -> None:
        """Change the address without loading the document."""
        self.run("history.pushState({}, '', arguments[0]); dispatchEvent(new PopStateEvent('popstate'))", search)

    def wait(self, said: Callable[[], Any], message: str = "") -> Any:
        """What is said once it is something; elements that are drawn anew meanwhile are looked for again."""
        patience = WebDriverWait(self.driver, PATIENCE_SECONDS, poll_frequency=0.05, ignored_exceptions=GONE)
        return patience.until(lambda _: said(), message)

    def all(self, selector: str) -> list[WebElement]:
        """The elements of a selector."""
        return self.driver.find_elements("css selector", selector)

    def one(self, selector: str, number: int = 0) -> WebElement:
        """One element, once it is there."""
        found: WebElement = self.wait(lambda: self.all(selector)[number : number + 1])[0]
        return found

    def run(self, script: str, *given: Any) -> Any:
        """What a script returns."""
        return self.driver.execute_script(script, *given)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def point_at_plot(self, part: float) -> WebElement:
        """Move the pointer over the plot, to a part of its width, until the box is there; a plot may still be drawn."""
        plot, boxes = self.one(".nsewdrag"), ".lp-tip:not([hidden])"

        def box() -> list[WebElement]:
            for height in (0, 10):
                place = round(plot.rect["width"] * (part - 0.5)), height
                ActionChains(self.driver).move_to_element_with_offset(plot, *place).perform()
            return self.all(boxes)

        found: WebElement = self.wait(box)[0]
        return found

    def size(self, width: int, height: int) -> None:
        """Make the window so large, also smaller than a desktop's windows can be."""
        given = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 640}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", given)

    def prefer(self, scheme: str) -> None:
        """Let the system prefer light or dark."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def cut(self, is_cut: bool) -> None:
        """Take the network away, or give it back."""
        self.driver.execute_cdp_cmd("Network.enable", {})
        given = {"offline": is_cut, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", given)

    @property
    def search(self) -> str:
        """The query of the address."""
        said: str = self.run("return decodeURIComponent(location.search)")
        return said

    @property
    def focused(self) -> str:
        """The words of what has the focus."""
        said: str = self.run("return document.activeElement.textContent")
        return said

    @property
    def open_panels(self) -> list[str]:
        """The words on the buttons of the open popovers."""
        return [panel.get_property("textContent") for panel in self.all("details.lp-pop[open] > summary")]

    @property
    def message(self) -> str:
        """What the toast says; nothing when it is not there."""
        toast = self.one(".lp-toast")
        return toast.text if toast.is_displayed() else ""
