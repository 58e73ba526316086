"""Names and texts as they stand in SQL.

One rule: whatever comes from outside enters a statement through here, or as a typed value of `lakehouse.metrics`.
"""


def sql_name(name: str) -> str:
    """The name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def sql_text(text: str) -> str:
    """The text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"
