"""Files from pages: what is in them, what they say of themselves, and to whom they are given."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from visitor import PASSWORD, Visitor

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse
from lakehouse.query.answer import Answer
from lakehouse.settings import read_settings
from lakehouse.state.store import open_state
from portal.app import create_app
from portal.files import as_csv, as_parquet
from tests.pipelines.lake import Lake

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
    assert rows(text.data) == rows(b"".join(as_csv(Answer(columns, True, False, 0), is_raw=False)))


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
    few = settings.model_copy(update={"query": settings.query.model_copy(update={"max_rows": 100})})
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


ODD = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", 'say "hi"', "a,b", "line\nend", "", None, "plain", "'quoted"]


def test_text_that_a_spreadsheet_would_compute_is_marked_unless_it_is_wanted_raw() -> None:
    table = pa.table({"t": ODD, "=n": pa.array(range(len(ODD)))})

    safe, raw = (b"".join(as_csv(Answer(table, True, False, 0), is_raw=is_raw)) for is_raw in (False, True))

    assert [row["t"] for row in rows(safe)[:6]] == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx"]
    assert [row["t"] for row in rows(raw)] == [text or "" for text in ODD]
    assert list(rows(safe)[0]) == ["t", "'=n"]
    assert safe.startswith(b'"t","\'=n"\r\n')
    assert b'"say ""hi"""' in safe


def test_a_number_that_is_negative_stays_a_number() -> None:
    table = pa.table({"n": pa.array([-5, None])})

    assert b"".join(as_csv(Answer(table, True, False, 0), is_raw=False)) == b'"n"\r\n-5\r\n\r\n'


@given(
    texts=st.lists(st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1, max_size=30)
)
def test_a_raw_file_gives_every_value_back(texts: list[str | None]) -> None:
    table = pa.table({"n": pa.array(range(len(texts))), "t": pa.array(texts, pa.string())})
    answer = Answer(table, True, False, 0)

    written = b"".join(as_csv(answer, is_raw=True))
    again = parquet.read_table(io.BytesIO(b"".join(as_parquet(answer, {"rows": "1"}))))

    assert [row["t"] for row in rows(written)] == [text or "" for text in texts]
    assert again.to_pylist() == table.to_pylist()


def test_a_large_file_comes_in_pieces_and_whole(tmp_path: Path) -> None:
    table = pa.table({"n": pa.array(range(100_000))})
    answer = replace(Answer(table, True, False, 0), complete=False)

    pieces = list(as_csv(answer, is_raw=False))
    (tmp_path / "all.parquet").write_bytes(b"".join(as_parquet(answer, {})))

    assert len(pieces) > 3
    assert len(rows(b"".join(pieces))) == 100_000
    with duckdb.connect() as other:
        assert other.execute(f"select count(*), sum(n) from '{tmp_path}/all.parquet'").fetchone() == (
            100_000,
            sum(range(100_000)),
        )
