"""The lines behind a plan: random windows of random lines hold what plain Python works out, each line once.

One rule: columns, order and rows are compared exactly.
"""

from typing import Any

import pytest

from lakehouse.errors import PlanWrong, UnknownName
from lakehouse.metrics.lines import Window, compile_count, compile_lines
from lakehouse.metrics.model import Model
from lakehouse.metrics.plan import Sort, parse_plan
from tests.unit.metrics.line_oracle import Asked, found, lines, random_window
from tests.unit.metrics.order_lines import COLUMNS, Row, connection, line, random_rows, seeded

TYPES = {name: kind.upper() for name, kind in COLUMNS.items()}
REVENUE = {"metrics": ["revenue"]}
WINDOWS_PER_TABLE = 12


def window(asked: Asked) -> Window:
    """The same for the product."""
    sort = Sort(asked.sort.removeprefix("-"), asked.sort.startswith("-")) if asked.sort else None
    return Window(sort, asked.words, asked.first, asked.count)


def answer(model: Model, rows: list[Row], asked: Asked, columns: dict[str, str] = TYPES) -> list[tuple[Any, ...]]:
    sql = compile_lines(parse_plan(REVENUE, model), model, columns, window(asked))
    return connection(rows).sql(sql).fetchall()


def counted(model: Model, rows: list[Row], words: str, columns: dict[str, str] = TYPES) -> Any:
    return (
        connection(rows)
        .sql(compile_count(parse_plan(REVENUE, model), model, columns, Window(words=words)))
        .fetchall()[0][0]
    )


@pytest.mark.parametrize("seed", range(16))
def test_random_windows_hold_what_plain_python_works_out(model: Model, seed: int) -> None:
    chance = seeded(seed)
    rows = [{name: row[name] for name in COLUMNS} for row in random_rows(chance)]
    connected = connection(rows)
    plan = parse_plan(REVENUE, model)

    for _ in range(WINDOWS_PER_TABLE):
        asked = random_window(chance, rows)
        relation = connected.sql(compile_lines(plan, model, TYPES, window(asked)))
        number = connected.sql(compile_count(plan, model, TYPES, window(asked))).fetchall()[0][0]

        assert relation.columns == list(COLUMNS), asked
        assert relation.fetchall() == lines(rows, asked), asked
        assert number == len(found(rows, asked.words)), asked


@pytest.mark.parametrize("sort", ["", "region", "-stock_code", "-quantity"])
def test_pages_beside_each_other_hold_every_line_once(model: Model, sort: str) -> None:
    rows = [line(number, "2024-01-01", region=("N", None)[number % 2]) for number in range(53)]

    pages = [answer(model, rows, Asked(sort, first=first, count=10)) for first in range(0, 60, 10)]

    assert [len(page) for page in pages] == [10, 10, 10, 10, 10, 3]
    assert [row for page in pages for row in page] == answer(model, rows, Asked(sort))
    assert {row[0] for page in pages for row in page} == {row["line_id"] for row in rows}


@pytest.mark.parametrize("first", ["-order_date", "-quantity"])
def test_lines_that_are_alike_where_they_are_sorted_stand_as_they_do_unsorted(model: Model, first: str) -> None:
    rows = [line(number, "2024-01-01") for number in (3, 1, 2)]

    assert answer(model, rows, Asked(first)) == answer(model, rows, Asked())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Straße", "STRASSE"),
        ("STRASSE", "straße"),
        ("STRAẞE", "straße"),
        ("ΟΔΟΣ", "οδος"),
        ("οδος", "ΟΔΟσ"),
        ("Zürich", "ZÜRICH"),
        ("ZÜRICH", "zürich"),
        ("µm", "Μ"),
        ("\u212a", "k"),  # the sign of Kelvin
        ("100% cocoa_", "0% C"),
        ("100% cocoa_", "_"),
        ("back\\slash", "\\"),
        ("it's", "T'S"),
        ("\ufb01", "\ufb01"),
    ],
)
def test_words_are_found_in_small_and_capital_letters(model: Model, text: str, words: str) -> None:
    rows = [line(1, "2024-01-01", product=text), line(2, "2024-01-01", product="Tea")]

    assert [row[0] for row in answer(model, rows, Asked(words=words))] == ["l1"]
    assert counted(model, rows, words) == 1


@pytest.mark.parametrize("words", ["%", "T_a", "T%a", ".*", "' or true --", "\\", "tea\x1f", "2024", "10"])
def test_no_character_of_the_words_means_more_than_itself(model: Model, words: str) -> None:
    rows = [line(1, "2024-01-01", product="Tea")]

    assert answer(model, rows, Asked(words=words)) == []
    assert counted(model, rows, words) == 0


@pytest.mark.parametrize("words", ["\0", "half \ud83d", "x" * 10_001])
def test_words_that_no_text_can_hold_are_refused(model: Model, words: str) -> None:
    with pytest.raises(PlanWrong):
        answer(model, [], Asked(words=words))


def test_only_columns_that_are_given_are_read_sorted_by_and_searched(model: Model) -> None:
    rows = [line(1, "2024-01-01", product="Tea", region="North")]
    seen = {name: kind for name, kind in TYPES.items() if name in ("product", "quantity", "line_total")}

    assert answer(model, rows, Asked(words="te"), seen) == [("Tea", 1, rows[0]["line_total"])]
    assert answer(model, rows, Asked(words="north"), seen) == []
    assert counted(model, rows, "north", seen) == 0
    with pytest.raises(UnknownName, match=r"No column named 'region'. Known columns: line_total, product, quantity\."):
        answer(model, rows, Asked("-region"), seen)


def test_words_are_looked_for_in_the_columns_that_are_named(model: Model) -> None:
    rows = [line(1, "2024-01-01", product="Tea", region="North")]
    connected, parsed = connection(rows), parse_plan(REVENUE, model)

    def number(words: str, *searched: str) -> Any:
        asked = Window(words=words, searched=searched)
        found = connected.sql(compile_lines(parsed, model, TYPES, asked)).fetchall()
        assert connected.sql(compile_count(parsed, model, TYPES, asked)).fetchall() == [(len(found),)]
        return len(found)

    assert [number("tea", "product"), number("tea", "region"), number("tea", "region", "product")] == [1, 0, 1]
    assert [number("1", "quantity"), number("tea")] == [0, 0]
    with pytest.raises(UnknownName, match="No column named 'nothing'"):
        number("tea", "product", "nothing")


def test_without_a_text_column_no_words_are_found(model: Model) -> None:
    rows = [line(1, "2024-01-01")]

    assert answer(model, rows, Asked(words="1"), {"quantity": "BIGINT"}) == []
    assert answer(model, rows, Asked(), {"quantity": "BIGINT"}) == [(1,)]


@pytest.mark.parametrize("name", ['a "quoted" name', "two words", "quantity) --", "select"])
def test_a_column_of_any_name_is_a_name(model: Model, name: str) -> None:
    sql = compile_lines(parse_plan(REVENUE, model), model, {name: "VARCHAR"}, window(Asked(f"-{name}", "tea")))
    quoted = '"' + name.replace('"', '""') + '"'
    connected = connection([])
    connected.execute(f"alter table marts.order_lines add column {quoted} varchar default 'x'")
    connected.execute(f"insert into marts.order_lines ({quoted}) values ('Tea'), ('Coffee'), ('tea 2')")

    assert connected.sql(sql).fetchall() == [("tea 2",), ("Tea",)]


def test_the_plan_says_which_lines_there_are(model: Model) -> None:
    rows = [line(1, "2024-01-01"), line(2, "2024-02-01"), line(3, "2024-02-01", region="South")]
    plan = {
        **REVENUE,
        "where": [["region", "=", "North"]],
        "time": {"from": "2024-02-01", "to": "2024-03-01"},
        "limit": 7,
    }
    parsed = parse_plan(plan, model)

    found = connection(rows).sql(compile_lines(parsed, model, TYPES, Window(words="L2"))).fetchall()

    assert [row[0] for row in found] == ["l2"]
    assert connection(rows).sql(compile_count(parsed, model, TYPES)).fetchall() == [(1,)]
