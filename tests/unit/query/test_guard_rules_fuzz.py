"""Statements that nobody has typed, asked under rights: each answer is that of a lake with nothing but what is granted.

One rule: whatever differs is wrong: a row, a value, and an error that only one of the two lakes gives.
"""

from collections.abc import Iterator

import duckdb
import pytest
from everyday import EVERYDAY
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rules_lake import (
    MARK,
    MASK_KEY,
    RIGHTS,
    Rights,
    RulesLake,
    equal,
    foreign_values,
    known_to,
    values,
    write_rules_lake,
)
from sql_grammar import statements

from lakehouse.errors import StatementWrong
from lakehouse.query.pool import QueryPool, Question
from lakehouse.settings import QuerySettings

MANY, AT_ONCE = 20_000, 4
"""Statements of the long run, and how many of them make one example."""

COMPARED = [
    sql for sql in EVERYDAY if "-170141183460469231731687303715884105727" not in sql and "row(1, 'a')" not in sql
]
"""Everyday statements whose answers Arrow can carry and Python can read."""

Rows = list[tuple[object, ...]]


class Shop:
    """Both lakes: the one with rules, behind a pool of workers, and one for each rights that needs none."""

    def __init__(self, lake: RulesLake, pool: QueryPool) -> None:
        self._lake, self._pool = lake, pool
        self._plain = {rights.name: known_to(rights, lake) for rights in RIGHTS}

    def asked(self, sql: str, rights: Rights) -> Rows | None:
        """The answer under rights; None where it is an error."""
        question = Question(sql, self._lake.pins, rights.scope, rights.public, asker="ana")
        try:
            answer = self._pool.ask(question)
        except StatementWrong as error:
            said = str(error)
        else:
            assert answer.complete
            return values(answer.table)
        assert MARK not in said.upper(), (sql, said)
        return None

    def expected(self, sql: str, rights: Rights) -> Rows | None:
        """The answer where there is nothing but what is granted; None where it is an error."""
        try:
            return values(self._plain[rights.name].execute(sql).to_arrow_table())
        except duckdb.Error:
            return None

    def check(self, sql: str, rights: Rights) -> None:
        """Compare the answers to a statement that the data determine."""
        found, expected = self.asked(sql, rights), self.expected(sql, rights)
        assert (found is None) is (expected is None), (rights.name, sql, found, expected)
        if found is not None and expected is not None:
            assert equal(found, expected), (rights.name, sql, found, expected)

    def check_foreign(self, sql: str, rights: Rights) -> None:
        """Look for what is not granted in the answer to any statement."""
        assert foreign_values(self.asked(sql, rights) or []) == [], (rights.name, sql)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    lake = write_rules_lake(tmp_path_factory.mktemp("rules") / "lake")
    limits = QuerySettings(workers=1, cache_mb=0, memory_mb=1024, timeout_seconds=30)
    with QueryPool(limits, [str(lake.folder)], MASK_KEY) as pool:
        yield Shop(lake, pool)


ANY_RIGHTS = st.sampled_from(RIGHTS)
SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("rights", RIGHTS, ids=lambda rights: rights.name)
def test_everyday_statements_answer_what_is_granted(shop: Shop, rights: Rights) -> None:
    for sql in COMPARED:
        shop.check(sql, rights)


@settings(SETTINGS, max_examples=100, derandomize=True)
@given(statements(), ANY_RIGHTS)
def test_a_statement_answers_what_is_granted(shop: Shop, sql: str, rights: Rights) -> None:
    shop.check(sql, rights)


@settings(SETTINGS, max_examples=40, derandomize=True)
@given(statements(determined=False), ANY_RIGHTS)
def test_a_statement_without_a_settled_answer_shows_nothing_foreign(shop: Shop, sql: str, rights: Rights) -> None:
    shop.check_foreign(sql, rights)


@pytest.mark.slow
@settings(SETTINGS, max_examples=500, derandomize=True)
@given(statements(), statements(determined=False), ANY_RIGHTS)
def test_hundreds_of_statements_answer_what_is_granted_and_show_nothing_foreign(
    shop: Shop, sql: str, unsettled: str, rights: Rights
) -> None:
    shop.check(sql, rights)
    shop.check_foreign(unsettled, rights)


@pytest.mark.fuzz
@settings(SETTINGS, max_examples=MANY // AT_ONCE)
@given(st.lists(st.tuples(statements(), ANY_RIGHTS), min_size=AT_ONCE, max_size=AT_ONCE))
def test_twenty_thousand_statements_answer_what_is_granted(shop: Shop, asked: list[tuple[str, Rights]]) -> None:
    for sql, rights in asked:
        shop.check(sql, rights)


@pytest.mark.fuzz
@settings(SETTINGS, max_examples=5_000)
@given(statements(determined=False), ANY_RIGHTS)
def test_thousands_of_statements_without_a_settled_answer_show_nothing_foreign(
    shop: Shop, sql: str, rights: Rights
) -> None:
    shop.check_foreign(sql, rights)
