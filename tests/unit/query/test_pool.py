"""Questions and their answers: right rows, right pins, right scope, whole or cut, and errors in plain words."""

import datetime
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from query_lake import Lake, OpenPool, rows, write_lake

from lakehouse.errors import RequestWrong, StatementWrong, Unavailable
from lakehouse.query.pins import Pin
from lakehouse.query.pool import QueryPool, Question
from lakehouse.query.scope import Scope
from lakehouse.settings import QuerySettings

ATTACHED = "select count(*) c from duckdb_databases() where starts_with(database_name, 'r_')"
TOTALS = "select count(*) as rows, sum(amount) as total from raw.sales"


def test_an_answer_is_that_of_its_pins(pool: QueryPool, lake: Lake) -> None:
    january = rows(pool, TOTALS, pins={"raw.sales": lake.january})
    february = rows(pool, TOTALS, pins={"raw.sales": lake.february})
    again = rows(pool, TOTALS, pins={"raw.sales": lake.january})

    assert january == again == [{"rows": 20, "total": Decimal("47.50")}]
    assert february == [{"rows": 21, "total": Decimal("54.75")}]


def test_two_tables_of_two_layers_are_read_under_their_plain_names(pool: QueryPool, lake: Lake) -> None:
    pins = {"raw.sales": lake.february, "marts.old_sales": lake.january, "staging.none": lake.empty}
    sql = """select day, amount from RAW.Sales anti join marts.old_sales using (n)
        union all select day, amount from staging.none"""

    assert rows(pool, sql, pins=pins) == [{"day": datetime.date(2024, 2, 1), "amount": Decimal("7.25")}]


def test_more_pins_than_stay_attached_are_all_answered_right(pool: QueryPool, lake: Lake) -> None:
    moments = [{"raw.sales": lake.january, f"raw.other_{i}": lake.february} for i in range(20)]

    counts = [rows(pool, "select count(*) c from raw.sales", pins=pins)[0]["c"] for pins in moments + moments]

    attached = rows(pool, ATTACHED, trusted=True)
    assert counts == [20] * 40
    assert attached == [{"c": 16}]


def test_a_scope_hides_tables(pool: QueryPool, lake: Lake) -> None:
    pins = {"raw.sales": lake.january, "marts.shown": lake.january}
    scope = Scope(frozenset({"marts.shown"}))
    rows(pool, TOTALS, pins=pins)

    with pytest.raises(StatementWrong, match=r"^No table named 'raw.sales'.*marts\.shown"):
        rows(pool, TOTALS, pins=pins, scope=scope)
    assert rows(pool, "select count(*) c from marts.shown", pins=pins, scope=scope) == [{"c": 20}]


def test_more_scopes_than_instances_are_all_answered(pool: QueryPool, lake: Lake) -> None:
    scopes = [Scope(frozenset({"raw.sales", f"raw.t{i}"})) for i in range(9)]

    answers = [rows(pool, TOTALS, pins={"raw.sales": lake.january}, scope=scope)[0]["rows"] for scope in scopes]

    assert answers == [20] * 9


@pytest.mark.parametrize(("limit", "kept", "complete"), [(7, 7, False), (20, 20, True), (19, 19, False), (0, 0, False)])
def test_rows_are_cut_at_the_limit_and_the_answer_says_so(
    pool: QueryPool, lake: Lake, limit: int, kept: int, complete: bool
) -> None:
    answer = pool.ask(Question("from raw.sales", {"raw.sales": lake.january}, max_rows=limit))

    assert (answer.table.num_rows, answer.complete) == (kept, complete)


def test_the_settings_row_limit_cannot_be_widened(open_pool: OpenPool) -> None:
    answer = open_pool(max_rows=5).ask(Question("from range(10)", {}, max_rows=1000))

    assert (answer.table.num_rows, answer.complete) == (5, False)


def test_an_endless_statement_is_cut_without_being_computed(pool: QueryPool) -> None:
    answer = pool.ask(Question("from range(1000000000000)", {}, max_rows=100_000, timeout_seconds=5))

    assert answer.table.column(0).to_pylist() == list(range(100_000))


def test_the_order_of_the_statement_is_kept_across_batches(pool: QueryPool) -> None:
    sql = "select i from range(300000) t(i) order by hash(i), i"

    cut = pool.ask(Question(sql, {}, max_rows=150_000)).table.column(0).to_pylist()
    whole = pool.ask(Question(sql, {})).table.column(0).to_pylist()

    assert cut == whole[:150_000]
    assert sorted(whole) == list(range(300_000))
    assert whole != sorted(whole)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("sum(i) from range(3) t(i)", Decimal(3)),
        ("99999999999999999999999999999999999999::hugeint", Decimal(10**38 - 1)),
        ("1.5::decimal(38, 10)", Decimal("1.5000000000")),
        ("interval '1 month 2 days'", pa.MonthDayNano([1, 2, 0])),
        ("'b'::enum('a', 'b')", "b"),
        ("union_value(a := 1)", 1),
        ("map {'a': 1}", [("a", 1)]),
        ("{'a': [{'b': 1}]}", {"a": [{"b": 1}]}),
        ("[1, 2]::int[2]", [1, 2]),
        ("time '10:00'", datetime.time(10)),
        ("'\\x00\\xFF'::blob", b"\x00\xff"),
        ("null", None),
        ("'ß' || chr(0) || '🦆'", "ß\0🦆"),
        ("timestamp '2024-01-01 10:00:00.123456'", datetime.datetime(2024, 1, 1, 10, 0, 0, 123456)),  # noqa: DTZ001
    ],
)
def test_a_value_arrives_as_it_is(pool: QueryPool, expression: str, value: object) -> None:
    answer = pool.ask(Question(f"select {expression}", {}))

    assert answer.table.column(0).to_pylist() == [value]


def test_enumerations_arrive_over_many_batches_also_inside_lists(pool: QueryPool) -> None:
    sql = "select i, [chr(97 + (i % 3)::int)::enum('a', 'b', 'c')] as letters from range(200000) t(i)"

    table = pool.ask(Question(sql, {})).table

    assert table.column("letters").to_pylist() == [["abc"[i % 3]] for i in range(200_000)]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("1::uhugeint", "Column 'x' is of type UHUGEINT, which an answer cannot carry. Cast it."),
        ("[{'a': '10:00:00+02'::timetz}]", "Column 'x' is of type TIME WITH TIME ZONE"),
        ("map {'a': '101'::bit}", "is of type BIT"),
        ("union_value(a := 1::bignum)", "is of type BIGNUM"),
        ("[row(1, 2)]", "A struct without names"),
        ("170141183460469231731687303715884105727::hugeint", "A HUGEINT of more than 38 digits"),
    ],
)
def test_a_value_that_cannot_travel_unchanged_is_refused(pool: QueryPool, expression: str, text: str) -> None:
    with pytest.raises(StatementWrong) as caught:
        rows(pool, f"select {expression} as x")

    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("selec 1", 'Parser Error: syntax error at or near "selec".'),
        ("select nothing from raw.sales", 'Binder Error: Referenced column "nothing" not found in FROM clause!'),
        ("select * from raw.sails", "No table named"),
        (
            "select cast(region as int) from raw.sales",
            "A value of region does not convert to the type that it is cast to.",
        ),
        ("select error('boom')", "error"),
        ("select i, cast(if(i = 150000, 'x', '1') as int) from range(200000) t(i)", "A value does not convert"),
        ("select $1", "parameter"),
        ("select '\ud800'", "no valid Unicode"),
        ("select 1 -- \0", "no valid Unicode"),
    ],
)
def test_a_wrong_statement_is_explained_in_duckdbs_first_sentence(
    pool: QueryPool, lake: Lake, sql: str, text: str
) -> None:
    with pytest.raises(StatementWrong) as caught:
        rows(pool, sql, pins={"raw.sales": lake.january})

    assert text in str(caught.value)
    assert "LINE 1" not in str(caught.value)
    assert "r_" not in str(caught.value)


@pytest.mark.parametrize("parts", [{"max_rows": -1}, {"timeout_seconds": 0}, {"timeout_seconds": float("nan")}])
def test_a_limit_that_makes_no_sense_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(RequestWrong, match=r"limit|timeout"):
        Question("select 1", {}, **parts)


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_unreadable_data_is_unavailable_without_a_path_and_other_tables_still_answer(
    lake: Lake, tmp_path: Path, damage: str
) -> None:
    broken = write_lake(tmp_path / "lake")
    for file in broken.folder.rglob("*.parquet"):
        file.unlink() if damage == "gone" else file.write_bytes(b"PAR1 no more")
    with QueryPool(QuerySettings(), [str(lake.folder), str(broken.folder)]) as pool:
        pins = {"raw.sales": lake.january, "raw.broken": broken.january, "raw.nowhere": Pin("file:///nowhere.json", 1)}

        for sql in ("from raw.broken", "from raw.nowhere"):
            with pytest.raises(Unavailable, match=r"^Data of this question cannot be read") as caught:
                rows(pool, sql, pins=pins)
            assert "/" not in str(caught.value)
        assert rows(pool, TOTALS, pins=pins)[0]["rows"] == 20


def test_eight_threads_with_mixed_questions_all_get_their_own_answer(open_pool: OpenPool, lake: Lake) -> None:
    pool, wrong = open_pool(workers=2), []
    moments = [({"raw.sales": lake.january}, 20), ({"raw.sales": lake.february}, 21)]

    def work(thread: int) -> None:
        for i in range(50):
            pins, count = moments[(thread + i) % 2]
            salt = i if i % 3 else thread * 1000 + i
            if i % 10 == 9:
                with pytest.raises(StatementWrong):
                    rows(pool, f"select {salt} from raw.none", pins=pins)
            elif rows(pool, f"select {salt} s, count(*) c from raw.sales", pins=pins) != [{"s": salt, "c": count}]:
                wrong.append((thread, i))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
