"""The style sheets: their tokens are those of the figures, and every class, icon and file they speak of is there."""

import re
from dataclasses import fields
from itertools import product
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs_version

from portal.components.icon import NAMES
from portal.figures.theme import DARK, LIGHT, Theme, theme

ROOT = Path(__file__).parents[3]
ASSETS = ROOT / "assets"
SHEETS = sorted(ASSETS.glob("*.css"))


def tokens(selector: str) -> dict[str, str]:
    """The variables that the first rule of a selector sets."""
    sheet = (ASSETS / "lakeport.css").read_text(encoding="utf-8")
    rule = re.search(rf"^{re.escape(selector)} {{\n(.*?)^}}", sheet, flags=re.MULTILINE | re.DOTALL)
    assert rule is not None
    return dict(re.findall(r"--([a-z0-9-]+): (.*?);", rule[1]))


def written(shown: Theme) -> dict[str, str]:
    """The theme's colours as the sheet names them."""
    plain = {field.name.replace("_", "-"): getattr(shown, field.name) for field in fields(shown)}
    del plain["name"], plain["series"]
    return plain | {f"series-{number}": color for number, color in enumerate(shown.series, start=1)}


@pytest.mark.parametrize(("shown", "selector"), [(LIGHT, ":root"), (DARK, '[data-bs-theme="dark"]')])
def test_figures_have_the_colours_of_the_style_sheet(shown: Theme, selector: str) -> None:
    colors = {name: value for name, value in tokens(selector).items() if value.startswith("#")}

    assert written(shown) == colors


def test_a_theme_of_an_unknown_name_is_light() -> None:
    assert [theme(name).name for name in ("dark", "light", "", "DARK")] == ["dark", "light", "light", "light"]


def luminance(color: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, as WCAG 2.2 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def tint(color: str, surface: str) -> str:
    """A tenth of a colour on a surface, as the sheet's soft tokens mix it."""
    pairs = ((int(color[place : place + 2], 16), int(surface[place : place + 2], 16)) for place in (1, 3, 5))
    return "#" + "".join(f"{round(0.1 * one + 0.9 * other):02x}" for one, other in pairs)


@pytest.mark.parametrize("shown", [LIGHT, DARK], ids=lambda shown: shown.name)
def test_text_can_be_read_on_every_ground_that_it_stands_on(shown: Theme) -> None:
    texts = (shown.ink, shown.muted, shown.accent, shown.positive, shown.negative, shown.warn)
    pairs = [
        *product(texts, (shown.surface, shown.canvas)),
        *((color, tint(color, shown.surface)) for color in (shown.accent, shown.positive, shown.negative, shown.warn)),
        *((shown.on_accent, shown.accent), (shown.on_past, shown.past)),
        *product((shown.past, shown.ink), (shown.past_soft,)),
    ]

    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []


@pytest.mark.parametrize("shown", [LIGHT, DARK], ids=lambda shown: shown.name)
def test_lines_and_edges_can_be_seen(shown: Theme) -> None:
    pairs = product((*shown.series, shown.compare, shown.edge), (shown.surface,))

    assert [pair for pair in pairs if contrast(*pair) < 3] == []


def test_every_colour_of_a_rule_is_a_token() -> None:
    loose = []
    for sheet in SHEETS:
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
        rules = re.findall(r"^\s*([^\s@-][^{}]*){([^{}]*)}", text, flags=re.MULTILINE)
        loose += [
            f"{sheet.name}: {selector.strip()}"
            for selector, rule in rules
            if re.search(r"(?<!-)\b(color|background|border[a-z-]*|box-shadow): [^;]*(#[0-9a-f]{3,8}\b|\brgb)", rule)
        ]

    assert loose == []


def test_every_icon_has_a_shape_and_every_shape_a_name() -> None:
    sheet = (ASSETS / "icons.css").read_text(encoding="utf-8")

    assert set(re.findall(r"^\.lp-icon\.is-([a-z]+) {", sheet, flags=re.MULTILINE)) == NAMES


def test_the_sheets_only_name_files_that_are_there() -> None:
    named = [
        (sheet.name, address)
        for sheet in SHEETS
        for address in re.findall(r'url\("([^"]+)"\)', sheet.read_text(encoding="utf-8"))
        if not address.startswith("data:")
    ]

    assert named
    assert [(name, address) for name, address in named if not (ASSETS / address).is_file()] == []


def test_nothing_in_the_assets_asks_another_server() -> None:
    ours = [*SHEETS, *ASSETS.glob("*.js"), *ASSETS.glob("*.svg")]
    text = "".join(path.read_text(encoding="utf-8") for path in ours).replace("http://www.w3.org/2000/svg", "")

    assert re.findall(r"(?:https?:)?//[a-z0-9-]+[.][a-z].*", text) == []


def test_every_class_that_a_component_writes_is_styled() -> None:
    styled = set(
        re.findall(r"\.((?:lp|is)-[a-z0-9-]+)", "".join(sheet.read_text(encoding="utf-8") for sheet in SHEETS))
    )
    components = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "portal" / "components").glob("*.py"))
    classes = re.findall(r'(?:className=|class_name=|class_name: str = )f?"([^"]+)"', components)
    named = {name for names in classes for name in names.split() if re.fullmatch(r"[a-z0-9-]+", name)}

    assert len(named) > 20
    assert named - styled == {"lp-chart"}


def test_the_vendored_plotly_is_the_one_that_python_writes_for() -> None:
    head = (ASSETS / "vendor" / "plotly-basic.min.js").read_text(encoding="utf-8")[:200]
    readme = (ASSETS / "vendor" / "README.md").read_text(encoding="utf-8")

    assert f"plotly.js (basic - minified) v{get_plotlyjs_version()}\n" in head
    assert f"| {get_plotlyjs_version()} |" in readme


@pytest.mark.parametrize("name", ["fonts/inter-LICENSE.txt", "vendor/plotly-basic-LICENSE.txt"])
def test_what_others_made_has_its_licence_beside_it(name: str) -> None:
    assert "icen" in (ASSETS / name).read_text(encoding="utf-8")
