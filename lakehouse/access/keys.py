"""Keys that a lake makes for itself, each in a file that only its owner may read.

One rule: a key is made once and never changed; nobody ever finds a file that is not written to its end.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from secrets import token_urlsafe

KEY_BYTES = 48


def own_key(file: Path) -> str:
    """The key in the file, which is made with mode 600 when it is missing."""
    if not file.exists():
        write_private(file, token_urlsafe(KEY_BYTES))
    return file.read_text(encoding="utf-8").strip()


def write_private(file: Path, text: str) -> None:
    """Write a line to a new file that only its owner may read; when another process was first, its file stays."""
    handle, written = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")  # of mode 600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(f"{text}\n")
        with suppress(FileExistsError):
            os.link(written, file)
    finally:
        os.unlink(written)
