"""Functions that DuckDB computes once for each value in a file's dictionary: never for the values of foreign rows.

One rule: the table is so large that its chunks are handed on as they were read, from Parquet as from a hot copy; what
fails on all rows is an answer under the rule.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog

from lakehouse.errors import StatementWrong
from lakehouse.query.engine import connect
from lakehouse.query.hot import HotCopies, hot_folder
from lakehouse.query.pins import Pin
from lakehouse.query.pool import QueryPool, Question
from lakehouse.query.scope import ColumnRule, RowRule, Scope
from lakehouse.settings import QuerySettings

COPIES = 4_000
NEAR = Scope(rows=frozenset({RowRule("region", "=", ("near",))}))
MASKED = Scope(rows=NEAR.rows, columns=frozenset({ColumnRule("", "number", "round 10")}))
ALL = "select count(*) from marts.lines where {} is not null"

EXPRESSIONS = (
    "list_transform([1, 2], lambda x: (x + number)::integer)",
    "list_filter([1, 2], lambda x: (x + number)::integer > 0)",
    "list_reduce([1, 2], lambda x, y: (x + y + number)::integer)",
    "list_transform([text], lambda x: x::integer)",
    "[(x + number)::integer for x in [1, 2]]",
    "apply([text], lambda x: x::integer)",
    "chr(number::integer)",
    "to_timestamp(amount)",
    "regexp_replace('a', text, 'b')",
    "regexp_split_to_array('a', text)",
    "regexp_full_match('a', text)",
    "regexp_extract_all('a', text)",
    "'a' similar to text",
    "hamming(text, '12')",
    "list_distance([amount], [amount / amount])",
    "text::integer",
    "strptime(text, '%H')",
    "(text || text)::integer",
)
"""Each fails for a value of the foreign rows."""


@pytest.fixture(scope="module")
def pin(tmp_path_factory: pytest.TempPathFactory) -> Pin:
    folder = tmp_path_factory.mktemp("fence")
    near, foreign = ("near", "12", 3, 0.5), ("FOREIGN", "(((", 2**62, 5e300)
    rows = [near, ("near", "07", 12, 2.5), near, foreign] * COPIES
    names = ("region", "text", "number", "amount")
    lines = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows])
    catalog = SqlCatalog("lake", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}")
    catalog.create_namespace("marts")
    table = catalog.create_table("marts.lines", schema=lines.schema)
    table.append(lines)
    snapshot = table.current_snapshot()
    catalog.close()
    assert snapshot is not None
    return Pin(table.metadata_location, snapshot.snapshot_id)


@pytest.fixture(scope="module", params=["iceberg", "hot"])
def pool(request: pytest.FixtureRequest, pin: Pin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[QueryPool]:
    folder = Path(pin.metadata.removeprefix("file://")).parents[3]
    own = tmp_path_factory.mktemp("own")
    if request.param == "hot":
        with closing(connect("512MB", 1)) as connection:
            HotCopies(hot_folder(own)).write(connection, "marts.lines", pin)
    with QueryPool(QuerySettings(workers=1, cache_mb=0, memory_mb=512), [str(folder)], own_folder=own) as opened:
        yield opened


def counted(pool: QueryPool, pin: Pin, expression: str, scope: Scope) -> int:
    question = Question(ALL.format(expression), {"marts.lines": pin}, scope)
    found: int = pool.ask(question).table.column(0).to_pylist()[0]
    return found


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_is_computed_on_rows_that_are_seen_alone(pool: QueryPool, pin: Pin, expression: str) -> None:
    for scope in (NEAR, MASKED):
        assert counted(pool, pin, expression, scope) == 3 * COPIES


@pytest.mark.parametrize("pool", ["iceberg"], indirect=True)  # a hot copy has no dictionary that holds a NULL more
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_each_of_these_expressions_fails_on_the_foreign_rows(pool: QueryPool, pin: Pin, expression: str) -> None:
    with pytest.raises(StatementWrong):
        counted(pool, pin, expression, Scope())
