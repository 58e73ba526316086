"""Exports of a million lines from a served portal while others browse: the files are whole, and every page is right.

One rule: no answer is kept, so that each page is drawn beside the exports; it is compared with the same page before.
"""

import io
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import duckdb
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from lakehouse.core import Lakehouse
from tests.pipelines.lake import Lake
from tests.portal.caller import Answered, Caller
from tests.portal.landing import SCHEMA, landing
from tests.portal.test_serve import Served
from tests.portal.visitor import PASSWORD

pytestmark = pytest.mark.slow
LINES, BROWSERS = 1_000_000, 8
PEOPLE = [f"beside-{number}" for number in range(BROWSERS)]
MILLION = f"""
select 'L' || range as line_id, 'O' || (range // 3) as order_id, 'C' || (range % 997) as customer_id,
    null::varchar as stock_code, 'Product ' || (range % 40) as product, 'Région "' || (range % 7) || '", =x' as region,
    date '2022-01-01' + (range % 900)::integer as order_date, year(order_date)::integer as order_year,
    quarter(order_date)::integer as order_quarter, month(order_date)::integer as order_month,
    range % 9 + 1 as quantity, (range % 10007 / 100 + 0.01)::decimal(18, 2) as amount,
    (quantity * amount)::decimal(18, 2) as line_total
from range({LINES}) order by order_date, range
"""
PAGES = ("/revenue?period=all", "/revenue", "/revenue?region=R%C3%A9gion+%223%22%2C+%3Dx&grain=month", "/data")
FILES = ("/export/revenue.csv?period=all&raw=1", "/export/revenue.parquet?period=all")
WHOLE = f"release=1; rows={LINES}; complete=true"


@contextmanager
def served(lake: Lake, sample_lake: Lake, lines: pa.Table) -> Iterator[int]:
    """The port of a portal on these lines, in which nothing is kept."""
    lake.configure("[query]\ncache_mb = 0\n")
    with Lakehouse.open(lake.home) as lakehouse:
        for name in PEOPLE:
            lakehouse.users.add(name, PASSWORD, "viewer")
    with landing(lake, sample_lake) as landed:
        landed.land(lines)
    with Served(lake.home) as found:
        yield found.port


def pages(port: int, name: str, until: threading.Event) -> list[tuple[str, str]]:
    """What somebody is shown, page after page, until it is time; each at least once."""
    chance, seen = random.Random(name), list[tuple[str, str]]()  # noqa: S311  # the same course at every run
    with closing(Caller(port)) as caller:
        caller.log_in(name)
        for address in PAGES:
            seen.append((address, caller.show(address).shown))
        while not until.wait(chance.uniform(0.5, 1.5)):
            address = chance.choice(PAGES)
            seen.append((address, caller.show(address).shown))
    return seen


def file(port: int, name: str, address: str) -> Answered:
    with closing(Caller(port)) as caller:
        caller.log_in(name)
        return caller.ask(address)


def in_order(table: pa.Table) -> pa.Table:
    """The same lines by their names, in the schema of the mart."""
    return table.select(SCHEMA.names).cast(SCHEMA).sort_by("line_id")


def test_exports_are_whole_and_right_while_others_browse_and_so_are_their_pages(lake: Lake, sample_lake: Lake) -> None:
    lines, until = duckdb.sql(MILLION).to_arrow_table().cast(SCHEMA), threading.Event()
    with served(lake, sample_lake, lines) as port, ThreadPoolExecutor(BROWSERS + len(FILES)) as pool:
        alone = dict(pages(port, PEOPLE[0], at_once()))
        browsing = [pool.submit(pages, port, name, until) for name in PEOPLE]
        exporting = [pool.submit(file, port, name, address) for name, address in zip(PEOPLE, FILES, strict=False)]
        try:
            files = [one.result() for one in exporting]
        finally:
            until.set()
        seen = [one for person in browsing for one in person.result()]

    assert [(one.status, one.headers["x-lakeport-export"]) for one in files] == [(200, WHOLE)] * len(files)
    types = csv.ConvertOptions(column_types=SCHEMA, strings_can_be_null=True, quoted_strings_can_be_null=False)
    expected = in_order(lines)
    assert in_order(csv.read_csv(io.BytesIO(files[0].body), convert_options=types)).equals(expected)
    assert in_order(parquet.read_table(io.BytesIO(files[1].body))).equals(expected)
    assert len(seen) >= BROWSERS * len(PAGES)
    assert {address for address, content in seen if content != alone[address]} == set()


def at_once() -> threading.Event:
    """A time that has come."""
    come = threading.Event()
    come.set()
    return come
