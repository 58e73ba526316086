"""A thousand reads while two hundred releases land: no error, and never two releases in one answer.

One rule: every table of release n holds the number n in every row, so one query tells a mixture at once.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse
from lakehouse.query.pins import Pin
from lakehouse.runs import Runs
from lakehouse.settings import Settings, read_settings
from lakehouse.state.store import open_state
from lakehouse.tables.catalog import TableCatalog
from lakehouse.tables.commit import commit
from lakehouse.tables.publish import Build, Publisher
from lakehouse.tables.write import EVERYTHING, Staged, stage

pytestmark = pytest.mark.faults

RELEASES, READS, READERS = 200, 1000, 2

BUILT = ("staging.lines", "marts.lines")

MIXTURE = """
select min(n) as low, max(n) as high, count(*) as lines from (
    select n from raw.lines union all select n from staging.lines
    union all select n from marts.lines
)
"""


def test_a_thousand_reads_see_whole_releases_only_while_two_hundred_land(tmp_path: Path) -> None:
    (tmp_path / "lakeport.toml").write_text("[query]\nworkers = 2\ncache_mb = 0\n")
    with Lakehouse.open(tmp_path) as lakehouse, publishing(read_settings(tmp_path)) as publish:
        publish(1)
        due = threading.Semaphore(0)  # so many reads per release, that they are spread over all of them

        def read(_number: int) -> dict[str, Any]:
            due.acquire()
            workspace = lakehouse.as_user(operator())
            (row,) = workspace.sql(MIXTURE).table.to_pylist()
            return {**row, "release": workspace.release.number}

        with ThreadPoolExecutor(READERS) as pool:
            reads = [pool.submit(read, number) for number in range(READS)]
            try:
                for number in range(2, RELEASES + 1):
                    due.release(READS // RELEASES)
                    publish(number)
            finally:
                due.release(READS)
            answers = [waiting.result() for waiting in reads]

    assert len(answers) == READS
    mixed = [answer for answer in answers if answer["low"] != answer["high"] or answer["high"] != answer["release"]]
    assert mixed == []
    assert {answer["lines"] for answer in answers} == {15}
    assert len({answer["release"] for answer in answers}) > RELEASES // 2  # they read while releases landed
    assert answers[-1]["release"] == RELEASES


@contextmanager
def publishing(settings: Settings) -> Iterator[Callable[[int], None]]:
    """Loads and publishes release n, the way a refresh does it, by one run that stays active."""
    with closing(open_state(settings)) as state, closing(TableCatalog(settings, "dev")) as catalog:
        Runs(state).begin("r1", "dev", "refresh", "test")
        publisher = Publisher(state, catalog, "dev")

        def publish(number: int) -> None:
            commit(catalog, {"raw.lines": staged(catalog, "raw.lines", number).change})
            changes = {table: staged(catalog, table, number).change for table in BUILT}
            raw = catalog.head("raw.lines")
            assert raw is not None
            read = {"raw.lines": Pin(raw.metadata_location, raw.metadata.current_snapshot_id)}
            assert publisher.publish("r1", Build(changes, read), lambda _step: None) == number

        yield publish


def staged(catalog: TableCatalog, table: str, number: int) -> Staged:
    rows = pa.table({"n": [number] * 5})
    return stage(catalog, table, rows.to_reader(), EVERYTHING, {"lakeport.run": "r1"})
