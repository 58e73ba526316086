"""What the address of the revenue page asks for: period, grain, how many products, and what the rows are filtered by.

One rule: whatever an address may say has its key here, or is a column to filter by; nothing else is let pass.
"""

from dataclasses import dataclass

from lakehouse.errors import RequestWrong, UnknownName
from lakehouse.metrics.terms import Table
from portal.conditions import Condition, Predicate, read_conditions
from portal.page import Visit
from portal.periods import Period, Span, allowed_grains, default_grain, read_period

TOPS = (10, 20, 50)
MOST_YEARS = 400
READ_BY_PERIOD = ("period", "from", "to", "compare")
OWN_KEYS = (*READ_BY_PERIOD, "grain", "top", "about", "at", "sort", "find", "page", "rows")
"""Keys of the page itself; a column of such a name is filtered by under another one (see `portal.conditions`)."""
PAGE_OF_LINES = "page"
"""The key of the page of the grid: another filter begins at its first page again."""


@dataclass(frozen=True)
class Asked:
    """What the page's address asks for."""

    period: Period
    grain: str
    top: int
    conditions: tuple[Condition, ...]

    @property
    def active(self) -> tuple[Condition, ...]:
        """The conditions that hold something back."""
        return tuple(condition for condition in self.conditions if condition.is_active)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of everything that can be filtered by, chosen, or compared with: what a reset takes away."""
        filters = [key for condition in self.conditions for key in condition.keys]
        return (*READ_BY_PERIOD, "grain", "top", *filters, PAGE_OF_LINES)

    def condition(self, name: str) -> Condition:
        """The condition on a column. Raises `UnknownName` where there is none of that name to be seen."""
        for condition in self.conditions:
            if condition.column.name == name:
                return condition
        raise UnknownName("filter", name, [condition.column.name for condition in self.conditions])

    def where(self, without: str = "") -> list[Predicate]:
        """The conditions as a plan writes them, but for those on one column."""
        used = (condition for condition in self.active if condition.column.name != without)
        return [predicate for condition in used for predicate in condition.predicates]


def read_asked(visit: Visit, table: Table, bounds: Span) -> Asked:
    """What an address asks for, with the defaults filled in. Raises `RequestWrong` for what there is not."""
    conditions = read_conditions(table, visit, OWN_KEYS)
    period = read_period({key: visit.one(key) for key in READ_BY_PERIOD if visit.one(key)}, bounds)
    if period.span.last.year - period.span.first.year >= MOST_YEARS:
        raise RequestWrong(f"The period has more than {MOST_YEARS} years. Choose fewer.")
    allowed = allowed_grains(period.span)
    grain = visit.one("grain") or default_grain(period.span)
    if grain not in allowed:
        raise UnknownName("grain", grain, list(allowed))
    top = visit.one("top") or str(TOPS[0])
    if top not in [str(known) for known in TOPS]:
        raise UnknownName("product count", top, [str(known) for known in TOPS])
    return Asked(period, grain, int(top), conditions)
