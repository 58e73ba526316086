"""Names and texts as they stand in SQL.

One rule: whatever comes from outside enters a statement through here, or as a typed value of `lakehouse.metrics`.
"""


def sql_name(name: str) -> str:
    """The name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def sql_table(name: str) -> str:
    """The table of a logical name, such as `marts.order_lines`."""
    return ".".join(sql_name(part) for part in name.split("."))


def sql_text(text: str) -> str:
    """The text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"
