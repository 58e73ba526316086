"""Judges the rows of one extract by their declared key, so that no key enters a raw table twice.

One rule: rows that are equal in every declared column are one row written twice (`duplicate`: the first is kept); rows
that differ contradict each other (`conflict`: none is kept, since nothing tells which is right).
"""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from lakehouse.query.engine import connect, table_function
from lakehouse.query.pins import Pin
from lakehouse.quoting import sql_name, sql_text
from pipelines.inputs import SourceInputs
from pipelines.sources.csv_file import QUARANTINE, rows_schema

MEMORY = "400MB"
BATCH_ROWS = 50_000

# Names of our own begin with an underscore, which no declared column does.
_HELD = """
create table _judged as
select _rows._file, _rows._line, case when {row} = {held_row} then 'duplicate' else 'conflict' end as _verdict
from _rows join {held} as _held on _rows.line_id = _held.line_id
"""

_REPEATED = """
insert into _judged
with _fresh as not materialized (
    select * from _rows anti join _judged using (_file, _line)
), _repeated as (
    select line_id from _fresh group by line_id having count(*) > 1
), _variants as (
    select line_id, count(distinct {row}) as _number, min((_file, _line)) as _first
    from _fresh semi join _repeated using (line_id) group by line_id
)
select _file, _line, case when _number > 1 then 'conflict' else 'duplicate' end
from _fresh join _variants using (line_id)
where _number > 1 or (_file, _line) <> _first
"""

_REJECTED = """
select {source} as source, _file as file, _line as line, cast(null as bigint) as record, {key} as column_name,
       line_id as value, case _verdict when 'duplicate' then 'duplicate: an equal row with this key is kept'
       else 'conflict: rows with this key have different values' end as reason, cast(to_json({texts}) as text) as fields
from _rows join _judged using (_file, _line) order by _file, _line
"""

_KEPT = "select {columns} from _rows anti join _judged using (_file, _line)"


class KeyCheck:
    """Extracted rows of a source with a key: those that are kept, and those that are not, with the reason.

    `held` is the table that an append adds to; a key that stands in it counts as written before.
    """

    def __init__(self, source: SourceInputs, rows: Sequence[Path], held: Pin | None, folder: Path) -> None:
        self._source = source
        self._connection = connect(MEMORY, threads=2)
        self._connection.execute(f"set temp_directory = {sql_text(str(folder / 'spill'))}")
        files = ", ".join(sql_text(str(path)) for path in rows)
        self._connection.execute(f"create view _rows as from read_parquet([{files}])")
        if held is None:
            self._connection.execute("create table _judged (_file text, _line bigint, _verdict text)")
        else:
            parts = {"row": self._row("_rows"), "held_row": self._row("_held"), "held": table_function(held)}
            self._connection.execute(_HELD.format(**parts))
        self._connection.execute(_REPEATED.format(row=self._row("_fresh")))

    def _row(self, table: str) -> str:
        columns = (f"{sql_name(name)} := {table}.{sql_name(name)}" for name in self._source.settings.columns)
        return f"struct_pack({', '.join(columns)})"

    def kept(self) -> pa.RecordBatchReader:
        """Rows whose key is theirs alone."""
        schema = rows_schema(self._source.settings)
        names = ", ".join(sql_name(name) for name in schema.names)
        # On a cursor: another statement on the same connection would cut the stream off.
        cursor = self._connection.cursor()
        rows = cursor.execute(_KEPT.format(columns=names))
        return rows.to_arrow_reader(BATCH_ROWS)

    def keys(self) -> pa.Array:
        """The keys of the rows that are kept."""
        rows = self._connection.execute(_KEPT.format(columns="line_id"))
        return rows.to_arrow_table()["line_id"].combine_chunks()

    def rejected(self) -> pa.Table:
        """The other rows, as records of the quarantine table."""
        settings = self._source.settings
        texts = ", ".join(f"cast({sql_name(name)} as text)" for name in settings.columns)
        parts = {"source": sql_text(self._source.name), "key": sql_text(", ".join(settings.key)), "texts": f"[{texts}]"}
        return self._connection.execute(_REJECTED.format(**parts)).to_arrow_table().cast(QUARANTINE)

    def close(self) -> None:
        """Give the memory back."""
        self._connection.close()
