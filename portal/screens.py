"""What pages have drawn, ready to be sent, so that it is drawn once for everybody who may see the same.

One rule: the key of a screen holds everything that its layout may read, pins and rights included; so nothing here ever
has to expire. The user's name, the clock and the state of other runs are not in it, and so not in what is kept.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import orjson
from plotly.io.json import to_json_plotly  # type: ignore[import-untyped]

from lakehouse.core import Workspace
from lakehouse.query.cache import Cache
from lakehouse.query.pins import pins_key
from portal.markup import settled
from portal.page import Page, Screen, Visit

MOST_BYTES = 32 << 20
"""Hundreds of screens: one of the revenue page has about 60 kB."""


@dataclass(frozen=True)
class Drawn:
    """A screen as JSON that goes into the answer as it stands."""

    content: Any
    filters: Any
    """None where there are none."""
    size_bytes: int
    asked: tuple[Any, ...] = ()
    """What the workspace was asked for it, which is to be recorded also when the screen was kept."""


class Screens:
    """Screens up to so many bytes together. Thread-safe."""

    def __init__(self, limit_bytes: int) -> None:
        self._kept: Cache[Drawn] = Cache(min(limit_bytes, MOST_BYTES))

    def show(self, page: Page, workspace: Workspace, visit: Visit) -> Drawn:
        """The page at an address as this user may see it. What its layout raises goes on, and is not kept."""
        if not page.is_kept:
            return draw(page.layout(workspace, visit))
        key = _key(page, workspace, visit)
        kept = self._kept.get(key)
        if kept is not None:
            workspace.request.repeat(kept.asked)
            return kept
        is_final = _is_final(workspace)  # asked before the drawing, which may read what is not final yet
        drawn = draw(page.layout(workspace, visit))
        if is_final:
            asked = tuple(question.again() for question in workspace.request.questions)
            self._kept.put(key, replace(drawn, asked=asked), drawn.size_bytes)
        return drawn


def draw(screen: Screen) -> Drawn:
    """A screen written out."""
    content, filters = (to_json_plotly(settled(part)).encode() for part in (screen.content, screen.filters))
    shown = orjson.Fragment(filters) if screen.filters is not None else None
    return Drawn(orjson.Fragment(content), shown, len(content) + len(filters))


def _key(page: Page, workspace: Workspace, visit: Visit) -> Hashable:
    release = workspace.release
    data = workspace.env, release.number, pins_key(workspace.pins)
    return page.path, data, workspace.scope.key, workspace.principal.role, visit


def _is_final(workspace: Workspace) -> bool:
    """Whether the run that made the release is over; its record, which a page may show, never changes again."""
    return workspace.runs().show(workspace.release.run)["ended"] is not None
