"""The colours and type that figures share with the style sheets.

One rule: these are the tokens of `assets/lakeport.css`, and a test fails when the two differ.
"""

from dataclasses import dataclass

FONT = "Inter, system-ui, sans-serif"
FONT_SIZE = 12
"""Pixels, for axes and labels."""


@dataclass(frozen=True)
class Theme:
    """One set of tokens; each field is the variable of the same name (`past_soft` is `--past-soft`)."""

    name: str
    canvas: str
    surface: str
    ink: str
    muted: str
    line: str
    edge: str
    accent: str
    on_accent: str
    positive: str
    negative: str
    warn: str
    past: str
    past_soft: str
    on_past: str
    compare: str
    series: tuple[str, ...]
    """`--series-1` to `--series-6`; a seventh series belongs to "Other", in `muted`."""


LIGHT = Theme(
    name="light",
    canvas="#f6f7f9",
    surface="#ffffff",
    ink="#16202e",
    muted="#566274",
    line="#e1e6ed",
    edge="#7f8a9b",
    accent="#2457d6",
    on_accent="#ffffff",
    positive="#16794a",
    negative="#c0362c",
    warn="#8f5f00",
    past="#6d3fc0",
    past_soft="#f3eefc",
    on_past="#ffffff",
    compare="#6689e2",
    series=("#2457d6", "#da7b10", "#13756a", "#a1318e", "#5a2d0c", "#7b8ca3"),
)

DARK = Theme(
    name="dark",
    canvas="#0f1520",
    surface="#171f2d",
    ink="#e8edf5",
    muted="#9eabbd",
    line="#2a3548",
    edge="#64738b",
    accent="#83a8ff",
    on_accent="#0f1520",
    positive="#5cc98d",
    negative="#ff8f84",
    warn="#e5b454",
    past="#c3a6ff",
    past_soft="#221a38",
    on_past="#0f1520",
    compare="#637fc0",
    series=("#83a8ff", "#ffb45e", "#27a58c", "#f0a6e6", "#a8743c", "#e6edf7"),
)


def theme(name: str) -> Theme:
    """The theme of a name; light for every other name, since it comes from a cookie."""
    return DARK if name == "dark" else LIGHT
