"""Statements that nobody has typed: the guard answers each with a verdict, and what it accepts keeps its meaning."""

import contextlib
from functools import cache

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sql_grammar import SETUP, TABLES, multiset, statements

from lakehouse.errors import StatementWrong
from lakehouse.query.guard import check

_WORDS = """
    select from where with as ( ) , ; * . :: [ ] { } -> ->> ' " $1 1 1e3 'x' marts.orders lake.hidden a b at pivot on in
    using sum unnest range query read_csv recursive union all values lambda x: over group by cube null case when then
    end not exists lateral sample /* -- describe
"""
PIECES = st.sampled_from(_WORDS.split())


@cache
def shop() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(SETUP)
    return connection


def keeps_its_meaning(sql: str) -> None:
    checked = check(shop(), sql, TABLES)
    assert checked.stable
    assert check(shop(), checked.sql, TABLES).tables == checked.tables
    typed, written = ran(sql), ran(checked.sql)
    assert typed == written


def ran(sql: str) -> object:
    """The rows of a statement without their order, or the kind of its error."""
    try:
        return multiset(shop().execute(sql).fetchall())
    except duckdb.Error as error:
        return type(error)


def gives_a_verdict(sql: str) -> None:
    with contextlib.suppress(StatementWrong):
        assert check(shop(), sql, TABLES).tables <= set(TABLES)


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(statements())
def test_an_accepted_statement_keeps_its_meaning(sql: str) -> None:
    keeps_its_meaning(sql)


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(statements(determined=False))
def test_a_statement_without_a_settled_answer_gets_a_verdict_too(sql: str) -> None:
    gives_a_verdict(sql)


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.one_of(st.lists(PIECES, max_size=25).map(" ".join), st.text(max_size=80)))
def test_any_text_gets_a_verdict(sql: str) -> None:
    gives_a_verdict(sql)


@pytest.mark.fuzz
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(statements())
def test_twenty_thousand_accepted_statements_keep_their_meaning(sql: str) -> None:
    keeps_its_meaning(sql)


@pytest.mark.fuzz
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(st.lists(PIECES, max_size=40).map(" ".join), st.text(), statements(determined=False)))
def test_twenty_thousand_texts_get_a_verdict(sql: str) -> None:
    gives_a_verdict(sql)
