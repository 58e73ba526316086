"""Home: what has changed since somebody was here last, and which pages they have looked at.

One rule: time passes for the audit alone; what was released, and when, stays as it is.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, update

from lakehouse.core import Lakehouse
from lakehouse.state.schema import audit, releases, stamp
from portal.guard import BY_ITSELF
from tests.portal.home.home_lake import card, name_of, pass_time, person
from tests.portal.signing_in import inside
from tests.portal.visitor import ROUTER, Visitor


def test_the_first_visit_is_said_to_be_one(ann: Visitor) -> None:
    for address in ("/", "/revenue", "/"):
        assert ann.show(address).status_code == 200

    assert "This is your first visit." in card(ann, "Since").text


def test_a_visit_goes_on_over_logins_and_ends_with_a_pause(lakehouse: Lakehouse, server: Flask, ann: Visitor) -> None:
    name = name_of(ann)
    again = inside(server, name)
    same = card(again, "Since").text
    pass_time(lakehouse)
    after = card(again, "Since").text
    once_more = card(inside(server, name), "Since").text

    assert "This is your first visit." in same
    assert re.search(r"Since your last visit yesterday, \d\d:\d\d Nothing has changed", after)
    assert once_more == after


def test_a_page_that_is_drawn_again_by_itself_is_no_visit(lakehouse: Lakehouse, ann: Visitor) -> None:
    ann.show("/revenue")
    pass_time(lakehouse)
    ann.show("/")
    where = [("shell-location", "pathname", "/"), ("shell-location", "search", ""), ("shell-theme", "data", None)]
    pass_time(lakehouse)

    assert ann.callback(ROUTER, where, **{BY_ITSELF: "1"}).status_code == 200
    pass_time(lakehouse, hours=1)

    assert not re.match(r"Since your last visit \d+ h ago", card(ann, "Since").text)


def test_what_was_released_since_the_last_visit_is_told(lakehouse: Lakehouse, ann: Visitor) -> None:
    ann.show("/revenue")
    pass_time(lakehouse, release=1)

    since = card(ann, "Since")

    assert "1 release since then" in since.text
    assert "1 new day of data, 31 Mar 2024." in since.text
    assert "over the days up to 30 Mar 2024 are the same as then" in since.text
    assert "Order lines: 1,000 rows then, 1,001 now" in since.text
    assert re.search(r"Release 2 .* (\d+) of \1 passed Daily revenue, Order lines", since.text)


@pytest.fixture
def rolled_back(lakehouse: Lakehouse) -> Iterator[None]:
    """A third release, with the data of the first one: what was there at the last visit is gone."""
    with lakehouse.state.write() as connection:
        first = connection.execute(select(releases).where(releases.c.number == 1)).one()._mapping
        connection.execute(update(releases).where(releases.c.state == "current").values(state="superseded"))
        third = {**first, "id": None, "number": 3, "state": "current", "published": stamp(datetime.now(UTC))}
        connection.execute(insert(releases).values({key: value for key, value in third.items() if key != "id"}))
    yield
    with lakehouse.state.write() as connection:
        connection.execute(delete(releases).where(releases.c.number == 3))
        connection.execute(update(releases).where(releases.c.number == 2).values(state="current"))


@pytest.mark.usefixtures("rolled_back")
def test_numbers_of_the_same_days_are_compared(lakehouse: Lakehouse, ann: Visitor) -> None:
    ann.show("/revenue")
    pass_time(lakehouse, release=2)

    since = card(ann, "Since").text

    assert "The data end on 30 Mar 2024 now, then on 31 Mar 2024." in since
    assert "The numbers over the days up to 31 Mar 2024:" in since
    assert "Revenue, EUR then 3,036,521.03 now 3,035,021.03 −1,500.00" in since
    assert "Orders then 1,001 now 1,000 −1" in since
    assert "Customers then 199 now 199 unchanged" in since


def test_recent_pages_are_named_once_newest_first_with_what_was_chosen(ann: Visitor) -> None:
    for address in (
        "/revenue?period=all&region=North",
        "/revenue",
        "/revenue?at=1",
        "/revenue?period=all&region=North",
    ):
        assert ann.show(address).status_code == 200

    links = card(ann, "Recent").links

    assert [*links.values()] == ["/revenue?period=all&region=North", "/revenue?at=1", "/revenue"]
    assert [re.sub(" just now$", "", text) for text in links] == [
        "Revenue All data, North",
        "Revenue release 1",
        "Revenue",
    ]


def test_what_somebody_has_typed_is_not_kept_with_the_page(lakehouse: Lakehouse, server: Flask) -> None:
    with person(lakehouse, server, "analyst") as visitor:
        assert visitor.show("/sql?q=select+%27hunter2%27").status_code == 200
        links = card(visitor, "Recent").links

    assert [*links.values()] == ["/sql"]
    with lakehouse.state.read() as connection:
        assert "hunter2" not in str(connection.execute(select(audit)).all())


def test_a_page_that_one_may_not_open_any_more_is_not_named(lakehouse: Lakehouse, server: Flask) -> None:
    with person(lakehouse, server, "analyst") as visitor:
        visitor.show("/sql")
        name = name_of(visitor)
        assert [*card(visitor, "Recent").links.values()] == ["/sql"]

        lakehouse.users.set(name, role="viewer")

        assert "/sql" not in visitor.page("/").links.values()


def test_a_long_address_is_remembered_without_its_filters(ann: Visitor) -> None:
    many = "&".join(f"product=Product+{number}" for number in range(30))
    assert ann.show(f"/revenue?at=1&{many}").status_code == 200

    assert [*card(ann, "Recent").links.values()] == ["/revenue?at=1"]
