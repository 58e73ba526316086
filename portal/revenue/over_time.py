"""The chart of the revenue page: revenue bucket by bucket, the earlier period dashed.

One rule: what a point does when it is clicked, its row in the table below does too, as a link.
"""

from dash.development.base_component import Component

from portal import wording
from portal.components.card import card
from portal.components.chart import chart
from portal.components.link import link
from portal.components.table import Cell, Column, table_fold
from portal.figures.theme import theme
from portal.figures.time_series import Point, Words, ends, time_series
from portal.metric_words import meaning
from portal.page import Visit
from portal.revenue.drill import trail, way
from portal.revenue.menus import card_menu
from portal.revenue.nothing import nothing_sold
from portal.sales import OVER_TIME, Moment, Sales, Value

GRAPH = "revenue-over-time"


def over_time(sales: Sales, visit: Visit, money: str, span: str) -> Component:
    """The card, with the way to where it is in time, as wide as `span` of twelve columns."""
    asked, title = sales.asked, chart_title(sales, money)
    versus = asked.period.versus  # "26 weeks before", "January 2024", "the same days of 2010"
    against = (
        f", against {'the ' if versus[0].isdigit() and versus.endswith(' before') else ''}{versus}" if versus else ""
    )
    days, path = wording.span_text(asked.period.span), trail(asked.period, visit)
    if all(moment.values["revenue"] is None for moment in sales.moments):
        return card(title, days, [*path, nothing_sold(sales, visit)], span)
    total = sales.totals[0].value
    words = Words("Revenue", "This period", versus)
    ways = [way(moment.bucket.start, asked.grain, asked.period, visit) for moment in sales.moments]
    points = [point(moment, asked.grain, total, href) for moment, href in zip(sales.moments, ways, strict=True)]
    figure = time_series(points, words, theme(visit.theme))
    body = [
        *path,
        chart(GRAPH, figure, f"{title}; the table below has its numbers.", ends(points, words)),
        numbers(sales, money, title, ways),
    ]
    return card(title, days + against, body, span, [card_menu(title, OVER_TIME, OVER_TIME, visit, has_table=True)])


def chart_title(sales: Sales, money: str) -> str:
    """What the chart shows, in which currency."""
    return f"Revenue by {sales.asked.grain}, {money}"


def numbers(sales: Sales, money: str, title: str, ways: list[str]) -> Component:
    """The chart as a table, whose rows lead where its points lead."""
    asked, versus = sales.asked, sales.asked.period.versus
    columns = [Column(asked.grain.capitalize()), Column(f"Revenue, {money}", is_number=True)]
    rows: list[list[Cell]] = [
        [link(said_bucket(moment, asked.grain), href), wording.exact(moment.values["revenue"])]
        for moment, href in zip(sales.moments, ways, strict=True)
    ]
    if versus:
        columns.append(Column(versus[0].upper() + versus[1:], is_number=True))
        rows = [[*row, wording.exact(moment.before)] for row, moment in zip(rows, sales.moments, strict=True)]
    return table_fold(title, columns, rows)


def said_bucket(moment: Moment, grain: str) -> str:
    """A bucket in words, and whether the period holds all of it."""
    said = wording.bucket_text(moment.bucket.start, grain)
    return said if moment.bucket.whole else f"{said}, {_note(moment)}"


def point(moment: Moment, grain: str, total: Value, href: str) -> Point:
    """One bucket of the chart, with everything that its hover box says."""
    value, before = moment.values["revenue"], moment.before
    change = wording.change(moment.change)
    return Point(
        start=moment.bucket.start,
        label=wording.bucket_text(moment.bucket.start, grain),
        short=wording.bucket_short(moment.bucket.start, grain),
        value=value,
        before=before,
        whole=moment.bucket.whole,
        note=_note(moment),
        value_text=wording.exact(value),
        before_text="" if before is None else wording.exact(before),
        change_text="" if change is None else change.signed,
        meaning="neutral" if change is None else meaning(change.direction, "better"),
        share_text=wording.share(value, total) or "",
        href=href,
    )


def _note(moment: Moment) -> str:
    return "so far" if moment.bucket.so_far else "in part"
