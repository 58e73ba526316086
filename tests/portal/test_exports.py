"""Files from pages: what is in them, what they say of themselves, and to whom they are given."""

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pyarrow import parquet
from visitor import PASSWORD, Visitor

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse
from lakehouse.query.spool import MOST_OPEN
from lakehouse.settings import read_settings
from lakehouse.state.store import open_state
from portal.app import create_app
from tests.pipelines.lake import Lake
from tests.portal.written import csv_of, read_sheets

TILES = ("", "/lines", "/key-figures", "/over-time", "/region", "/product")


@pytest.fixture(scope="module")
def lakehouse(sample_lake: Lake) -> Iterator[Lakehouse]:
    with Lakehouse.open(sample_lake.home) as opened:
        for name, role in (("file.vera", "viewer"), ("file.nora", "viewer")):
            opened.users.add(name, PASSWORD, role)
        opened.users.set("file.nora", rules=[rule("region", "North")])
        yield opened


def rule(column: str, value: str) -> Any:
    from lakehouse.query.scope import RowRule

    return RowRule(column, "in", (value,))


@pytest.fixture(scope="module")
def server(lakehouse: Lakehouse) -> Flask:
    return create_app(lakehouse).server


def signed_in(server: Flask, name: str = "file.vera") -> Visitor:
    visitor = Visitor(server)
    visitor.log_in(name)
    return visitor


def rows(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode("utf-8"), newline="")))


@pytest.mark.parametrize("tile", TILES)
@pytest.mark.parametrize("search", ["", "?period=all", "?from=2024-01-10&to=2024-02-20&region=North&at=1"])
def test_a_file_holds_what_its_plan_gives_and_says_so(server: Flask, tile: str, search: str) -> None:
    visitor = signed_in(server)

    text = visitor.get(f"/export/revenue{tile}.csv{search}")
    columns = parquet.read_table(io.BytesIO(visitor.get(f"/export/revenue{tile}.parquet{search}").data))

    release = "1" if "at=1" in search else "2"
    count = len(rows(text.data))
    name = f"revenue{tile.replace('/', '-')}.release-{release}.all-{count}-rows"
    assert text.status_code == 200
    assert text.headers["Content-Disposition"] == f'attachment; filename="{name}.csv"'
    assert text.headers["X-Lakeport-Export"] == f"release={release}; rows={count}; complete=true"
    assert text.headers["X-Lakeport-Release"] == release
    assert columns.num_rows == count
    assert columns.schema.metadata[b"lakeport.complete"] == b"true"
    assert columns.schema.metadata[b"lakeport.release"] == release.encode()
    assert rows(text.data) == rows(csv_of(columns))


def test_the_numbers_are_those_of_independent_sql(server: Flask, lakehouse: Lakehouse) -> None:
    sql = "select region, sum(line_total) as revenue from marts.order_lines group by region order by revenue desc"
    expected = lakehouse.as_user(operator()).sql(sql).table.to_pylist()

    found = rows(signed_in(server).get("/export/revenue/region.csv?period=all").data)

    assert [(row["region"], row["revenue"]) for row in found] == [
        (row["region"], str(row["revenue"])) for row in expected
    ]


@pytest.mark.parametrize("version", ["now", "1"])
@pytest.mark.parametrize("tile", TILES)
def test_a_file_holds_no_row_that_its_reader_may_not_see(server: Flask, tile: str, version: str) -> None:
    at = f"at={version}"
    everything = signed_in(server).get(f"/export/revenue{tile}.csv?period=all&region=North&{at}").data

    own = signed_in(server, "file.nora").get(f"/export/revenue{tile}.csv?period=all&{at}").data

    assert own == everything
    assert b"South" not in own


def test_a_file_that_is_cut_says_so(sample_lake: Lake, lakehouse: Lakehouse) -> None:
    settings = read_settings(sample_lake.home)
    few = settings.model_copy(update={"query": settings.query.model_copy(update={"export_rows": 100})})
    with Lakehouse(few, open_state(few)) as opened:
        answer = signed_in(create_app(opened).server).get("/export/revenue.csv?period=all")

    assert len(rows(answer.data)) == 100
    assert answer.headers["X-Lakeport-Export"] == "release=2; rows=100; complete=false"
    assert "revenue.release-2.first-100-rows.csv" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/export/revenue.pdf", 404),
        ("/export/revenue/nothing.csv", 404),
        ("/export/nothing.csv", 404),
        ("/export/revenue.csv?period=never", 404),
        ("/export/revenue.csv?from=today", 400),
        ("/export/revenue.csv?at=99", 404),
        ("/export/..%2frevenue.csv", 404),
    ],
)
def test_what_there_is_not_is_refused_in_words(server: Flask, path: str, status: int) -> None:
    answer = signed_in(server).get(path, headers={"Accept": "application/json"})

    assert answer.status_code == status
    assert "text" in answer.get_json()


def test_a_stranger_gets_no_file(server: Flask) -> None:
    assert Visitor(server).get("/export/revenue.csv").status_code == 401


def test_an_export_has_a_record_before_and_one_after_it(server: Flask, lakehouse: Lakehouse) -> None:
    visitor = signed_in(server)

    answer = visitor.get("/export/revenue/region.csv?period=all")
    assert answer.data
    after, before = lakehouse.audit.records(limit=2)

    assert [(one["action"], one["target"], one["verdict"]) for one in (before, after)] == [
        ("export", "/export/revenue/region.csv", "begun"),
        ("export", "/export/revenue/region.csv", "allowed"),
    ]
    assert before["request"] == after["request"] == answer.headers["X-Request-ID"]
    assert "revenue-region.release-2.all-" in after["detail"]


def test_an_export_that_nobody_reads_to_its_end_is_recorded_as_such(server: Flask, lakehouse: Lakehouse) -> None:
    visitor = signed_in(server)

    answer = visitor.get("/export/revenue.csv?period=all", buffered=False)
    answer.close()

    assert lakehouse.audit.records(limit=1)[0]["verdict"] == "failed"


def test_what_a_reader_has_left_behind_is_closed(server: Flask) -> None:
    visitor = signed_in(server)
    visitor.get("/export/revenue.csv?period=all").get_data()
    before = spools()

    answer = visitor.get("/export/revenue.csv?period=all", buffered=False)
    held = spools()
    answer.close()

    assert held == before + 1
    assert spools() == before


def test_a_reader_who_is_slow_holds_no_worker(sample_lake: Lake, lakehouse: Lakehouse) -> None:
    settings = read_settings(sample_lake.home)
    one = settings.model_copy(update={"query": settings.query.model_copy(update={"workers": 1})})
    with Lakehouse(one, open_state(one)) as opened:
        visitor = signed_in(create_app(opened).server)
        slow = [visitor.get("/export/revenue.csv?period=all", buffered=False) for _ in range(3)]

        answer = visitor.get("/export/revenue/region.csv?period=all")

        assert answer.status_code == 200
        assert f"rows={len(rows(slow[0].data))};" in slow[0].headers["X-Lakeport-Export"]
        for one_of_them in slow:
            one_of_them.close()


def test_a_workbook_has_the_rows_of_the_other_files_and_says_of_which_page_they_are(server: Flask) -> None:
    visitor = signed_in(server)
    search = "?period=all&region=North&at=1"

    answer = visitor.get(f"/export/revenue.xlsx{search}&raw=1")
    sheets = read_sheets(answer.data)
    table = parquet.read_table(io.BytesIO(visitor.get(f"/export/revenue.parquet{search}").data))

    header, *found = sheets["Data"]
    assert answer.mimetype == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert f"revenue.release-1.all-{table.num_rows}-rows.xlsx" in answer.headers["Content-Disposition"]
    assert list(header) == table.column_names
    assert [[plain(value) for value in row] for row in found] == [
        [plain(value) for value in row.values()] for row in table.to_pylist()
    ]
    about = dict(row for row in sheets["About"] if row[1])
    assert about["Address"] == f"http://localhost/revenue{search}"
    assert (about["Release"], about["Rows"]) == ("1", str(table.num_rows))


def plain(value: Any) -> Any:
    """A value as both kinds of file have it: a sheet has moments for days, and no decimals."""
    if isinstance(value, datetime):
        return value.date()
    return float(value) if isinstance(value, Decimal) else value


def test_what_no_cell_holds_is_said_before_the_file_begins(server: Flask, lakehouse: Lakehouse) -> None:
    query = lakehouse.settings.query.model_copy(update={"free_sql": True})
    with Lakehouse(lakehouse.settings.model_copy(update={"query": query}), lakehouse.state) as opened:
        visitor = Visitor(create_app(opened).server)
        opened.users.add("file.anna", PASSWORD, "analyst")
        visitor.log_in("file.anna")
        data = {"q": "select repeat('x', 40000) as note", "csrf_token": visitor.token}

        answer = visitor.post("/export/sql.xlsx", data=data, headers={"Accept": "application/json"})
        record = opened.audit.records(limit=1)[0]

    assert answer.status_code == 400
    assert "A text in column 'note' has more than the 32,767 characters" in answer.get_json()["text"]
    assert record["verdict"] == "failed"


def test_the_menu_has_every_kind_of_every_tile_and_csv_with_texts_as_they_are(server: Flask) -> None:
    search = "?period=all&region=North"
    menu = next(one for one in signed_in(server).page(f"/revenue{search}").of_class("lp-pop") if "Export" in one.text)

    hrefs = [node["props"]["href"] for node in menu.walk() if node["type"] == "A"]

    for tile in TILES[1:]:
        kinds = [f"/export/revenue{tile}.{kind}{search}" for kind in ("csv", "xlsx", "parquet")]
        assert {*kinds, f"/export/revenue{tile}.csv{search}&raw=1"} <= set(hrefs)
    assert "how many rows it has, and whether that is all" in menu.text


def test_nobody_has_more_exports_under_way_than_a_few(server: Flask) -> None:
    visitor, other = signed_in(server), signed_in(server, "file.nora")
    held = [visitor.get("/export/revenue.csv?period=all", buffered=False) for _ in range(MOST_OPEN)]

    refused = visitor.get("/export/revenue.csv", headers={"Accept": "application/json"})
    others = other.get("/export/revenue.csv")
    for answer in held:
        answer.close()

    assert refused.status_code == 409
    assert "of your exports are under way" in refused.get_json()["text"]
    assert others.status_code == 200
    assert visitor.get("/export/revenue.csv").status_code == 200


def spools() -> int:
    """How many files without a name this process has open."""
    found = 0
    for one in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            place = str(one.readlink())
            found += place.endswith("(deleted)") and "/.lakeport/" in place
    return found
