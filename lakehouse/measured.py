"""What comes of a plan. One rule: an answer never goes without what was asked."""

from dataclasses import dataclass

from lakehouse.metrics.compile import Compiled
from lakehouse.metrics.plan import Plan
from lakehouse.query.answer import Answer


@dataclass(frozen=True)
class Measured:
    """The answer to a plan: its rows, the plan in its normal form, and what was asked of the tables."""

    answer: Answer
    plan: Plan
    compiled: Compiled
