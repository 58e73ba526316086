"""Judges the rows of one extract by their declared key, so that no key enters a raw table twice.

One rule: rows that are equal in every declared column are one row written twice (`duplicate`: the first is kept); rows
that differ contradict each other (`conflict`: none is kept, since nothing tells which is right).
"""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from lakehouse.query.engine import connect, identifier, literal, table_function
from lakehouse.query.pins import Pin
from pipelines.inputs import SourceInputs
from pipelines.sources.csv_file import QUARANTINE, rows_schema

MEMORY = "400MB"
BATCH_ROWS = 50_000

_HELD = """
create temp table judged as
select extracted._file, extracted._line, case when {row} = {held_row} then 'duplicate' else 'conflict' end as verdict
from extracted join {held} as held on extracted.line_id = held.line_id
"""

_REPEATED = """
insert into judged
with fresh as not materialized (
    select * from extracted anti join judged using (_file, _line)
), repeated as (
    select line_id from fresh group by line_id having count(*) > 1
), variants as (
    select line_id, count(distinct {row}) as number, min((_file, _line)) as first
    from fresh semi join repeated using (line_id) group by line_id
)
select _file, _line, case when number > 1 then 'conflict' else 'duplicate' end
from fresh join variants using (line_id)
where number > 1 or (_file, _line) <> first
"""

_REJECTED = """
select {source} as source, _file as file, _line as line, cast(null as bigint) as record, {key} as column_name,
       line_id as value, case verdict when 'duplicate' then 'duplicate: an equal row with this key is kept'
       else 'conflict: rows with this key have different values' end as reason, cast(to_json({texts}) as text) as fields
from extracted join judged using (_file, _line) order by _file, _line
"""


class KeyCheck:
    """Extracted rows of a source with a key: those that are kept, and those that are not, with the reason.

    `held` is the table that an append adds to; a key that stands in it counts as written before.
    """

    def __init__(self, source: SourceInputs, rows: Sequence[Path], held: Pin | None, folder: Path) -> None:
        self._source = source
        self._connection = connect(MEMORY, threads=2)
        self._connection.execute(f"set temp_directory = {literal(str(folder / 'spill'))}")
        files = ", ".join(literal(str(path)) for path in rows)
        self._connection.execute(f"create view extracted as from read_parquet([{files}])")
        if held is None:
            self._connection.execute("create temp table judged (_file text, _line bigint, verdict text)")
        else:
            parts = {"row": self._row("extracted"), "held_row": self._row("held"), "held": table_function(held)}
            self._connection.execute(_HELD.format(**parts))
        self._connection.execute(_REPEATED.format(row=self._row("fresh")))

    def _row(self, table: str) -> str:
        columns = (f"{identifier(name)} := {table}.{identifier(name)}" for name in self._source.settings.columns)
        return f"struct_pack({', '.join(columns)})"

    def kept(self) -> pa.RecordBatchReader:
        """Rows whose key is theirs alone, in the order of the files."""
        schema = rows_schema(self._source.settings)
        names = ", ".join(identifier(name) for name in schema.names)
        rows = self._connection.execute(f"select {names} from extracted anti join judged using (_file, _line)")
        return rows.to_arrow_reader(BATCH_ROWS)

    def keys(self) -> pa.Array:
        """The keys of the rows that are kept."""
        rows = self._connection.execute("select line_id from extracted anti join judged using (_file, _line)")
        return rows.to_arrow_table()["line_id"].combine_chunks()

    def rejected(self) -> pa.Table:
        """The other rows, as records of the quarantine table."""
        settings = self._source.settings
        texts = ", ".join(f"cast({identifier(name)} as text)" for name in settings.columns)
        parts = {"source": literal(self._source.name), "key": literal(", ".join(settings.key)), "texts": f"[{texts}]"}
        return self._connection.execute(_REJECTED.format(**parts)).to_arrow_table().cast(QUARANTINE)

    def close(self) -> None:
        """Give the memory back."""
        self._connection.close()
