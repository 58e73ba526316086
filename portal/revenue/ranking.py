"""The bars of the revenue page: the parts of a dimension by size, the same for every dimension.

One rule: a click on a bar filters by it, a click on a chosen one releases it; what is not shown is one row, "Other".
"""

from dash.development.base_component import Component

from portal import wording
from portal.components.bars import Bar, bars
from portal.components.card import card, segments
from portal.components.table import Column, table_fold
from portal.conditions import Condition
from portal.page import Visit
from portal.revenue.asked import TOPS
from portal.revenue.menus import card_menu
from portal.revenue.nothing import nothing_sold
from portal.sales import LONG, Part, Ranking, Sales


def ranking_card(sales: Sales, dimension: str, visit: Visit, money: str, span: str) -> Component:
    """The parts of one dimension, as wide as `span` of twelve columns."""
    ranking, condition = sales.ranking(dimension), sales.asked.condition(dimension)
    title = ranking_title(condition, money)
    if not ranking.shown:
        return card(title, said_parts(ranking, condition), [nothing_sold(sales, visit)], span)
    choices = [(str(known), visit.href(top=str(known)), known == sales.asked.top) for known in TOPS]
    is_long = dimension in LONG
    extra = [segments(condition.plural.capitalize(), choices)] if is_long and ranking.count > TOPS[0] else []
    some = any(part.chosen for part in ranking.shown)
    rows = [bar(part, ranking, condition, visit) for part in ranking.shown]
    label = f"Revenue by {condition.singular}" + (", chosen ones marked" if some else "")
    body = [bars([*rows, *_other_bar(ranking, condition)], label, is_long), numbers(sales, ranking, condition, money)]
    menu = card_menu(title, dimension, dimension, visit, has_table=True)
    return card(title, said_parts(ranking, condition), body, span, [*extra, menu])


def ranking_title(condition: Condition, money: str) -> str:
    """What the bars show, in which currency."""
    return f"Revenue by {condition.singular}, {money}"


def said_parts(ranking: Ranking, condition: Condition) -> str:
    """How many parts there are, how many are shown, and their sum."""
    chosen = sum(part.chosen for part in ranking.shown)
    counted = _counted(ranking.count, condition)
    if chosen:
        return f"{chosen} of {counted} chosen"
    top = f"Top {len(ranking.shown)} of {counted}" if len(ranking.shown) < ranking.count else counted
    return f"{top}, sum {wording.exact(ranking.total)}"


def bar(part: Part, ranking: Ranking, condition: Condition, visit: Visit) -> Bar:
    """One part; where the data name none, there is nothing to filter by."""
    share = wording.share(part.value, ranking.total)
    before = "" if part.before is None else f", before {wording.exact(part.before)}"
    name = name_of(part, condition)
    return Bar(
        name=name,
        size=part.value,
        text=wording.exact(part.value),
        href="" if part.name is None else visit.toggled(condition.key, part.name),
        chosen=part.chosen,
        title=f"{name}: {wording.exact(part.value)}" + (f", {share} of all" if share else "") + before,
    )


def numbers(sales: Sales, ranking: Ranking, condition: Condition, money: str) -> Component:
    """The bars as a table."""
    versus = sales.asked.period.versus
    columns = [
        Column(condition.column.label),
        Column(f"Revenue, {money}", is_number=True),
        Column("Share", is_number=True),
        *([Column(versus[0].upper() + versus[1:], is_number=True)] if versus else []),
    ]
    found = [(name_of(part, condition), part.value, part.before) for part in ranking.shown]
    if _others(ranking):
        found.append((_other_name(ranking, condition), ranking.other, ranking.other_before))
    rows = [
        [name, wording.exact(value), wording.share(value, ranking.total) or "", wording.exact(before)]
        for name, value, before in found
    ]
    return table_fold(f"Revenue by {condition.singular}", columns, [row[: len(columns)] for row in rows])


def name_of(part: Part, condition: Condition) -> str:
    """The name of a part, also where the data name none."""
    return part.name if part.name is not None else f"No {condition.singular}"


def _other_bar(ranking: Ranking, condition: Condition) -> list[Bar]:
    if not _others(ranking):
        return []
    share = wording.share(ranking.other, ranking.total) or ""
    note = f"{share} of all" if share else ""
    return [Bar(_other_name(ranking, condition), None, wording.exact(ranking.other), note=note)]


def _others(ranking: Ranking) -> int:
    return ranking.count - len(ranking.shown)


def _other_name(ranking: Ranking, condition: Condition) -> str:
    return f"Other, {_counted(_others(ranking), condition)}"


def _counted(number: int, condition: Condition) -> str:
    return wording.count(number, condition.singular, condition.plural)
