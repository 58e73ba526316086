"""Revenue: what we sold, when, where and of what, against the period before."""

from collections.abc import Callable

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from lakehouse.core import Workspace
from lakehouse.query.answer import Answer
from portal import wording
from portal.as_of import stamp_text
from portal.components.bars import Bar, bars
from portal.components.card import card, segments
from portal.components.chart import chart
from portal.components.filters import filters, reset, share_button
from portal.components.stamp import stamp
from portal.components.states import empty
from portal.components.table import Column, table_fold
from portal.components.tile import Change, Tile, tiles
from portal.controls import PERIOD_KEYS, export_menu, grain_menu, period_menu, toggles, values_menu
from portal.figures.theme import theme
from portal.figures.time_series import Meaning, Point, Words, ends, time_series
from portal.page import OpenWorkspace, Page, Screen, Visit
from portal.periods import Period
from portal.sales import TOPS, Moment, Part, Ranking, Sales, Total, Value

PRODUCT_WORDS = "revenue-product-words"
PRODUCT_CHOICES = "revenue-product-choices"
LOCATION = "shell-location"
OVER_TIME = "revenue-over-time"
KEYS = (*PERIOD_KEYS, "region", "product", "top")
FILES = {
    "lines": "All lines",
    "key-figures": "Key figures",
    "over-time": "Over time",
    "region": "By region",
    "product": "By product",
}
NAMES = {"region": ("region", "regions"), "product": ("product", "products")}


def layout(workspace: Workspace, visit: Visit) -> Screen:
    """The page as its address asks for it."""
    sales = Sales(workspace, visit)
    foot = stamp(stamp_text(workspace))
    if sales.bounds is None:
        return Screen([empty("Nothing has been sold yet", "Rows appear here after the next refresh with data."), foot])
    money = workspace.lakehouse.settings.lake.currency
    cards = [key_figures(sales, money), over_time(sales, visit, money), by_region(sales, visit, money)]
    return Screen([*cards, by_product(sales, visit, money), foot], filter_bar(sales, visit))


def callbacks(app: Dash, open_workspace: OpenWorkspace) -> None:
    """What happens when the user touches the page; most controls are links and need nothing here."""

    @app.callback(
        Output(PRODUCT_CHOICES, "children"),
        Input(PRODUCT_WORDS, "value"),
        State(LOCATION, "pathname"),
        State(LOCATION, "search"),
        prevent_initial_call=True,
    )
    def find(words: str | None, path: str, search: str | None) -> list[Component]:
        visit = Visit.from_search(path, search or "")
        return product_choices(Sales(open_workspace(visit.version), visit), visit, str(words or ""))


def filter_bar(sales: Sales, visit: Visit) -> Component:
    """The controls, and a sentence that says the same."""
    asked = sales.asked
    controls = [
        period_menu(asked.period, visit),
        grain_menu(asked.grain, asked.period, visit),
        values_menu("region", "regions", visit, toggles("region", sales.all_regions, visit)),
        values_menu("product", "products", visit, product_finder(sales, visit)),
    ]
    said = ", ".join([asked.period.label, f"by {asked.grain}", *asked.regions, *asked.products])
    changed = any(visit.many(key) for key in KEYS)
    undo = visit.href(**dict.fromkeys(KEYS)) if changed else ""
    return filters(said, controls, [reset(undo), export_menu(visit, "revenue", FILES), share_button()])


def product_finder(sales: Sales, visit: Visit) -> list[Component]:
    """A search field, and below it the products that it finds."""
    field = dcc.Input(id=PRODUCT_WORDS, type="search", placeholder="Find a product", debounce=0.2, className="lp-input")
    found = html.Div(product_choices(sales, visit, ""), id=PRODUCT_CHOICES)
    return [html.Label([html.Span("Find a product", className="lp-hidden"), field]), found]


def product_choices(sales: Sales, visit: Visit, words: str) -> list[Component]:
    """The chosen products, then the largest whose name holds the words."""
    chosen = visit.many("product")
    found = [name for name in sales.found_products(words) if name not in chosen]
    nothing = [] if found else [html.P("No other product has that in its name.", className="lp-small lp-muted")]
    return [*toggles("product", [*chosen, *found], visit), *nothing]


def key_figures(sales: Sales, money: str) -> Component:
    """The tiles."""
    moments = sales.moments
    return tiles(
        [
            Tile(
                label=total.label + (f", {money}" if is_money(total) else ""),
                value=wording.short(total.value, 2 if is_money(total) else 0),
                exact=wording.exact(total.value),
                change=tile_change(total, sales),
                note=no_change(sales.asked.period),
                trend=[moment.values[total.name] for moment in moments],
                in_part=[place for place, moment in enumerate(moments) if not moment.bucket.whole],
            )
            for total in sales.totals
        ]
    )


def is_money(total: Total) -> bool:
    """Whether a metric is an amount of money: its unit says so in the dbt project."""
    return total.unit == "currency"


def no_change(period: Period) -> str:
    """Why a tile has no change."""
    return "The data end before the period does" if period.incomplete else period.no_before or "Nothing to compare with"


def tile_change(total: Total, sales: Sales) -> Change | None:
    """The change against the earlier period, in words; None where there is none, or the period is not over."""
    change = None if sales.asked.period.incomplete else wording.change(total.change)
    if change is None:
        return None
    good = meaning(change.direction, total.higher_is)
    return Change(change.text, change.direction, good, sales.asked.period.versus)


def meaning(direction: str, higher_is: str) -> Meaning:
    """Whether a change is good: the metric says whether higher is better."""
    if direction == "same" or higher_is == "neutral":
        return "neutral"
    return "better" if (direction == "up") == (higher_is == "better") else "worse"


def over_time(sales: Sales, visit: Visit, money: str) -> Component:
    """Revenue bucket by bucket, the earlier period dashed."""
    asked, moments = sales.asked, sales.moments
    total = sales.totals[0].value
    title = f"Revenue by {asked.grain}, {money}"
    versus = asked.period.versus  # "26 weeks before", "January 2024", "the same days of 2010"
    against = f", against {'the ' if versus[0].isdigit() else ''}{versus}" if versus else ""
    words = Words("Revenue", "This period", versus)
    points = [point(moment, asked.grain, total) for moment in moments]
    figure = time_series(points, words, theme(visit.theme))
    columns = [Column(asked.grain.capitalize()), Column(f"Revenue, {money}", is_number=True)]
    rows = [[said_bucket(moment, asked.grain), wording.exact(moment.values["revenue"])] for moment in moments]
    if words.before:
        columns.append(Column(words.before.capitalize(), is_number=True))
        rows = [[*row, wording.exact(moment.before)] for row, moment in zip(rows, moments, strict=True)]
    if all(moment.values["revenue"] is None for moment in moments):
        return card(title, wording.span_text(asked.period.span), [nothing_sold(visit)], "lp-8")
    body = [
        chart(OVER_TIME, figure, f"{title}; the table below has its numbers.", ends(points, words)),
        table_fold(title, columns, rows),
    ]
    return card(title, wording.span_text(asked.period.span) + against, body, "lp-8")


def said_bucket(moment: Moment, grain: str) -> str:
    """A bucket in words, and whether the period holds all of it."""
    said = wording.bucket_text(moment.bucket.start, grain)
    if moment.bucket.whole:
        return said
    return f"{said}, so far" if moment.bucket.so_far else f"{said}, in part"


def point(moment: Moment, grain: str, total: Value) -> Point:
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
        note="so far" if moment.bucket.so_far else "in part",
        value_text=wording.exact(value),
        before_text="" if before is None else wording.exact(before),
        change_text="" if change is None else change.signed,
        meaning="neutral" if change is None else meaning(change.direction, "better"),
        share_text=wording.share(value, total) or "",
    )


def by_region(sales: Sales, visit: Visit, money: str) -> Component:
    """Every region; a click filters by it."""
    ranking = sales.by_region
    body = parts(ranking, "region", visit, money)
    return card(f"Revenue by region, {money}", said_parts(ranking, "region"), body, "lp-4")


def by_product(sales: Sales, visit: Visit, money: str) -> Component:
    """The largest products, and what the others come to; a click filters."""
    ranking, top = sales.by_product, sales.asked.top
    choices = [(str(known), visit.href(top=str(known)), known == top) for known in TOPS]
    extra = [segments("Products", choices)] if ranking.count > TOPS[0] else []
    body = parts(ranking, "product", visit, money, wide=True)
    return card(f"Revenue by product, {money}", said_parts(ranking, "product"), body, "lp-12", extra)


def said_parts(ranking: Ranking, name: str) -> str:
    """How many parts there are, how many are shown, and their sum."""
    chosen = sum(part.chosen for part in ranking.shown)
    counted = wording.count(ranking.count, *NAMES[name])
    if chosen:
        return f"{chosen} of {counted} chosen"
    top = f"Top {len(ranking.shown)} of {counted}" if len(ranking.shown) < ranking.count else counted
    return f"{top}, sum {wording.exact(ranking.total)}"


def parts(ranking: Ranking, name: str, visit: Visit, money: str, *, wide: bool = False) -> list[Component]:
    """The bars, and the same as a table."""
    if not ranking.shown:
        return [nothing_sold(visit)]
    some = any(part.chosen for part in ranking.shown)
    rows = [bar(part, ranking, name, visit) for part in ranking.shown]
    table = [
        [name_of(part, name), wording.exact(part.value), wording.share(part.value, ranking.total) or ""]
        for part in ranking.shown
    ]
    others = ranking.count - len(ranking.shown)
    if others:
        said, rest = f"Other, {wording.count(others, *NAMES[name])}", wording.exact(ranking.other)
        share = wording.share(ranking.other, ranking.total) or ""
        rows.append(Bar(said, None, rest, note=f"{share} of all" if share else ""))
        table.append([said, rest, share])
    columns = [Column(name.capitalize()), Column(f"Revenue, {money}", is_number=True), Column("Share", is_number=True)]
    title = f"Revenue by {name}"
    return [bars(rows, title + (", chosen ones marked" if some else ""), wide), table_fold(title, columns, table)]


def bar(part: Part, ranking: Ranking, name: str, visit: Visit) -> Bar:
    """One region or product; where the data name none, there is nothing to filter by."""
    share = wording.share(part.value, ranking.total)
    before = "" if part.before is None else f", before {wording.exact(part.before)}"
    return Bar(
        name=name_of(part, name),
        size=part.value,
        text=wording.exact(part.value),
        href="" if part.name is None else visit.toggled(name, part.name),
        chosen=part.chosen,
        title=f"{name_of(part, name)}: {wording.exact(part.value)}" + (f", {share} of all" if share else "") + before,
    )


def nothing_sold(visit: Visit) -> Component:
    """What stands in the place of a chart that would be empty."""
    other = visit.href(**dict.fromkeys(KEYS))
    return empty("Nothing was sold here", "Choose other days or fewer filters.", [("Show it without filters", other)])


def name_of(part: Part, name: str) -> str:
    """The name of a part, also where the data name none."""
    return part.name if part.name is not None else f"No {name}"


EXPORTS: dict[str, Callable[[Workspace, Visit], Answer]] = {
    "": lambda workspace, visit: Sales(workspace, visit).lines(),
    "lines": lambda workspace, visit: Sales(workspace, visit).lines(),
    "key-figures": lambda workspace, visit: Sales(workspace, visit).export(None),
    "over-time": lambda workspace, visit: Sales(workspace, visit).export("time"),
    "region": lambda workspace, visit: Sales(workspace, visit).export("region"),
    "product": lambda workspace, visit: Sales(workspace, visit).export("product"),
}
"""What can be had as a file, by name; the whole page as the lines behind it."""

PAGE = Page(
    path="/revenue",
    title="Revenue",
    icon="revenue",
    needs="read",
    layout=layout,
    callbacks=callbacks,
    exports=EXPORTS,
    is_kept=True,
)
