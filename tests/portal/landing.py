"""A lake whose releases land within milliseconds, and whose numbers say which release they are of.

One rule: they are published as a refresh publishes them; only what dbt would have built is written here. Release n has
every base line n times, in its quantity, and n lines more on the last day: no two releases share a number.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from lakehouse.query.pins import Pin
from lakehouse.runs import Ending, Runs
from lakehouse.state.store import open_state
from lakehouse.tables.catalog import TableCatalog
from lakehouse.tables.commit import commit
from lakehouse.tables.publish import Build, Publisher
from lakehouse.tables.write import EVERYTHING, Staged, stage
from pipelines.context import Order, RunContext, run_folder
from pipelines.copies import Copies
from pipelines.events import Events
from tests.pipelines.lake import Lake

FIRST_DAY, DAYS, LINES = date(2024, 1, 1), 75, 180
REGIONS = ("East", "North", "South", "West")
PRODUCTS = tuple(f"Product {number:02}" for number in range(12))
RAW, STAGING, LINES_MART, DAILY_MART = "raw.sales", "staging.stg_sales", "marts.order_lines", "marts.daily_revenue"
STAY = (RAW, STAGING, DAILY_MART)
"""They are those of the first release in all of them: a table costs more with each of its snapshots."""
TESTS_PASSED = 7
DAILY = """
select order_date, region, product, count(distinct order_id) as order_count,
    count(distinct customer_id) as customer_count, cast(sum(quantity) as bigint) as total_units,
    cast(sum(line_total) as decimal(18, 2)) as revenue, cast(round(avg(amount), 2) as decimal(18, 2)) as avg_order_value
from lines group by order_date, region, product order by order_date, region, product
"""
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("line_id", "order_id", "customer_id", "stock_code", "product", "region")),
        ("order_date", pa.date32()),
        *((name, pa.int32()) for name in ("order_year", "order_quarter", "order_month")),
        ("quantity", pa.int64()),
        *((name, pa.decimal128(18, 2)) for name in ("amount", "line_total")),
    ]
)


def line(number: int, day: date, quantity: int, amount: Decimal) -> dict[str, Any]:
    """An order line, which is all that its order has."""
    return {
        "line_id": f"L{number:05}",
        "order_id": f"O{number:05}",
        "customer_id": f"C{number % 37:03}",
        "stock_code": None,
        "product": PRODUCTS[number * 7 % len(PRODUCTS)],
        "region": REGIONS[number % len(REGIONS)],
        "order_date": day,
        "order_year": day.year,
        "order_quarter": (day.month + 2) // 3,
        "order_month": day.month,
        "quantity": quantity,
        "amount": amount,
        "line_total": quantity * amount,
    }


def lines_of(release: int) -> pa.Table:
    """The order lines of a release."""
    base = (
        line(number, FIRST_DAY + timedelta(number * 11 % DAYS), release, Decimal(number % 23 + 1) / 4)
        for number in range(LINES)
    )
    more = (line(LINES + number, FIRST_DAY + timedelta(DAYS - 1), 1, Decimal(1)) for number in range(release))
    return pa.Table.from_pylist([*base, *more], schema=SCHEMA).sort_by("order_date")


BASE_REVENUE = sum((Decimal(number % 23 + 1) / 4 for number in range(LINES)), Decimal(0))


def figures_of(release: int) -> tuple[Decimal, int]:
    """Revenue and orders of all data at a release."""
    return release * (BASE_REVENUE + 1), LINES + release


@contextmanager
def landing(lake: Lake, sample: Lake, copied_each: int = 1, env: str = "dev") -> Iterator["Landing"]:
    """A lake before its first release; what tables and metrics mean is read from the sample's."""
    with sample.open() as workspace:
        definitions = workspace.release.definitions
    assert definitions is not None
    with closing(Landing(lake, definitions, copied_each, env)) as found:
        yield found


class Landing:
    """Publishes releases of one environment of a lake, each by a run of its own."""

    def __init__(self, lake: Lake, definitions: Mapping[str, Any], copied_each: int = 1, env: str = "dev") -> None:
        """`definitions` are what a release of the lake's dbt project says of metrics and tables.

        A release whose number is a multiple of this gets hot copies, which take most of the time; 0: none.
        """
        self._copied_each, self._env = copied_each, env
        self._settings, self._definitions = lake.settings, definitions
        self._state = open_state(self._settings)
        self._catalog = TableCatalog(self._settings, env)
        self.number = 0
        """Of the release that is certainly current."""

    def land(self, lines: pa.Table | None = None) -> int:
        """Publish the next release, of its own lines or of others; it is current when this returns."""
        number, run = self.number + 1, f"landing-{self.number + 1}"
        build = self._begun(run, lines_of(number) if lines is None else lines)
        with closing(Events(run, self._folder(run) / "events.jsonl")) as events:
            copies = Copies(RunContext(self._settings, self._state, Order(self._env), run, self._folder(run), events))
            has_copies = self._copied_each and number % self._copied_each == 0
            publisher = Publisher(self._state, self._catalog, self._env, copies.write if has_copies else None)
            assert publisher.publish(run, build, lambda _step: None) == number
            self.number = number
            copies.sweep()
        self._end(run, "success", number)
        return number

    def wait(self, run: str, differences: Sequence[Mapping[str, Any]]) -> None:
        """Leave the next release for a decision, as a run does that differs too much from the release before."""
        build = self._begun(run, lines_of(self.number + 1))
        Publisher(self._state, self._catalog, self._env).wait(run, build, differences)
        self._end(run, "awaiting_publish")

    def write_elsewhere(self) -> None:
        """Write to the order lines as another program does, which asks nobody."""
        commit(self._catalog, {LINES_MART: self._staged(LINES_MART, lines_of(1), "of-another").change})

    def _begun(self, run: str, lines: pa.Table) -> Build:
        """What a run that has begun has built of these lines."""
        self._folder(run).mkdir(parents=True)
        Runs(self._state).begin(run, self._env, "refresh", "test")
        if self._catalog.head(RAW) is None:
            daily = duckdb.sql(DAILY).to_arrow_table()
            for table, rows in zip(STAY, (lines, lines, daily), strict=True):
                commit(self._catalog, {table: self._staged(table, rows, run).change})
        changes = {LINES_MART: self._staged(LINES_MART, lines, run).change}
        return Build(changes, {table: self._pin(table) for table in STAY}, definitions=self._definitions)

    def _end(self, run: str, state: str, release: int | None = None) -> None:
        """Write down how a run has ended, and that its tests have passed."""
        result = {"tests": {"passed": TESTS_PASSED, "failed": 0}}
        (self._folder(run) / "result.json").write_text(json.dumps(result), encoding="utf-8")
        Runs(self._state).end(run, Ending(state, result, release=release))

    def _folder(self, run: str) -> Path:
        return run_folder(self._settings, run)

    def close(self) -> None:
        """Give back what is open."""
        self._catalog.close()
        self._state.close()

    def _staged(self, table: str, rows: pa.Table, run: str) -> Staged:
        return stage(self._catalog, table, rows.to_reader(), EVERYTHING, {"lakeport.run": run})

    def _pin(self, table: str) -> Pin:
        head = self._catalog.head(table)
        assert head is not None
        return Pin(head.metadata_location, head.metadata.current_snapshot_id)
