"""Serves the portal below a path, as a reverse proxy shows it.

One rule: it does not matter whether the proxy passes the path on or takes it away.
"""

from collections.abc import Iterable
from typing import Any

Wsgi = Any


def below(base: str, app: Wsgi) -> Wsgi:
    """The WSGI application below `base`."""
    if not base:
        return app

    def serve(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        environ["SCRIPT_NAME"] = base
        environ["PATH_INFO"] = path.removeprefix(base) or "/" if f"{path}/".startswith(f"{base}/") else path
        return app(environ, start)  # type: ignore[no-any-return]

    return serve
