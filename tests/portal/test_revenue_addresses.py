"""What the revenue page says where there is little to show: wrong addresses, odd names, no data, few rights.

One rule: whatever is asked, an answer stands inside the frame, in words, with a way out.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest

from lakehouse.core import Lakehouse
from lakehouse.state.store import open_state
from tests.conftest import SAMPLE_COLUMNS
from tests.pipelines.lake import Lake, lines, source
from tests.portal.page_numbers import read
from tests.portal.visitor import Shown, Visitor
from tests.portal.witness import Witness, viewing, witness

NAME = "somebody"
SQL = "x') or 1=1 --"
HTML = "<img src=x onerror=alert(1)>"
HEADER = "order_id,customer_id,order_date,product,quantity,amount,region"
NO_SALE = "A,C1,2024-01-30,Lamp,0,1.00,North"
ODD_LINES = (
    "A,C1,2022-01-15,Lamp,1,5.00,North",
    "B,C1,2023-03-29,Lamp,1,7.00,North",
    "C,C2,2023-03-31,Lamp,1,70.00,North",
    f"D,C1,2024-01-30,TWO  SPACES,1,0.01,{SQL}",
    f'E,C1,2024-01-31,"Lamp ""&"" Shade #1=100%+?",1,0.04,{HTML}',
    "F,C2,2024-02-10,Half of a tenth down,1,49.00,North",
    "G,C2,2024-02-10,Half of a tenth up,1,351.00,South",
    "H,C2,2024-02-12,Half a hundred,1,100050.00,North",
    "I,,2024-02-29,,3,10.00,",
    "J,C3,2024-03-30,Ütü / 東京,3,10.00,Ørsted",
)
"""Names of all kinds and none; sums whose shares, means and thousands end in a half; days that shorter months lack."""

ODD_STATES: tuple[Mapping[str, str], ...] = (
    {"period": "all"},
    {"period": "last-12-months"},
    {"period": "last-26-weeks"},
    {"from": "2024-01-30", "to": "2024-01-31"},
    {"from": "2024-02-10", "to": "2024-02-10"},
    {"from": "2024-02-12", "to": "2024-02-12"},
    {"from": "2024-03-30", "to": "2024-03-30"},
    {"period": "all", "region": SQL},
    {"period": "all", "region": HTML, "grain": "month"},
    {"product": 'Lamp "&" Shade #1=100%+?', "period": "all"},
    {"product": "TWO  SPACES", "region": "Ørsted", "period": "last-90-days"},
)


@pytest.fixture(scope="module")
def viewer(sample_lake: Lake) -> Iterator[Visitor]:
    """A viewer of the sample lake."""
    with Lakehouse.open(sample_lake.home) as lakehouse, viewing(lakehouse, "address-viewer") as visitor:
        yield visitor


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Witness]:
    """A lake whose release 1 has no sales, and whose release 2 has a few with names of all kinds."""
    lake = Lake(tmp_path_factory.mktemp("odd"))
    optional = dict.fromkeys(("customer_id", "product", "region"), 'type = "text", required = false')
    lake.configure(source(columns={**SAMPLE_COLUMNS, **optional}, key=["order_id"]))
    for records in ((NO_SALE,), ODD_LINES):
        lake.write("sales.csv", lines(*records, header=HEADER))
        assert lake.start().ending == ("success", 0)
    with witness(lake.home) as found:
        yield found


def bar(shown: Shown, name: str) -> Shown:
    """The row of a region or product."""
    return next(row for row in shown.of_class("lp-bars-row") if Shown(row.props["children"][0]).text == name)


def refusal(visitor: Visitor, query: str) -> str:
    """What the page says of an address that it cannot show: inside the frame, with a way out, nothing unexpected."""
    shown = visitor.page(f"/revenue?{query}")
    assert "Revenue" in shown.one("lp-header").text
    assert shown.one("lp-brand").props["href"]
    assert list(shown.one("lp-error").links.values()) == ["/revenue"]
    assert shown.of_class("lp-card") == []
    assert not re.search(r"Unexpected|[Rr]eference|Traceback|Error", shown.text)
    return shown.one("lp-error").text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("period=never", "No period named 'never'. Known periods: all, last-12-months"),
        ("grain=eon", "'eon'. Known"),
        ("period=last-7-days&grain=Day", "'Day'. Known"),
        ("from=31.12.2024", "'from' is '31.12.2024', which is no date. Write it like 2024-03-31."),
        ("to=2024-02-30", "'to' is '2024-02-30', which is no date."),
        ("from=2024-03-02&to=2024-03-01", "begins on 2024-03-02, after its end on 2024-03-01."),
        ("from=9999-12-31&to=9999-12-31", "9999-12-31 is too late"),
        ("period=all&from=2024-01-01", "The period is given twice"),
        ("top=7", "'7'. Known"),
        ("top=10&top=20", "The address gives 'top' 2 times. Give it once."),
        ("&".join(f"region={number}" for number in range(600)), "more than 500 values. Choose fewer filters."),
        (f"region={'x' * 9000}", "longer than 8,000 characters. Choose fewer filters."),
        ("region=%00", "NUL"),
        ("from=%00%1b", "which is no date"),
        ("at=999", "No release 999. The first release is 1 of"),
        ("at=nonsense", "'nonsense' is not a version. Use a release number"),
        ("at=%00", "is not a version"),
        ("at=1&at=2", "The address gives 'at' 2 times. Give it once."),
        ("at=2020-01-01", "Nothing had been released by 2020-01-01. The first release is 1 of"),
        ("at=marts.order_lines@1", "No release has published snapshot 1 of marts.order_lines."),
    ],
    ids=lambda value: value[:30] if "=" in value else "",
)
def test_an_address_that_asks_for_what_there_is_not_is_answered_in_words(
    viewer: Visitor, query: str, said: str
) -> None:
    assert said in refusal(viewer, query)


@pytest.mark.parametrize("query", ["grain=eon", "top=7"])
def test_what_there_is_instead_is_said_in_english(viewer: Visitor, query: str) -> None:
    assert not re.search(r"productss|this periods", refusal(viewer, query))


@pytest.mark.parametrize("name", [SQL, "' or ''='", HTML, "\x01\x02\n\r\x7f", "\ufffd\ud7ff", "*", "%", "x" * 5000])
def test_a_name_that_the_data_do_not_have_finds_nothing(viewer: Visitor, name: str) -> None:
    shown = viewer.page(f"/revenue?period=all&region={quote(name)}")

    assert [tile.exact for tile in read(shown).tiles] == ["–", "0", "0", "–", "–"]
    assert read(shown).filters.buttons[3] == f"Region|{name}"
    assert read(shown).rankings[0].bars[0].value == "664,975.76"


def test_names_of_all_kinds_are_shown_as_they_are_and_can_be_clicked(odd: Witness) -> None:
    shown = odd.visitor.page("/revenue?period=all")
    for row in [row for ranking in read(shown).rankings for row in ranking.bars]:
        link = next(one for one in shown.of_class("lp-bars-row") if one.props["title"] == row.title)
        if row.name.startswith("No "):
            assert "href" not in link.props
            continue
        there = read(odd.visitor.page(link.props["href"]))

        assert there.tiles[0].exact == row.value
        assert [one.name for ranking in there.rankings for one in ranking.bars if one.chosen] == [row.name]


@pytest.mark.parametrize("keys", ODD_STATES, ids=str)
def test_every_number_is_right_where_names_are_odd_or_missing(odd: Witness, keys: Mapping[str, str]) -> None:
    assert odd.wrong(list(keys.items())) == []


def test_html_in_a_name_is_text(odd: Witness) -> None:
    shown = odd.visitor.page(f"/revenue?period=all&region={quote(HTML)}")

    kinds = {one["type"] for one in shown.walk()}
    raw = [one for one in shown.walk() if any("HTML" in name or name == "srcDoc" for name in one["props"])]

    assert HTML in bar(shown, HTML).text
    assert not kinds & {"Markdown", "Img", "Iframe", "Script"}
    assert raw == []


def test_a_release_without_sales_says_what_will_be_there(odd: Witness) -> None:
    shown = odd.visitor.page("/revenue?at=1")

    assert shown.one("lp-empty").text == "Nothing has been sold yet Rows appear here after the next refresh with data."
    assert shown.of_class("lp-card") == []
    assert shown.one("lp-stamp").text.startswith("Release 1 ·")


def test_a_lake_without_a_release_says_what_to_do(lake: Lake) -> None:
    lake.configure("")
    with Lakehouse.open(lake.home) as lakehouse, viewing(lakehouse, NAME) as visitor:
        for page in ("/", "/revenue", "/revenue?region=West"):
            shown = visitor.page(page)

            assert "Nothing here yet" in shown.one("lp-empty").text
            assert "An engineer starts it on the page Pipelines" in shown.one("lp-empty").text
            assert shown.of_class("lp-error") == []


def test_a_role_that_sees_no_table_of_the_metrics_gets_a_sentence(sample_lake: Lake, tmp_path: Path) -> None:
    known = sample_lake.settings
    places = known.lake.model_copy(update={"state": known.state_url, "warehouse": known.warehouse})
    settings = known.model_copy(update={"home": tmp_path, "lake": places})
    (tmp_path / "policy.toml").write_text('[roles.viewer]\ntables = ["staging.*"]')
    with Lakehouse(settings, open_state(settings)) as lakehouse, viewing(lakehouse, NAME) as visitor:
        assert "Revenue cannot be shown" in refusal(visitor, "period=all")
        assert visitor.page("/revenue").one("lp-error").links == {}  # there are no filters to leave out
