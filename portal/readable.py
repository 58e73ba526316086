"""Reading what may be gone: one table or one release whose data cannot be read must not hide the others on a page.

One rule: only `Unavailable` is taken for that; every other error goes on.
"""

from collections.abc import Callable
from typing import TypeVar

from lakehouse.errors import Unavailable

Read = TypeVar("Read")


def if_readable(read: Callable[[], Read]) -> Read | None:
    """What is read, or None where its data cannot be."""
    try:
        return read()
    except Unavailable:
        return None
