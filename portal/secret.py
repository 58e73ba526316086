"""What signs the cookies of the portal.

One rule: only `dev` may do without a key that its operator has set.
"""

import os
from pathlib import Path
from secrets import token_urlsafe

from lakehouse.errors import SettingsWrong
from lakehouse.settings import Settings


def secret_key(settings: Settings, env: str) -> str:
    """The key of the settings or, for `dev` alone, one that is made once in a file of mode 600 in the lake's folder.

    Raises `SettingsWrong` when another environment is served without a key of its own.
    """
    if settings.server.secret_key:
        return settings.server.secret_key
    if env != "dev":
        raise SettingsWrong(
            f"server.secret_key is missing, and {env} is not served without one. Put 32 characters or more into a "
            "file of mode 600 and name it in LAKEPORT_SERVER__SECRET_KEY_FILE."
        )
    file = settings.folder / "secret_key"
    if not file.exists():
        write_private(file, token_urlsafe(48))
    return file.read_text(encoding="utf-8").strip()


def write_private(file: Path, text: str) -> None:
    """Write a line to a new file that only its owner may read; when another process was first, its file stays."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(f"{text}\n")
