"""What signs the cookies of the portal.

One rule: only `dev` may do without a key that its operator has set.
"""

from lakehouse.access.keys import own_key
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
    return own_key(settings.folder / "secret_key")
