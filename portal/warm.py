"""What the first request would have to import, imported before there is one.

One rule: whatever a login or a page imports is imported here. The first visitor would wait for it, and two who import
the same at once have got a blank page.
"""


def warm() -> None:
    """Import it; a process that serves nothing does not call this."""
    import argon2  # noqa: F401  # logs in
    import pyarrow as pa

    pa.array([0])  # with the first of its arrays pyarrow imports what it needs for dates
