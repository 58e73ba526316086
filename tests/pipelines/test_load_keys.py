"""Rows with a declared key: each key enters the table once, and what does not says why."""

import json

from tests.pipelines.lake import Lake, lines, source

DUPLICATE = "duplicate: an equal row with this key is kept"
CONFLICT = "conflict: rows with this key have different values"


def test_of_equal_rows_with_one_key_the_first_is_kept(lake: Lake) -> None:
    lake.configure(source(key=["id"]))
    lake.write("sales.csv", lines("a,1", "b,2", "a,1", "a,1"))

    ran = lake.load()

    assert ran.counts("sales") == {"read": 4, "loaded": 2, "quarantined": 2}
    assert lake.rows("raw.sales", "line_id", "id", "n", "_line") == [("a", "a", 1, 2), ("b", "b", 2, 3)]
    columns = ("source", "file", "line", "record", "column_name", "value", "reason", "fields")
    assert lake.rejected(*columns) == [
        ("sales", "sales.csv", line, None, "id", "a", DUPLICATE, json.dumps(["a", "1"], separators=(",", ":")))
        for line in (4, 5)
    ]


def test_of_different_rows_with_one_key_none_is_kept(lake: Lake) -> None:
    lake.configure(source(key=["id"]))
    lake.write("sales.csv", lines("a,1", "b,2", "a,1", "a,3"))

    ran = lake.load()

    assert ran.counts("sales") == {"read": 4, "loaded": 1, "quarantined": 3}
    assert lake.rows() == [("b", 2)]
    assert lake.rejected() == [("sales.csv", line, CONFLICT) for line in (2, 4, 5)]


def test_keys_are_compared_over_all_files_of_a_load(lake: Lake) -> None:
    lake.configure(source(key=["id"], path="data/*.csv"))
    lake.write("data/b.csv", lines("a,1", "b,2", "c,3"))
    lake.write("data/a.csv", lines("a,1", "b,9"))

    lake.load()

    assert lake.rows("raw.sales", "id", "_file") == [("a", "data/a.csv"), ("c", "data/b.csv")]
    assert lake.rejected() == [
        ("data/a.csv", 3, CONFLICT),
        ("data/b.csv", 2, DUPLICATE),
        ("data/b.csv", 3, CONFLICT),
    ]


def test_rows_that_lack_the_same_values_are_equal(lake: Lake) -> None:
    columns = {"id": "text", "n": 'type = "integer", required = false', "note": 'type = "text", required = false'}
    lake.configure(source(columns=columns, key=["id"]))
    lake.write("sales.csv", lines("a,,", "a,,", "b,1,", "b,,", "c,1,x", "c,1,", header="id,n,note"))

    lake.load()

    assert lake.rows() == [("a", None)]
    assert lake.rejected("line", "reason", "fields") == [
        (3, DUPLICATE, '["a",null,null]'),
        (4, CONFLICT, '["b","1",null]'),
        (5, CONFLICT, '["b",null,null]'),
        (6, CONFLICT, '["c","1","x"]'),
        (7, CONFLICT, '["c","1",null]'),
    ]


def test_a_key_of_several_columns_is_not_confused_by_the_sign_that_joins_it(lake: Lake) -> None:
    lake.configure(source(columns={"a": "text", "b": "text"}, key=["a", "b"]))
    pairs = ["x|y,z", "x,y|z", "x\\,|z", "x\\|,z", "x,y", "x,y"]
    lake.write("sales.csv", lines(*pairs, header="a,b"))

    lake.load()

    assert lake.rows("raw.sales", "a", "b", "line_id") == [
        ("x|y", "z", "x\\|y|z"),
        ("x", "y|z", "x|y\\|z"),
        ("x\\", "|z", "x\\\\|\\|z"),
        ("x\\|", "z", "x\\\\\\||z"),
        ("x", "y", "x|y"),
    ]
    assert lake.rejected("line", "column_name", "value", "reason") == [(7, "a, b", "x|y", DUPLICATE)]


def test_a_key_is_its_text_so_that_equal_numbers_written_differently_are_two_keys(lake: Lake) -> None:
    lake.configure(source(key=["n"]))
    lake.write("sales.csv", lines("a,1", "a,01"))

    lake.load()

    assert lake.rows("raw.sales", "line_id", "n") == [("1", 1), ("01", 1)]
    assert lake.rejected() == []


def test_a_rejected_record_takes_no_part_in_the_comparison_of_keys(lake: Lake) -> None:
    lake.configure(source(key=["id"]))
    lake.write("sales.csv", lines("a,x", "a,1"))

    lake.load()

    assert lake.rows() == [("a", 1)]
    assert lake.rejected() == [("sales.csv", 2, "not a whole number")]


def test_without_a_key_equal_lines_are_all_kept(lake: Lake) -> None:
    lake.configure(source())
    lake.write("sales.csv", lines(*["a,1"] * 100))

    ran = lake.load()

    assert ran.counts("sales") == {"read": 100, "loaded": 100, "quarantined": 0}
    ids = lake.rows("raw.sales", "line_id")
    assert len(set(ids)) == 100


def test_without_a_key_equal_files_under_two_names_are_both_kept(lake: Lake) -> None:
    lake.configure(source(path="data"))
    for name in ("a", "b"):
        lake.write(f"data/{name}.csv", lines("a,1", "a,1"))

    lake.load()

    assert lake.rows("raw.sales", "id", "_file", "_line") == [
        ("a", "data/a.csv", 2),
        ("a", "data/a.csv", 3),
        ("a", "data/b.csv", 2),
        ("a", "data/b.csv", 3),
    ]
    assert len(set(lake.rows("raw.sales", "line_id"))) == 4


def test_an_append_keeps_the_row_of_the_table_when_its_key_comes_again(lake: Lake) -> None:
    lake.configure(source(disposition="append", key=["id"], path="data"))
    lake.write("data/1.csv", lines("a,1", "b,2"))
    lake.load()

    lake.write("data/2.csv", lines("a,1", "b,3", "c,4"))
    ran = lake.load()

    assert ran.counts("sales") == {"read": 3, "loaded": 1, "quarantined": 2}
    assert lake.rows() == [("a", 1), ("b", 2), ("c", 4)]
    assert lake.rejected() == [("data/2.csv", 2, DUPLICATE), ("data/2.csv", 3, CONFLICT)]


def test_a_key_that_the_table_holds_is_judged_by_the_row_there_however_often_it_comes(lake: Lake) -> None:
    lake.configure(source(disposition="append", key=["id"], path="data"))
    lake.write("data/1.csv", lines("a,1", "b,2", "c,3"))
    lake.load()

    lake.write("data/2.csv", lines("a,1", "a,1", "b,2", "b,9", "c,4", "c,4", "d,5", "d,5"))
    ran = lake.load()

    assert ran.counts("sales") == {"read": 8, "loaded": 1, "quarantined": 7}
    assert lake.rows() == [("a", 1), ("b", 2), ("c", 3), ("d", 5)]
    assert lake.rejected("line", "reason") == [
        (2, DUPLICATE),
        (3, DUPLICATE),
        (4, DUPLICATE),
        (5, CONFLICT),
        (6, CONFLICT),
        (7, CONFLICT),
        (9, DUPLICATE),
    ]


def test_an_append_compares_rows_that_lack_values_with_those_of_the_table(lake: Lake) -> None:
    columns = {"id": "text", "n": 'type = "integer", required = false'}
    lake.configure(source(columns=columns, disposition="append", key=["id"], path="data"))
    lake.write("data/1.csv", lines("a,", "b,", "c,1"))
    lake.load()

    lake.write("data/2.csv", lines("a,", "b,1", "c,"))
    lake.load()

    assert lake.rows() == [("a", None), ("b", None), ("c", 1)]
    assert lake.rejected() == [("data/2.csv", 2, DUPLICATE), ("data/2.csv", 3, CONFLICT), ("data/2.csv", 4, CONFLICT)]


def test_an_append_without_a_key_takes_every_line_of_a_new_file(lake: Lake) -> None:
    lake.configure(source(disposition="append", path="data"))
    lake.write("data/1.csv", lines("a,1"))
    lake.load()

    lake.write("data/2.csv", lines("a,1", "a,1"))
    ran = lake.load()

    assert ran.counts("sales") == {"read": 2, "loaded": 2, "quarantined": 0}
    assert lake.rows() == [("a", 1)] * 3


def test_columns_may_have_the_names_that_the_comparison_itself_uses(lake: Lake) -> None:
    names = ["verdict", "number", "first", "fresh", "extracted", "held", "judged", "reason", "file", "line"]
    lake.configure(source(columns=dict.fromkeys(names, "text"), key=["verdict"], disposition="append", path="data"))
    header = ",".join(names)
    lake.write("data/1.csv", lines("a" + ",x" * 9, "a" + ",x" * 9, "b" + ",x" * 9, header=header))
    lake.load()

    lake.write("data/2.csv", lines("b" + ",y" * 9, header=header))
    lake.load()

    assert lake.rows("raw.sales", "verdict", "line") == [("a", "x"), ("b", "x")]
    assert lake.rejected() == [("data/1.csv", 3, DUPLICATE), ("data/2.csv", 2, CONFLICT)]
