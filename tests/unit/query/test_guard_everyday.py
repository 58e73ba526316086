"""What analysts ask every day is let through, and means the same when it is written back from its tree."""

import time
from collections.abc import Iterator

import duckdb
import pytest
from everyday import EVERYDAY
from sql_grammar import SETUP, TABLES, multiset

from lakehouse.query.guard import check

STATEMENTS = len(EVERYDAY)


@pytest.fixture(scope="module")
def shop() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(SETUP)
        yield connection


def test_there_are_enough_of_them() -> None:
    assert len(set(EVERYDAY)) == STATEMENTS >= 80


@pytest.mark.parametrize("sql", EVERYDAY)
def test_an_everyday_statement_is_answered_as_typed(sql: str, shop: duckdb.DuckDBPyConnection) -> None:
    checked = check(shop, sql, TABLES)

    typed, written = shop.execute(sql).fetchall(), shop.execute(checked.sql).fetchall()
    assert multiset(written) == multiset(typed)
    assert checked.stable
    assert checked.tables == {name for name in TABLES if name in sql.lower().replace('"', "")}


def test_names_that_were_given_to_columns_stay(shop: duckdb.DuckDBPyConnection) -> None:
    sql = 'select 1e3 as "A b", region as r, sum(amount) from marts.orders group by all'
    written = check(shop, sql, TABLES).sql

    assert [name for name, *_ in shop.execute(written).description] == ["A b", "r", "sum(amount)"]


def test_checking_takes_little(shop: duckdb.DuckDBPyConnection) -> None:
    sql = "select region, sum(amount) as total from marts.orders where day >= date '2024-01-01' group by 1 order by 2"
    check(shop, sql, TABLES)
    started = time.process_time()

    for _ in range(50):
        check(shop, sql, TABLES)

    # Usually 1.2 ms; the bound is for machines that do other things too.
    assert (time.process_time() - started) / 50 < 0.02
