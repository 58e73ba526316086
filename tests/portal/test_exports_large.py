"""Exports of a million lines, over HTTP: whole, exact, and in memory that does not grow with them.

One rule: what arrives is written to a file as it comes, so that this process, which is the web process too, keeps none;
the process that writes the file is counted with it.
"""

import csv
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from pyarrow import parquet
from visitor import PASSWORD, Visitor

from lakehouse.core import Lakehouse
from lakehouse.settings import read_settings
from lakehouse.state.store import open_state
from portal.app import create_app
from tests.pipelines.lake import Lake
from tests.portal.written import scribes

ROWS = 1_000_000
GROWTH_MB = 150
SQL = """
select range as n, (range / 7)::decimal(18, 2) as amount, '=' || range || ' "é", ' || (range % 13) as note,
       date '2000-01-01' + (range % 9000)::integer as day, nullif(range % 3, 0) as third, repeat('x', 60) as filling
from range({rows}) order by note, n
"""


@pytest.fixture
def anna(sample_lake: Lake) -> Iterator[Visitor]:
    known = read_settings(sample_lake.home)
    query = known.query.model_copy(update={"free_sql": True})
    settings = known.model_copy(update={"query": query})
    with Lakehouse(settings, open_state(settings)) as lakehouse:
        lakehouse.users.add("large.anna", PASSWORD, "analyst")
        visitor = Visitor(create_app(lakehouse).server)
        visitor.log_in("large.anna")
        small = {"q": SQL.format(rows=5_000), "csrf_token": visitor.token}
        visitor.post("/export/sql.xlsx", data=small).get_data()  # loads what the first one needs
        yield visitor
        lakehouse.users.remove("large.anna")


def anonymous_mb() -> int:
    """Memory of this process and of those that write files for it, in MiB."""
    found = 0
    for process in (Path("/proc/self"), *scribes()):
        with suppress(OSError):  # it may have ended meanwhile
            lines = (process / "status").read_text().splitlines()
            found += sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
    return found >> 10


@contextmanager
def watched() -> Iterator[list[int]]:
    """What `anonymous_mb` is, again and again."""
    seen, over = [anonymous_mb()], threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            seen.append(anonymous_mb())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        over.set()
        looking.join()


def saved(visitor: Visitor, kind: str, rows: int, place: Path) -> str:
    """What the header says of an export that was written to a file; memory must not have grown with it."""
    data = {"q": SQL.format(rows=rows), "csrf_token": visitor.token}
    with watched() as seen:
        answer = visitor.post(f"/export/sql.{kind}", data=data, buffered=False)
        with place.open("wb") as file:
            for piece in answer.response:
                file.write(piece if isinstance(piece, bytes) else piece.encode())
        answer.close()
    assert answer.status_code == 200
    assert max(seen) - seen[0] < GROWTH_MB, f"{kind}: {seen[0]} MiB, then {max(seen)} MiB"
    return answer.headers["X-Lakeport-Export"]


def digest(rows: Iterator[tuple[int, Decimal, str, str, int | None]]) -> tuple[int, int, Decimal, int]:
    """How many rows, whether they are in order, and what they come to; each note must belong to its number."""
    count = total = nulls = 0
    amount = Decimal(0)
    last = ""
    for n, value, note, day, third in rows:
        assert note == f'={n} "é", {n % 13}'
        assert note >= last
        assert len(day) == 10
        last = note
        count, total, amount, nulls = count + 1, total + n, amount + value, nulls + (third is None)
    return count, total, amount, nulls


def expected(rows: int) -> tuple[int, int, Decimal, int]:
    amounts = (Decimal(n) / 7 for n in range(rows))
    cents = sum((amount.quantize(Decimal("0.01"), "ROUND_HALF_UP") for amount in amounts), Decimal(0))
    return rows, rows * (rows - 1) // 2, cents, (rows + 2) // 3


@pytest.mark.slow
def test_a_million_lines_of_csv(anna: Visitor, tmp_path: Path) -> None:
    said = saved(anna, "csv", ROWS, tmp_path / "all.csv")

    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        found = digest(
            (
                int(row["n"]),
                Decimal(row["amount"]),
                row["note"][1:],
                row["day"],
                int(row["third"]) if row["third"] else None,
            )
            for row in rows
        )
    assert said == f"release=2; rows={ROWS}; complete=true"
    assert found == expected(ROWS)


@pytest.mark.slow
def test_a_million_lines_of_parquet(anna: Visitor, tmp_path: Path) -> None:
    said = saved(anna, "parquet", ROWS, tmp_path / "all.parquet")

    table = parquet.read_table(tmp_path / "all.parquet").drop_columns(["filling"])
    columns = [column.to_pylist() for column in table.columns]
    found = digest((n, value, note, str(day), third) for n, value, note, day, third in zip(*columns, strict=True))
    assert said == f"release=2; rows={ROWS}; complete=true"
    assert found == expected(ROWS)


@pytest.mark.parametrize(
    "count", [pytest.param(100_000, marks=pytest.mark.slow), pytest.param(ROWS, marks=pytest.mark.fuzz)]
)
def test_many_lines_of_a_workbook(anna: Visitor, tmp_path: Path, count: int) -> None:
    said = saved(anna, "xlsx", count, tmp_path / "all.xlsx")

    book = openpyxl.load_workbook(tmp_path / "all.xlsx", read_only=True)
    rows = book["Data"].iter_rows(min_row=2, values_only=True)
    found = digest((n, Decimal(str(value)), note, f"{day:%Y-%m-%d}", third) for n, value, note, day, third, _ in rows)
    book.close()
    assert said == f"release=2; rows={count}; complete=true"
    assert found == expected(count)
