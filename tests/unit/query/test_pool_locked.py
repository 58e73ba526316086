"""What a statement cannot do: reach files, the network or settings, write, or be several statements."""

from pathlib import Path

import pytest
from query_lake import Lake, OpenPool, rows

from lakehouse.errors import StatementWrong
from lakehouse.query.pool import QueryPool


@pytest.mark.parametrize(
    "sql",
    [
        "from read_text('/etc/hostname')",
        "from read_csv('/etc/passwd')",
        "from '/etc/passwd.csv'",
        "from glob('/etc/*')",
        "from read_parquet('http://127.0.0.1:9/x.parquet')",
        "from read_parquet('s3://bucket/x.parquet')",
        "from iceberg_scan('http://127.0.0.1:9/x.json')",
        "from iceberg_scan('/etc')",
        "from sqlite_scan('/tmp/x.db', 't')",
    ],
)
def test_a_statement_cannot_read_outside_the_lake(pool: QueryPool, sql: str) -> None:
    with pytest.raises(StatementWrong) as caught:
        rows(pool, sql)

    assert "root" not in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "set threads = 4",
        "reset memory_limit",
        "pragma threads = 4",
        "install httpfs",
        "load '/tmp/x.duckdb_extension'",
        "attach '/tmp/x.db'",
        "attach ':memory:' as more",
        "detach memory",
        "use memory",
        "copy (select 1) to '/tmp/x.csv'",
        "export database '/tmp/x'",
        "create table x (i int)",
        "create secret s (type iceberg)",
        "insert into raw.sales values (null, null, null, null)",
        "update raw.sales set n = 1",
        "delete from raw.sales",
        "drop view raw.sales",
        "call pragma_version()",
        "checkpoint",
        "vacuum",
        "begin",
        "prepare p as select 1",
        "pivot raw.sales on region using sum(amount)",
        "explain analyze create table x (i int)",
        "explain (analyze, format json) copy (select 1) to '/tmp/x.csv'",
        "/* select */ explain -- select\n analyze create table x (i int)",
        "select 1; select 2",
        "select 1; drop view raw.sales",
        "explain select 1; drop view raw.sales",
        "",
        " ;; ",
        "-- nothing",
    ],
)
def test_what_is_not_one_reading_statement_is_refused_with_the_choices(pool: QueryPool, lake: Lake, sql: str) -> None:
    pins = {"raw.sales": lake.january}

    with pytest.raises(StatementWrong, match=r"[Ss]tatement"):
        rows(pool, sql, pins=pins)
    assert rows(pool, "select count(*) c from raw.sales", pins=pins) == [{"c": 20}]


@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        "select 1;",
        " -- why\n /* not */ ((select 1))",
        "with a as (select 1) from a",
        "from range(1)",
        "values (1)",
        "table raw.sales",
        "from (pivot raw.sales on region in ('N', 'S') using sum(amount))",
    ],
)
def test_every_way_to_read_is_answered(pool: QueryPool, lake: Lake, sql: str) -> None:
    assert rows(pool, sql, pins={"raw.sales": lake.january})


def test_people_ask_no_catalog_and_lakeport_itself_finds_every_table_of_the_scope(pool: QueryPool, lake: Lake) -> None:
    pins = {"raw.sales": lake.january, "marts.empty": lake.empty}
    views = "select schema_name, view_name from duckdb_views() where not internal order by all"

    found = rows(pool, views, pins=pins, trusted=True)

    assert [tuple(row.values()) for row in found if row["view_name"] in ("sales", "empty")][:1] == [("marts", "empty")]
    for sql in (views, "describe raw.sales", "summarize raw.sales", "show all tables", "explain select 1"):
        with pytest.raises(StatementWrong):
            rows(pool, sql, pins=pins)


def test_a_metadata_location_is_never_sql(open_pool: OpenPool, lake: Lake, tmp_path: Path) -> None:
    assert "'" in lake.january.metadata

    assert rows(open_pool(), "select count(*) c from raw.sales", pins={"raw.sales": lake.january}) == [{"c": 20}]
