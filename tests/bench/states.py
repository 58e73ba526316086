"""States of the revenue page: a few that many people look at, and as many as one likes that nobody has seen.

One rule: no two new ones are equal, whoever asks for them, so each has to be asked of the data.
"""

import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import product

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
LENGTHS = (7, 30, 30, 30, 90, 90, 182, 365)
"""Days of the periods that people choose: those that the page offers, 30 being what it begins with."""


def new_states(bounds: Span, seed: int = 11) -> Iterator[str]:
    """Query strings of periods inside the data, of such lengths and ending on any day, some of them of one region."""
    days = (bounds.last - bounds.first).days
    chance = random.Random(seed)  # noqa: S311  # no secret
    found = [
        (last, length, place)
        for last, length, place in product(range(days + 1), set(LENGTHS), PLACES)
        if last >= length
    ]
    chance.shuffle(found)
    found.sort(key=lambda one: chance.random() / LENGTHS.count(one[1]))  # what is chosen more often comes earlier
    for last, length, place in found:
        start, end = (bounds.first + timedelta(days=day) for day in (last - length + 1, last))
        yield f"?from={start}&to={end}{place}"
