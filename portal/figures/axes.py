"""Where the marks of an axis stand, and what they say.

One rule: few marks at round places; a reader compares with them and reads exact values elsewhere.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, log10
from unicodedata import category, east_asian_width

from portal import wording

MOST_MARKS = 6
FEWEST_MARKS = 3
MOST_WIDE_MARKS = 5
WIDE_CHARACTERS = 6
STEPS_OF_VALUES = 4
ROOM = 0.01
"""What an axis goes on after its last mark: plotly draws no grid line at the very end of one."""
ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)

Periods = Callable[[date], Hashable]

PERIODS: tuple[Periods, ...] = (
    lambda day: day,
    lambda day: day.toordinal() - day.weekday(),
    lambda day: (day.year, day.month),
    lambda day: (day.year, (day.month - 1) // 3),
    lambda day: (day.year, (day.month - 1) // 6),
    lambda day: day.year,
)
"""What a mark may begin, from days to years."""
YEARS = (2, 5, 10, 20, 50, 100, 250, 500, 1_000, 2_000)


@dataclass(frozen=True)
class Scale:
    """An axis of values: where it begins and ends, and its marks from low to high."""

    low: float
    high: float
    marks: tuple[float, ...]
    texts: tuple[str, ...]

    def depth(self, value: float) -> float:
        """How far below the top a value stands: 0 at the top, 1 at the bottom."""
        return (self.high - value) / (self.high - self.low)


def scale(values: Sequence[float]) -> Scale:
    """The axis for these values: from zero, or from below it when some are, to a round number above the largest."""
    low, high = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
    if low == high:
        return Scale(0.0, 1.0, (0.0,), (wording.axis(0),))
    step = _round_up((high - low) / STEPS_OF_VALUES)
    first, last = floor(low / step), ceil(high / step)
    marks = tuple(number * step for number in range(first, last + 1))
    room = (marks[-1] - marks[0]) * ROOM
    low, high = marks[0] - room * (marks[0] < 0), marks[-1] + room * (marks[-1] > 0)
    return Scale(low, high, marks, tuple(wording.axis(mark) for mark in marks))


def _round_up(size: float) -> float:
    power = 10.0 ** floor(log10(size))
    return next(power * leading for leading in ROUND if power * leading >= size * (1 - 1e-9))


def time_marks(starts: Sequence[date], longest_text: int) -> list[int]:
    """Which buckets get a mark: the first of each week, month, quarter or year, whichever are few enough, or every nth.

    `starts` ascend; `longest_text` is the breadth of the longest mark.
    """
    most = MOST_MARKS if longest_text <= WIDE_CHARACTERS else MOST_WIDE_MARKS
    if len(starts) <= most:
        return list(range(len(starts)))
    periods = (*PERIODS, *map(_years, YEARS))
    marks = next((found for period in periods if len(found := _firsts(starts, period)) <= most), [])
    every = ceil((len(starts) - 1) / (most - 1))
    return marks if len(marks) >= FEWEST_MARKS else list(range(0, len(starts), every))


def breadth(text: str) -> int:
    """How wide a text is, in characters: those of Chinese and Japanese count twice, and marks that are not seen not."""
    return sum(2 if east_asian_width(sign) in "WF" else category(sign) != "Cf" for sign in text)


def _years(length: int) -> Periods:
    return lambda day: day.year // length


def _firsts(starts: Sequence[date], period: Periods) -> list[int]:
    """The buckets that begin a period; for the first one, the bucket that would stand before it decides."""
    length = starts[1] - starts[0]
    before = starts[0] - length if starts[0] - date.min > length else starts[0]
    earlier = (before, *starts[:-1])
    return [
        index for index, (last, start) in enumerate(zip(earlier, starts, strict=True)) if period(last) != period(start)
    ]
