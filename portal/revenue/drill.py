"""The way down into time and up again: from a year to its quarters, their months, their days.

One rule: a step leads to a whole bucket of the calendar, shown in the next finer buckets; so each step has a name, and
the way back is the list of these names.
"""

from dataclasses import dataclass
from datetime import date

from dash.development.base_component import Component

from lakehouse.metrics.period import DAY, MONTHS_OF, bucket
from portal import html, wording
from portal.buckets import GRAINS, following
from portal.components.attributes import aria
from portal.components.link import link
from portal.page import Visit
from portal.periods import Period, calendar_grain

FINER = {"year": "quarter", "quarter": "month", "month": "day", "week": "day", "day": "day"}
"""In which buckets a bucket is shown."""


@dataclass(frozen=True)
class Step:
    """One bucket on the way down, and where it leads."""

    text: str
    href: str


def steps(period: Period, visit: Visit) -> tuple[Step, ...]:
    """From all data to the period, when that is exactly a bucket of the calendar; otherwise none."""
    grain = calendar_grain(period.span)
    if not grain or period.slug == "all":
        return ()
    first, last = period.span.first, period.span.last
    larger = [one for one in reversed(GRAINS) if one in MONTHS_OF and GRAINS.index(one) > GRAINS.index(grain)]
    around = [one for one in larger if bucket(first, one) == bucket(last, one)]  # a week may lie in two months
    everything = visit.href(**{"period": "all", "from": None, "to": None, "grain": None})
    return (
        Step("All data", everything),
        *(Step(_named(bucket(first, one), one), into(bucket(first, one), one, visit)) for one in (*around, grain)),
    )


def into(start: date, grain: str, visit: Visit) -> str:
    """The address of one bucket, given by its first day on the calendar."""
    last = following(start, grain) - DAY
    days = {"from": start.isoformat(), "to": last.isoformat()}
    return visit.href(**{"period": None, **days, "grain": FINER[grain]})


def way(start: date, grain: str, period: Period, visit: Visit) -> str:
    """Where a click on a bucket leads: into it, or, when it is all that is shown, one step up."""
    taken = steps(period, visit)
    if len(taken) > 1 and calendar_grain(period.span) == grain and period.span.first == start:
        return taken[-2].href
    return into(start, grain, visit)


def trail(period: Period, visit: Visit) -> list[Component]:
    """The steps as links, the last one as where one is; nothing without any."""
    taken = steps(period, visit)
    if not taken:
        return []
    *before, here = taken
    items = [html.Li(link(step.text, step.href)) for step in before]
    shown = html.Ol([*items, html.Li(html.Span(here.text, **aria(current="true")))])
    return [html.Nav(shown, className="lp-trail", **aria(label="Where this period lies"))]


def _named(start: date, grain: str) -> str:
    return wording.bucket_text(start, grain) if grain in ("day", "week") else wording.bucket_short(start, grain)
