"""Addresses of those who ask, as they are counted and recorded.

One rule: one machine has one address here, however it is written.
"""

import ipaddress

LONGEST = 64
"""Of an address in characters; what is longer is none."""


def plain(address: str) -> str:
    """The address without a port or brackets, which some proxies add; what is no address stays, cut and readable."""
    found = _parsed(address)
    return _readable(address) if found is None else str(found)


def network(address: str) -> str:
    """The address; of an IPv6 address its /64, which one household or machine has as a whole."""
    found = _parsed(address)
    if found is None:
        return _readable(address)
    return str(ipaddress.ip_network((int(found), 64), strict=False)) if found.version == 6 else str(found)


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """IPv4 inside IPv6 is IPv4; None for what is no address."""
    host, _, rest = address[1:].partition("]") if address[:1] == "[" else (address, "", "")
    if not rest and host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def _readable(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()[:LONGEST]
