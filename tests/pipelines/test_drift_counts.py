"""What a run has built beside the last release: from metadata where that is certain, else from the tables."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lakehouse.query.pins import Pin
from lakehouse.releases import Release
from lakehouse.settings import PublishSettings, Settings
from lakehouse.tables.catalog import TableCatalog
from lakehouse.tables.commit import commit
from lakehouse.tables.write import EVERYTHING, Drop, Staged, stage
from pipelines import comparison
from pipelines.comparison import Comparison


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[TableCatalog]:
    with closing(TableCatalog(Settings(home=tmp_path), "dev")) as opened:
        (tmp_path / ".lakeport").mkdir()
        yield opened


def staged(catalog: TableCatalog, table: str, columns: dict[str, Any], drop: Drop | None = EVERYTHING) -> Staged:
    made = stage(catalog, table, pa.table(columns).to_reader(), drop, {"lakeport.run": "r2"})
    made.write_candidate("r2")
    return made


def put(catalog: TableCatalog, table: str, columns: dict[str, Any], drop: Drop | None = EVERYTHING) -> Pin:
    """Commit rows; the pin of what the table holds then."""
    made = staged(catalog, table, columns, drop)
    commit(catalog, {table: made.change})
    head = catalog.head(table)
    assert head is not None
    return Pin(head.metadata_location, head.metadata.current_snapshot_id)


def compared(
    catalog: TableCatalog, before: dict[str, Pin], raw: dict[str, Pin], *made: Staged
) -> list[tuple[Any, ...]]:
    release = Release(1, "dev", "r1", "2026-03-31T00:00:00.000000Z", before, {}, None, None)
    settings = Settings(home=Path())
    asked = Comparison(catalog, release, PublishSettings(), settings.dbt)
    found = asked.differences("r2", {one.table: one for one in made}, raw)
    return [(one.table, one.column, one.before, one.after, one.over) for one in found]


def test_candidates_and_raw_tables_are_compared_with_the_release(
    catalog: TableCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: put(catalog, name, {"n": list(range(10))}) for name in ("marts.a", "marts.b", "raw.r", "raw.same")}
    raw = {"raw.same": before["raw.same"], "raw.r": put(catalog, "raw.r", {"n": [1]}), "raw.new": before["raw.r"]}
    monkeypatch.setattr(comparison, "connect", None)  # metadata says it all

    found = compared(
        catalog,
        before,
        raw,
        staged(catalog, "marts.a", {"n": [1, 2, 3, 4, None, None, None, None, None]}),
        staged(catalog, "marts.new", {"n": [1]}),
    )

    assert found == [
        ("marts.a", "n", 0.0, 0.555556, True),
        ("raw.r", None, 10, 1, True),
        ("marts.a", None, 10, 9, False),
    ]


def test_the_quarantine_is_left_to_its_own_limit(catalog: TableCatalog) -> None:
    before = put(catalog, "raw.quarantine", {"n": [1]})
    after = put(catalog, "raw.quarantine", {"n": [1, 2, 3, 4]})

    assert compared(catalog, {"raw.quarantine": before}, {"raw.quarantine": after}) == []


def test_what_metadata_does_not_say_is_counted_in_the_table(catalog: TableCatalog) -> None:
    put(catalog, "raw.r", {"n": [1, 2]})
    before = put(catalog, "raw.r", {"n": [3, 4], "late": [5, 6], "many": [[1], [2]]}, None)
    put(catalog, "raw.r", {"n": [1, 2], "late": [1, 2], "many": [[1], None]})
    after = put(catalog, "raw.r", {"n": [1, 2]}, None)

    found = compared(catalog, {"raw.r": before}, {"raw.r": after})

    assert found == [("raw.r", "many", 0.5, 0.75, True)]


def test_a_table_that_was_empty_is_not_compared(catalog: TableCatalog) -> None:
    empty = catalog.ensure("raw.r", pa.schema([("n", pa.int64())]))
    after = put(catalog, "raw.r", {"n": [1]})

    assert compared(catalog, {"raw.r": Pin(empty.metadata_location, None)}, {"raw.r": after}) == []


def test_a_snapshot_that_the_table_no_longer_knows_is_counted_by_its_metadata(catalog: TableCatalog) -> None:
    before = put(catalog, "raw.r", {"n": list(range(10))})
    catalog.catalog.drop_table(catalog.identifier("raw.r"))
    after = put(catalog, "raw.r", {"n": [1]})

    assert compared(catalog, {"raw.r": before}, {"raw.r": after}) == [("raw.r", None, 10, 1, True)]
