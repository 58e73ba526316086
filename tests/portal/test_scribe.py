"""Files too large for the web process: written by a process of their own, whole, and gone with whoever wanted them."""

import csv
import io
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http.client import HTTPException
from urllib.parse import urlencode

import pytest
from pyarrow import parquet
from visitor import PASSWORD, Visitor
from werkzeug.test import TestResponse

from lakehouse.child import NICE
from lakehouse.core import Lakehouse
from lakehouse.settings import read_settings
from lakehouse.state.store import open_state
from portal.app import create_app
from tests.pipelines.lake import Lake
from tests.portal.caller import FORM, Caller
from tests.portal.test_serve import Served, children
from tests.portal.written import read_sheets, scribes

ROWS = 60_000
KINDS = ("csv", "parquet", "xlsx")
SQL = f"select range as n, '=' || range as note, md5(range::varchar) as filling from range({ROWS}) order by n"
EXPECTED = [(n, f"={n}") for n in range(ROWS)]
AS_JSON = {"Accept": "application/json"}


@pytest.fixture
def lakehouse(sample_lake: Lake) -> Iterator[Lakehouse]:
    known = read_settings(sample_lake.home)
    settings = known.model_copy(update={"query": known.query.model_copy(update={"free_sql": True})})
    with Lakehouse(settings, open_state(settings)) as opened:
        opened.users.add("scribe.anna", PASSWORD, "analyst")
        yield opened
        opened.users.remove("scribe.anna")


@pytest.fixture
def anna(lakehouse: Lakehouse) -> Visitor:
    visitor = Visitor(create_app(lakehouse).server)
    visitor.log_in("scribe.anna")
    return visitor


def file(anna: Visitor, kind: str, sql: str = SQL, *, is_whole: bool = True) -> TestResponse:
    data = {"q": sql, "raw": "1", "csrf_token": anna.token}
    return anna.post(f"/export/sql.{kind}", data=data, headers=AS_JSON, buffered=is_whole)


def until(come: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not come():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_file_has_every_row_in_its_order(anna: Visitor, kind: str) -> None:
    answer = file(anna, kind)

    assert answer.headers["X-Lakeport-Export"] == f"release=2; rows={ROWS}; complete=true"
    assert pairs(kind, answer.data) == EXPECTED
    assert scribes() == []


def pairs(kind: str, data: bytes) -> list[tuple[int, str]]:
    """The first two columns."""
    if kind == "csv":
        found = csv.DictReader(io.StringIO(data.decode(), newline=""))
        return [(int(row["n"]), row["note"]) for row in found]
    if kind == "parquet":
        table = parquet.read_table(io.BytesIO(data))
        return list(zip(table["n"].to_pylist(), table["note"].to_pylist(), strict=True))
    return [(n, note) for n, note, _ in read_sheets(data)["Data"][1:]]


def test_its_process_goes_behind_others_and_knows_no_secret(anna: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEPORT_TEST_SECRET", "not for children")

    answer = file(anna, "csv", is_whole=False)
    [process] = scribes()
    nice = int((process / "stat").read_text().rpartition(")")[2].split()[16])
    known = (process / "environ").read_bytes()
    answer.close()

    assert nice == NICE
    assert b"LAKEPORT" not in known


def test_it_ends_with_a_reader_who_has_gone(anna: Visitor, lakehouse: Lakehouse) -> None:
    answer = file(anna, "csv", is_whole=False)
    assert scribes()

    answer.close()

    assert scribes() == []
    assert lakehouse.audit.records(limit=1)[0]["verdict"] == "failed"


def test_an_answer_whose_process_dies_breaks_off(anna: Visitor, lakehouse: Lakehouse) -> None:
    answer = file(anna, "csv", is_whole=False)
    kill_all()

    with pytest.raises(Exception, match="could not be written to its end"):
        b"".join(answer.response)
    answer.close()

    assert lakehouse.audit.records(limit=1)[0]["verdict"] == "failed"


def test_a_workbook_whose_process_dies_is_refused_in_words_and_leaves_nothing(
    anna: Visitor, lakehouse: Lakehouse
) -> None:
    folder = lakehouse.settings.folder
    killer = threading.Thread(target=lambda: (until(lambda: any(folder.glob("workbook-*/*"))), kill_all()))
    killer.start()

    answer = file(anna, "xlsx")
    killer.join()

    assert answer.status_code == 503
    assert "could not be written to its end" in answer.get_json()["text"]
    assert list(folder.glob("workbook-*")) == []


def kill_all() -> None:
    for process in scribes():
        os.kill(int(process.name), 9)


def test_it_ends_with_a_portal_that_is_killed(lakehouse: Lakehouse) -> None:
    home, folder = lakehouse.settings.home, lakehouse.settings.folder
    with (
        Served(home, LAKEPORT_QUERY__FREE_SQL="true") as served,
        closing(Caller(served.port, is_patient=False)) as caller,
    ):
        caller.log_in("scribe.anna")
        form = urlencode({"q": SQL.replace(str(ROWS), str(16 * ROWS)), "csrf_token": caller.cookies["_csrf_token"]})
        asking = threading.Thread(target=lambda: breaks_off(caller, form))
        asking.start()
        until(lambda: any(folder.glob("workbook-*/*")))
        [web] = children(served.process.pid)
        [process] = scribes(web)

        os.kill(web, signal.SIGKILL)

        until(lambda: not process.exists(), 10)  # the whole file takes longer
        asking.join()
    for left in folder.glob("workbook-*"):
        shutil.rmtree(left)


def breaks_off(caller: Caller, form: str) -> None:
    with suppress(OSError, HTTPException):
        caller.ask("/export/sql.xlsx", form, FORM)


def test_what_a_large_file_cannot_hold_is_said_before_it_begins(anna: Visitor) -> None:
    answer = file(anna, "xlsx", f"select repeat('x', 30000 + 40 * range::integer) as note from range({ROWS // 100})")

    assert answer.status_code == 400
    assert "A text in column 'note' has more than the 32,767 characters" in answer.get_json()["text"]
