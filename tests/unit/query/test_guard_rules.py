"""The guard's rules one by one: names and scopes, limits, sentences, the review of functions, what may be kept."""

from collections.abc import Iterator

import duckdb
import pytest

from lakehouse.errors import StatementRefused, StatementWrong
from lakehouse.query.engine import connect
from lakehouse.query.guard import LONGEST_TEXT, check
from lakehouse.query.guard_functions import ALLOW, DENY, UNSTABLE, WHY_CLOSED, fold, verdicts

TABLES = ("marts.orders", "marts.Regions")
PLACES = {"scalar": "call", "aggregate": "call", "macro": "call", "table": "table", "table_macro": "table"}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect("256MB", 1) as opened:
        yield opened


def refusal(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    with pytest.raises(StatementRefused) as caught:
        check(connection, sql, TABLES)
    return str(caught.value)


@pytest.mark.parametrize(
    ("sql", "read"),
    [
        ("select 1", set()),
        ('from "MARTS"."Orders"', {"marts.orders"}),
        ("from marts.regions", {"marts.Regions"}),
        ("with orders as (from marts.regions) from orders", {"marts.Regions"}),
        ("with A as (select 1) from a", set()),
        ("with recursive a as (select 1 as x union all (with b as (from a) select x + 1 from b)) from a", set()),
        ("with a as (select 1) select (with b as (from a) select 1 from b) from a, marts.orders", {"marts.orders"}),
        ("with a as (select 1) pivot a on x in (1) using sum(y)", set()),
    ],
)
def test_the_tables_that_a_statement_reads_are_told(
    sql: str, read: set[str], connection: duckdb.DuckDBPyConnection
) -> None:
    assert check(connection, sql, TABLES).tables == read


@pytest.mark.parametrize(
    "sql",
    [
        "from orders",
        "from a",
        "with a as (from a) from a",
        "with a as (from b), b as (select 1) from a",
        "(with a as (select 1) from a) union all from a",
        "select (with a as (select 1) from a), b from a",
        "with recursive a as (from a union all select 1) from a",
        'with "Ä" as (select 1) from "ä"',
        "with \u212aeys as (select 1) from keys",
        "from marts.orders as x, x",
        "with orders as (select 1) from main.orders",
    ],
)
def test_a_name_means_a_table_one_sees_or_a_with_query_in_scope(
    sql: str, connection: duckdb.DuckDBPyConnection
) -> None:
    assert "Tables you can ask: marts.Regions, marts.orders." in refusal(connection, sql)


@pytest.mark.parametrize("name", ["duckdb_tables", "sqlite_master", "PG_class", "a.csv", "x/y", "s3:x"])
def test_a_with_query_may_not_pass_for_a_file_or_a_system_table(
    name: str, connection: duckdb.DuckDBPyConnection
) -> None:
    assert "give it a plain name" in refusal(connection, f'with "{name}" as (select 1) from "{name}"')


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select 1\n  , read_csv('x')", "The function read_csv is not available: it reaches files. (line 2, column 5)"),
        ("select 'ä', getenv('HOME')", "it tells of the process that answers, not of data. (line 1, column 13)"),
        ("select summ(1)", "There is no function 'summ' here; similar ones: sum"),
        ("describe marts.orders", "listed by `lakeport tables` and `lakeport describe TABLE`"),
        ("explain select 1", "EXPLAIN is not available here"),
        ("pivot marts.orders on region using sum(id)", "PIVOT with its values in a list"),
        ("from marts.orders at (version => 3)", "ask the whole question of an earlier version instead"),
        ("select current_catalog", "A column of that name is written table.current_catalog"),
        ("select 1; select 2", "Ask one statement at a time; this text holds 2."),
        ("from a.marts.orders", "A table is named by its layer and its name alone"),
        ("select ?", "There are no parameters here"),
        ("select x::geometry", "Types of that kind are not available here"),
        ("select x::mood", "There is no type named 'mood'"),
        ("drop table x", "DROP is not a statement that only reads"),
    ],
)
def test_a_refusal_says_what_and_where_and_what_instead(
    sql: str, said: str, connection: duckdb.DuckDBPyConnection
) -> None:
    assert said in refusal(connection, sql)


@pytest.mark.parametrize("sql", ["", " ; ", "-- nothing", "selec 1", "select 'a", "select \0", "select '\ud800'"])
def test_what_is_no_statement_is_wrong(sql: str, connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(StatementWrong):
        check(connection, sql, TABLES)


@pytest.mark.parametrize(
    "sql",
    [
        f"select '{'x' * LONGEST_TEXT}'",
        "select 1" + ",1" * 49_000,
        "select " + "(" * 900 + "1" + "+1)" * 900,
        "select " + "case when true then " * 400 + "1" + " end" * 400,
        "select " + "[" * 600 + "]" * 600,
        "select " + "(select " * 300 + "1" + ")" * 300,
        "select " + "- " * 5_000 + "a",
        "select 1::int" + "[]" * 900,
    ],
)
def test_a_statement_too_long_or_too_deep_is_refused(sql: str, connection: duckdb.DuckDBPyConnection) -> None:
    assert len(refusal(connection, sql)) < 200


@pytest.mark.parametrize(
    "sql",
    [
        "select random()",
        'select "now"()',
        "select Current_Date",
        "select age(date '2024-01-01')",
        "from marts.orders using sample 3",
        "from marts.orders tablesample 10%",
        "select uuid() from range(3)",
        "select reservoir_quantile(id, 0.5) from marts.orders",
    ],
)
def test_what_data_does_not_determine_is_not_stable(sql: str, connection: duckdb.DuckDBPyConnection) -> None:
    assert not check(connection, sql, TABLES).stable
    assert check(connection, "select 'random()', sum(today.now) from marts.orders today", TABLES).stable


def test_every_function_has_a_verdict(connection: duckdb.DuckDBPyConnection) -> None:
    rows = connection.execute("select function_name, function_type from duckdb_functions()").fetchall()
    found = {(fold(name), PLACES.get(kind, kind)) for name, kind in rows}

    assert found - verdicts().keys() == set()
    # These are known to the parser or to DuckDB's own shell only.
    assert verdicts().keys() - found == {("unnest", "call"), ("getenv", "call")}
    assert {verdict.verdict for verdict in verdicts().values()} == {ALLOW, UNSTABLE, DENY}
    assert {verdict.group for verdict in verdicts().values() if verdict.verdict == DENY} == set(WHY_CLOSED)


def test_a_function_that_may_change_its_mind_is_never_called_stable(connection: duckdb.DuckDBPyConnection) -> None:
    rows = connection.execute(
        "select distinct function_name from duckdb_functions() where stability <> 'CONSISTENT'"
    ).fetchall()

    assert {name for (name,) in rows if verdicts()[fold(name), "call"].verdict == ALLOW} == set()


def test_doubles_and_truths_are_written_back_as_what_they_are(connection: duckdb.DuckDBPyConnection) -> None:
    sql = "select typeof(1e3), 1e400 > 0, 5e-324 = 0, (1 = 1) is true, 0.1e0 + 0.2e0"

    written = check(connection, sql, TABLES).sql

    assert connection.execute(written).fetchall() == connection.execute(sql).fetchall()
