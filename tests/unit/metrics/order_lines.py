"""Small tables of order lines: random rows, and DuckDB connections that hold them.

One rule: a row is a dict with the columns of `marts.order_lines`.
"""

import datetime
import random
from decimal import Decimal
from typing import Any

import duckdb

Row = dict[str, Any]

COLUMNS = {
    "line_id": "varchar",
    "order_id": "varchar",
    "customer_id": "varchar",
    "order_date": "date",
    "product": "varchar",
    "quantity": "bigint",
    "amount": "decimal(18,2)",
    "region": "varchar",
    "order_year": "integer",
    "order_month": "integer",
    "order_quarter": "integer",
    "stock_code": "varchar",
    "line_total": "decimal(18,2)",
}
REGIONS = (
    "North",
    "South",
    "north",
    "Zürich",
    "Ångström",
    "",
    "東京",
    "😀 Meer",
    "\uffee",
    'O\'Brien "x"',
    "a,b\n",
    None,
)
PRODUCTS = ("Tea", "Coffee", "tea", "100% cocoa_", "back\\slash", None)
# Ends of years, leap days and weeks that belong to two years lie close together here.
CENTRES = tuple(
    datetime.date(*day) for day in ((2024, 2, 29), (2023, 12, 31), (2021, 1, 3), (2020, 12, 30), (2000, 2, 28))
)


def line(number: int, day: str, **values: Any) -> Row:
    """One order line with plain defaults; what matters to a test is named by it."""
    date = datetime.date.fromisoformat(day)
    row = {
        "line_id": f"l{number}",
        "order_id": f"o{number}",
        "customer_id": "c1",
        "order_date": date,
        "product": "Tea",
        "quantity": 1,
        "amount": Decimal("10.00"),
        "region": "North",
        "stock_code": None,
        **values,
    }
    row["line_total"] = row["quantity"] * row["amount"]
    return row | {"order_year": date.year, "order_month": date.month, "order_quarter": (date.month + 2) // 3}


def seeded(seed: int) -> random.Random:
    """A source of chance that gives the same rows and plans in every run."""
    return random.Random(seed)  # noqa: S311 - nothing secret is made of it


def random_rows(chance: random.Random) -> list[Row]:
    """0 to 60 order lines around one or two dates, with unknown customers, ties and negative numbers among them."""
    centres = chance.sample(CENTRES, chance.choice((1, 2)))
    spread = chance.choice((3, 40, 400))
    regions = chance.sample(REGIONS, chance.randint(1, 6))
    rows = []
    for number in range(chance.choice((0, 20, 40, 60, 80))):
        day = chance.choice(centres) + datetime.timedelta(days=chance.randint(-spread, spread))
        cents = chance.choice((1, 50, 100, chance.randint(-500, 5000), chance.randint(1, 99_999_999)))
        rows.append(
            line(
                number,
                day.isoformat(),
                order_id=f"o{chance.randint(0, 12)}",
                customer_id=chance.choice(("c1", "c2", "c3", None)),
                product=chance.choice(PRODUCTS),
                quantity=chance.choice((1, 1, 2, 3, 7, chance.randint(-5, 1000))),
                amount=Decimal(cents) / 100,
                region=chance.choice(regions),
                stock_code=chance.choice(("85123A", "22", None)),
            )
        )
    return rows


def connection(rows: list[Row]) -> duckdb.DuckDBPyConnection:
    """DuckDB in memory with these rows as `marts.order_lines`."""
    connected = duckdb.connect(":memory:")
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    connected.execute("set default_null_order = 'nulls_first'")  # the SQL must not lean on the engine's default
    connected.execute("create schema marts")
    connected.execute(f"create table marts.order_lines ({columns})")
    if rows:
        marks = ", ".join("?" for _ in COLUMNS)
        values = [[row[name] for name in COLUMNS] for row in rows]
        connected.executemany(f"insert into marts.order_lines values ({marks})", values)
    return connected
