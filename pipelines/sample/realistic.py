"""Order lines of an invented shop over three years, as many as asked for: what a real export looks like.

One rule: integers only. Every value comes from a counter through splitmix64 and integer tables, so a file depends on
`rows` and `seed` alone, never on the version of a library, the machine, or how the work was cut into chunks.

What is in it: growth, seasons and weekdays; several lines an order (`order_id` is no key); a few products and
customers that sell most; uneven regions, each customer having one; orders without a known customer (an empty field);
orders that are returns (negative quantities). Orders come in order of date and always fill the same three years:
with more rows each day is busier, so a shorter file is *not* the beginning of a longer one.
"""

import datetime
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from pipelines.sample.thousand import REGIONS

Words = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]

FIRST_DAY = datetime.date(2022, 1, 1)
LAST_DAY = datetime.date(2024, 12, 31)
ORDERS_A_CHUNK = 40_000

# Parts per weight, not percent: only their proportions matter.
MONTHS = (82, 78, 92, 95, 98, 96, 88, 85, 102, 108, 138, 150)
WEEKDAYS = (110, 112, 110, 115, 120, 85, 48)
GROWTH_A_YEAR_PERCENT = 25
LINES_AN_ORDER = ((1, 36), (2, 24), (3, 16), (4, 10), (5, 7), (6, 4), (8, 3))
QUANTITIES = ((1, 420), (2, 220), (3, 110), (4, 70), (5, 60), (6, 40), (10, 35), (12, 25), (20, 15), (50, 5))
REGION_WEIGHTS = (24, 20, 16, 30, 10)  # North, South, East, West, Central
CUSTOMERS = 9_000
UNKNOWN_PER_MILLE = 60
RETURNS_PER_MILLE = 30

# List prices in cents. A product's place decides how often it sells: the n-th about 1/n as often as the first (Zipf).
_KINDS = (("Laptop", 94_900), ("Monitor", 22_900), ("Keyboard", 4_900), ("Mouse", 2_400), ("Headset", 7_900),
          ("Webcam", 6_500), ("Desk Chair", 18_900), ("Desk", 34_900), ("Dock", 14_900), ("Printer", 17_900),
          ("Scanner", 12_900), ("Router", 8_900), ("Tablet", 39_900), ("Lamp", 3_900), ("Cable", 990),
          ("Microphone", 10_900))  # fmt: skip
_MAKES = (("", 100), (" Basic", 70), (" Plus", 130), (" Pro", 190), (" Travel", 115), (" Studio", 240))
CATALOGUE = tuple((kind + make, price * percent // 100) for make, percent in _MAKES for kind, price in _KINDS)
"""Every product with its list price in cents, best-selling first. It begins with the products of the thousand."""
_CUSTOMER_NAMES = ("", *(f"CUST-{number:04d}" for number in range(1, CUSTOMERS + 1)))

_GOLDEN = 0x9E3779B97F4A7C15


def lines(rows: int, seed: int) -> Iterator[list[str]]:
    """`rows` lines in chunks, without header and line ends; memory does not grow with `rows`."""
    days = _days(rows, seed)
    first_order, first_line = 0, 0
    while first_line < rows:
        orders = np.arange(first_order, first_order + ORDERS_A_CHUNK, dtype=np.uint64)
        lengths = _weighted(_draw(seed, "length", orders), LINES_AN_ORDER)
        ends = first_line + np.cumsum(lengths)
        # The last order is cut where the file ends.
        lengths = np.maximum(lengths - np.maximum(ends - rows, 0), 0)
        orders, lengths = orders[lengths > 0], lengths[lengths > 0]
        yield _chunk(orders, lengths, first_line, days, seed)
        first_order += len(orders)
        first_line += int(lengths.sum())


def _chunk(orders: Words, lengths: Counts, first_line: int, days: tuple[Counts, list[str]], seed: int) -> list[str]:
    """The text of some whole orders, each of its own number of lines."""
    starts = first_line + np.cumsum(lengths) - lengths
    bounds, day_names = days
    day = np.searchsorted(bounds, starts, side="right")
    customer, region = _customers(orders, seed)
    sign = np.where(_per_mille(_draw(seed, "return", orders)) < RETURNS_PER_MILLE, -1, 1)

    line = np.arange(first_line, first_line + int(lengths.sum()), dtype=np.uint64)
    product = _picked(_draw(seed, "product", line), _zipf(len(CATALOGUE)))
    quantity = _weighted(_draw(seed, "quantity", line), QUANTITIES) * np.repeat(sign, lengths)
    # Each line is sold at 90 to 110 percent of the product's list price.
    percent = 90 + (_draw(seed, "price", line) % np.uint64(21)).astype(np.int64)
    prices = np.array([price for _, price in CATALOGUE], dtype=np.int64)
    whole, cents = np.divmod(prices[product] * percent // 100, 100)

    number = orders.astype(np.int64) + 1
    of_order = (np.repeat(column, lengths) for column in (number, customer, day, region))
    columns = (column.tolist() for column in (*of_order, product, quantity, whole, cents))
    return [
        f"ORD-{o:08d},{_CUSTOMER_NAMES[c]},{day_names[d]},{CATALOGUE[p][0]},{q},{w}.{f:02d},{REGIONS[r]}"
        for o, c, d, r, p, q, w, f in zip(*columns, strict=True)
    ]


def _customers(orders: Words, seed: int) -> tuple[Counts, Counts]:
    """For each order its customer's number (0: unknown) and region."""
    # The square of an even draw: the first tenth of the customers places about a third of the orders.
    even = _draw(seed, "customer", orders) >> np.uint64(34)
    rank = ((even * even >> np.uint64(30)) * np.uint64(CUSTOMERS)) >> np.uint64(30)
    # Spread the good customers over the numbers: 4,001 shares no factor with 9,000.
    customer = (rank * np.uint64(4_001) % np.uint64(CUSTOMERS)).astype(np.int64) + 1
    unknown = _per_mille(_draw(seed, "unknown", orders)) < UNKNOWN_PER_MILLE
    home = np.where(unknown, _draw(seed, "passer-by", orders), _draw(seed, "home", customer.astype(np.uint64)))
    return np.where(unknown, 0, customer), _picked(home, REGION_WEIGHTS)


def _days(rows: int, seed: int) -> tuple[Counts, list[str]]:
    """For each day the number of lines up to its end, and the days as text."""
    count = (LAST_DAY - FIRST_DAY).days + 1
    dates = [FIRST_DAY + datetime.timedelta(days=number) for number in range(count)]
    luck = _draw(seed, "day", np.arange(count, dtype=np.uint64)) % np.uint64(41)
    totals, total = [], 0
    for number, (date, chance) in enumerate(zip(dates, luck.tolist(), strict=True)):
        trend = 36_500 + number * GROWTH_A_YEAR_PERCENT
        total += trend * MONTHS[date.month - 1] * WEEKDAYS[date.weekday()] * (80 + chance)
        totals.append(total)
    return np.array([rows * part // total for part in totals], dtype=np.int64), [str(date) for date in dates]


def _zipf(count: int) -> tuple[int, ...]:
    return tuple(1_000_000 // rank for rank in range(1, count + 1))


def _per_mille(words: Words) -> Words:
    return words % np.uint64(1000)


def _weighted(words: Words, table: Sequence[tuple[int, int]]) -> Counts:
    """For each word a value of a table of values and weights."""
    values = np.array([value for value, _ in table], dtype=np.int64)
    chosen: Counts = values[_picked(words, [weight for _, weight in table])]
    return chosen


def _picked(words: Words, weights: Sequence[int]) -> Counts:
    """For each word a position among the weights, each as often as it weighs."""
    bounds = np.cumsum(np.array(weights, dtype=np.uint64), dtype=np.uint64)
    place: Counts = np.searchsorted(bounds, words % bounds[-1], side="right").astype(np.int64)
    return place


def _draw(seed: int, purpose: str, counters: Words) -> Words:
    """64 random bits for each counter: output number `counter` of the splitmix64 that this seed and purpose start.

    Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
    """
    start = int(_mixed(np.array([seed], dtype=np.uint64))[0]) ^ int.from_bytes(purpose.encode()[:8], "big")
    return _mixed((counters + np.uint64(1)) * np.uint64(_GOLDEN) + np.uint64(start))


def _mixed(words: Words) -> Words:
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
