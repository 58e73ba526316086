"""What comes back from a question: an Arrow table, and how it came about.

One rule: an answer that was cut at the row limit says so.
"""

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class Answer:
    """The rows of one question.

    `complete` is False when rows were cut at the row limit. `cached` is True when no worker ran for this very question:
    the rows were in memory, or an equal question was being answered at that moment. `seconds` is what the asker waited.
    Timestamps with a zone are in UTC.
    """

    table: pa.Table
    complete: bool
    cached: bool
    seconds: float
