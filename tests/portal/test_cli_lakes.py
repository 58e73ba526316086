"""The commands that make and change a lake: init, demo, load, build, refresh, run."""

import json
import shutil
import stat
from pathlib import Path

import pytest

from tests.conftest import SAMPLE_COLUMNS
from tests.pipelines.lake import Lake, source
from tests.portal.command_line import Said, lakeport

RESULT = {"run", "state", "release", "rows_read", "rows_loaded", "rows_quarantined", "tables", "tests"}
HEADER = ",".join(SAMPLE_COLUMNS)
LINE = "O-1,C-1,2024-01-01,Mouse,1,2.00,North\n"


def test_init_makes_a_lake_that_keeps_itself_out_of_git(tmp_path: Path) -> None:
    home = tmp_path / "a" / "shop"

    made = lakeport("init", str(home), "--json")

    assert (made.code, made.document) == (0, {"home": str(home)})
    assert stat.S_IMODE((home / ".lakeport").stat().st_mode) == 0o700
    assert (home / ".lakeport" / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert "[sources.sales]" in (home / "lakeport.toml").read_text(encoding="utf-8")
    assert lakeport("run", "list", "--json", home=home).document == []


def test_init_makes_a_lake_where_home_says(tmp_path: Path) -> None:
    made = lakeport("init", "--template", "empty", env={"LAKEPORT_HOME": str(tmp_path / "shop")})

    assert made.out.startswith(f"A lake is in {tmp_path / 'shop'}. Put its files where lakeport.toml says")
    assert (tmp_path / "shop" / "lakeport.toml").exists()


def test_init_leaves_a_lake_alone_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "lakeport.toml").write_text("# mine", encoding="utf-8")

    refused = lakeport("init", str(tmp_path), "--json")

    assert (refused.code, refused.error["kind"]) == (2, "RequestWrong")
    assert (tmp_path / "lakeport.toml").read_text(encoding="utf-8") == "# mine"


def test_init_where_no_folder_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    refused = lakeport("init", str(tmp_path / "file" / "shop"), "--json")

    assert (refused.code, refused.error["status"]) == (4, 503)


def test_the_demo_shows_its_figures_and_where_things_are(demo: tuple[Path, Said]) -> None:
    home, said = demo

    assert said.code == 0
    words = said.out.split()
    for figure in ("3,035,021.03", "1,000", "199", "3,023", "3,035.02", "664,975.76", "575,836.10"):
        assert figure in words
    assert f"settings  {home}/lakeport.toml" in said.out
    assert "load: 1 of 1 sources loaded" in said.err


def test_the_demo_a_second_time_finds_nothing_new(demo: tuple[Path, Said]) -> None:
    home, _ = demo

    again = lakeport("demo", "--no-serve", "--json", home=home)

    assert again.code == 0
    assert (again.document["release"], again.document["revenue"], again.document["orders"]) == (1, "3035021.03", "1000")
    assert again.document["by_region"]["West"] == "664975.76"
    assert lakeport("run", "list", "--json", home=home).document[0]["state"] == "unchanged"


def test_another_demo_needs_the_old_one_thrown_away(demo: tuple[Path, Said]) -> None:
    home, _ = demo

    refused = lakeport("demo", "--no-serve", "--rows", "50", "--json", home=home)

    assert refused.code == 2
    assert refused.error["text"] == "The demo was made with 1,000 rows and seed 42. Add --reset."


@pytest.mark.slow
def test_a_reset_demo_is_a_new_one(tmp_path: Path) -> None:
    assert lakeport("demo", "--no-serve", "--rows", "20", "--json", home=tmp_path).document["orders"] != "0"
    (tmp_path / "data" / "sales.csv").write_text(f"{HEADER}\n{LINE}", encoding="utf-8")
    (tmp_path / "lakeport.toml").unlink()

    again = lakeport("demo", "--no-serve", "--reset", "--rows", "30", "--seed", "7", "--json", home=tmp_path)

    assert (again.code, again.document["release"]) == (0, 1)
    assert len((tmp_path / "data" / "sales.csv").read_text(encoding="utf-8").splitlines()) == 31


@pytest.mark.slow
def test_a_demo_whose_lake_was_removed_is_made_again_from_its_data(tmp_path: Path) -> None:
    lakeport("demo", "--no-serve", "--rows", "20", "--seed", "7", "--json", home=tmp_path)
    data = tmp_path / "data" / "sales.csv"
    data.write_text(data.read_text(encoding="utf-8") + LINE, encoding="utf-8")
    shutil.rmtree(tmp_path / ".lakeport")

    again = lakeport("demo", "--no-serve", "--json", home=tmp_path)

    assert again.code == 0
    counted = lakeport("query", "select count(*) from raw.sales", "--json", home=tmp_path)
    assert counted.document["rows"] == [[21]]
    assert (tmp_path / ".lakeport" / ".gitignore").read_text(encoding="utf-8") == "*\n"


@pytest.mark.parametrize("reset", [[], ["--reset"]])
@pytest.mark.parametrize("place", ["lakeport.toml", ".lakeport/state.db", "data/sales.csv"])
def test_a_demo_never_touches_what_it_has_not_made(tmp_path: Path, place: str, reset: list[str]) -> None:
    mine = tmp_path / place
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine", encoding="utf-8")

    refused = lakeport("demo", "--no-serve", *reset, "--json", home=tmp_path)

    assert refused.code == 2
    assert "Name another folder with --home" in refused.error["text"]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]
    assert mine.read_text(encoding="utf-8") == "mine"


@pytest.mark.slow
def test_half_a_demo_is_made_whole(tmp_path: Path) -> None:
    (tmp_path / ".lakeport").mkdir(mode=0o700)
    (tmp_path / ".lakeport" / "demo.json").write_text(json.dumps({"rows": 20, "seed": 1}), encoding="utf-8")

    assert lakeport("demo", "--no-serve", "--rows", "20", "--json", home=tmp_path).code == 0


def test_a_demo_that_fails_is_an_error_with_its_exit_code(demo: tuple[Path, Said], tmp_path: Path) -> None:
    (tmp_path / ".lakeport").mkdir()
    (tmp_path / ".lakeport" / "demo.json").write_text(json.dumps({"rows": 1000, "seed": 42}), encoding="utf-8")
    (tmp_path / "lakeport.toml").write_text(source(columns=SAMPLE_COLUMNS), encoding="utf-8")

    failed = lakeport("demo", "--no-serve", "--json", home=tmp_path)

    assert (failed.code, failed.error["kind"]) == (2, "RequestWrong")
    assert failed.error["text"].startswith("sales.csv: no file is there.")


def test_load_then_build_is_a_refresh_in_two_steps(lake: Lake) -> None:
    lake.configure(source(columns=SAMPLE_COLUMNS))
    lake.write("sales.csv", f"{HEADER.replace('region', 'region,note')}\n{LINE.rstrip()},hello\nx\n")

    loaded = lakeport("load", home=lake.home)
    again = lakeport("load", "--quiet", home=lake.home)
    built = lakeport("build", "--json", home=lake.home)

    assert "Loaded, not released yet: 1 rows loaded, 1 quarantined." in loaded.out
    assert "sales: sales.csv has columns that are not loaded: note." in loaded.out
    assert (again.code, again.out, again.err) == (0, "", "")
    assert built.document.keys() >= RESULT
    assert (built.document["state"], built.document["release"]) == ("success", 1)
    assert built.document["tables"]["marts.order_lines"] == {"rows": 1}
    assert built.document["tests"]["failed"] == 0


def test_nothing_loaded_and_nothing_released_is_said_as_such(lake: Lake) -> None:
    lake.configure(source())
    lake.write("sales.csv", "id,n\na,1\n")
    lakeport("load", home=lake.home)

    again = lakeport("load", home=lake.home)

    assert again.out.startswith("Unchanged: nothing new was loaded, and nothing has been released yet.")


def test_an_unchanged_refresh_says_which_release_holds(demo_home: Path) -> None:
    shown = lakeport("refresh", home=demo_home)
    told = lakeport("refresh", "--json", home=demo_home)

    assert shown.out.startswith("Unchanged: release 1 holds what is there. Run ")
    assert told.document.keys() >= RESULT
    assert (told.code, told.document["state"], told.document["release"]) == (0, "unchanged", 1)


def test_runs_are_listed_newest_first_and_shown_one_by_one(demo: tuple[Path, Said]) -> None:
    home, _ = demo
    lakeport("refresh", home=home)
    runs = lakeport("run", "list", "--json", home=home).document

    newest = lakeport("run", "show", "--json", home=home).document
    first = lakeport("run", "show", runs[-1]["run"], home=home).out

    assert newest == runs[0]
    assert newest.keys() >= {*RESULT, "started", "ended", "error", "env", "starter"}
    assert newest["starter"].startswith("operator:")
    assert "state: success\n" in first
    assert 'tests: {"passed": ' in first
    assert len(lakeport("run", "list", "--limit", "1", "--json", home=home).document) == 1


def test_the_list_of_runs_has_times_to_the_second(demo: tuple[Path, Said]) -> None:
    home, _ = demo
    first = lakeport("run", "list", "--json", home=home).document[-1]

    row = lakeport("run", "list", home=home).out.splitlines()[-1]

    state, release, started, took, run = (cell.strip() for cell in row.split("│"))
    assert (state, release, run) == ("success", "1", first["run"])
    assert started == f"{first['started'][:10]} {first['started'][11:19]}Z"
    assert took.endswith(" s")
