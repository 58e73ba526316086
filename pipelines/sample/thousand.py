"""The thousand: the 1,000 rows that every demo, test and document of Lakeport speaks about.

One rule: these rows never change. Figures derived from them are written down in documents and asserted in tests.
"""

import datetime
import random
from collections.abc import Iterator

HEADER = "order_id,customer_id,order_date,product,quantity,amount,region"
PRODUCTS = ("Laptop", "Monitor", "Keyboard", "Mouse", "Headset", "Webcam", "Desk Chair")
REGIONS = ("North", "South", "East", "West", "Central")
ROWS = 1000
SEED = 42
FIRST_DAY = datetime.date(2024, 1, 1)
DAYS = 90
CUSTOMERS = 200


def thousand() -> Iterator[str]:
    """The 1,000 lines in order, without the header and without line ends."""
    # Demo data, not a secret: the stream of this generator is the same on every Python from 3.2 on.
    stream = random.Random(SEED)  # noqa: S311
    for number in range(1, ROWS + 1):
        # The order of the draws decides every value below; do not rearrange.
        order_date = FIRST_DAY + datetime.timedelta(days=stream.randint(0, DAYS - 1))
        customer = stream.randint(1, CUSTOMERS)
        product = stream.choice(PRODUCTS)
        quantity = stream.randint(1, 5)
        amount = round(stream.uniform(20, 2000), 2)
        region = stream.choice(REGIONS)
        yield f"ORD-{number:04d},CUST-{customer:04d},{order_date},{product},{quantity},{amount:.2f},{region}"
