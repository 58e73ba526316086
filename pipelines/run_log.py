"""The log of a run: what its tools have printed, of bounded size, and read without secrets.

One rule: the file is written by the tools themselves, so that a run which is killed leaves its last words; it is kept
short from outside, and what was cut is said in it.
"""

import os
from pathlib import Path

from lakehouse.redaction import Redaction

LOG_NAME = "output.log"
MOST_BYTES = 5_000_000
"""A larger log is cut: its beginning and its end stay, a third of this each."""

READ_BYTES = 256_000
LONGEST_LINE = 2_000


def trim(file: Path, most: int = MOST_BYTES) -> bool:
    """Cut the middle out of a log that has become too large; whoever writes at its end goes on there."""
    try:
        size = file.stat().st_size
        if size <= most:
            return False
        kept = most // 3
        with file.open("r+b") as log:
            head = log.read(kept).rpartition(b"\n")[0]
            log.seek(size - kept)
            tail = log.read().partition(b"\n")[2]
            gone = size - len(head) - len(tail)
            os.ftruncate(log.fileno(), len(head))
            log.seek(0, os.SEEK_END)
            log.write(b"\n[%d bytes were left out here, since the log had become too large]\n%b" % (gone, tail))
    except OSError:  # a log is not worth a run
        return False
    return True


def read_log(folder: Path, redaction: Redaction, lines: int) -> list[str]:
    """The last lines of a run's log, without secrets; none where there is no log."""
    text = _tail(folder / LOG_NAME, min(READ_BYTES, max(lines, 1) * LONGEST_LINE))
    found = [line[:LONGEST_LINE] for line in redaction.text(text).splitlines()]
    return found[-lines:] if lines > 0 else []


def whole_log(folder: Path, redaction: Redaction) -> str:
    """All that is kept of a run's log, without secrets."""
    return redaction.text(_tail(folder / LOG_NAME, 2 * MOST_BYTES))


def _tail(file: Path, most: int) -> str:
    try:
        with file.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - most))
            data = log.read(most)
    except OSError:
        return ""
    if size > most:
        data = data.partition(b"\n")[2]  # half a line may be half a secret
    return data.decode("utf-8", "replace")
