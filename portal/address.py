"""The address that the portal listens on: taken before anything else is done, and as a browser finds it.

One rule: an address that cannot be had is one sentence, not a stack trace.
"""

import errno
import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from lakehouse.errors import Unavailable
from lakehouse.settings import ServerSettings

LOOPBACK = ("127.0.0.1", "::1", "localhost")
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # compared, not listened on


def take(server: ServerSettings) -> socket.socket:
    """The address, ours from now on; who connects is refused until it is served. Raises `Unavailable`."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)[0]
        taken = socket.socket(family, kind, proto)
    except (OSError, UnicodeError) as error:  # a name that cannot be one on the net is no Unicode text for Python
        raise Unavailable(_why_not(server, error)) from error
    try:
        _bind(taken, address)
    except OSError as error:
        taken.close()
        raise Unavailable(_why_not(server, error)) from error
    taken.set_inheritable(True)
    return taken


def _bind(taken: socket.socket, address: Any) -> None:
    """Bind to the address, at best so that nobody else can: two that reuse one could both have it until one serves."""
    try:
        taken.bind(address)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that have ended are no obstacle
        taken.bind(address)


def url(server: ServerSettings) -> str:
    """Where a browser on this machine finds the portal."""
    host = "127.0.0.1" if server.host in EVERYWHERE else server.host
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{server.port}{server.base_path}"


def known_hosts(server: ServerSettings) -> tuple[str, ...]:
    """Names that requests may be for: those of the settings; without any, this machine's own when only it can ask.

    A page elsewhere whose name has been made to mean this machine would otherwise be talked to like the portal itself.
    """
    if server.hosts or server.trusted_proxies or server.host not in LOOPBACK:
        return server.hosts
    return (*LOOPBACK, server.host)


def is_called(host: str, names: Sequence[str]) -> bool:
    """Whether a Host header is one of these names, with any port; `.example.com` stands for all names that end so."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:  # brackets that hold no address
        return False
    return any(name == known.lower() or (known[:1] == "." and name.endswith(known.lower())) for known in names)


def _why_not(server: ServerSettings, error: OSError | UnicodeError) -> str:
    if not isinstance(error, OSError) or isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"There is no address {server.host!r} to listen on. Name one of this machine with --host."
    if isinstance(error, PermissionError):
        return f"Port {server.port} may not be used by this account. Choose one above 1023 with --port."
    why = str(error.strerror).lower()
    return (
        f"Port {server.port} on {server.host} cannot be used: {why}. Stop what uses it, or choose another with --port."
    )
