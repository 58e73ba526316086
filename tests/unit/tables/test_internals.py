"""Every private name of PyIceberg that Lakeport uses: it is there, and does what is expected of it."""

import ast
import inspect
import json

import pyarrow as pa
import pytest
from pyiceberg.catalog import MetastoreCatalog
from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.expressions import EqualTo
from pyiceberg.io.pyarrow import ArrowScan, _dataframe_to_data_files
from pyiceberg.serializers import ToOutputFile
from pyiceberg.table import StaticTable, Transaction
from pyiceberg.table.update.snapshot import _OverwriteFiles
from staged_tables import intent, put, rows, staged

from lakehouse.tables import internals
from lakehouse.tables.catalog import TableCatalog
from lakehouse.tables.write import EVERYTHING


def private_names() -> set[str]:
    """What `internals.py` reaches for that begins with one underscore."""
    tree = ast.parse(inspect.getsource(internals))
    reached = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    return {name for name in reached | imported if name.startswith("_")}


def test_no_private_name_is_used_that_is_not_looked_at_here() -> None:
    assert private_names() == {
        "_OverwriteFiles",
        "_dataframe_to_data_files",
        "_existing_manifests",
        "_requirements",
        "_scan",
        "_table",
        "_update_and_stage_table",
        "_updates",
        "_write_metadata",
    }


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (_dataframe_to_data_files, ["table_metadata", "df", "io", "write_uuid", "counter"]),
        (
            MetastoreCatalog._update_and_stage_table,
            ["self", "current_table", "table_identifier", "requirements", "updates"],
        ),
        (MetastoreCatalog._write_metadata, ["metadata", "io", "metadata_path"]),
        (Transaction._scan, ["self", "row_filter", "case_sensitive"]),
        (ArrowScan.__init__, ["self", "table_metadata", "io", "projected_schema", "row_filter"]),
        (_OverwriteFiles.__init__, ["self", "operation", "transaction", "io"]),
        (_OverwriteFiles._existing_manifests, ["self"]),
        (ToOutputFile.table_metadata, ["metadata", "output_file", "overwrite"]),
    ],
)
def test_a_function_takes_what_it_is_given(function: object, parameters: list[str]) -> None:
    assert callable(function)

    assert list(inspect.signature(function).parameters)[: len(parameters)] == parameters


def test_the_catalogs_table_has_the_columns_that_are_changed() -> None:
    columns = {column.name for column in IcebergTables.__table__.columns}

    assert {
        "catalog_name",
        "table_namespace",
        "table_name",
        "metadata_location",
        "previous_metadata_location",
    } <= columns
    assert issubclass(SqlCatalog, MetastoreCatalog)


def test_a_change_is_json_that_names_the_table_its_state_and_the_new_snapshot(catalog: TableCatalog) -> None:
    put(catalog, "raw.t", {"n": [1]})
    head = catalog.head("raw.t")
    assert head is not None

    change = json.loads(json.dumps(staged(catalog, "raw.t", {"n": [2]}).change))

    required = {item["type"]: item for item in change["requirements"]}
    assert required["assert-table-uuid"]["uuid"] == str(head.metadata.table_uuid)
    assert required["assert-ref-snapshot-id"]["snapshot-id"] == head.metadata.current_snapshot_id
    assert {"add-snapshot", "set-snapshot-ref"} <= {item["action"] for item in change["updates"]}
    assert change["snapshot"] not in (None, head.metadata.current_snapshot_id)


def test_a_change_that_was_written_down_commits_in_a_later_process(catalog: TableCatalog) -> None:
    written = json.dumps(dict(intent(staged(catalog, "raw.t", {"n": [1, 2]}))))

    changes = {catalog.identifier(table): change for table, change in json.loads(written).items()}
    internals.commit_together(catalog.catalog, changes)

    assert rows(catalog, "raw.t") == [(1,), (2,)]


def test_a_candidate_is_read_from_a_file_that_the_catalog_does_not_know(catalog: TableCatalog) -> None:
    put(catalog, "raw.t", {"n": [1]})

    location = staged(catalog, "raw.t", {"n": [2]}).write_candidate("r7")

    assert location.endswith("/metadata/candidate-r7.metadata.json")
    assert sorted(StaticTable.from_metadata(location).scan().to_arrow()["n"].to_pylist()) == [1, 2]
    assert rows(catalog, "raw.t") == [(1,)]


def test_files_are_planned_as_the_transaction_sees_them_and_read_in_the_present_schema(catalog: TableCatalog) -> None:
    put(catalog, "raw.t", {"n": [1, 2]})
    put(catalog, "raw.t", {"n": [8, 9], "new": ["a", "b"]})
    head = catalog.head("raw.t")
    assert head is not None
    transaction = head.transaction()

    (task,) = internals.planned_files(transaction, EqualTo("n", 2))
    found = internals.read_file(transaction, task, transaction.table_metadata.schema())

    assert len(internals.planned_files(transaction)) == 2
    assert found.to_pylist() == [{"n": 1, "new": None}, {"n": 2, "new": None}]


def test_replacements_do_not_pile_up_manifests_that_every_reader_would_open(catalog: TableCatalog) -> None:
    for number in range(6):
        put(catalog, "raw.t", {"n": [number, 9]}, EVERYTHING)
    head = catalog.head("raw.t")
    assert head is not None
    snapshot = head.current_snapshot()
    assert snapshot is not None

    manifests = snapshot.manifests(head.io)

    assert len(manifests) == 2  # the files that came, and those that went
    assert [rows(catalog, "raw.t", item.snapshot_id) for item in head.snapshots()] == [[(n,), (9,)] for n in range(6)]


def test_files_are_cut_at_the_tables_target_size(catalog: TableCatalog) -> None:
    table = catalog.ensure("raw.t", pa.schema([("n", pa.int64())]))
    with table.transaction() as small:
        small.set_properties({"write.target-file-size-bytes": str(64 * 1024)})
    head = catalog.head("raw.t")
    assert head is not None
    batches = [pa.record_batch({"n": range(start, start + 5_000)}) for start in range(0, 50_000, 5_000)]

    files = list(
        internals.write_files(head.transaction(), pa.RecordBatchReader.from_batches(batches[0].schema, batches))
    )

    assert len(files) > 1
    assert sum(file.record_count for file in files) == 50_000


def test_several_tables_are_committed_together(catalog: TableCatalog) -> None:
    first, second = staged(catalog, "raw.t", {"n": [1]}), staged(catalog, "marts.u", {"s": ["x"]})

    changes = {catalog.identifier(table): change for table, change in intent(first, second).items()}
    internals.commit_together(catalog.catalog, changes)

    assert (rows(catalog, "raw.t"), rows(catalog, "marts.u")) == ([(1,)], [("x",)])


@pytest.mark.parametrize("overtaken", ["raw.t", "marts.u"])
def test_none_is_committed_when_one_was_overtaken(catalog: TableCatalog, overtaken: str) -> None:
    late = [staged(catalog, "raw.t", {"n": [1]}), staged(catalog, "marts.u", {"n": [1]})]
    put(catalog, overtaken, {"n": [5]})
    before = {table: rows(catalog, table) for table in ("raw.t", "marts.u")}

    changes = {catalog.identifier(table): change for table, change in intent(*late).items()}
    with pytest.raises(CommitFailedException):
        internals.commit_together(catalog.catalog, changes)

    assert {table: rows(catalog, table) for table in ("raw.t", "marts.u")} == before


def test_none_is_committed_when_one_is_overtaken_at_the_last_moment(
    catalog: TableCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The requirements hold, and then another process moves a pointer before ours are moved."""
    late = intent(staged(catalog, "raw.t", {"n": [1]}), staged(catalog, "marts.u", {"n": [1]}))
    quick = intent(staged(catalog, "marts.u", {"n": [5]}))
    write = MetastoreCatalog._write_metadata
    written: list[str] = []

    def overtake(metadata: object, io: object, metadata_path: str) -> None:
        write(metadata, io, metadata_path)  # type: ignore[arg-type]
        written.append(metadata_path)
        if len(written) == 2:
            other = {catalog.identifier(table): change for table, change in quick.items()}
            internals.commit_together(catalog.catalog, other)

    monkeypatch.setattr(MetastoreCatalog, "_write_metadata", staticmethod(overtake))
    changes = {catalog.identifier(table): change for table, change in late.items()}
    with pytest.raises(CommitFailedException, match=r"dev_analytics\.marts\.u was changed by someone else"):
        internals.commit_together(catalog.catalog, changes)

    assert (rows(catalog, "raw.t"), rows(catalog, "marts.u")) == ([], [(5,)])
