"""Names as a statement has to write them.

One rule: a name is quoted when it would be read as something else without quotes, and only then.
"""

import re

from lakehouse.quoting import sql_name

_RESERVED = """
all analyse analyze and anti any array as asc asof asymmetric at authorization binary both by case cast check
collate collation column columns concurrently constraint create cross default deferrable desc describe distinct
do else end except false fetch for foreign freeze from full generated glob group having ilike in initially inner
intersect into is isnull join lambda lateral leading left like limit map natural not notnull null offset on only
or order outer overlaps pivot pivot_longer pivot_wider placing positional primary qualify references returning
right select semi show similar some struct summarize symmetric table tablesample then to trailing true try_cast
union unique unpack unpivot using variadic verbose when where window with
"""

RESERVED = frozenset(re.findall(r"\w+", _RESERVED))
"""DuckDB's words that name no column unless they are quoted."""

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def written_name(name: str) -> str:
    """One name: `region`, `"order"`, `"Unit price"`."""
    if _PLAIN.fullmatch(name) and name not in RESERVED:
        return name
    return sql_name(name)


def written_table(table: str) -> str:
    """A table with its layer: `marts.orders`."""
    return ".".join(written_name(part) for part in table.split(".", 1))
