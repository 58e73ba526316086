"""Six people with different rights before one portal: each page is, number by number, that of a lake of one's own.

One rule: what a person may know is worked out from all rows in plain Python; caches, workers and the portal are shared.
"""

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from dash import Dash

from lakehouse.access.identity import operator
from lakehouse.access.policy import PolicyFile
from lakehouse.core import Lakehouse, Workspace
from lakehouse.query.answer import Answer
from portal.app import create_app
from tests.pipelines.lake import Lake
from tests.portal import finding
from tests.portal.command_line import lakeport
from tests.portal.expected_page import MOST_FOUND, expected_page
from tests.portal.page_numbers import read
from tests.portal.revenue_numbers import differences
from tests.portal.revenue_oracle import Oracle
from tests.portal.revenue_words import known
from tests.portal.signing_in import inside, is_in
from tests.portal.test_revenue_numbers import state
from tests.portal.visitor import PASSWORD, Shown, Visitor, drawn
from tests.portal.witness import revenue

Row = dict[str, Any]

REGIONS = {"Central", "East", "North", "South", "West"}
THREADS = 3
BATCH = 60
"""Requests that are sent before their answers are compared."""

POLICY = """
[users.rule-file]
rows = [["region", "in", ["South"]], ["quantity", "<", 4]]

[users.rule-twin]
rows = [["region", "in", ["North"]]]

[users.rule-mask]
rows = [["region", "not in", ["North", "South"]]]
columns = {product = "hash", customer_id = "last four"}

[users.rule-blind]
rows = [["quantity", "<", 5]]
columns = {customer_id = "hide", stock_code = "hide"}
"""


@dataclass(frozen=True)
class Person:
    """Somebody: the rows that may be seen, and the columns that are masked, in plain Python."""

    name: str
    fits: Callable[[Row], bool]
    is_masked: bool = False
    hidden: tuple[str, ...] = ()

    def may_ask(self, key: str, value: str) -> bool:
        """Whether this key of an address names nothing that is hidden, which would be refused."""
        return key not in self.hidden and not (key == "about" and value == "customers" and self.hidden)


PEOPLE = (
    Person("rule-none", lambda row: True),
    Person("rule-store", lambda row: row["region"] == "North"),
    Person("rule-twin", lambda row: row["region"] == "North"),
    Person("rule-file", lambda row: row["region"] == "South" and row["quantity"] < 4),
    Person("rule-mask", lambda row: row["region"] in ("Central", "East", "West"), is_masked=True),
    Person("rule-blind", lambda row: row["quantity"] < 5, hidden=("customer_id", "stock_code")),
)


@dataclass(frozen=True)
class Own(Workspace):
    """All rows of the lake, less those that a person may not see."""

    person: Person = PEOPLE[0]

    def sql(self, statement: str, *limits: Any, **more: Any) -> Answer:
        answer = super().sql(statement, *limits, **more)
        key = (self.lakehouse.settings.folder / "mask_key").read_text(encoding="utf-8").strip()
        rows = [self._shown(row, key) for row in answer.table.to_pylist() if self.person.fits(row)]
        return replace(answer, table=pa.Table.from_pylist(rows, schema=answer.table.schema))

    def _shown(self, row: Row, key: str) -> Row:
        if not self.person.is_masked:
            return row
        product = hashlib.sha256(f"{key}{row['product']}".encode()).hexdigest()[:16]
        return {**row, "product": product, "customer_id": f"****{row['customer_id'][-4:]}"}


@dataclass(frozen=True)
class Asked:
    """One request: a page, or a search for values of a column on it."""

    person: Person
    keys: tuple[tuple[str, str], ...]
    words: str | None
    column: str = "product"

    @property
    def address(self) -> str:
        return revenue(self.keys)

    @property
    def version(self) -> str:
        return dict(self.keys).get("at", "now")

    def sent(self, visitor: Visitor) -> Any:
        """What the portal answers."""
        if self.words is None:
            answer = visitor.show(self.address)
        else:
            _, _, search = self.address.partition("?")
            answer = finding.ask(visitor, self.column, self.words, f"?{search}")
        assert answer.status_code == 200, (self, answer.get_data(as_text=True)[:1000])
        return answer


class Crowd:
    """The people, logged in once for each thread, and an oracle of their own for each."""

    def __init__(self, lakehouse: Lakehouse, app: Dash) -> None:
        self._app = app
        whole = lakehouse.as_user(operator())
        self.oracles: Mapping[tuple[str, str], Oracle] = {
            (person.name, version): Oracle(
                Own(lakehouse, whole.principal, "dev", version, person=person), person.hidden
            )
            for person in PEOPLE
            for version in ("now", "1")
        }
        everybody = self.oracles["rule-none", "now"]
        self.names = {name: tuple(known(everybody.names(name))) for name in ("region", "product", "customer_id")}
        self._visitors = [{person.name: inside(app.server, person.name) for person in PEOPLE} for _ in range(THREADS)]

    def requests(self, chance: random.Random, number: int) -> list[Asked]:
        """Random requests; about a third ask for names that stand in rows of others."""
        found: list[Asked] = []
        while len(found) < number:
            person = chance.choice(PEOPLE)
            keys = state(chance, self.oracles[person.name, "now"])
            keys += [("at", "1")] if chance.random() < 0.3 else []
            for name, names in self.names.items():
                keys += [(name, str(chance.choice(names)))] if chance.random() < 0.15 else []
            words = chance.choice(("", "o", "LAP", "e", "zzz", "0a", "-00")) if chance.random() < 0.25 else None
            # What one has asked is asked by somebody else too, whose answer may lie in the cache by then.
            for one in (person, *chance.sample(PEOPLE, chance.choice((0, 1, 2)))):
                seen = tuple((key, value) for key, value in keys if one.may_ask(key, value))
                column = chance.choice(
                    [name for name in ("region", "product", "customer_id") if name not in one.hidden]
                )
                found.append(Asked(one, seen, words, column))
        chance.shuffle(found)
        return found[:number]

    def answers(self, asked: Sequence[Asked]) -> list[Any]:
        """Every request, sent from several threads at the same time."""

        def send(number: int) -> list[Any]:
            visitors = self._visitors[number]
            return [one.sent(visitors[one.person.name]) for one in asked[number::THREADS]]

        with ThreadPoolExecutor(THREADS) as threads:
            parts = list(threads.map(send, range(THREADS)))
        return [parts[place % THREADS][place // THREADS] for place in range(len(asked))]

    def wrong(self, asked: Asked, answer: Any) -> list[str]:
        """What an answer says that it must not say."""
        oracle, said = self.oracles[asked.person.name, asked.version], answer.get_data(as_text=True)
        named = "\n".join(value for _, value in asked.keys)
        foreign = [
            name
            for kind, names in self.names.items()
            for name in set(names) - set(oracle.names(kind))
            if name not in named and name in said
        ]
        if asked.words is None:
            return [*foreign, *differences(expected_page(oracle, asked.address), read(drawn(answer)))]
        rows = finding.shown(answer, asked.column).of_class("lp-choice")
        found, expected = [row.text for row in rows], _found(oracle, asked)
        return foreign if found == expected else [*foreign, f"{found} was found, {expected} is right"]


def _found(oracle: Oracle, asked: Asked) -> list[str]:
    """The values that are chosen, and those that a search must find; all of a few by name."""
    chosen = list(dict.fromkeys(value for key, value in asked.keys if key == asked.column))
    every = known(oracle.names(asked.column))
    if not asked.words and len(every) <= MOST_FOUND:
        return sorted(every)
    holding = [name for name in every if str(asked.words).casefold() in name.casefold()]
    return [
        " ".join(name.split()) for name in [*chosen, *(name for name in holding[:MOST_FOUND] if name not in chosen)]
    ]


@contextmanager
def portal_of(home: Path, folder: Path, names: Sequence[str]) -> Iterator[tuple[Lakehouse, Dash]]:
    """The portal of a lake with a policy of the test's own, and users that are gone afterwards."""
    with Lakehouse.open(home) as lakehouse:
        lakehouse.policy = PolicyFile(folder)
        for name in names:
            lakehouse.users.add(name, PASSWORD, "viewer")
        try:
            yield lakehouse, create_app(lakehouse)
        finally:
            for name in names:
                lakehouse.users.remove(name)


@pytest.fixture(scope="module")
def crowd(sample_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    folder = tmp_path_factory.mktemp("policy")
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    with portal_of(sample_lake.home, folder, [person.name for person in PEOPLE]) as (lakehouse, app):
        assert lakeport("user", "set", "rule-store", "--rule", "region=North", home=sample_lake.home).code == 0
        yield Crowd(lakehouse, app)


def is_right(crowd: Crowd, chance: random.Random, number: int) -> None:
    """Send random requests and compare every answer."""
    for start in range(0, number, BATCH):
        asked = crowd.requests(chance, min(BATCH, number - start))
        for one, answer in zip(asked, crowd.answers(asked), strict=True):
            assert crowd.wrong(one, answer) == [], one


def seeded(name: str) -> random.Random:
    return random.Random(name)  # noqa: S311  # the same requests at every run


@pytest.mark.parametrize("number", [60, pytest.param(300, marks=pytest.mark.slow)])
def test_everybody_gets_the_pages_of_a_lake_of_ones_own(crowd: Crowd, number: int) -> None:
    is_right(crowd, seeded(f"mixed {number}"), number)


@pytest.mark.fuzz
def test_ten_thousand_mixed_requests_show_nobody_a_foreign_value(crowd: Crowd) -> None:
    is_right(crowd, seeded("many"), 10_000)


@dataclass(frozen=True)
class Live:
    """Somebody who is logged in while rights change."""

    home: Path
    policy: Path
    visitor: Visitor

    def change(self, *words: str) -> None:
        """Change the user's entry on the command line, as another process would."""
        assert lakeport("user", "set", "rule-live", *words, home=self.home).code == 0

    def regions(self) -> set[str]:
        """The regions that the page has bars for now."""
        rows = self.visitor.page("/revenue?period=all").of_class("lp-bars-row")
        return {Shown(row.props["children"][0]).text for row in rows} & REGIONS


@pytest.fixture
def live(sample_lake: Lake, tmp_path: Path) -> Iterator[Live]:
    with portal_of(sample_lake.home, tmp_path, ["rule-live"]) as (_, app):
        yield Live(sample_lake.home, tmp_path / "policy.toml", inside(app.server, "rule-live"))


def test_rules_that_are_given_and_taken_act_on_the_next_request_of_a_live_session(live: Live) -> None:
    assert live.regions() == REGIONS

    live.change("--rule", "region=North")
    assert live.regions() == {"North"}
    live.policy.write_text('[users.rule-live]\nrows = [["region", "!=", "North"]]', encoding="utf-8")
    assert live.visitor.page("/revenue?period=all").of_class("lp-bars-row") == []
    live.change("--rule", "region=North,South")
    assert live.regions() == {"South"}
    live.policy.write_text('[roles.viewer]\ntables = ["marts.*"]', encoding="utf-8")
    assert live.regions() == {"North", "South"}
    live.change("--no-rules")
    assert live.regions() == REGIONS


def test_a_table_that_is_taken_away_is_gone_at_the_next_request(live: Live) -> None:
    assert live.regions()

    live.policy.write_text('[users.rule-live]\ntables = ["marts.daily_revenue"]', encoding="utf-8")

    assert live.visitor.page("/revenue").of_class("lp-bars-row") == []


def test_a_user_who_is_disabled_is_out_at_the_next_request(live: Live) -> None:
    assert is_in(live.visitor)

    live.change("--disable")

    assert live.visitor.show("/revenue").status_code == 401
    assert not is_in(live.visitor)
