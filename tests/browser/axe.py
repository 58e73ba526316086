"""axe, the checker of accessibility, asked about the page that a browser shows (`vendor/axe.min.js`)."""

from pathlib import Path

from tests.browser.window import Window

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
FIND = "const done = arguments[0]; axe.run().then(found => done(found.violations));"
SERIOUS = ("serious", "critical")


def found(window: Window) -> list[str]:
    """Serious findings: which rule, how many places, and the first of them."""
    window.run(AXE)
    window.driver.set_script_timeout(60)
    violations = window.driver.execute_async_script(FIND)
    return [
        f"{one['id']}: {one['help']} ({len(one['nodes'])} places, such as {one['nodes'][0]['html'][:200]})"
        for one in violations
        if one["impact"] in SERIOUS
    ]
