"""Lakes: an empty one for every test that wants its own, and two filled ones for tests that only read.

One rule: a lake of the session is never changed by a test.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from lakehouse.core import Workspace
from pipelines.sample.generator import write_sample
from tests.pipelines.lake import ROOT, Lake, source

RETAIL = ROOT.parent / "shared" / "data" / "online_retail_ii_sample.csv"
SAMPLE_COLUMNS = {
    "order_id": "text",
    "customer_id": "text",
    "order_date": "date",
    "product": "text",
    "quantity": "integer",
    "amount": "decimal(18,2)",
    "region": "text",
}
RETAIL_COLUMNS = {
    "order_id": 'from = "Invoice", type = "text"',
    "customer_id": 'from = "Customer ID", type = "text", required = false',
    "order_date": 'from = "InvoiceDate", type = "timestamp"',
    "product": 'from = "Description", type = "text"',
    "quantity": 'from = "Quantity", type = "integer"',
    "amount": 'from = "Price", type = "decimal(18,2)"',
    "region": 'from = "Country", type = "text"',
    "stock_code": 'from = "StockCode", type = "text"',
}
LATE_LINE = "ORD-9999,CUST-0001,2024-03-31,Laptop,1,1500.00,North\n"


settings.register_profile("lakeport", deadline=None)  # others use the machine too, and a pause is no failure
settings.load_profile("lakeport")


@pytest.fixture(autouse=True, scope="session")
def _quiet_tools() -> None:
    """The tools neither call home nor log, as in the child process of a run."""
    os.environ.update(RUNTIME__DLTHUB_TELEMETRY="false", RUNTIME__LOG_LEVEL="CRITICAL", DO_NOT_TRACK="1")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake of the test's own, in a folder whose name needs quoting."""
    home = tmp_path / "it's a lake"
    home.mkdir()
    return Lake(home)


@pytest.fixture(scope="session")
def sample_lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The thousand as release 1, and one line more as release 2."""
    lake = Lake(tmp_path_factory.mktemp("sample"))
    lake.configure(source(columns=SAMPLE_COLUMNS, key=["order_id"]))
    write_sample(lake.home / "sales.csv")
    assert lake.start().ending == ("success", 0)
    with (lake.home / "sales.csv").open("a", encoding="utf-8") as file:
        file.write(LATE_LINE)
    assert lake.start().ending == ("success", 0)
    return lake


@pytest.fixture(scope="session")
def sample(sample_lake: Lake) -> Iterator[Workspace]:
    """The sample lake, as its operator sees it."""
    with sample_lake.open() as workspace:
        yield workspace


@pytest.fixture(scope="session")
def retail_lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Real order lines of a retailer, which have no key, loaded with nothing but settings."""
    if not RETAIL.exists():
        pytest.skip(f"the retail data is not there: {RETAIL}")
    lake = Lake(tmp_path_factory.mktemp("retail"))
    lake.configure('[lake]\ncurrency = "GBP"', source(columns=RETAIL_COLUMNS, path=str(RETAIL)))
    assert lake.start().ending == ("success", 0)
    return lake


@pytest.fixture(scope="session")
def retail(retail_lake: Lake) -> Iterator[Workspace]:
    """The retail lake, as its operator sees it."""
    with retail_lake.open() as workspace:
        yield workspace
