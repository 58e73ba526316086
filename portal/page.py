"""What a page is, and what it knows of the visit that it is shown in.

One rule: a page's whole state stands in its address, so every control that changes what is shown is a link.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode

from dash import Dash
from dash.development.base_component import Component

from lakehouse.access import policy
from lakehouse.access.identity import Principal
from lakehouse.core import Workspace
from lakehouse.errors import RequestWrong
from lakehouse.query.spool import Spooled
from lakehouse.settings import Settings

REFRESHES = "/pipelines"
"""The page on which refreshes are started, which others lead to."""

MOST_VALUES = 500
LONGEST_SEARCH = 8_000
MOST_WRITTEN = 1024

OpenWorkspace = Callable[[str], Workspace]
"""The lake as whoever asks may see it, at a version: `open_workspace("now")`."""


@dataclass(frozen=True)
class Visit:
    """One look at a page: where it is (`path` holds the base path), what its address says, and the theme."""

    path: str
    values: tuple[tuple[str, str], ...] = ()
    theme: str = "light"

    @classmethod
    def from_search(cls, path: str, search: str, theme: str = "light") -> "Visit":
        """The visit of an address; `search` is its query string, with or without the question mark."""
        if not isinstance(search, str):
            raise RequestWrong("The address is no text. Load the page again.")
        if len(search) > LONGEST_SEARCH:
            raise RequestWrong(f"The address is longer than {LONGEST_SEARCH:,} characters. Choose fewer filters.")
        try:
            values = parse_qsl(search.removeprefix("?"), max_num_fields=MOST_VALUES)
        except ValueError as error:
            raise RequestWrong(f"The address has more than {MOST_VALUES} values. Choose fewer filters.") from error
        return cls(path, tuple(dict.fromkeys(values)), theme)

    @property
    def version(self) -> str:
        """The version of the data that is looked at: `now`, or what `at` says."""
        return self.one("at") or "now"

    def one(self, key: str) -> str:
        """The value of a key that stands once; empty when it is missing. Raises `RequestWrong` when it stands twice."""
        found = self.many(key)
        if len(found) > 1:
            raise RequestWrong(f"The address gives {key!r} {len(found)} times. Give it once.")
        return found[0] if found else ""

    def many(self, key: str) -> tuple[str, ...]:
        """All values of a key, in their order."""
        return tuple(value for name, value in self.values if name == key)

    def href(self, **changes: str | Sequence[str] | None) -> str:
        """The address of this page with some keys changed; None and empty take a key away."""
        kept = [(name, value) for name, value in self.values if name not in changes]
        for name, value in changes.items():
            given = [value] if isinstance(value, str) else list(value or ())
            kept += [(name, one) for one in given if one]
        return self.path + (f"?{'&'.join(_written(*pair) for pair in kept)}" if kept else "")

    def only(self, keys: Collection[str]) -> "Visit":
        """The same visit as if its address had no others than these keys."""
        return replace(self, values=tuple(value for value in self.values if value[0] in keys))

    def without(self, key: str) -> "Visit":
        """The same visit as if its address did not have this key."""
        return replace(self, values=tuple(value for value in self.values if value[0] != key))

    def toggled(self, key: str, value: str) -> str:
        """The address with one value of a key added, or taken away when it is there."""
        now = self.many(key)
        return self.href(**{key: [one for one in now if one != value] if value in now else [*now, value]})


@lru_cache(MOST_WRITTEN)
def _written(name: str, value: str) -> str:
    """One value in an address; the links of a page repeat most of them hundreds of times."""
    return urlencode([(name, value)])


@dataclass(frozen=True)
class Screen:
    """What a page shows: its content, the controls that stay on top, and the line at its foot."""

    content: Sequence[Component]
    filters: Component | None = None


@dataclass(frozen=True)
class Page:
    """One screen of the portal: where it lives, who may open it, what it shows and does.

    `needs` is an action of `lakehouse.access.policy.NEEDS`; it holds for the page and for each of its callbacks. The
    layout of a page that `is_kept` reads nothing but the release, the run that made it, settings, rights and the visit:
    neither who asks, nor the clock, nor what else the state store holds. A page that is not `offered` by the lake's
    settings is in no menu and has no address.
    """

    path: str
    title: str
    icon: str
    needs: str
    layout: Callable[[Workspace, Visit], Screen]
    callbacks: Callable[[Dash, OpenWorkspace], None] | None = None
    exports: Mapping[str, Callable[[Workspace, Visit], Spooled]] = field(default_factory=dict)
    exports_by_post: bool = False
    """Whether a file is given to a form of the page alone: a link must not run what its address says."""
    is_kept: bool = False
    recorded: tuple[str, ...] = ()
    """Keys of its address whose values the audit keeps: what is chosen, such as a period, and never free text."""
    offered: Callable[[Settings], bool] | None = None
    """Whether some settings have this page; None: all do."""
    below: str = ""
    """Where it has addresses beneath its own: with `/runs`, `/pipelines/runs/ID` is one of `/pipelines`."""
    shape: tuple[str, ...] = ()
    """What stands on it while it is drawn for the first time: `filters`, `tiles`, `chart lp-8`, `bars lp-4`; see
    `templates/waiting.html`."""


def page_at(pages: Mapping[str, Page], path: str) -> Page | None:
    """The page that an address belongs to; `pages` are by their own."""
    above, _, last = path.rpartition("/")
    beneath = (page for page in pages.values() if page.below and last and above == page.path + page.below)
    return pages.get(path) or next(beneath, None)


def offered(settings: Settings, pages: Iterable[Page]) -> list[Page]:
    """Those of some pages that a lake with these settings has, in their order."""
    return [page for page in pages if page.offered is None or page.offered(settings)]


def open_to(principal: Principal, pages: Iterable[Page]) -> list[Page]:
    """Those of some pages that somebody may open, in their order."""
    return [page for page in pages if policy.allows(principal, page.needs)]
