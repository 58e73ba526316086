"""Records that cannot be loaded: where they go, how many are tolerated, and that none gets lost."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.lake import Lake, lines, source

NOT_WHOLE = "not a whole number"


def good_and_bad(good: int, bad: int) -> str:
    """A file with so many good records, and then so many bad ones."""
    return lines(*(f"g{n},{n}" for n in range(good)), *(f"b{n},x{n}" for n in range(bad)))


def too_many(rejected: int, records: str, share: str, first: str, path: Path) -> str:
    return (
        f"sources.sales: {rejected} of {records} records were rejected, more than max_rejected = {share} tolerates. "
        f"Nothing of it was loaded. The first: {first}. All of them: {path}."
    )


def test_a_bad_record_goes_to_quarantine_with_all_that_is_known_of_it(lake: Lake) -> None:
    lake.configure(source())
    lake.write("sales.csv", lines('"a\nb",1', 'c,"x ""2"""', "d,2", "e", ",3"))

    ran = lake.load()

    assert ran.ending == ("success", 0)
    assert ran.counts("sales") == {"read": 5, "loaded": 2, "quarantined": 3}
    assert [ran.result[f"rows_{name}"] for name in ("read", "loaded", "quarantined")] == [5, 2, 3]
    assert lake.rows() == [("a\nb", 1), ("d", 2)]
    columns = ("source", "file", "line", "record", "column_name", "value", "reason", "fields")
    assert lake.rejected(*columns) == [
        ("sales", "sales.csv", 4, 2, "n", 'x "2"', NOT_WHOLE, json.dumps(["c", 'x "2"'])),
        ("sales", "sales.csv", 6, 4, None, None, "1 field instead of 2", json.dumps(["e"])),
        ("sales", "sales.csv", 7, 5, "id", "", "empty, but a value is required", json.dumps(["", "3"])),
    ]


def test_a_replace_replaces_the_quarantine_of_its_own_source_only(lake: Lake) -> None:
    lake.configure(source(), source("stock"))
    lake.write("sales.csv", lines("a,1", "b,x"))
    lake.write("stock.csv", lines("c,y"))
    lake.load()

    lake.write("sales.csv", lines("a,1", "b,2", "d,z"))
    ran = lake.load()

    assert list(ran.result["sources"]) == ["sales"]
    assert lake.rejected("source", "value") == [("sales", "z"), ("stock", "y")]

    lake.write("sales.csv", lines("a,1", "b,2"))
    lake.load()

    assert lake.rejected("source", "value") == [("stock", "y")]
    assert lake.rows() == [("a", 1), ("b", 2)]


def test_a_file_of_which_everything_is_rejected_but_tolerated_leaves_an_empty_table(lake: Lake) -> None:
    lake.configure(source())
    lake.write("sales.csv", good_and_bad(0, 10))

    ran = lake.load()

    assert ran.ending == ("success", 0)
    assert ran.counts("sales") == {"read": 10, "loaded": 0, "quarantined": 10}
    assert lake.rows() == []
    assert len(lake.rejected()) == 10


@pytest.mark.parametrize(("good", "bad", "settings"), [(0, 10, {}), (1188, 12, {}), (20, 20, {"max_rejected": 0.5})])
def test_as_many_rejected_records_as_are_tolerated_pass(
    lake: Lake, good: int, bad: int, settings: dict[str, Any]
) -> None:
    lake.configure(source(**settings))
    lake.write("sales.csv", good_and_bad(good, bad))

    ran = lake.load()

    assert ran.ending == ("success", 0)
    assert ran.counts("sales") == {"read": good + bad, "loaded": good, "quarantined": bad}


@pytest.mark.parametrize(
    ("good", "bad", "share", "records"),
    [(500, 11, 0.01, "511"), (1187, 12, 0.01, "1,199"), (19, 20, 0.5, "39"), (100, 11, 0, "111")],
)
def test_one_rejected_record_more_fails_the_run_and_nothing_of_it_is_loaded(
    lake: Lake, good: int, bad: int, share: float, records: str
) -> None:
    lake.configure(source(max_rejected=share))
    lake.write("sales.csv", lines("old,0", "older,x"))
    lake.load()
    lake.write("sales.csv", good_and_bad(good, bad))

    ran = lake.load()

    assert ran.ending == ("failed", 1)
    path = ran.folder / "rejected-sales.csv"
    first = "; ".join(f"sales.csv, line {good + 2 + n}, n: {NOT_WHOLE}" for n in range(3))
    assert ran.error == too_many(bad, records, f"{share:g}", first, path)
    assert [ran.result["rows_read"], ran.result["sources"], ran.result["release"]] == [0, {}, None]
    assert lake.rows() == [("old", 0)]
    assert lake.rejected("value") == [("x",)]
    assert (lake.snapshots(), lake.snapshots("raw.quarantine")) == (1, 1)


def test_the_rejected_records_of_a_failed_load_stand_whole_in_its_folder(lake: Lake) -> None:
    lake.configure(source())
    lake.write("sales.csv", lines(*(f'"a""{n}",x' for n in range(11))))

    ran = lake.load()

    with (ran.folder / "rejected-sales.csv").open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["line"] for row in written] == [str(line) for line in range(2, 13)]
    assert {(row["source"], row["file"], row["column_name"], row["value"]) for row in written} == {
        ("sales", "sales.csv", "n", "x")
    }
    assert [json.loads(row["fields"]) for row in written] == [[f'a"{n}', "x"] for n in range(11)]


def test_rows_with_the_same_key_count_among_the_rejected_ones(lake: Lake) -> None:
    lake.configure(source(key=["id"]))
    lake.write("sales.csv", lines(*["a,1"] * 11, "b,x"))

    ran = lake.load()

    assert ran.ending == ("failed", 1)
    first = (
        f"sales.csv, line 13, n: {NOT_WHOLE}; sales.csv, line 3, id: duplicate: an equal row with this key is kept; "
        "sales.csv, line 4, id: duplicate: an equal row with this key is kept"
    )
    assert ran.error == too_many(11, "12", "0.01", first, ran.folder / "rejected-sales.csv")
    assert lake.table("raw.sales") is None


def test_a_later_good_load_clears_what_a_failed_one_could_not(lake: Lake) -> None:
    lake.configure(source())
    lake.write("sales.csv", good_and_bad(0, 11))
    lake.load()
    lake.write("sales.csv", good_and_bad(3, 1))

    ran = lake.load()

    assert ran.counts("sales") == {"read": 4, "loaded": 3, "quarantined": 1}
    assert lake.rejected() == [("sales.csv", 5, NOT_WHOLE)]
