"""Other hands in the lake: a file that changes after a crash, and a program that writes to the tables itself."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from fault_lake import ONE_MORE, FaultLake
from prepared_lakes import KILLED, Prepared

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def edited(prepared: Callable[[str], Prepared]) -> Prepared:
    return prepared("edited")


@pytest.fixture
def lake(edited: Prepared) -> FaultLake:
    edited.lake.put_back()
    return edited.lake


def write_from_outside(lake: FaultLake, table: str) -> None:
    """Another program appends a row that is there already."""
    with closing(lake.catalog()) as catalog:
        head = catalog.head(table)
        assert head is not None
        head.append(head.scan(limit=1).to_arrow())


@pytest.mark.parametrize("point", ["mark:sales intended", "mark:sales committed"])
def test_a_file_that_changes_after_a_crash_is_loaded_as_it_is_now(lake: FaultLake, tmp_path: Path, point: str) -> None:
    assert lake.refresh(point).code == KILLED
    lake.append("1.csv", [ONE_MORE[0].replace("1001", "1002")])
    undisturbed = FaultLake(tmp_path / "lake", "replace")
    undisturbed.append("1.csv", [*ONE_MORE, ONE_MORE[0].replace("1001", "1002")])

    made_good = lake.refresh()

    assert (made_good.code, made_good.result["rows_loaded"]) == (0, 1002)
    assert undisturbed.refresh().code == 0
    assert lake.content() == undisturbed.content()


def test_a_release_that_was_completed_after_a_crash_stays_a_version_of_its_own(
    edited: Prepared, lake: FaultLake
) -> None:
    assert lake.refresh("mark:committed").code == KILLED
    lake.append("1.csv", [ONE_MORE[0].replace("1001", "1002")])

    made_good = lake.refresh()

    assert (made_good.code, made_good.result["release"]) == (0, 3)
    assert lake.content("2") == edited.content
    assert len(lake.content()["raw.sales"]) == 1002


@pytest.mark.parametrize(
    ("point", "table", "unfinished"),
    [
        ("mark:intent", "marts.order_lines", "release"),
        ("mark:intent", "staging.stg_sales_excluded", "release"),
        ("mark:sales intended", "raw.sales", "load of sales"),
        ("mark:sales intended", "raw.quarantine", "load of sales"),
    ],
)
def test_what_was_overtaken_from_outside_is_given_up_and_done_again(
    edited: Prepared, lake: FaultLake, point: str, table: str, unfinished: str
) -> None:
    assert lake.refresh(point).code == KILLED
    write_from_outside(lake, table)

    made_good = lake.refresh()

    assert made_good.code == 0
    assert f"The unfinished {unfinished}" in made_good.result["repaired"][0]
    assert made_good.result["repaired"][0].endswith("was overtaken and discarded.")
    assert lake.content() == edited.content
    assert lake.half_done() == []
    assert lake.refresh().result["state"] == "unchanged"


def test_a_foreign_row_is_not_released_before_something_new_is_there_and_tested(
    edited: Prepared, lake: FaultLake
) -> None:
    write_from_outside(lake, "marts.order_lines")

    quiet = lake.figures()
    ended = lake.refresh()

    assert quiet == edited.before
    assert ended.code == 0
    assert lake.content() == edited.content


def test_a_foreign_row_in_a_raw_table_that_breaks_a_test_is_never_released(full: Callable[[], Prepared]) -> None:
    lake = full().lake
    lake.put_back()
    write_from_outside(lake, "raw.sales")  # its line_id is there twice now

    ended = lake.refresh()

    assert ended.code == 1
    assert "source_unique_raw_sales_line_id" in ended.error
    assert lake.figures() == full().before


def test_a_foreign_row_in_a_raw_table_meets_the_tests_before_any_reader(edited: Prepared, lake: FaultLake) -> None:
    assert lake.refresh().code == 0
    write_from_outside(lake, "raw.sales")

    unnoticed = lake.refresh()
    looked_closer = lake.refresh("", "--source", "sales", "--full")

    assert unnoticed.result["state"] == "unchanged"  # the gate looks at files only, and readers at the release
    assert looked_closer.code == 0
    assert lake.content() == edited.content
