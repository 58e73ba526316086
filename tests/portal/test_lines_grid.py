"""The grid of lines on the revenue page, asked over HTTP: its rows, order, words and pages, and the file of the same.

One rule: what must be shown is worked out in plain Python from all rows of the table.
"""

import csv
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse
from tests.pipelines.lake import Lake
from tests.portal.revenue_words import day
from tests.portal.signing_in import inside
from tests.portal.test_rules_over_http import portal_of
from tests.portal.visitor import Shown, Visitor
from tests.unit.metrics.line_oracle import Asked, Row, found, lines, random_words

LABELS = {
    "order_id": "Order id",
    "order_date": "Order date",
    "region": "Region",
    "product": "Product",
    "customer_id": "Customer",
    "quantity": "Quantity",
    "amount": "Amount",
    "line_total": "Line total",
}
"""The columns of the grid, in their order; the sample has no stock code."""
NUMBERS = ("quantity", "amount", "line_total")
NAMES = ("grid-all", "grid-some")
POLICY = """
[users.grid-some]
rows = [["region", "in", ["North", "South"]]]
columns = {customer_id = "hide", product = "hash"}
"""
STATES = range(20)
MANY = [pytest.param(number, marks=pytest.mark.slow if number < 150 else pytest.mark.fuzz) for number in range(400)]

Keys = list[tuple[str, str]]


@dataclass(frozen=True)
class Grid:
    """What the grid shows."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    foot: str

    @classmethod
    def read(cls, page: Shown) -> "Grid":
        """The grid of a page; without rows there is no head and no foot."""
        card = page.one("lp-lines")
        if card.of_class("lp-empty"):
            return cls((), (), "")
        head, *rows = [
            [" ".join(Shown(cell).text.split()) for cell in row.props["children"]] for row in of_type(card, "Tr")
        ]
        return cls(tuple(head), tuple(map(tuple, rows)), card.one("lp-pager").of_class("lp-num")[0].text)


class Portal:
    """A portal before which two people stand: one sees everything, the other less."""

    def __init__(self, lakehouse: Lakehouse, visitors: dict[str, Visitor]) -> None:
        self.visitors = visitors
        whole = lakehouse.as_user(operator())
        statement = "select * from marts.order_lines"
        self.rows: dict[str, list[Row]] = {
            version: whole.at(version).sql(statement).table.to_pylist() for version in ("1", "now")
        }

    def page(self, keys: Keys, name: str = NAMES[0]) -> Shown:
        return self.visitors[name].page(address(keys))

    def file(self, keys: Keys, name: str = NAMES[0]) -> list[list[str]]:
        """The rows of the grid's file, the header first."""
        answer = self.visitors[name].get(f"/export/revenue/lines.csv?{urlencode([*keys, ('raw', '1')])}")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return list(csv.reader(io.StringIO(answer.get_data(as_text=True), newline="")))


@pytest.fixture(scope="module")
def portal(sample_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    folder = tmp_path_factory.mktemp("policy")
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    with portal_of(sample_lake.home, folder, NAMES) as (lakehouse, app):
        yield Portal(lakehouse, {name: inside(app.server, name) for name in NAMES})


def address(keys: Keys) -> str:
    return f"/revenue?{urlencode(keys)}"


def of_type(shown: Shown, kind: str) -> list[Shown]:
    return [Shown(one) for one in shown.walk() if one["type"] == kind]


def chosen(rows: Sequence[Row], keys: Keys) -> list[Row]:
    """The rows that the filters of an address let through."""
    given = dict(keys)
    regions = [value for key, value in keys if key == "region"]
    first, last = (date.fromisoformat(given[end]) for end in ("from", "to"))
    return [row for row in rows if first <= row["order_date"] <= last and (not regions or row["region"] in regions)]


def expected(rows: Sequence[Row], keys: Keys) -> Grid:
    """What the grid must show of all rows."""
    given, left = dict(keys), chosen(rows, keys)
    size, words = int(given.get("rows", "25")), given.get("find", "").strip()
    count = len(found(left, words, tuple(LABELS)))
    first = (min(int(given.get("page", "1")), max(1, -(-count // size))) - 1) * size
    names = list(rows[0])
    shown = lines(left, Asked(given.get("sort", "-order_date"), words, first, size, tuple(LABELS)))
    if not shown:
        return Grid((), (), "")
    places = [names.index(name) for name in LABELS]
    cells = tuple(tuple(cell(row[place]) for place in places) for row in shown)
    total = f"{count:,} line{'' if count == 1 else 's'}"
    return Grid(tuple(LABELS.values()), cells, f"{first + 1:,}–{first + len(shown):,} of {total}")


def cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, date):
        return day(value)
    return value if isinstance(value, str) else f"{value:,}"


def state(chance: random.Random, rows: Sequence[Row]) -> Keys:
    """A state of the grid that somebody might ask for."""
    first, last = (end(row["order_date"] for row in rows) for end in (min, max))
    start = first + timedelta(chance.randrange((last - first).days))
    keys = [("from", str(start)), ("to", str(chance.choice((last, start + timedelta(chance.randint(0, 40))))))]
    keys += [("region", name) for name in chance.sample(("North", "South", "West"), chance.choice((0, 0, 1, 2)))]
    if chance.random() < 0.6:
        keys.append(("sort", f"{chance.choice(('', '-'))}{chance.choice(list(rows[0]))}"))
    words = random_words(chance, rows) if chance.random() < 0.7 else ""
    keys += [("find", words)] if words.strip() and "\n" not in words else []
    keys += [("rows", str(chance.choice((25, 100))))] if chance.random() < 0.5 else []
    keys += [("page", str(chance.choice((1, 2, 3, 40))))] if chance.random() < 0.6 else []
    return keys


def is_right(portal: Portal, chance: random.Random) -> None:
    version = chance.choice(("1", "now"))
    rows = portal.rows[version]
    keys = [*state(chance, rows), ("at", version)]

    assert Grid.read(portal.page(keys)) == expected(rows, keys), address(keys)


def seeded(name: str) -> random.Random:
    return random.Random(name)  # noqa: S311  # the same states at every run


@pytest.mark.parametrize("number", STATES)
def test_the_grid_shows_what_plain_python_works_out(portal: Portal, number: int) -> None:
    is_right(portal, seeded(f"grid {number}"))


@pytest.mark.parametrize("number", MANY)
def test_hundreds_of_states_of_the_grid_show_what_plain_python_works_out(portal: Portal, number: int) -> None:
    is_right(portal, seeded(f"many {number}"))


ALL: Keys = [("from", "2024-01-01"), ("to", "2024-03-31")]


@pytest.mark.parametrize("keys", [[], [("sort", "-line_total"), ("find", "LAP")], [("region", "North"), ("page", "3")]])
def test_the_file_holds_the_rows_of_all_pages_in_the_same_order(portal: Portal, keys: Keys) -> None:
    rows, asked = portal.rows["now"], [*ALL, *keys]
    names = list(rows[0])
    pages = [
        expected(rows, [*(one for one in asked if one[0] != "page"), ("page", str(page))]) for page in range(1, 42)
    ]
    ids = [row[0] for page in dict.fromkeys(pages) for row in page.rows]

    header, *found_rows = portal.file(asked)

    assert header == names
    assert [row[names.index("order_id")] for row in found_rows] == ids


def test_the_file_of_the_page_is_not_sorted_and_searched_by_the_grid(portal: Portal) -> None:
    visitor = portal.visitors[NAMES[0]]

    plain, with_grid = (
        visitor.get(f"/export/revenue.csv?{urlencode([*ALL, *more])}").get_data()
        for more in ([], [("find", "laptop"), ("sort", "-amount"), ("page", "2")])
    )

    assert plain == with_grid
    assert plain.count(b"\r\n") == 1 + len(portal.rows["now"])


def test_the_links_below_the_grid_lead_to_every_line_once(portal: Portal) -> None:
    keys, seen = [*ALL, ("region", "North"), ("rows", "100")], []
    where = address(keys)
    while where:
        page = portal.visitors[NAMES[0]].page(where)
        seen += [row[0] for row in Grid.read(page).rows]
        following = [one for one in of_type(page.one("lp-pages"), "A") if one.props.get("aria-label") == "Next page"]
        where = following[0].props["href"] if following else ""

    assert len(seen) > 200
    assert sorted(seen) == sorted(row["order_id"] for row in chosen(portal.rows["now"], keys))


def test_a_title_sorts_and_sorts_the_other_way_when_it_is_followed_again(portal: Portal) -> None:
    page = portal.page([*ALL, ("page", "2")])
    heads = {head.text: head for head in of_type(page.one("lp-lines"), "Th") if head.props["scope"] == "col"}

    assert {text: head.props.get("aria-sort") for text, head in heads.items() if "aria-sort" in head.props} == {
        "Order date": "descending"
    }
    assert of_type(page.one("lp-lines"), "Caption")[0].text == "Order lines, by Order date, descending"
    assert {text: sort_of(head) for text, head in heads.items()} == {
        "Order id": "sort=order_id",
        "Order date": "sort=order_date",
        "Region": "sort=region",
        "Product": "sort=product",
        "Customer": "sort=customer_id",
        "Quantity": "sort=-quantity",
        "Amount": "sort=-amount",
        "Line total": "sort=-line_total",
    }
    again = portal.page([*ALL, ("sort", "-line_total")])
    sorted_by = [head for head in of_type(again.one("lp-lines"), "Th") if "aria-sort" in head.props]
    assert [(head.text, head.props["aria-sort"], sort_of(head)) for head in sorted_by] == [
        ("Line total", "descending", "sort=line_total")
    ]


def sort_of(head: Shown) -> str:
    """What a title adds to the address; it never leads to another page than the first."""
    (href,) = head.links.values()
    assert "page=" not in href
    return str(href.rpartition("&")[2])


def test_numbers_stand_right_and_the_rows_are_named(portal: Portal) -> None:
    card = portal.page(ALL).one("lp-lines")
    head, first, *_ = of_type(card, "Tr")

    for row in (head, first):
        right = [
            place for place, one in enumerate(row.props["children"]) if "is-num" in str(one["props"].get("className"))
        ]
        assert right == [list(LABELS).index(name) for name in NUMBERS]
    assert [one["type"] for one in first.props["children"]] == ["Th", *["Td"] * (len(LABELS) - 1)]
    assert first.props["children"][0]["props"]["scope"] == "row"
    area = card.one("lp-window")
    assert (area.props["role"], area.props["tabIndex"]) == ("region", "0")


def test_the_search_keeps_the_rest_of_the_address_but_not_the_page(portal: Portal) -> None:
    form = portal.page([*ALL, ("sort", "region"), ("find", "lap"), ("page", "2"), ("rows", "25")]).one("lp-find")
    fields = {one.props["name"]: one.props["value"] for one in of_type(form, "Input")}

    assert fields == {"from": "2024-01-01", "to": "2024-03-31", "sort": "region", "rows": "25", "find": "lap"}
    assert (form.props["method"], form.props["action"], form.props["role"]) == ("GET", "/revenue", "search")


def test_no_filter_keeps_the_page_of_the_grid(portal: Portal) -> None:
    page = portal.page([*ALL, ("page", "2"), ("region", "North"), ("region", "South")])
    turning = page.one("lp-pages").links.values()

    kept = [
        href
        for part in (page.by_id("content"), page.one("lp-filters"))
        for href in part.links.values()
        if "page=" in href and "/export/" not in href and href not in turning
    ]

    assert kept == []


def test_a_value_filters_the_page_and_again_takes_the_filter_away(portal: Portal) -> None:
    links = portal.page([*ALL, ("page", "2")]).one("lp-window").links
    assert links["North"] == "/revenue?from=2024-01-01&to=2024-03-31&region=North"

    chosen_links = portal.page([*ALL, ("region", "North")]).one("lp-window").links

    assert chosen_links["North"] == "/revenue?from=2024-01-01&to=2024-03-31"
    assert "South" not in chosen_links


@pytest.mark.parametrize(
    ("page", "shown"), [("41", "1,001–1,001"), ("42", "1,001–1,001"), ("9" * 15, "1,001–1,001"), ("02", "26–50")]
)
def test_a_page_beyond_the_end_is_the_last_one(portal: Portal, page: str, shown: str) -> None:
    assert Grid.read(portal.page([*ALL, ("page", page)])).foot == f"{shown} of 1,001 lines"


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("page", "0", "'0'"),
        ("page", "-1", "'-1'"),
        ("page", "two", "numbered from 1"),
        ("page", "1.5", "'1.5'"),
        ("page", "٣", "numbered from 1"),
        ("page", "9" * 5000, "numbered from 1"),
        ("rows", "7", "Choose 25, 50, 100"),
        ("rows", "1000000", "Choose 25, 50, 100"),
        ("sort", "nothing", "No column named 'nothing'. Known columns: amount,"),
        ("sort", "--amount", "No column named '-amount'"),
        ("sort", "amount desc", "No column named 'amount desc'"),
        ("sort", 'amount" desc; --', "No column named"),
    ],
)
def test_what_there_is_not_is_refused_in_words(portal: Portal, key: str, value: str, said: str) -> None:
    page = portal.page([*ALL, (key, value)])

    assert said in page.one("lp-error").text
    assert page.of_class("lp-window") == []


def test_words_that_no_line_holds_leave_a_way_back(portal: Portal) -> None:
    card = portal.page([*ALL, ("find", "no such thing"), ("sort", "region")]).one("lp-lines")

    assert "0 of 1,001 lines hold “no such thing”" in card.text
    assert card.one("lp-empty").links == {
        "Show 1,001 lines": "/revenue?from=2024-01-01&to=2024-03-31&sort=region",
    }


def test_an_empty_period_has_no_lines(portal: Portal) -> None:
    card = portal.page([("from", "2030-01-01"), ("to", "2030-01-02")]).one("lp-lines")

    assert card.one("lp-empty").links == {}
    assert "No lines here" in card.text


def test_hidden_columns_are_not_there_and_masked_ones_are_searched_as_they_are_shown(portal: Portal) -> None:
    some, products = NAMES[1], {row["product"] for row in portal.rows["now"]}
    grid = Grid.read(portal.page(ALL, some))
    shown = grid.rows[0][list(LABELS).index("product")]

    assert grid.heads == tuple(label for name, label in LABELS.items() if name != "customer_id")
    assert {row[2] for row in grid.rows} == {"North", "South"}
    assert not {row[3] for row in grid.rows} & products
    assert len(shown) == 16
    assert Grid.read(portal.page([*ALL, ("find", "laptop")], some)).rows == ()
    assert Grid.read(portal.page([*ALL, ("find", "CUST-")], some)).rows == ()
    assert {row[3] for row in Grid.read(portal.page([*ALL, ("find", shown[2:9].upper())], some)).rows} == {shown}
    assert "No column named 'customer_id'. Known columns: amount, line_id," in (
        portal.page([*ALL, ("sort", "customer_id")], some).one("lp-error").text
    )


def test_a_file_under_rules_holds_the_rows_of_the_grid(portal: Portal) -> None:
    keys, some = [*ALL, ("sort", "-amount"), ("rows", "100")], NAMES[1]

    header, *rows = portal.file(keys, some)

    assert "customer_id" not in header
    ids = [row[header.index("order_id")] for row in rows]
    assert ids[:100] == [row[0] for row in Grid.read(portal.page(keys, some)).rows]
    assert len(ids) == sum(row["region"] in ("North", "South") for row in portal.rows["now"])


def test_a_dimension_with_some_values_is_shown_also_where_the_rows_have_none(retail_lake: Lake, tmp_path: Path) -> None:
    last_page = [("period", "all"), ("sort", "customer_id"), ("page", "9" * 9)]
    with portal_of(retail_lake.home, tmp_path, ["grid-retail"]) as (_, app):
        grid = Grid.read(inside(app.server, "grid-retail").page(address(last_page)))

    assert grid.heads == ("Order id", "Order date", "Region", "Product", "Customer", "Stock code", *grid.heads[-3:])
    assert {row[4] for row in grid.rows} == {"–"}


def test_a_grid_in_the_past_is_that_of_its_release(portal: Portal) -> None:
    late = [("from", "2024-03-31"), ("to", "2024-03-31")]

    assert [row[0] for row in Grid.read(portal.page(late)).rows] == ["ORD-9999"]
    assert Grid.read(portal.page([*late, ("at", "1")])) == Grid((), (), "")
