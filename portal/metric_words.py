"""How a metric is named on a page, and whether a change of it is good.

One rule: both are the metric's own properties in the dbt project, its unit and `higher_is`; nothing is known by name.
"""

from typing import Literal, Protocol

from lakehouse.metrics.terms import HigherIs
from portal.wording import Direction


class Measured(Protocol):
    """A metric, or its number."""

    @property
    def label(self) -> str:
        """What people call it."""

    @property
    def unit(self) -> str:
        """What is counted; `currency` for money."""


def label(metric: Measured, money: str) -> str:
    """What a metric is called, with the lake's currency where it is money."""
    return f"{metric.label}, {money}" if is_money(metric) else metric.label


def is_money(metric: Measured) -> bool:
    """Whether a metric is an amount of money."""
    return metric.unit == "currency"


def decimals(metric: Measured) -> int | None:
    """How many decimals a number of it always has; None: its own."""
    return 2 if is_money(metric) else None


def meaning(direction: Direction, higher_is: HigherIs) -> Literal["better", "worse", "neutral"]:
    """Whether a change is good."""
    if direction == "same" or higher_is == "neutral":
        return "neutral"
    return "better" if (direction == "up") == (higher_is == "better") else "worse"
