"""Hot copies: with them, without them, with damaged ones and with the store away, answers are the same or say why not.

One rule: no answer is kept by anybody, so that each of them is really read from where a test says.
"""

import os
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import duckdb
import orjson
import pytest
from werkzeug.test import TestResponse

from lakehouse.core import Lakehouse
from lakehouse.query.hot import hot_folder
from lakehouse.query.scope import RowRule
from lakehouse.settings import Settings
from lakehouse.state.store import open_state
from portal.app import create_app
from tests.pipelines.lake import Lake
from tests.portal.landing import landing
from tests.portal.signing_in import stranger
from tests.portal.visitor import PASSWORD, Visitor

AWAY = "a file is missing or damaged, or the store is away"
SETTINGS = "[query]\ncache_mb = 0\nworkers = 1\n"
POLICY = '[roles.analyst.columns]\ncustomer_id = "hash"\norder_id = "hide"\n'
"""Of an analyst; the numbers of orders and customers are none that he may see."""

HEADERS, BLOCK = 3 * 4096, 256 << 10
"""What DuckDB's files begin with, and the pieces that follow, each with a checksum."""

PEOPLE = {"vera": "viewer", "rhea": "engineer", "mona": "analyst"}
RULES = {"rhea": [RowRule("region", "in", ("North", "West"))]}
PAGES = (
    "/revenue?period=all&grain=week&compare=previous-year",
    "/revenue?region=North&region=East&product=Product+03&about=revenue",
    "/revenue?at=1&period=all&find=product+0&sort=-amount&rows=50&page=2",
    "/data?table=marts.order_lines",
)
FILES = (
    "/export/revenue.csv?period=all",
    "/export/revenue/lines.parquet?period=all&find=north&sort=product",
    "/export/revenue/key-figures.csv",
    "/export/revenue/region.csv?at=1&period=all",
)
ICEBERG_ALONE = ("/data?table=staging.stg_sales", "/data?table=raw.sales")
"""Pages of tables of which there is no copy, for an engineer."""

Answers = Mapping[tuple[str, str], bytes]
"""What somebody was told at an address."""


@pytest.fixture(scope="module")
def settled(sample_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake of two releases with hot copies of both, and people with different rights."""
    lake = Lake(tmp_path_factory.mktemp("hot") / "it's a lake")
    lake.home.mkdir()
    lake.configure(SETTINGS)
    lake.write("policy.toml", POLICY)
    with landing(lake, sample_lake) as landed:
        landed.land()
        landed.land()
    with Lakehouse.open(lake.home) as lakehouse:
        for name, role in PEOPLE.items():
            lakehouse.users.add(name, PASSWORD, role, RULES.get(name, ()))
    assert len(copies(lake)) == 3  # order lines of both releases, and daily revenue, which has stayed the same
    return lake


@pytest.fixture(scope="module")
def true(settled: Lake) -> Answers:
    """What everybody is told when nobody uses a copy."""
    with portal(settled, hot_table_mb=0) as people:
        found = answers(people)
        assert [page for page in ICEBERG_ALONE if "First rows" not in text(people["rhea"].show(page))] == []
    assert len(set(found.values())) > len(PEOPLE) * len(PAGES)
    return found


def copies(lake: Lake) -> list[Path]:
    return sorted(hot_folder(lake.settings.folder).glob("*.duckdb"))


@contextmanager
def portal(lake: Lake, **query: int) -> Iterator[dict[str, Visitor]]:
    """The people of the lake before a portal that has just been started; keywords are settings of `query`."""
    known = lake.settings
    settings = known.model_copy(update={"query": known.query.model_copy(update=query)})
    with Lakehouse(settings, open_state(settings)) as lakehouse:
        server = create_app(lakehouse).server
        people = {name: stranger(server) for name in PEOPLE}
        for name, visitor in people.items():
            assert visitor.log_in(name).status_code == 302
        yield people


def answers(people: Mapping[str, Visitor]) -> Answers:
    """What everybody is told everywhere: of a page its filters and its content, of a file every byte."""
    pages = {(name, page): content(visitor.show(page)) for name, visitor in people.items() for page in PAGES}
    files = {(name, file): saved(visitor.get(file)) for name, visitor in people.items() for file in FILES}
    tiles = {(name, "/"): headline(visitor) for name, visitor in people.items()}
    return {**pages, **files, **tiles}


def content(answer: TestResponse) -> bytes:
    assert answer.status_code == 200, text(answer)
    top, main = answer.get_json()["response"]["shell-page"]["children"]
    return orjson.dumps([top["props"]["children"][-1], main])


def saved(answer: TestResponse) -> bytes:
    assert answer.status_code == 200, text(answer)
    return answer.get_data()


def headline(visitor: Visitor) -> bytes:
    """The numbers of Home, whose other words depend on the clock."""
    tiles = visitor.page("/").of_class("lp-tile")
    assert tiles
    return "\n".join(tile.text for tile in tiles).encode()


def text(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def different(found: Answers, true: Answers) -> list[tuple[str, str]]:
    """Where somebody is told something else."""
    assert found.keys() == true.keys()
    return [asked for asked in true if found[asked] != true[asked]]


@contextmanager
def store_away(settings: Settings) -> Iterator[None]:
    """The warehouse is not where it was."""
    folder = Path(settings.warehouse.removeprefix("file://"))
    aside = folder.with_name("somewhere else")
    os.rename(folder, aside)
    try:
        yield
    finally:
        os.rename(aside, folder)


def check_away(people: Mapping[str, Visitor], true: Answers) -> None:
    """With the store away: the same where there are copies, elsewhere a sentence; and never a crash."""
    assert different(answers(people), true) == []
    assert [page for page in ICEBERG_ALONE if not says_so(people["rhea"].show(page))] == []
    listed = text(people["rhea"].show("/data"))  # of all tables, also those whose rows cannot be counted
    assert [table for table in ("raw.sales", "staging.stg_sales", "marts.order_lines") if table not in listed] == []
    assert people["vera"].get("/health").get_json()["parts"]["data"] == "away"


def says_so(answer: TestResponse) -> bool:
    """Whether a page stands there and says that its data are away."""
    return answer.status_code == 200 and AWAY in text(answer) and "Unexpected error" not in text(answer)


def check_back(people: Mapping[str, Visitor], true: Answers) -> None:
    """With the store back where it was, and nothing started again."""
    assert [page for page in ICEBERG_ALONE if "First rows" not in text(people["rhea"].show(page))] == []
    assert different(answers({"vera": people["vera"]}), only("vera", true)) == []
    assert people["vera"].get("/health").get_json()["parts"]["data"] == "ok"


def test_a_portal_that_starts_while_the_store_is_away_answers_from_hot_copies(settled: Lake, true: Answers) -> None:
    with ExitStack() as away:
        away.enter_context(store_away(settled.settings))
        with portal(settled) as people:
            check_away(people, true)
            away.close()

            check_back(people, true)


def test_with_the_copies_deleted_every_answer_has_the_same_bytes(settled: Lake, true: Answers) -> None:
    with damaged(settled, shutil.rmtree), portal(settled) as people:
        assert different(answers({"rhea": people["rhea"]}), only("rhea", true)) == []


@pytest.mark.slow
def test_without_copies_and_store_every_part_says_that_its_data_are_away(settled: Lake, true: Answers) -> None:
    with portal(settled, hot_table_mb=0) as people:
        vera = people["vera"]
        with store_away(settled.settings):
            files = [vera.get(file) for file in FILES]
            pages = [vera.show(page) for page in PAGES]
            home = vera.show("/")

        check_back(people, true)
    assert {(answer.status_code, AWAY in text(answer)) for answer in files} == {(503, True)}
    assert [page for page, answer in zip(PAGES, pages, strict=True) if not says_so(answer)] == []
    assert home.status_code == 200
    assert "Unexpected error" not in text(home)


@pytest.mark.slow
def test_the_store_may_go_and_come_back_while_the_portal_is_up(settled: Lake, true: Answers) -> None:
    with portal(settled) as people:
        people["rhea"].show(ICEBERG_ALONE[0])  # a worker knows the store, and stands beside it when it goes
        with store_away(settled.settings):
            check_away(people, true)

        check_back(people, true)


@pytest.mark.slow
def test_copies_may_be_deleted_and_come_back_while_the_portal_is_up(settled: Lake, true: Answers) -> None:
    with portal(settled) as people:
        assert different(answers(people), true) == []
        for damage in (empty, shutil.rmtree):
            with damaged(settled, damage):
                assert different(answers(people), true) == []
            assert different(answers(people), true) == []


def only(name: str, true: Answers) -> Answers:
    """What one of the people is told."""
    return {asked: told for asked, told in true.items() if asked[0] == name}


def empty(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def each(change: Callable[[Path], object]) -> Callable[[Path], None]:
    """What does something to each copy in the folder."""

    def damage(folder: Path) -> None:
        for file in sorted(folder.glob("*.duckdb")):
            change(file)

    return damage


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def flipped(seed: int) -> Callable[[Path], None]:
    """What turns bits over in each block of a file but the first, or in the first alone."""

    def flip(file: Path) -> None:
        content, chance = bytearray(file.read_bytes()), random.Random(seed)  # noqa: S311  # the same at every run
        starts = range(HEADERS, len(content), BLOCK) if seed else [0]
        for start in starts:
            content[start + chance.randrange(min(BLOCK, len(content) - start))] ^= 1 << chance.randrange(8)
        file.write_bytes(content)

    return flip


def swapped(folder: Path) -> None:
    """Each copy of a table stands under the name of the next one."""
    files = sorted(folder.glob("*.duckdb"))
    contents = [file.read_bytes() for file in files]
    for file, content in zip(files, [*contents[1:], contents[0]], strict=True):
        file.write_bytes(content)


def foreign(file: Path) -> None:
    """Another program's database of that name."""
    file.unlink()
    with closing(duckdb.connect(str(file))) as connection:
        connection.execute("create table rows as select 1 as n; create table origin as select 2 as m")


def folder_instead(file: Path) -> None:
    file.unlink()
    file.mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut in half": each(cut),
    "empty files": each(lambda file: os.truncate(file, 0)),
    "no databases": each(lambda file: file.write_text("nothing of the kind " * 1000)),
    "flipped headers": each(flipped(0)),
    **{f"flipped blocks, {seed}": each(flipped(seed)) for seed in range(1, 6)},
    "copies of something else": swapped,
    "somebody else's databases": each(foreign),
    "folders": each(folder_instead),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_copies_change_no_answer(settled: Lake, true: Answers, name: str) -> None:
    with damaged(settled, DAMAGES[name]), portal(settled) as people:
        assert different(answers({"vera": people["vera"]}), only("vera", true)) == []


@contextmanager
def damaged(lake: Lake, damage: Callable[[Path], object]) -> Iterator[None]:
    """The folder of copies after something has happened to it; as it was, afterwards."""
    folder = hot_folder(lake.settings.folder)
    kept = folder.with_name("kept copies")
    shutil.copytree(folder, kept)
    try:
        damage(folder)
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        kept.rename(folder)
