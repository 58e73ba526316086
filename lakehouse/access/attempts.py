"""Failed attempts to log in, counted, and how long to wait after too many.

One rule: a name that nobody has is treated like any other. Counts stand in the state store, so that all processes share
them; their keys are hashes, since now and then somebody types a password where the name belongs.
"""

import hashlib
import ipaddress
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from lakehouse.state.schema import attempts, stamp
from lakehouse.state.store import State

LONGEST_SECONDS = 300
FORGOTTEN = timedelta(hours=1)


@dataclass(frozen=True)
class _Key:
    """What failures are counted for, and how many of them cost nothing."""

    text: str
    free: int

    @property
    def hashed(self) -> str:
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    def seconds(self, failures: int) -> int:
        """The wait after so many failures: 2, 4, 8 ... after the free ones."""
        beyond = failures - self.free
        return 0 if beyond <= 0 else min(LONGEST_SECONDS, 2 ** min(beyond, LONGEST_SECONDS.bit_length()))


class Attempts:
    """The attempts of one state store, by name and address together and by address alone."""

    def __init__(self, state: State) -> None:
        self._state = state

    def wait_seconds(self, name: str, address: str) -> int:
        """How long somebody at this address must wait before this name is tried again; 0: go on."""
        moment = datetime.now(UTC)
        keys = [_pair(name, address).hashed, _address(address).hashed]
        blocked = select(func.max(attempts.c.blocked_until)).where(attempts.c.key.in_(keys))
        with self._state.read() as connection:
            until = connection.execute(blocked).scalar()
        if until is None or until <= stamp(moment):
            return 0
        # At least a second, also for its last part; never more than the longest, should the clock have been put back.
        return min(LONGEST_SECONDS, math.ceil((datetime.fromisoformat(until) - moment).total_seconds()))

    def failed(self, name: str, address: str) -> None:
        """Count a failure, and forget those that are older than an hour."""
        with self._state.write() as connection:
            moment = datetime.now(UTC)
            connection.execute(delete(attempts).where(attempts.c.last < stamp(moment - FORGOTTEN)))
            for key in (_pair(name, address), _address(address)):
                _count(connection, key, moment)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of this name at this address; those of the address stay."""
        with self._state.write() as connection:
            connection.execute(delete(attempts).where(attempts.c.key == _pair(name, address).hashed))


def _count(connection: Connection, key: _Key, moment: datetime) -> None:
    # The database adds, so two processes that count at the same time never lose one of them.
    counted = (
        _insert(connection)
        .values(key=key.hashed, failures=1, last=stamp(moment))
        .on_conflict_do_update(
            index_elements=["key"], set_={"failures": attempts.c.failures + 1, "last": stamp(moment)}
        )
        .returning(attempts.c.failures)
    )
    wait = key.seconds(connection.execute(counted).scalar_one())
    if wait:
        until = stamp(moment + timedelta(seconds=wait))
        connection.execute(update(attempts).where(attempts.c.key == key.hashed).values(blocked_until=until))


def _insert(connection: Connection) -> Any:
    """An insert that knows `on conflict`. Only the dialect that is used is imported: the other costs 20 ms."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        return postgresql_insert(attempts)
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(attempts)


def _pair(name: str, address: str) -> _Key:
    return _Key(f"{name.strip().lower()}\n{_network(address)}", free=5)


def _address(address: str) -> _Key:
    return _Key(_network(address), free=20)


def _network(address: str) -> str:
    """The address; of an IPv6 address its /64, which one household or machine has as a whole."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 6:
        return str(found.ipv4_mapped or ipaddress.ip_network((int(found), 64), strict=False))
    return str(found)
