"""Exports of a million lines, over HTTP: whole, exact, and in memory that does not grow with them.

One rule: what arrives is written to a file as it comes, so that this process, which is the web process too, keeps none.
"""

import csv
from collections.abc import Iterator
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

pytestmark = pytest.mark.slow
ROWS, ROWS_OF_A_SHEET = 1_000_000, 100_000
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
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) >> 10


def saved(visitor: Visitor, kind: str, rows: int, place: Path) -> str:
    """What the header says of an export that was written to a file; memory must not have grown with it."""
    data = {"q": SQL.format(rows=rows), "csrf_token": visitor.token}
    before = most = anonymous_mb()
    answer = visitor.post(f"/export/sql.{kind}", data=data, buffered=False)
    with place.open("wb") as file:
        for piece in answer.response:
            file.write(piece if isinstance(piece, bytes) else piece.encode())
            most = max(most, anonymous_mb())
    answer.close()
    assert answer.status_code == 200
    assert most - before < GROWTH_MB, f"{kind}: {before} MiB, then {most} MiB"
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


def test_a_million_lines_of_parquet(anna: Visitor, tmp_path: Path) -> None:
    said = saved(anna, "parquet", ROWS, tmp_path / "all.parquet")

    table = parquet.read_table(tmp_path / "all.parquet").drop_columns(["filling"])
    columns = [column.to_pylist() for column in table.columns]
    found = digest((n, value, note, str(day), third) for n, value, note, day, third in zip(*columns, strict=True))
    assert said == f"release=2; rows={ROWS}; complete=true"
    assert found == expected(ROWS)


def test_many_lines_of_a_workbook(anna: Visitor, tmp_path: Path) -> None:
    said = saved(anna, "xlsx", ROWS_OF_A_SHEET, tmp_path / "all.xlsx")

    book = openpyxl.load_workbook(tmp_path / "all.xlsx", read_only=True)
    rows = book["Data"].iter_rows(min_row=2, values_only=True)
    found = digest((n, Decimal(str(value)), note, f"{day:%Y-%m-%d}", third) for n, value, note, day, third, _ in rows)
    book.close()
    assert said == f"release=2; rows={ROWS_OF_A_SHEET}; complete=true"
    assert found == expected(ROWS_OF_A_SHEET)
