"""The pages that somebody has looked at lately, with what was chosen on them.

One rule: a page that they may not open any more is not named.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import parse_qsl

from lakehouse.access.visits import View
from portal import wording
from portal.page import Page
from portal.periods import PRESETS

MOST_PAGES = 6

BEFORE = {"from": "from", "to": "to", "grain": "by", "top": "top", "at": "as of"}
"""What stands before the value of some keys of an address; the other values speak for themselves."""


@dataclass(frozen=True)
class Recent:
    """A page and how it was looked at last: its title, what was chosen, its path with its query string, and when."""

    title: str
    chosen: tuple[str, ...]
    address: str
    at: datetime


def recent(views: Iterable[View], pages: Mapping[str, Page]) -> list[Recent]:
    """The newest looks at some pages, by path; the same address once. `views` come newest first."""
    found: dict[str, Recent] = {}
    for view in views:
        address = view.path + view.search
        if view.path in pages and address not in found:
            found[address] = Recent(pages[view.path].title, chosen(view.search), address, view.at)
    return list(found.values())[:MOST_PAGES]


def chosen(search: str) -> tuple[str, ...]:
    """What a query string has chosen, in words."""
    return tuple(_said(key, value) for key, value in parse_qsl(search.removeprefix("?")))


def _said(key: str, value: str) -> str:
    if key == "period":
        return PRESETS.get(value, value)
    if key == "at" and value.isdecimal():
        return f"release {value}"
    shown = _day(value) if key in ("from", "to", "at") else value
    return f"{BEFORE[key]} {shown}" if key in BEFORE else shown


def _day(text: str) -> str:
    """A date in words; what is none stays as it is."""
    try:
        return wording.day(date.fromisoformat(text))
    except ValueError:
        return text
