"""The sample lake with a state store of its own, in which time may pass and runs may fail; and what Home says of it.

One rule: the data are those of the sample lake, which stays as it is.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import delete, select, update

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse
from lakehouse.query.scope import RowRule
from lakehouse.runs import Ending, Runs
from lakehouse.state.schema import audit, runs, stamp
from lakehouse.state.store import open_state
from tests.pipelines.lake import Lake
from tests.portal.signing_in import inside
from tests.portal.visitor import PASSWORD, Shown, Visitor


@contextmanager
def set_aside(lake: Lake, folder: Path) -> Iterator[Lakehouse]:
    """A lake with a copy of its state store in a folder, and free SQL."""
    settings, copy = lake.settings, folder / "state.db"
    with closing(sqlite3.connect(settings.folder / "state.db")) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    sections = {
        "lake": settings.lake.model_copy(update={"state": f"sqlite:///{copy}"}),
        "query": settings.query.model_copy(update={"free_sql": True}),
    }
    own = settings.model_copy(update=sections)
    with Lakehouse(own, open_state(own)) as lakehouse:
        yield lakehouse


@contextmanager
def person(
    lakehouse: Lakehouse, server: Flask, role: str = "viewer", rules: Sequence[RowRule] = ()
) -> Iterator[Visitor]:
    """Somebody who has never been here and has just logged in."""
    number = lakehouse.audit.records(1)[0]["number"] if lakehouse.audit.records(1) else 0
    lakehouse.users.add(f"home-{number}", PASSWORD, role, rules)
    yield inside(server, f"home-{number}")


def name_of(visitor: Visitor) -> str:
    """Who has logged in."""
    return re.sub("^Account of ", "", visitor.page("/").one("lp-user").text.split(":")[0])


def card(visitor: Visitor, title: str, address: str = "/") -> Shown:
    """A card of Home."""
    return next(one for one in visitor.page(address).of_class("lp-card") if one.text.startswith(title))


def fresh(visitor: Visitor, address: str = "/") -> str:
    """What the first card says."""
    return visitor.page(address).one("lp-home-fresh").text


def values(visitor: Visitor, address: str = "/") -> list[str]:
    """The exact values of the tiles."""
    return [tile.one("lp-value").props["title"] for tile in visitor.page(address).of_class("lp-tile")]


def pass_time(lakehouse: Lakehouse, hours: float = 24, **where: Any) -> None:
    """Let everything that was recorded have happened so much earlier."""
    with lakehouse.state.write() as connection:
        for row in connection.execute(select(audit.c.number, audit.c.at)).all():
            at = stamp(datetime.fromisoformat(row.at) - timedelta(hours=hours))
            connection.execute(update(audit).where(audit.c.number == row.number).values(at=at, **where))


@contextmanager
def run(lakehouse: Lakehouse, ending: Ending | None = None, job: str = "refresh") -> Iterator[str]:
    """A refresh after the last one, which has ended so or still runs; gone afterwards."""
    table, name = Runs(lakehouse.state), "home-run"
    table.begin(name, "dev", "refresh", "operator:ana", {"job": job})
    if ending is not None:
        table.end(name, ending)
    yield name
    with lakehouse.state.write() as connection:
        connection.execute(delete(runs).where(runs.c.id == name))


def asked(lakehouse: Lakehouse, where: str) -> list[str]:
    """The five numbers of some lines, from SQL."""
    figures = "sum(line_total), count(distinct order_id), count(distinct customer_id), sum(quantity)"
    ratio = "round(sum(line_total) / count(distinct order_id), 2)"
    answer = lakehouse.as_user(operator()).sql(
        f"select {figures}, {ratio}::decimal(18, 2) from marts.order_lines where {where}"
    )
    return [f"{value:,}" for value in answer.table.to_pylist()[0].values()]
