"""The tiles of the revenue page: one metric each, its change, and its course.

One rule: a change is given only where as many days are compared, and all of them are over.
"""

from dash.development.base_component import Component

from portal import wording
from portal.components.tile import Change, Tile, tiles
from portal.metric_words import is_money, label, meaning
from portal.page import Visit
from portal.periods import OFF, Period
from portal.revenue.menus import card_menu
from portal.sales import KEY_FIGURES, Sales, Total


def key_figures(sales: Sales, visit: Visit, money: str) -> Component:
    """The tiles."""
    moments = sales.moments
    in_part = [place for place, moment in enumerate(moments) if not moment.bucket.whole]
    return tiles(
        [
            Tile(
                label=label(total, money),
                value=wording.short(total.value, 2 if is_money(total) else 0),
                exact=wording.exact(total.value),
                change=tile_change(total, sales),
                note=no_change(sales.asked.period),
                trend=[moment.values[total.name] for moment in moments],
                in_part=in_part,
                menu=card_menu(total.label, total.name, KEY_FIGURES, visit),
            )
            for total in sales.totals
        ]
    )


def no_change(period: Period) -> str:
    """Why a tile has no change; empty where none was asked for."""
    if period.comparison == OFF:
        return ""
    return "The data end before the period does" if period.incomplete else period.no_before or "Nothing to compare with"


def tile_change(total: Total, sales: Sales) -> Change | None:
    """The change against the earlier period, in words; None where there is none, or the period is not over."""
    change = None if sales.asked.period.incomplete else wording.change(total.change)
    if change is None:
        return None
    good = meaning(change.direction, total.higher_is)
    return Change(change.text, change.direction, good, sales.asked.period.versus)
