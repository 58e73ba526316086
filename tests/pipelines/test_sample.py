"""The sample generator: the thousand to the byte, and realistic sets that are reproducible and look real."""

import csv
import hashlib
import os
import subprocess
import sys
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from lakehouse.errors import RequestWrong, Unavailable
from pipelines.sample import realistic
from pipelines.sample.generator import write_sample

Line = dict[str, str]
LARGE = 120_000
LARGE_SHA256 = "b08b7525bece0fc9e0f7fcadb7bd05249a5c310ebb8492db447c52ff38dc5b45"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lines_of(path: Path) -> list[Line]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("thousand") / "sales.csv"
    write_sample(path)
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "sales.csv"
    write_sample(path, LARGE, seed=1)
    return path


@pytest.fixture(scope="module")
def lines(large: Path) -> list[Line]:
    return lines_of(large)


def test_the_thousand_never_changes(thousand: Path) -> None:
    text = thousand.read_text(encoding="utf-8")

    assert sha256(thousand) == "be034dacd4fb81cc138ae00ba8813aa3aceb38a18abfbab9402742d6dc040670"
    assert text.splitlines()[:2] == [
        "order_id,customer_id,order_date,product,quantity,amount,region",
        "ORD-0001,CUST-0029,2024-03-22,Laptop,3,504.89,South",
    ]
    assert text.endswith("\n")
    assert "\r" not in text


def test_the_thousand_adds_up_to_the_figures_in_the_documents(thousand: Path) -> None:
    rows = lines_of(thousand)
    revenue: dict[str, Decimal] = {}
    for row in rows:
        line_total = int(row["quantity"]) * Decimal(row["amount"])
        revenue[row["region"]] = revenue.get(row["region"], Decimal(0)) + line_total

    assert revenue == {
        "West": Decimal("664975.76"),
        "North": Decimal("609846.27"),
        "South": Decimal("600283.06"),
        "East": Decimal("584079.84"),
        "Central": Decimal("575836.10"),
    }
    assert sum(revenue.values()) == Decimal("3035021.03")
    assert sum(int(row["quantity"]) for row in rows) == 3023
    assert len({row["order_id"] for row in rows}) == 1000
    assert len({row["customer_id"] for row in rows}) == 199
    assert len({(row["order_date"], row["region"], row["product"]) for row in rows}) == 865
    assert min(row["order_date"] for row in rows) == "2024-01-01"
    assert max(row["order_date"] for row in rows) == "2024-03-30"


@pytest.mark.parametrize(
    ("rows", "seed", "digest"),
    [
        (1, 1, "077bb9b7d22dc014c3ee8926bbbb379ff78e0d19e438dac802927c1210b9c5ad"),
        (999, 42, "0e621bfdf22cb3fde8fcde65156728304c03157e4ce89596f25130468448506c"),
        (1000, 43, "7f48414fe353512b23a073d75eafdfc77f88bb00523f0ca09073ac957345fff3"),
        (2500, 7, "180daf166219da44fd051d064565780a949096288cc815354efaad57b4435cab"),
    ],
)
def test_a_realistic_set_is_the_same_everywhere(tmp_path: Path, rows: int, seed: int, digest: str) -> None:
    path = tmp_path / "sales.csv"

    write_sample(path, rows, seed)

    assert sha256(path) == digest
    assert len(lines_of(path)) == rows


def test_a_large_set_is_the_same_however_the_work_is_cut(
    large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sales.csv"
    monkeypatch.setattr(realistic, "ORDERS_A_CHUNK", 1_237)

    write_sample(path, LARGE, seed=1)

    assert sha256(large) == LARGE_SHA256
    assert sha256(path) == LARGE_SHA256


def test_dates_never_go_back_and_cover_three_whole_years(lines: list[Line]) -> None:
    dates = [line["order_date"] for line in lines]

    assert dates == sorted(dates)
    assert (dates[0], dates[-1]) == ("2022-01-01", "2024-12-31")
    assert len(set(dates)) == 365 + 365 + 366


def test_every_year_is_busier_than_the_one_before(lines: list[Line]) -> None:
    years = Counter(line["order_date"][:4] for line in lines)

    assert 1.15 < years["2023"] / years["2022"] < 1.30
    assert 1.15 < years["2024"] / years["2023"] < 1.30


def test_december_is_the_best_month_and_sunday_the_quietest_day(lines: list[Line]) -> None:
    months = Counter(line["order_date"][5:7] for line in lines)
    days = Counter(date.fromisoformat(line["order_date"]).weekday() for line in lines)

    assert months.most_common(2)[0][0] == "12"
    assert months.most_common(2)[1][0] == "11"
    assert months["12"] > 1.5 * months["02"]
    assert min(days, key=days.__getitem__) == 6
    assert max(days, key=days.__getitem__) == 4
    assert days[4] > 2 * days[6]


def test_an_order_has_several_lines_that_agree(lines: list[Line]) -> None:
    orders: dict[str, list[Line]] = {}
    for line in lines:
        orders.setdefault(line["order_id"], []).append(line)
    lengths = Counter(len(order) for order in orders.values())

    assert lengths[1] > lengths[2] > lengths[3] > 0
    assert max(lengths) == 8
    assert 2.3 < len(lines) / len(orders) < 2.8
    for order in orders.values():
        assert len({(line["order_date"], line["customer_id"], line["region"]) for line in order}) == 1
        assert len({line["quantity"].startswith("-") for line in order}) == 1


def test_some_lines_are_returns_and_some_have_no_customer(lines: list[Line]) -> None:
    returned = sum(int(line["quantity"]) < 0 for line in lines)
    unknown = sum(line["customer_id"] == "" for line in lines)

    assert 0.025 < returned / LARGE < 0.035
    assert 0.05 < unknown / LARGE < 0.07
    assert all(int(line["quantity"]) != 0 and Decimal(line["amount"]) > 0 for line in lines)


def test_few_products_and_customers_sell_most(lines: list[Line]) -> None:
    products = Counter(line["product"] for line in lines)
    customers = Counter(line["customer_id"] for line in lines if line["customer_id"])
    best = sum(count for _, count in customers.most_common(900))

    assert len(products) == 96
    assert [name for name, _ in products.most_common(3)] == ["Laptop", "Monitor", "Keyboard"]
    assert 1.8 < products["Laptop"] / products["Monitor"] < 2.2
    assert 0.28 < best / customers.total() < 0.40
    assert len(customers) > 8_000
    assert all(len(name) == 9 and name.startswith("CUST-") for name in customers)


def test_regions_are_uneven_and_a_customer_has_one(lines: list[Line]) -> None:
    regions = Counter(line["region"] for line in lines)
    homes = {(line["customer_id"], line["region"]) for line in lines if line["customer_id"]}

    assert [name for name, _ in regions.most_common()] == ["West", "North", "South", "East", "Central"]
    assert 2 < regions["West"] / regions["Central"] < 4
    assert len(homes) == len({customer for customer, _ in homes})


def test_a_product_is_sold_near_its_list_price(lines: list[Line]) -> None:
    prices = dict(realistic.CATALOGUE)

    assert all(0.89 < float(line["amount"]) * 100 / prices[line["product"]] < 1.11 for line in lines)


def test_progress_counts_up_to_all_rows(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    write_sample(tmp_path / "sales.csv", 250_000, 1, lambda done, total: told.append((done, total)))

    assert len(told) > 1
    assert told == sorted(told)
    assert told[-1] == (250_000, 250_000)


def test_a_file_that_was_interrupted_leaves_the_old_one_alone(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("what stood here", encoding="utf-8")

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample(path, 5000, 1, interrupt)

    assert path.read_text(encoding="utf-8") == "what stood here"
    assert os.listdir(tmp_path) == ["sales.csv"]


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    path = tmp_path / "data" / "in" / "sales.csv"

    write_sample(path, 10, 1)

    assert os.listdir(path.parent) == ["sales.csv"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder should be", encoding="utf-8")
    path = tmp_path / "data" / "sales.csv"

    with pytest.raises(Unavailable) as caught:
        write_sample(path)

    assert str(caught.value).startswith(f"{path} could not be written: ")
    assert str(caught.value).endswith(". Make room there or choose another place.")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")
def test_a_full_disk_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    (tmp_path / f".sales.csv.{os.getpid()}.partial").symlink_to("/dev/full")

    with pytest.raises(Unavailable, match="No space left on device"):
        write_sample(path)

    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("rows", "seed", "message"),
    [
        (0, 42, "0 rows of sample data cannot be made. Ask for 1 to 1,000,000,000."),
        (-5, 42, "-5 rows of sample data cannot be made. Ask for 1 to 1,000,000,000."),
        (10**9 + 1, 42, "1,000,000,001 rows of sample data cannot be made. Ask for 1 to 1,000,000,000."),
        (10, -1, "-1 cannot be a seed. Use a whole number from 0 to 2^64 - 1."),
        (10, 2**64, f"{2**64} cannot be a seed. Use a whole number from 0 to 2^64 - 1."),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path: Path, rows: int, seed: int, message: str) -> None:
    with pytest.raises(RequestWrong) as caught:
        write_sample(tmp_path / "sales.csv", rows, seed)

    assert str(caught.value) == message
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    script = (
        "import re, sys; from pathlib import Path; from pipelines.sample.generator import write_sample;"
        "write_sample(Path(sys.argv[1]), int(sys.argv[2]), 1);"
        "print(re.search(r'VmHWM:\\s+(\\d+) kB', Path('/proc/self/status').read_text())[1])"
    )

    def peak_kb(rows: int) -> int:
        # Not ru_maxrss: a child starts with the peak of the process that forked it.
        command = [sys.executable, "-c", script, str(tmp_path / "sales.csv"), str(rows)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    few, many = peak_kb(200_000), peak_kb(1_000_000)

    # A million lines are 57 MB of text and some 300 MB of Python strings: holding them would show.
    assert many < few + 20_000
