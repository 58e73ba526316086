"""Brings a source's files through dlt into Parquet files of a working folder.

One rule: nothing that dlt does here is seen by anybody; the load's one commit makes it visible. The folder belongs to
one load and goes with it, so that a crash leaves nothing pending that a later load could stumble over.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
import pyarrow.parquet as pq
from dlt.pipeline.exceptions import PipelineStepFailed

from lakehouse.errors import LakeportError, causes
from lakehouse.settings import SourceSettings
from pipelines.load_plan import LoadPlan
from pipelines.sources.csv_file import QUARANTINE, FileReport, SourceFile, read_csv, rows_schema

ROWS, REJECTED = "rows", "rejected"

BATCH_ROWS = 50_000

OnRead = Callable[["Extract"], None]
"""Called now and then with what has been read so far."""


@dataclass
class Extract:
    """Where the rows and the rejected records stand, and what became of each file."""

    folder: Path
    reports: list[FileReport] = field(default_factory=list)

    @property
    def rows(self) -> Sequence[Path]:
        """Parquet files of accepted rows, in the order of the files; none when nothing was accepted."""
        return self._files(ROWS)

    @property
    def rejected(self) -> Sequence[Path]:
        """Parquet files of rejected records; none when nothing was rejected."""
        return self._files(REJECTED)

    def _files(self, table: str) -> list[Path]:
        return sorted((self.folder / "files" / "extract" / table).glob("*.parquet"))

    def reader(self, source: SourceSettings) -> pa.RecordBatchReader:
        """The accepted rows, streamed."""
        schema = rows_schema(source)
        # Not as a dataset: its scanner reads ahead, and memory would grow with the files.
        batches = (batch for path in self.rows for batch in pq.ParquetFile(path).iter_batches(BATCH_ROWS))
        return pa.RecordBatchReader.from_batches(schema, batches)

    def rejected_table(self) -> pa.Table:
        """The rejected records, as the quarantine table has them."""
        # By name: dlt adds the columns that are hinted for the rows to these files too.
        files = [pq.read_table(path, columns=QUARANTINE.names).cast(QUARANTINE) for path in self.rejected]
        return pa.concat_tables([QUARANTINE.empty_table(), *files])

    @property
    def records(self) -> int:
        """Records read, accepted or not."""
        return sum(report.records for report in self.reports)

    @property
    def bytes(self) -> int:
        """Bytes read of the files so far."""
        return sum(report.bytes for report in self.reports)

    def counts(self) -> dict[str, Any]:
        """What a run reports of the files."""
        ignored = {report.file: list(report.ignored_columns) for report in self.reports if report.ignored_columns}
        blank_lines = sum(report.blank_lines for report in self.reports)
        return {
            "files": len(self.reports),
            "read": self.records,
            "blank_lines": blank_lines,
            "ignored_columns": ignored,
        }


def extract(plan: LoadPlan, folder: Path, on_read: OnRead) -> Extract:
    """Read the planned files into `folder`.

    Raises `FileRefused` when one of them cannot be loaded as declared.
    """
    result = Extract(folder)
    pipeline = dlt.pipeline(
        plan.source.name,
        # "direct": its usual naming would turn a column x_ into x.
        destination=dlt.destinations.filesystem(bucket_url=f"file://{folder / 'files'}", naming_convention="direct"),
        dataset_name="extract",
        pipelines_dir=str(folder / "state"),
    )
    # Without the hint dlt would turn times without a zone into times in UTC.
    zoneless = [
        {"name": name, "data_type": "timestamp", "timezone": False}
        for name, column in plan.source.settings.columns.items()
        if column.type == "timestamp"
    ]
    batches = _batches(plan, result, on_read)
    resource = dlt.resource(batches, name=ROWS, write_disposition="append", columns=zoneless)
    failure: BaseException | None = None
    try:
        pipeline.run(resource, loader_file_format="parquet")
    except PipelineStepFailed as error:
        failure = next((cause for cause in causes(error) if isinstance(cause, LakeportError)), error)
    if failure is not None:  # raised out here: inside, an error would become its own cause
        raise failure
    return result


def _batches(plan: LoadPlan, result: Extract, on_read: OnRead) -> Iterator[Any]:
    for file in plan.read:
        report = FileReport(file)
        result.reports.append(report)
        source_file = SourceFile(plan.source.paths[file], file, plan.source.files[file])
        for batch in read_csv(source_file, plan.source.name, plan.source.settings, report):
            if batch.rows.num_rows:
                yield dlt.mark.with_table_name(batch.rows, ROWS)
            if batch.rejected.num_rows:
                yield dlt.mark.with_table_name(batch.rejected, REJECTED)
            on_read(result)
