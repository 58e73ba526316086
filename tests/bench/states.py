"""States of the revenue page: a few that many people look at, and as many as one likes that nobody has seen.

One rule: no two new ones are equal, whoever asks for them, so each has to be asked of the data.
"""

import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations

from portal.periods import Span

COMMON = (
    "",
    "?period=all",
    "?period=all&grain=month",
    "?period=all&grain=week",
    "?grain=week",
    "?compare=off",
    "?region=North",
    "?region=South",
    "?region=West",
    "?region=North&region=South",
    "?product=Laptop",
    "?top=20",
)
"""Query strings that everybody comes across."""

PLACES = ("", "&region=North", "&region=South", "&region=East", "&region=West")
FEWEST_DAYS = 14


def new_states(bounds: Span, seed: int = 11) -> Iterator[str]:
    """Query strings of periods inside the data, some of them of one region, in no order."""
    days = (bounds.last - bounds.first).days
    chance = random.Random(seed)  # noqa: S311  # no secret
    ends = [pair for pair in combinations(range(days + 1), 2) if pair[1] - pair[0] >= FEWEST_DAYS]
    chance.shuffle(ends)
    for first, last in ends:
        start, end = (bounds.first + timedelta(days=day) for day in (first, last))
        yield f"?from={start}&to={end}{chance.choice(PLACES)}"
