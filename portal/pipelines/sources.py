"""The sources of the lake: what was loaded from each last, and when it was looked at last.

One rule: what is said comes from the results of runs; of a source that none of the newest has loaded it says so.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dash.development.base_component import Component

from lakehouse.core import Workspace
from lakehouse.settings import SourceSettings
from portal import wording
from portal.components.card import card
from portal.components.link import link
from portal.components.states import empty
from portal.components.table import Cell, Column, table
from portal.pipelines.look import Look
from portal.pipelines.words import Record, is_active, time, told_rows

NEWEST = 50
LOOKED = ("success", "unchanged", "awaiting_publish")
"""States of runs that have looked at the sources that they were asked to load."""

COLUMNS = (
    Column("Source"),
    Column("Table"),
    Column("Last loaded"),
    Column("Rows", is_number=True),
    Column("Quarantined", is_number=True, is_lesser=True),
    Column("Run", is_lesser=True),
    Column("Last checked"),
)


def source_cards(look: Look) -> list[Component]:
    """The sources of each environment that is shown."""
    if not look.settings.sources:
        text = "Sources appear here as soon as lakeport.toml has a section [sources.NAME] with path and columns."
        return [empty("No sources yet", text)]
    return [_card(look, room) for room in look.rooms]


def _card(look: Look, room: Workspace) -> Component:
    records = [record for record in room.runs().list(room.env, NEWEST) if not is_active(record)]
    rows = [_row(look, records, name, source) for name, source in look.settings.sources.items()]
    sub = f"{wording.count(len(rows), 'source', 'sources')}, as the last {NEWEST} runs have found them"
    return card(f"Sources of {room.env}", sub, [table(f"Sources of {room.env}", COLUMNS, rows, cards=True)])


def _row(look: Look, records: Sequence[Record], name: str, source: SourceSettings) -> list[Cell]:
    loaded = next((record for record in records if name in (record.get("sources") or {})), None)
    checked = next((record for record in records if _has_looked(record, name)), None)
    counts: Mapping[str, Any] = (loaded or {}).get("sources", {}).get(name, {})
    return [
        name,
        f"raw.{source.table or name}",
        time(loaded["ended"], look.now) if loaded else "Not lately",
        told_rows(counts["loaded"]) if counts else "",
        told_rows(counts["quarantined"]) if counts else "",
        link(loaded["run"], look.run_href(loaded["run"])) if loaded else "",
        time(checked["ended"], look.now) if checked else "Not lately",
    ]


def _has_looked(record: Record, name: str) -> bool:
    """Whether a run has looked for what is new of a source: one that found nothing new has not loaded it."""
    order = record.get("order") or {}
    loads = (order.get("job") or record["job"]) in ("refresh", "load")
    return record["state"] in LOOKED and loads and order.get("source") in (None, name)
