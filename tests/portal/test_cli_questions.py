"""The commands that ask: query, plan, metrics, tables, describe, and the version that they read."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.pipelines.lake import Lake
from tests.portal.command_line import lakeport, write_batch


def test_an_answer_is_one_document_with_columns_rows_release_and_pins(sample_lake: Lake) -> None:
    answer = lakeport(
        "query",
        "select region, count(*) as n from marts.order_lines group by 1 order by 1",
        "--json",
        home=sample_lake.home,
    )

    assert answer.code == 0
    assert answer.document["columns"] == [{"name": "region", "type": "VARCHAR"}, {"name": "n", "type": "BIGINT"}]
    assert answer.document["rows"][0] == ["Central", 194]
    assert (answer.document["complete"], answer.document["release"]) == (True, 2)
    assert answer.document["pins"]["marts.order_lines"]["snapshot"].isdigit()


def test_no_digit_is_lost_in_an_answer(sample_lake: Lake) -> None:
    sql = (
        "select cast('12345678901234567.89' as decimal(38,2)) as d, 9007199254740993 as big, 7 as small, null as none, "
        "cast('nan' as double) as nan, date '2024-02-29' as day, timestamp '2024-02-29 12:00:00.5' as moment, true as y"
    )

    answer = lakeport("query", sql, "--json", home=sample_lake.home).document

    expected = ["12345678901234567.89", "9007199254740993", 7, None, "nan", "2024-02-29", "2024-02-29T12:00:00.500000"]
    assert answer["rows"] == [[*expected, True]]


def test_a_cut_answer_says_so(sample_lake: Lake) -> None:
    answer = lakeport("query", "select * from marts.order_lines", "--limit", "3", "--json", home=sample_lake.home)
    shown = lakeport("query", "select line_id from marts.order_lines", "--limit", "3", home=sample_lake.home)

    assert (len(answer.document["rows"]), answer.document["complete"]) == (3, False)
    assert "3 rows, cut at the limit, release 2 of " in shown.out


def test_columns_of_one_name_are_all_there(sample_lake: Lake) -> None:
    shown = lakeport("query", "select 11 as a, 22 as a", home=sample_lake.home)

    assert "11" in shown.out
    assert "22" in shown.out


def test_control_characters_in_data_are_shown_and_not_obeyed(sample_lake: Lake) -> None:
    sql = "select chr(27) || '[31mred' || chr(10) || 'line' || chr(8238) as " + '"na\x1bme"'

    shown = lakeport("query", sql, home=sample_lake.home)
    refused = lakeport("query", 'select "\x1b[31m"', home=sample_lake.home)

    assert r"\x1b[31mred\nline\u202e" in shown.out
    assert r"na\x1bme" in shown.out
    assert "\x1b" not in shown.out + refused.err


def test_quiet_gives_rows_and_nothing_by_the_way(sample_lake: Lake) -> None:
    assert "release 2" not in lakeport("query", "select 1 as one", "--quiet", home=sample_lake.home).out


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("selec 1", 'syntax error at or near "selec"'),
        ("select nope from marts.order_lines", 'Referenced column "nope" not found'),
        ("select * from marts.nope", "marts.daily_revenue, marts.order_lines, raw.quarantine"),
        ("drop table marts.order_lines", "DROP is not a statement that only reads."),
        ("select 1; select 2", "statement"),
        ("", "There is no statement in the text."),
    ],
)
def test_a_wrong_statement_is_a_wrong_request(sample_lake: Lake, sql: str, words: str) -> None:
    refused = lakeport("query", sql, "--json", home=sample_lake.home)

    assert refused.code == 2
    assert refused.error["kind"] in ("StatementWrong", "StatementRefused")
    assert refused.error["status"] == 400
    assert words in refused.error["text"]


def test_a_query_that_takes_too_long_is_stopped(sample_lake: Lake) -> None:
    sql = "select sum(a.range * b.range) from range(100000000) a, range(100000000) b"

    stopped = lakeport("query", sql, "--timeout", "0.5", "--json", home=sample_lake.home)

    assert stopped.code == 5
    assert stopped.error["kind"] == "Stopped"


def test_a_query_needs_a_statement_and_a_plan_its_plan(sample_lake: Lake) -> None:
    assert lakeport("query", home=sample_lake.home).err.startswith("Give a statement, such as")
    assert lakeport("plan", home=sample_lake.home).err.startswith("Give a plan, such as")


def test_a_plan_answers_with_its_normal_form_its_sql_and_a_sentence(sample_lake: Lake) -> None:
    answer = lakeport(
        "plan", '{"metrics": ["revenue"], "by": ["region"]}', "--json", "--at", "1", home=sample_lake.home
    )

    assert answer.document["rows"][-1] == ["West", "664975.76"]
    assert answer.document["columns"][1] == {"name": "revenue", "type": "DECIMAL(38,2)"}
    assert answer.document["plan"]["metrics"] == ["revenue"]
    assert answer.document["sql"].lower().startswith(("select", "with"))
    assert "evenue" in answer.document["sentence"]
    assert answer.document["release"] == 1


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ('{"metrics": ["profit"]}', "Known metrics: average_order_value, customers, orders, revenue, units."),
        ('{"metrics": ["revenue"], "by": ["planet"]}', "Known dimensions: customer_id, order_date, product"),
        ("{", "JSON"),
        ('{"metrics": []}', "metrics"),
    ],
)
def test_a_wrong_plan_lists_the_choices(sample_lake: Lake, plan: str, words: str) -> None:
    refused = lakeport("plan", plan, "--json", home=sample_lake.home)

    assert refused.code == 2
    assert words in refused.error["text"]


def test_a_batch_goes_on_after_every_kind_of_error(sample_lake: Lake, tmp_path: Path) -> None:
    lines = [
        {"id": "a", "sql": "select 1 as one"},
        {"id": "b", "sql": "selec 1"},
        "not json",
        "",
        b"\xff\xfe",
        '{"id": NaN, "sql": "select 1"}',
        "[" * 100_000,
        {"id": "c"},
        ["id"],
        {"id": 7, "sql": "select 2 as two"},
    ]

    said = lakeport("query", "--batch", write_batch(tmp_path / "batch.jsonl", *lines), home=sample_lake.home)

    assert said.code == 0
    assert [line["id"] for line in said.lines] == ["a", "b", None, None, None, None, "c", None, 7]
    assert [line["error"]["status"] for line in said.lines[1:-1]] == [400] * 7
    assert said.lines[0]["rows"] == [[1]]
    assert (said.lines[-1]["rows"], said.lines[-1]["release"]) == ([[2]], 2)


def test_a_batch_of_plans_answers_each_line(sample_lake: Lake, tmp_path: Path) -> None:
    lines = [{"id": 1, "plan": {"metrics": ["orders"]}}, {"id": 2, "plan": {"metrics": ["x"]}}, {"id": 3, "plan": 3}]

    said = lakeport("plan", "--batch", write_batch(tmp_path / "batch.jsonl", *lines), home=sample_lake.home)

    assert [line["id"] for line in said.lines] == [1, 2, 3]
    assert said.lines[0]["rows"] == [[1001]]
    assert said.lines[0]["plan"]["metrics"] == ["orders"]
    assert said.lines[1]["error"]["kind"] == "UnknownName"
    assert "the key 'plan'" in said.lines[2]["error"]["text"]


def test_a_batch_file_that_is_not_there_is_a_wrong_request(sample_lake: Lake) -> None:
    refused = lakeport("query", "--batch", "nowhere.jsonl", "--json", home=sample_lake.home)

    assert (refused.code, refused.error["text"]) == (2, "nowhere.jsonl cannot be read: No such file or directory.")


def test_lists_carry_label_description_type_and_grain(sample_lake: Lake) -> None:
    metrics = lakeport("metrics", "--json", home=sample_lake.home).document
    tables = lakeport("tables", "--json", home=sample_lake.home).document
    columns = lakeport("describe", "marts.order_lines", "--json", home=sample_lake.home).document

    for entry in (*metrics, *tables):
        assert {"name", "label", "description", "type", "grain"} <= entry.keys()
    assert [metric["name"] for metric in metrics][:2] == ["revenue", "orders"]
    assert "marts.order_lines" in [table["name"] for table in tables]
    assert all(set(column) == {"name", "label", "description", "type", "tests"} for column in columns)
    tested = {column["name"]: [test["name"] for test in column["tests"]] for column in columns}
    assert tested["line_id"] == ["not_null_order_lines_line_id", "unique_order_lines_line_id"]
    assert tested["region"] == []
    assert [column["type"] for column in columns if column["name"] == "amount"] == ["DECIMAL(18,2)"]


def test_lists_for_people_name_what_there_is(sample_lake: Lake) -> None:
    assert "average_order_value" in lakeport("metrics", home=sample_lake.home).out
    assert "marts.daily_revenue" in lakeport("tables", home=sample_lake.home).out
    described = lakeport("describe", "marts.order_lines", home=sample_lake.home).out
    assert described.startswith("marts.order_lines: Everything that was sold.")
    assert "line_total" in described


def test_an_unknown_table_lists_the_tables(sample_lake: Lake) -> None:
    refused = lakeport("describe", "marts.nope", "--json", home=sample_lake.home)

    assert (refused.code, refused.error["status"]) == (2, 404)
    assert "Known tables: marts.daily_revenue, marts.order_lines, raw.quarantine" in refused.error["text"]


@pytest.mark.parametrize(("version", "rows"), [("1", 1000), ("2", 1001), ("now", 1001)])
def test_the_past_is_read_by_release(sample_lake: Lake, version: str, rows: int) -> None:
    answer = lakeport(
        "query", "select count(*) from marts.order_lines", "--at", version, "--json", home=sample_lake.home
    )

    assert answer.document["rows"] == [[rows]]


def test_the_past_is_read_by_date_and_time(sample_lake: Lake) -> None:
    runs = lakeport("run", "list", "--json", home=sample_lake.home).document
    between, today = runs[0]["started"], date.fromisoformat(runs[0]["ended"][:10])
    count = "select count(*) from marts.order_lines"

    at_time = lakeport("query", count, "--at", between, "--json", home=sample_lake.home).document
    at_day = lakeport("query", count, "--at", str(today + timedelta(days=1)), "--json", home=sample_lake.home).document

    assert (at_time["release"], at_time["rows"]) == (1, [[1000]])
    assert (at_day["release"], at_day["rows"]) == (2, [[1001]])


@pytest.mark.parametrize(
    ("version", "kind", "words"),
    [
        ("2001-01-01", "NoRelease", "The first release is 1 of "),
        ("2001-01-01T12:00:00Z", "NoRelease", "The first release is 1 of "),
        ("99", "NoRelease", "No release 99. The first release is 1 of "),
        ("2024-02-30", "RequestWrong", "is not a version"),
        ("2024-01-01T12:00:00", "RequestWrong", "has no time zone"),
        ("yesterday", "RequestWrong", "is not a version"),
    ],
)
def test_a_version_that_is_none_is_refused(sample_lake: Lake, version: str, kind: str, words: str) -> None:
    refused = lakeport("tables", "--at", version, "--json", home=sample_lake.home)

    assert (refused.code, refused.error["kind"]) == (2, kind)
    assert words in refused.error["text"]


def test_one_table_is_read_at_one_snapshot_and_no_other_beside_it(sample_lake: Lake) -> None:
    first = lakeport("query", "select 1", "--at", "1", "--json", home=sample_lake.home).document
    version = f"marts.order_lines@{first['pins']['marts.order_lines']['snapshot']}"

    there = lakeport(
        "query", "select count(*) from marts.order_lines", "--at", version, "--json", home=sample_lake.home
    )
    other = lakeport("query", "select * from marts.daily_revenue", "--at", version, "--json", home=sample_lake.home)
    none = lakeport("tables", "--at", "marts.order_lines@1", "--json", home=sample_lake.home)

    assert there.document["rows"] == [[1000]]
    assert list(there.document["pins"]) == ["marts.order_lines"]
    assert (other.code, other.error["kind"]) == (2, "StatementRefused")
    assert (none.code, none.error["kind"]) == (2, "NoRelease")
