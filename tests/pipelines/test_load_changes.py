"""Files that change after they were loaded: what replace, append and merge make of it."""

from typing import Any

import pytest

from tests.pipelines.lake import Lake, lines, source

FULL = "Undo the change, or load everything again with `lakeport refresh --full --source sales`."


def refused_change(disposition: str) -> str:
    return (
        "sources.sales: columns, key or format changed since the table was loaded, and disposition "
        f"'{disposition}' keeps its old rows. {FULL}"
    )


def test_a_replace_holds_what_the_files_hold_now(lake: Lake) -> None:
    lake.configure(source(path="data"))
    lake.write("data/1.csv", lines("a,1", "b,2"))
    lake.write("data/2.csv", lines("c,3"))
    lake.load()

    lake.write("data/1.csv", lines("b,9"))
    ran = lake.load()

    assert ran.result["sources"]["sales"]["files"] == 2
    assert lake.rows() == [("b", 9), ("c", 3)]


def test_the_rows_of_a_file_that_vanished_go_and_the_file_is_named(lake: Lake) -> None:
    lake.configure(source(path="data"))
    for name in ("1", "2", "3"):
        lake.write(f"data/{name}.csv", lines(f"a,{name}", f"b,x{name}"))
    lake.load()

    (lake.home / "data/3.csv").unlink()
    (lake.home / "data/1.csv").unlink()
    ran = lake.load()

    assert ran.ending == ("success", 0)
    assert ran.result["sources"]["sales"]["vanished"] == ["data/1.csv", "data/3.csv"]
    assert lake.rows() == [("a", 2)]
    assert lake.rejected("file") == [("data/2.csv",)]


def test_a_replace_follows_changed_columns_and_keeps_their_order(lake: Lake) -> None:
    lake.configure(source())
    lake.write("sales.csv", lines("a,1,x", header="id,n,note"))
    lake.load()

    lake.configure(source(columns={"note": "text", "n": "decimal(9,2)", "id": "text"}))
    lake.load()

    table = lake.table("raw.sales")
    assert table is not None
    assert table.column_names == ["line_id", "note", "n", "id", "_file", "_line"]
    assert [str(kind) for kind in table.schema.types[1:4]] == ["string", "decimal128(9, 2)", "string"]
    assert [str(value) for value in table["n"].to_pylist()] == ["1.00"]


@pytest.mark.parametrize("keep_time", [False, True])
def test_an_append_refuses_a_changed_file_and_names_both_ways_out(lake: Lake, keep_time: bool) -> None:
    lake.configure(source(disposition="append", path="data"))
    lake.write("data/1.csv", lines("a,1"))
    lake.load()

    lake.write("data/1.csv", lines("a,1", "b,2") if keep_time else lines("a,9"))
    lake.write("data/2.csv", lines("c,3"))
    ran = lake.load()

    assert ran.ending == ("failed", 2)
    assert ran.error == (
        "data/1.csv: it was changed since it was loaded, and disposition 'append' cannot tell which of its rows are "
        'new. Put new rows into a new file, or set disposition = "replace" in sources.sales.'
    )
    assert lake.rows() == [("a", 1)]


def test_an_append_reads_new_files_only_and_keeps_rows_of_files_that_vanished(lake: Lake) -> None:
    lake.configure(source(disposition="append", path="data"))
    lake.write("data/1.csv", lines("a,1"))
    lake.load()

    (lake.home / "data/1.csv").unlink()
    lake.write("data/2.csv", lines("b,2", "c,x"))
    ran = lake.load()

    assert ran.counts("sales") == {"read": 2, "loaded": 1, "quarantined": 1}
    assert ran.result["sources"]["sales"]["vanished"] == []
    assert lake.rows() == [("a", 1), ("b", 2)]

    lake.write("data/1.csv", lines("a,1"))  # it comes back as it was: its rows are there already
    assert lake.load().ending == ("unchanged", 0)


def test_an_append_keeps_what_earlier_loads_have_put_into_quarantine(lake: Lake) -> None:
    lake.configure(source(disposition="append", path="data"))
    lake.write("data/1.csv", lines("a,1", "b,x"))
    lake.load()

    lake.write("data/2.csv", lines("c,y"))
    lake.load()

    assert lake.rejected("file", "value") == [("data/1.csv", "x"), ("data/2.csv", "y")]


def test_a_merge_lets_new_rows_win_and_keeps_the_others(lake: Lake) -> None:
    lake.configure(source(disposition="merge", key=["id"], path="data"))
    lake.write("data/1.csv", lines("a,1", "b,2", "c,3"))
    lake.load()

    lake.write("data/2.csv", lines("b,20", "d,4"))
    ran = lake.load()

    assert ran.counts("sales") == {"read": 2, "loaded": 2, "quarantined": 0}
    assert ran.result["tables"] == {"raw.sales": {"rows": 4}}
    assert sorted(lake.rows()) == [("a", 1), ("b", 20), ("c", 3), ("d", 4)]
    assert lake.snapshots() == 2


def test_a_merge_reads_a_changed_file_again_and_keeps_rows_that_it_has_no_more(lake: Lake) -> None:
    lake.configure(source(disposition="merge", key=["id"], path="data"))
    lake.write("data/1.csv", lines("a,1", "b,2", "c,x"))
    lake.write("data/2.csv", lines("e,5", "f,y"))
    lake.load()

    lake.write("data/1.csv", lines("a,9", "c,3", "d,z"))
    ran = lake.load()

    assert ran.result["sources"]["sales"]["files"] == 1
    assert sorted(lake.rows()) == [("a", 9), ("b", 2), ("c", 3), ("e", 5)]
    assert lake.rejected("file", "line", "value") == [("data/1.csv", 4, "z"), ("data/2.csv", 3, "y")]


def test_a_merge_leaves_the_tables_row_where_new_rows_contradict_each_other(lake: Lake) -> None:
    lake.configure(source(disposition="merge", key=["id"], path="data"))
    lake.write("data/1.csv", lines("a,1", "b,2"))
    lake.load()

    lake.write("data/2.csv", lines("a,8", "a,9", "b,3", "b,3"))
    lake.load()

    assert sorted(lake.rows()) == [("a", 1), ("b", 3)]
    assert [(line, reason.split(":")[0]) for _, line, reason in lake.rejected()] == [
        (2, "conflict"),
        (3, "conflict"),
        (5, "duplicate"),
    ]


def test_a_merge_of_which_nothing_is_kept_leaves_the_table_as_it_is(lake: Lake) -> None:
    lake.configure(source(disposition="merge", key=["id"], path="data"))
    lake.write("data/1.csv", lines("a,1", "b,2"))
    lake.load()

    lake.write("data/2.csv", lines("a,8", "a,9"))
    ran = lake.load()

    assert ran.counts("sales") == {"read": 2, "loaded": 0, "quarantined": 2}
    assert lake.rows() == [("a", 1), ("b", 2)]


def test_a_merge_of_many_rows_is_one_snapshot_without_any_key_twice(lake: Lake) -> None:
    lake.configure(source(disposition="merge", key=["id"], path="data"))
    lake.write("data/1.csv", lines(*(f"k{n},{n}" for n in range(60_000))))
    lake.load()

    lake.write("data/2.csv", lines(*(f"k{n},{-n}" for n in range(1, 120_000, 2))))
    ran = lake.load()

    assert ran.result["tables"] == {"raw.sales": {"rows": 90_000}}
    assert lake.snapshots() == 2
    expected = {f"k{n}": n for n in range(0, 60_000, 2)} | {f"k{n}": -n for n in range(1, 120_000, 2)}
    rows = lake.rows()
    assert len(rows) == 90_000
    assert dict(rows) == expected


@pytest.mark.parametrize("disposition", ["append", "merge"])
@pytest.mark.parametrize(
    "changed",
    [
        {"columns": {"id": "text", "n": "double"}, "key": ["id"]},
        {"columns": {"id": "text", "n": "integer", "note": "text"}, "key": ["id"]},
        {"key": ["n"]},
        {"key": ["id"], "delimiter": ";"},
    ],
    ids=["type", "column", "key", "delimiter"],
)
def test_changed_settings_need_a_full_load_where_old_rows_stay(
    lake: Lake, disposition: str, changed: dict[str, Any]
) -> None:
    lake.configure(source(disposition=disposition, key=["id"]))
    lake.write("sales.csv", lines("a,1,x", header="id,n,note"))
    lake.load()

    lake.configure(source(disposition=disposition, **changed))
    ran = lake.load()

    assert ran.ending == ("failed", 2)
    assert ran.error == refused_change(disposition)
    assert lake.snapshots() == 1


@pytest.mark.parametrize("disposition", ["append", "merge"])
def test_a_full_load_takes_the_changed_settings_and_everything_again(lake: Lake, disposition: str) -> None:
    lake.configure(source(disposition=disposition, key=["id"], path="data"))
    lake.write("data/1.csv", lines("a,1", "b,x"))
    lake.load()
    lake.write("data/2.csv", lines("c,3"))
    lake.load()
    (lake.home / "data/1.csv").unlink()

    lake.configure(source(columns={"n": "text", "id": "text"}, disposition=disposition, key=["id"], path="data"))
    ran = lake.load(full=True, source="sales")

    assert ran.ending == ("success", 0)
    assert ran.result["sources"]["sales"]["vanished"] == ["data/1.csv"]
    assert lake.rows() == [("c", "3")]
    assert lake.rejected() == []
    assert lake.load().ending == ("unchanged", 0)


def test_a_full_load_reads_what_is_unchanged_too(lake: Lake) -> None:
    lake.configure(source())
    lake.write("sales.csv", lines("a,1"))
    lake.load()

    ran = lake.load(full=True)

    assert ran.ending == ("success", 0)
    assert lake.snapshots() == 2
    assert lake.rows() == [("a", 1)]
