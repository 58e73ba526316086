"""The first load of a page, by a browser that has nothing yet: how many bytes it takes, and that all come from here.

One rule: what is fetched is found as a browser finds it, from the document on: a new script or font counts by itself.
"""

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import brotli
import dash
import pytest

from lakehouse.core import Lakehouse
from portal.app import ASSETS, create_app
from tests.pipelines.lake import Lake
from tests.portal.signing_in import inside
from tests.portal.visitor import PASSWORD, ROUTER, Shown, Visitor

# Who compresses a file that is sent leaves closing it to Python, which says so when warnings are errors.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"
)

NAME = "first-ann"
MOST_BYTES = 1_200_000
MOST_REQUESTS = 25
HERE = "https://portal.example"
COMPRESSED = {"Accept-Encoding": "gzip, deflate, br, zstd"}
COMPONENTS = "/_dash-component-suites/dash/dcc"
DRAW = "the page itself"

CHUNKS = [file.stem.removeprefix("async-") for file in Path(dash.__file__).parent.glob("dcc/async-*.js")]
"""What Dash's components fetch as soon as one of a kind is on a page; the name of the kind holds it."""

LOADED_BY_SCRIPTS = re.compile(
    r"""(?:\b(?:fetch|import|importScripts|Worker|WebSocket|EventSource|sendBeacon)\(|\.open\([^()]{0,20},"""
    r"""|\.src\s*=|\bsrc\s*:|url\()\s*["'`]?((?:https?:|wss?:)?//[^\s"'`)]+)"""
)


class Named(HTMLParser):
    """The addresses that a document makes a browser fetch."""

    LOADING = {("script", "src"), ("img", "src"), ("iframe", "src"), ("link", "href"), ("source", "src")}  # noqa: RUF012

    def __init__(self, document: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value for name, value in attrs if value and (tag, name) in self.LOADING]


class Browser:
    """A browser that fetches everything once and counts what comes over the line."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.sizes: dict[str, int] = {}
        self.texts: dict[str, str] = {}
        self.elsewhere: set[str] = set()

    def fetch(self, address: str, near: str = "/") -> str:
        """Fetch an address that is named in the text at `near`, then what its own text names; returns that."""
        whole = urljoin(HERE + near, address)
        path = whole.removeprefix(HERE)
        if path == whole and not whole.startswith("data:"):
            self.elsewhere.add(whole)
        elif path != whole and path not in self.sizes:
            with self.visitor.get(path, headers=COMPRESSED) as answer:
                assert answer.status_code == 200, path
                body = self.count(path, answer.get_data(), answer.headers.get("Content-Encoding", ""))
            self.texts[path] = body.decode("utf-8", "replace")
            for named in _named(path, answer.mimetype, self.texts[path]):
                self.fetch(named, path)
        return self.texts.get(path, "")

    def draw(self, path: str) -> list[Shown]:
        """Have the page drawn, and fetch what its components need."""
        where = [("shell-location", "pathname", path), ("shell-location", "search", ""), ("shell-theme", "data", None)]
        answer = self.visitor.callback(ROUTER, where, **COMPRESSED)
        drawn = json.loads(self.count(DRAW, answer.get_data(), answer.headers["Content-Encoding"]))["response"]
        shown = [Shown(drawn[part]["children"]) for part in ("shell-menu", "shell-page")]
        for kind in _kinds(Shown(json.loads(self.texts["/_dash-layout"])), *shown):
            for chunk in CHUNKS:
                if chunk in kind:
                    self.fetch(f"{COMPONENTS}/async-{chunk}.js")
            if kind == "graph":
                self.fetch(self.plotly)
        return shown

    @property
    def plotly(self) -> str:
        """Where the document says that the library of charts is."""
        found = re.search(r'data-plotly="([^"]+)"', next(iter(self.texts.values())))
        assert found is not None
        return found[1]

    def count(self, path: str, raw: bytes, encoding: str) -> bytes:
        """Count an answer's bytes, and return what they are without their compression."""
        self.sizes[path] = len(raw)
        assert encoding in ("br", ""), path
        return brotli.decompress(raw) if encoding else raw


def _named(path: str, mimetype: str, body: str) -> list[str]:
    if mimetype == "text/html":
        return Named(body).addresses
    if mimetype == "text/css":
        return [
            found.strip("\"' ")
            for found in re.findall(r"url\(([^)]*)\)|@import\s+([^;]+)", body)
            for found in found
            if found
        ]
    return LOADED_BY_SCRIPTS.findall(body) if mimetype == "text/javascript" else []


def _kinds(*parts: Shown) -> set[str]:
    return {one["type"].lower() for part in parts for one in part.walk() if one["namespace"] == "dash_core_components"}


@pytest.fixture(scope="module")
def loaded(sample_lake: Lake) -> Browser:
    """A browser that has opened the revenue page, and has everything that it needs."""
    with Lakehouse.open(sample_lake.home) as lakehouse:
        lakehouse.users.add(NAME, PASSWORD, "viewer")
        browser = Browser(inside(create_app(lakehouse).server, NAME))
        for address in ("/revenue", "/_dash-layout", "/_dash-dependencies"):
            browser.fetch(address)
        browser.draw("/revenue")
        lakehouse.users.remove(NAME)
    return browser


def test_a_first_load_takes_no_more_than_it_may(loaded: Browser) -> None:
    sizes = sorted(loaded.sizes.items(), key=lambda item: -item[1])

    total = sum(loaded.sizes.values())

    lines = [f"{size:>9,}  {path.partition('?')[0]}" for path, size in (*sizes, ("in all", total))]
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
    assert total <= MOST_BYTES
    assert len(sizes) <= MOST_REQUESTS


def test_it_is_whole(loaded: Browser) -> None:
    fetched = " ".join(loaded.sizes)

    for part in (
        "theme.js",
        "all.css",
        "all.js",
        "plotly",
        ".woff2",
        "favicon",
        "dash_renderer",
        "async-graph",
    ):
        assert part in fetched


def test_every_style_sheet_and_script_of_ours_is_in_what_is_loaded(loaded: Browser) -> None:
    fetched = "".join(text for path, text in loaded.texts.items() if path.startswith("/assets/"))

    files = [*ASSETS.glob("*.css"), *ASSETS.glob("*.js")]

    assert len(files) > 15
    assert [file.name for file in files if file.read_text() not in fetched] == []


def test_nothing_is_fetched_twice_under_two_names(loaded: Browser) -> None:
    names = [re.sub(r"\.v\w+m\d+|\?.*", "", path) for path in loaded.sizes]

    assert sorted(names) == sorted(set(names))


def test_everything_that_can_be_compressed_is(loaded: Browser) -> None:
    whole = [path for path, body in loaded.texts.items() if len(body) > 1000 and loaded.sizes[path] > 0.6 * len(body)]

    assert [path for path in whole if not path.endswith(".woff2")] == []


def test_nothing_is_asked_of_another_server(loaded: Browser) -> None:
    assert loaded.elsewhere == set()


def test_our_own_scripts_and_styles_name_no_other_server(loaded: Browser) -> None:
    ours = {path: body for path, body in loaded.texts.items() if path.startswith("/assets/") and "/vendor/" not in path}

    named = {path: re.findall(r"(?:https?|wss?)://[^\s\"'`)]+", body) for path, body in ours.items()}

    assert {address for found in named.values() for address in found} <= {"http://www.w3.org/2000/svg"}
