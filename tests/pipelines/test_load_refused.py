"""Files that cannot be loaded as declared: the run fails and says why, and every table stays as it was.

The reader's own tests know many more kinds of such files; these few go all the way.
"""

import gzip

import pytest

from tests.pipelines.lake import Lake, lines, source

GOOD = lines("a,1", "b,2")
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "a misspelt column": (
        lines("c,3", header="id,m"),
        "sales.csv, line 1: the header has no column 'n'; it has 'id', 'm'. "
        "Set from to the name that column n has in the file, or correct the header.",
    ),
    "another encoding": (
        lines("c,3", "d\xe9,4").encode("cp1252"),
        "sales.csv, line 3: byte 0xE9 is not utf-8. "
        'Set encoding to "cp1252" or "latin-1", or export the file as utf-8.',
    ),
    "a quote that is never closed": (
        lines("c,3", '"d,4', "e,5"),
        "sales.csv, line 3: a quote in the record that begins here is never closed. "
        "Close it, or double quotes that belong to the text; the file may have been cut short.",
    ),
    "a packed file": (
        gzip.compress(GOOD.encode()),
        "sales.csv: it holds gzip data, not CSV text. Unpack it first.",
    ),
    "a header alone": (
        lines(),
        "sales.csv: it has a header but no rows, and would leave the table empty. "
        "Export it again, or set allow_empty = true if that is meant.",
    ),
    "nothing at all": (
        "",
        "sales.csv: it is empty. Export it again, or take it away if there is nothing to load.",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_is_refused_fails_the_run_and_changes_nothing(lake: Lake, kind: str) -> None:
    content, sentence = REFUSED[kind]
    lake.configure(source())
    lake.write("sales.csv", GOOD)
    lake.load()
    lake.write("sales.csv", content)

    ran = lake.load()

    assert ran.ending == ("failed", 2)
    assert ran.error == sentence
    assert (ran.result["rows_read"], ran.result["sources"], ran.result["tables"]) == (0, {}, {})
    assert lake.rows() == [("a", 1), ("b", 2)]
    assert lake.snapshots() == 1
    assert not (ran.folder / "load" / "sales").exists()


def test_a_file_that_is_refused_far_down_leaves_nothing_of_what_came_before(lake: Lake) -> None:
    lake.configure(source(path="data"))
    lake.write("data/1.csv", lines(*(f"a{n},{n}" for n in range(120_000))))
    lake.write("data/2.csv", lines("b,1", '"c'))

    ran = lake.load()

    assert ran.ending == ("failed", 2)
    assert ran.error.startswith("data/2.csv, line 3: a quote in the record that begins here is never closed.")
    assert lake.table("raw.sales") is None
    assert lake.rejected() == []


def test_the_other_sources_are_loaded_and_every_refusal_is_named(lake: Lake) -> None:
    lake.configure(source("bad"), source("good"), source("late"))
    lake.write("bad.csv", "")
    lake.write("good.csv", GOOD)
    lake.write("late.csv", lines(*(f"a,x{n}" for n in range(11))))

    ran = lake.load()

    assert ran.ending == ("failed", 2)
    bad, late = ran.error.split("\n")
    assert bad == "bad.csv: it is empty. Export it again, or take it away if there is nothing to load."
    assert late.startswith("sources.late: 11 of 11 records were rejected, more than max_rejected = 0.01 tolerates.")
    assert ran.result["tables"] == {"raw.good": {"rows": 2}}
    assert lake.rows("raw.good") == [("a", 1), ("b", 2)]


def test_the_next_run_loads_what_was_refused_and_not_what_was_loaded(lake: Lake) -> None:
    lake.configure(source("bad"), source("good"))
    lake.write("bad.csv", "")
    lake.write("good.csv", GOOD)
    lake.load()
    lake.write("bad.csv", GOOD)

    ran = lake.load()

    assert ran.ending == ("success", 0)
    assert list(ran.result["sources"]) == ["bad"]
    assert (lake.snapshots("raw.bad"), lake.snapshots("raw.good")) == (1, 1)


def test_a_file_without_rows_empties_the_table_where_that_is_meant(lake: Lake) -> None:
    lake.configure(source(allow_empty=True))
    lake.write("sales.csv", GOOD)
    lake.load()
    lake.write("sales.csv", lines())

    ran = lake.load()

    assert ran.ending == ("success", 0)
    assert ran.counts("sales") == {"read": 0, "loaded": 0, "quarantined": 0}
    assert ran.result["tables"] == {"raw.sales": {"rows": 0}}
    assert lake.rows() == []
    assert lake.load().ending == ("unchanged", 0)


@pytest.mark.parametrize("disposition", ["append", "merge"])
def test_a_new_file_without_rows_adds_nothing_and_is_not_read_again(lake: Lake, disposition: str) -> None:
    lake.configure(source(disposition=disposition, key=["id"], path="data"))
    lake.write("data/1.csv", GOOD)
    lake.load()
    lake.write("data/2.csv", lines())

    ran = lake.load()

    assert ran.ending == ("success", 0)
    assert ran.counts("sales") == {"read": 0, "loaded": 0, "quarantined": 0}
    assert lake.rows() == [("a", 1), ("b", 2)]
    assert lake.load().ending == ("unchanged", 0)


def test_what_the_run_reports_of_a_file_names_blank_lines_and_columns_that_nobody_asked_for(lake: Lake) -> None:
    lake.configure(source())
    lake.write("sales.csv", lines("a,1,x,", "", "b,2,y,", header="id,n,note,"))

    ran = lake.load()

    assert ran.result["sources"]["sales"] == {
        "files": 1,
        "read": 2,
        "loaded": 2,
        "quarantined": 0,
        "blank_lines": 1,
        "ignored_columns": {"sales.csv": ["note", ""]},
        "rejected": [],
        "vanished": [],
    }
