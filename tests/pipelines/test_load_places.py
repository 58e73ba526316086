"""Where files come from and rows go to: paths, folders, globs, several sources, other names."""

from typing import Any

import pytest

from tests.pipelines.lake import Lake, lines, source

FILES = (
    "data/1.csv",
    "data/2.txt",
    "data/.hidden.csv",
    "data/deep/3.csv",
    "data/deep/er/4.csv",
    "5.csv",
    ".inbox/6.csv",
    ".lakeport/runs/run-0/rejected-sales.csv",
)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("5.csv", ["5.csv"]),
        ("./5.csv", ["5.csv"]),
        ("data", ["data/1.csv", "data/2.txt"]),
        ("data/", ["data/1.csv", "data/2.txt"]),
        ("data/*.csv", ["data/1.csv"]),
        ("data/*/*.csv", ["data/deep/3.csv"]),
        ("data/**/*.csv", ["data/1.csv", "data/deep/3.csv", "data/deep/er/4.csv"]),
        ("**/[45].csv", ["5.csv", "data/deep/er/4.csv"]),
        ("**/*.csv", ["5.csv", "data/1.csv", "data/deep/3.csv", "data/deep/er/4.csv"]),
        (".inbox/*.csv", [".inbox/6.csv"]),
    ],
)
def test_a_path_names_files_by_their_place_in_the_lake(lake: Lake, path: str, found: list[str]) -> None:
    for file in FILES:
        lake.write(file, lines(f"{file},1"))
    lake.configure(source(path=path))

    lake.load()

    assert lake.rows("raw.sales", "id", "_file") == [(file, file) for file in found]


def test_files_elsewhere_are_named_by_their_whole_path(lake: Lake) -> None:
    outside = lake.home.parent / "outside"
    outside.mkdir()
    for name in ("a", "b"):
        (outside / f"{name}.csv").write_text(lines(f"{name},1"), encoding="utf-8")
    lake.configure(
        source("one", path=str(outside / "a.csv")),
        source("all", path=str(outside / "*.csv")),
        source("folder", path=str(outside)),
        source("near", path="../outside/b.csv"),
    )

    lake.load()

    a, b = str(outside / "a.csv"), str(outside / "b.csv")
    assert lake.rows("raw.one", "id", "_file") == [("a", a)]
    assert lake.rows("raw.all", "id", "_file") == lake.rows("raw.folder", "id", "_file") == [("a", a), ("b", b)]
    assert lake.rows("raw.near", "id") == [("b",)]


@pytest.mark.parametrize("path", ["sales.csv", "data", "data/*.csv", "elsewhere/**/*.csv"])
def test_where_no_file_is_the_source_is_refused_and_the_others_are_loaded(lake: Lake, path: str) -> None:
    (lake.home / "data").mkdir()
    lake.write("good.csv", lines("a,1"))
    lake.configure(source(path=path), source("good"))

    ran = lake.load()

    assert ran.ending == ("failed", 2)
    assert ran.error == f"{path}: no file is there. Put one there, or change path of sources.sales."
    assert lake.table("raw.sales") is None
    assert lake.rows("raw.good") == [("a", 1)]


def test_where_no_file_may_be_the_table_is_there_and_empty(lake: Lake) -> None:
    lake.configure(source(path="data/*.csv", allow_empty=True))

    ran = lake.load()

    assert ran.ending == ("success", 0)
    assert ran.counts("sales") == {"read": 0, "loaded": 0, "quarantined": 0}
    table = lake.table("raw.sales")
    assert table is not None
    assert table.column_names == ["line_id", "id", "n", "_file", "_line"]
    assert lake.load().ending == ("unchanged", 0)


def test_a_link_that_leads_nowhere_is_no_file(lake: Lake) -> None:
    lake.configure(source())
    lake.write("sales.csv", lines("a,1"))
    lake.load()
    (lake.home / "sales.csv").unlink()
    (lake.home / "sales.csv").symlink_to(lake.home / "sales.csv")

    ran = lake.load()

    assert ran.ending == ("failed", 2)
    assert ran.error == "sales.csv: no file is there. Put one there, or change path of sources.sales."
    assert lake.rows() == [("a", 1)]


def test_two_sources_fill_two_tables(lake: Lake) -> None:
    lake.configure(source("shop", table="sales"), source("stock", key=["id"]))
    lake.write("shop.csv", lines("a,1", "a,x"))
    lake.write("stock.csv", lines("b,2", "b,3"))

    ran = lake.load()

    assert ran.counts("shop") == {"read": 2, "loaded": 1, "quarantined": 1}
    assert ran.counts("stock") == {"read": 2, "loaded": 0, "quarantined": 2}
    assert [ran.result[f"rows_{name}"] for name in ("read", "loaded", "quarantined")] == [4, 1, 3]
    assert ran.result["tables"] == {"raw.sales": {"rows": 1}, "raw.stock": {"rows": 0}}
    assert lake.rejected("source", "line") == [("shop", 3), ("stock", 2), ("stock", 3)]


def test_one_source_can_be_loaded_alone(lake: Lake) -> None:
    lake.configure(source(), source("stock"))
    lake.write("sales.csv", lines("a,1"))
    lake.write("stock.csv", lines("b,2"))

    ran = lake.load(source="stock")

    assert list(ran.result["sources"]) == ["stock"]
    assert lake.table("raw.sales") is None
    assert lake.rows("raw.stock") == [("b", 2)]


@pytest.mark.parametrize("disposition", ["replace", "append", "merge"])
def test_a_source_with_another_table_is_loaded_there_anew(lake: Lake, disposition: str) -> None:
    settings: dict[str, Any] = {"disposition": disposition, "key": ["id"] if disposition == "merge" else []}
    lake.configure(source(**settings))
    lake.write("sales.csv", lines("a,1", "b,x"))
    lake.load()

    lake.configure(source(table="orders", **settings))
    ran = lake.load()

    assert ran.counts("sales") == {"read": 2, "loaded": 1, "quarantined": 1}
    assert ran.result["tables"] == {"raw.orders": {"rows": 1}}
    assert lake.rows("raw.orders") == lake.rows("raw.sales") == [("a", 1)]
    assert lake.rejected() == [("sales.csv", 3, "not a whole number")]


@pytest.mark.parametrize("disposition", ["replace", "append", "merge"])
def test_a_source_with_another_name_does_not_double_the_rows_of_its_table(lake: Lake, disposition: str) -> None:
    settings: dict[str, Any] = {"disposition": disposition, "key": ["id"] if disposition == "merge" else []}
    lake.configure(source("old", table="sales", path="data", **settings))
    lake.write("data/1.csv", lines("a,1"))
    lake.load()

    lake.configure(source("new", table="sales", path="data", **settings))
    ran = lake.load()

    assert ran.counts("new") == {"read": 1, "loaded": 1, "quarantined": 0}
    assert lake.rows() == [("a", 1)]


def test_a_source_that_was_taken_away_is_not_loaded_any_more(lake: Lake) -> None:
    lake.configure(source(), source("stock"))
    lake.write("sales.csv", lines("a,1"))
    lake.write("stock.csv", lines("b,2"))
    lake.load()

    lake.configure(source())
    lake.write("stock.csv", lines("b,3"))

    assert lake.load().ending == ("unchanged", 0)
    assert lake.rows("raw.stock") == [("b", 2)]


def test_a_file_without_a_header_in_another_encoding_and_with_another_delimiter_is_loaded(lake: Lake) -> None:
    lake.configure(source(header=False, encoding="cp1252", delimiter=";"))
    lake.write("sales.csv", "caf\xe9 \x80;1\nna\xefve;2\n".encode("latin-1"))

    lake.load()

    assert lake.rows("raw.sales", "id", "n", "_line") == [("café €", 1, 1), ("naïve", 2, 2)]
