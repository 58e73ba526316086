"""Colours of figures: lines and bars are told from the ground and from each other, also by eyes without red or green.

The simulation is that of Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
Deficiency", IEEE Transactions on Visualization and Computer Graphics 15 (6), 2009, with its matrices of severity 1.0,
which are meant for linear RGB; distances are CIE76 in CIELAB under D65.
"""

from itertools import combinations
from math import dist

import pytest

from portal.figures.theme import DARK, LIGHT, Theme

Color = tuple[float, float, float]
Matrix = tuple[Color, Color, Color]

LEAST_DISTANCE = 15
LEAST_CONTRAST = 3

EYES: dict[str, Matrix] = {
    "all colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}
TO_XYZ: Matrix = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
"""From linear sRGB (IEC 61966-2-1)."""
WHITE: Color = (0.95047, 1.0, 1.08883)


def times(matrix: Matrix, color: Color) -> Color:
    red, green, blue = (sum(one * other for one, other in zip(row, color, strict=True)) for row in matrix)
    return red, green, blue


def linear(color: str) -> Color:
    """The light of a colour written as `#rrggbb`."""
    red, green, blue = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return lit(red), lit(green), lit(blue)


def lit(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def seen(color: str, eyes: str) -> Color:
    """A colour in CIELAB as these eyes see it."""
    red, green, blue = (min(max(part, 0.0), 1.0) for part in times(EYES[eyes], linear(color)))
    x, y, z = (
        part ** (1 / 3) if part > 216 / 24389 else (24389 / 27 * part + 16) / 116
        for part in (one / white for one, white in zip(times(TO_XYZ, (red, green, blue)), WHITE, strict=True))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def contrast(one: str, other: str) -> float:
    """Of two colours, as WCAG 2.2 defines it."""
    low, high = sorted(times(TO_XYZ, linear(color))[1] for color in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("color", "lightness"), [("#ffffff", (100, 0, 0)), ("#ff0000", (53.24, 80.09, 67.20)), ("#000000", (0, 0, 0))]
)
def test_the_ruler_measures_as_others_do(color: str, lightness: Color) -> None:
    assert dist(seen(color, "all colours"), lightness) < 0.05


def test_eyes_without_red_or_green_take_red_and_green_for_much_the_same() -> None:
    red, green = "#d04040", "#708020"

    apart = {eyes: dist(seen(red, eyes), seen(green, eyes)) for eyes in EYES}

    assert apart["all colours"] > 2 * max(apart["protanopia"], apart["deuteranopia"])


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("shown", [LIGHT, DARK], ids=lambda shown: shown.name)
def test_no_two_series_look_alike(shown: Theme, eyes: str) -> None:
    apart = {pair: dist(*(seen(color, eyes) for color in pair)) for pair in combinations(shown.series, 2)}

    assert {pair: distance for pair, distance in apart.items() if distance < LEAST_DISTANCE} == {}


@pytest.mark.parametrize("shown", [LIGHT, DARK], ids=lambda shown: shown.name)
def test_every_mark_stands_out_from_the_surface(shown: Theme) -> None:
    marks = (*shown.series, shown.muted, shown.compare, shown.edge, shown.negative)

    assert [color for color in marks if contrast(color, shown.surface) < LEAST_CONTRAST] == []


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("shown", [LIGHT, DARK], ids=lambda shown: shown.name)
def test_the_period_before_is_lighter_or_darker_than_this_one_to_all_eyes(shown: Theme, eyes: str) -> None:
    assert dist(seen(shown.compare, eyes), seen(shown.series[0], eyes)) >= LEAST_DISTANCE


@pytest.mark.parametrize("shown", [LIGHT, DARK], ids=lambda shown: shown.name)
def test_a_single_series_has_the_accent(shown: Theme) -> None:
    assert shown.series[0] == shown.accent
    assert len(shown.series) == len(set(shown.series)) == 6
