"""The columns of a table as a scope sees them, and whether it sees the table at all.

One rule: each table is asked for by itself, since another one may be damaged.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lakehouse.errors import PolicyWrong, StatementWrong, Unavailable
from lakehouse.memory import Memory
from lakehouse.query.pins import Pin, Pins, pins_key
from lakehouse.query.pool import QueryPool, Question
from lakehouse.query.scope import Scope
from lakehouse.quoting import sql_table

COLUMNS = """
select column_name as "column", data_type as type
from duckdb_columns() where database_name = current_database() order by column_index
"""


@dataclass(frozen=True)
class Shapes:
    """The shapes of tables for one scope; `public` are those whose rows are for everybody, as their models say."""

    pool: QueryPool
    kept: Memory
    scope: Scope
    public: frozenset[str]

    def columns(self, table: str, pin: Pin) -> Mapping[str, str]:
        """Column -> type; none of a table that is closed to the scope."""
        pins = {table: pin}

        def found() -> Mapping[str, str]:
            answer = self.pool.ask(Question(COLUMNS, pins, self.scope, self.public, trusted=True))
            return {row["column"]: row["type"] for row in answer.table.to_pylist()}

        return self.kept.get(("columns", self.scope.key, pins_key(pins, self.public & pins.keys())), found)

    def is_open(self, table: str, pin: Pin) -> bool:
        """Whether the row rules leave a table open: one that lacks the column of a rule is closed.

        A table whose data cannot be read counts as open, so that whoever asks it is told so; no view is made of it.
        """
        try:
            return bool(self.columns(table, pin))
        except Unavailable:
            return True

    def why_closed(self, table: str, pins: Pins) -> str:
        """Why a table is closed."""
        try:
            nothing = f"select 1 from {sql_table(table)} limit 0"
            self.pool.ask(Question(nothing, pins, self.scope, self.public, trusted=True))
        except PolicyWrong as error:
            return str(error)
        except StatementWrong:
            pass
        columns = ", ".join(sorted({rule.column for rule in self.scope.rows}))
        return f"{table} lacks a column of the row rules ({columns}), and its model does not say `rows: public`."
