"""The numbers on a revenue page, read from the tree of components that a browser gets.

One rule: it reads what is shown, as it is worded, and computes nothing; whatever holds a digit and was not read is
`strays`, so that no number can stand on the page without being compared.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

from tests.portal.revenue_numbers import About, Bar, Box, Chart, Drawn, Filters, Numbers, Ranking, Tile
from tests.portal.visitor import Shown

SPARK_WIDTH, SPARK_HEIGHT = 992, 940
SPARK_LEFT, SPARK_TOP = 4, 30
PLACE = re.compile(r"[ML](\S+) ([^ LMh']+)")
STEP = re.compile(r"([ML])(\S+) ")
WORDS = "children"
SEEN = ("title", "aria-label", "value", "placeholder")
"""Attributes that people read or hear."""
COLORS = {"#2457d6": "now", "#6689e2": "before"}
"""Of the lines of the chart, in the light theme."""


def read(page: Shown) -> Numbers:
    """The numbers of a page that shows data."""
    return _Reading(page).numbers()


class _Reading:
    """Reads one page and remembers what it has read: components by their identity, and attributes of theirs."""

    def __init__(self, page: Shown) -> None:
        self.page, self.taken = page, set[tuple[int, str]]()

    def numbers(self) -> Numbers:
        main, bar = self.page.by_id("content"), self.page.one("lp-filters")
        cards = [card for card in main.of_class("lp-card") if "lp-tile" not in card.props["className"]]
        chart, *rankings = (card for card in cards if "lp-lines" not in card.props["className"])
        for lines in main.of_class("lp-lines"):
            self.words(lines)  # tests/portal/test_lines_grid.py reads them
        return Numbers(
            self.filters(bar),
            self.about(main.of_class("lp-about")),
            tuple(self.tile(tile) for tile in main.of_class("lp-tile")),
            self.chart(chart),
            tuple(self.ranking(ranking) for ranking in rankings),
            self.words(main.one("lp-stamp")),
            tuple(one for one in self.rest([main.tree, bar.tree]) if re.search(r"\d|–", one)),
        )

    def words(self, shown: Shown, between: str = "") -> str:
        """The words of a component as they stand there, thin spaces and all; they count as read."""
        self.taken.add((id(shown.tree), WORDS))
        return between.join(_texts(shown.tree))

    def rest(self, tree: Any) -> Iterator[str]:
        """Whatever has not been read: words and the attributes that speak."""
        if isinstance(tree, list):
            for one in tree:
                yield from self.rest(one)
        elif isinstance(tree, dict):
            props, here = tree["props"], id(tree)
            if props.get("type") != "hidden":
                yield from (str(props[name]) for name in SEEN if props.get(name) and (here, name) not in self.taken)
            if (here, WORDS) not in self.taken:
                yield from self.rest(props.get("children"))
        elif tree is not None:
            yield str(tree)

    def attribute(self, shown: Shown, name: str) -> str:
        """What an attribute says; it counts as read."""
        self.taken.add((id(shown.tree), name))
        return str(shown.props.get(name, ""))

    def filters(self, bar: Shown) -> Filters:
        trailing = len(bar.one("lp-filters-end").of_class("lp-pop"))  # behind these are files, which have no numbers
        pops = bar.of_class("lp-pop")
        pops = pops[: len(pops) - trailing]
        return Filters(
            self.words(bar.one("lp-filters-said")),
            tuple(self.words(_of_type(pop, "Summary")[0], "|").partition(": |")[2] for pop in pops),
            tuple(self.attribute(day, "value") for day in _of_type(bar, "Input", type="date")),
            tuple(self.offered(pop) for pop in pops),
        )

    def offered(self, pop: Shown) -> tuple[str, ...]:
        """What a menu offers: to choose, to open, and what stands in fields of numbers."""
        rows = [self.words(row) for row in pop.of_class("lp-choice")]
        folds = [self.words(_of_type(fold, "Summary")[0]) for fold in pop.of_class("lp-more-filter")]
        numbers = _of_type(pop, "Input", type="number") if not folds else []
        return (*rows, *folds, *(self.attribute(field, "value") for field in numbers))

    def about(self, panels: list[Shown]) -> About:
        if not panels:
            return About()
        [panel] = panels
        terms, texts = (_of_type(panel, kind) for kind in ("Dt", "Dd"))
        said = tuple((self.words(term), self.words(text, "|")) for term, text in zip(terms, texts, strict=True))
        title = self.words(_of_type(panel, "H2")[0])
        assert self.attribute(panel, "aria-label") == f"About {title}"
        return About(title, said, self.words(_of_type(panel, "Pre")[0]))

    def tile(self, tile: Shown) -> Tile:
        value, changes = tile.one("lp-value"), tile.of_class("lp-change")
        words = " ".join(re.sub(" +", " ", self.words(change)).strip() for change in changes)
        title = "".join(self.attribute(change, "title") for change in changes)
        assert title in ("", words)
        strong = _of_type(tile, "B")
        return Tile(
            label=self.words(tile.one("lp-label")),
            short=self.words(value),
            exact=self.attribute(value, "title"),
            change=words if title else "",
            meaning=str(strong[0].props.get("className") or "").removeprefix("lp-") if strong else "",
            note="" if title else words,
            spark=_spark(tile.one("lp-spark")),
            dotted=_dotted(tile.one("lp-spark")),
        )

    def chart(self, card: Shown) -> Chart:
        title, sub = self.head(card)
        trail = tuple(self.words(step) for nav in card.of_class("lp-trail") for step in _of_type(nav, "Li"))
        if nothing := card.of_class("lp-empty"):
            return Chart(title, sub, trail, empty=self.words(nothing[0], "|"))
        figure = card.by_id("revenue-over-time").props["figure"]
        hover = figure["data"][-1]
        legend = card.of_class("lp-legend")
        columns, table = self.table(card)
        names = sorted(self.words(name) for name in _of_type(legend[0], "Li")) if legend else []
        direct = sorted(self.words(name, " ") for name in card.of_class("lp-direct"))
        assert direct == [name.replace(", ", " ") for name in names]
        time, values = (figure["layout"][axis] for axis in ("xaxis", "yaxis"))
        now, before = (_line(figure["data"][:-1], which) for which in ("now", "before"))
        return Chart(
            title,
            sub,
            trail,
            description=self.attribute(card.one("lp-plot"), "aria-label"),
            names=tuple(names),
            columns=columns,
            table=table,
            boxes=tuple(_box(said) for said in hover["customdata"]),
            box_names=tuple(hover["meta"]["names"]),
            now=now[0],
            before=before[0],
            firm=now[1],
            dotted=now[2],
            marks_of_time=tuple(zip(time["tickvals"], time["ticktext"], strict=True)),
            marks_of_value=(*values["range"], *zip(values["tickvals"], values["ticktext"], strict=True)),
        )

    def ranking(self, card: Shown) -> Ranking:
        title, sub = self.head(card)
        if nothing := card.of_class("lp-empty"):
            return Ranking(title, sub, empty=self.words(nothing[0], "|"))
        tops = [top for group in card.of_class("lp-segments") for top in _of_type(group, "A")]
        columns, table = self.table(card)
        return Ranking(
            title,
            sub,
            tops=tuple(self.words(top) + "*" * ("aria-current" in top.props) for top in tops),
            bars=tuple(self.bar(row) for row in _of_type(card.one("lp-bars"), "Li")),
            columns=columns,
            table=table,
        )

    def bar(self, item: Shown) -> Bar:
        row = item.one("lp-bars-row")
        name, middle, value = (Shown(cell) for cell in row.props["children"])
        length = [bar.props["style"]["width"] for bar in middle.of_class("lp-bar")]
        return Bar(
            name=self.words(name),
            value=self.words(value),
            title=self.attribute(row, "title"),
            length=float(length[0].removesuffix("%")) if length else None,
            chosen=row.props.get("aria-current") == "true",
            dimmed="is-dimmed" in str(item.props.get("className")),
            note=self.words(middle),
        )

    def head(self, card: Shown) -> tuple[str, str]:
        head = card.one("lp-head")
        title, sub = (self.words(_of_type(head, kind)[0]) for kind in ("H2", "P"))
        assert self.attribute(card, "aria-label") == title
        return title, sub

    def table(self, card: Shown) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        head, *rows = [[self.words(Shown(cell)) for cell in row.props["children"]] for row in _of_type(card, "Tr")]
        return tuple(head), tuple(map(tuple, rows))


def _texts(tree: Any) -> Iterator[str]:
    if isinstance(tree, list):
        for one in tree:
            yield from _texts(one)
    elif isinstance(tree, dict):
        yield from _texts(tree["props"].get("children"))
    elif tree is not None:
        yield str(tree)


def _of_type(shown: Shown, kind: str, **props: Any) -> list[Shown]:
    return [
        Shown(one)
        for one in shown.walk()
        if one["type"] == kind and all(one["props"].get(name) == value for name, value in props.items())
    ]


def _box(said: Sequence[Any]) -> Box:
    head, meaning, has_value, value, before, change, share = said
    return Box(head, value, before, change, share, meaning, has_value)


def _spark(line: Shown) -> Drawn:
    """The places of the little line; a path draws to or from each of them."""
    if "is-empty" in line.props["className"]:
        return ()
    drawing = unquote(line.props["style"]["maskImage"])
    places = {(float(x), float(y)) for path in re.findall(r"d='([^']*)'", drawing) for x, y in PLACE.findall(path)}
    return tuple(sorted((x, 1 - (y - SPARK_TOP) / SPARK_HEIGHT) for x, y in places))


def _dotted(line: Shown) -> tuple[float, ...]:
    """How far to the right the dotted pieces of the little line begin."""
    drawing = unquote(line.props.get("style", {}).get("maskImage", ""))
    pairs = [
        pair
        for path in re.findall(r"<path d='([^']*)' stroke-dasharray", drawing)
        for pair in pairwise(STEP.findall(path))
    ]
    return tuple(sorted(float(x) for (_, x), (kind, _) in pairs if kind == "L"))


def _line(traces: Sequence[dict[str, Any]], which: str) -> tuple[Drawn, tuple[int, ...], tuple[int, ...]]:
    """What one of the two lines shows: its points, and the buckets from which a solid or a dashed piece goes on."""
    points: dict[int, float] = {}
    firm, dashed = set(), set()
    for trace in traces:
        style = trace["line" if trace["mode"] == "lines" else "marker"]
        if COLORS[style["color"]] != which:
            continue
        places = list(zip(trace["x"], trace["y"], strict=True))
        if trace["mode"] == "markers":
            points |= dict(places)
            continue
        for (left, low), (right, high) in pairwise(places):
            if low is not None and high is not None:
                points |= {left: low, right: high}
                (firm if style["dash"] == "solid" else dashed).add(left)
    return tuple(sorted(points.items())), tuple(sorted(firm)), tuple(sorted(dashed))
