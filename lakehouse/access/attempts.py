"""Failed attempts to log in, counted, and how long to wait after too many.

One rule: a name that nobody has is treated like any other, and an attempt counts before the password is looked at, so
that many at the same moment are not one. Counts stand in the state store, so that all processes share
them; their keys are hashes, since now and then somebody types a password where the name belongs.
"""

import hashlib
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, func, select, update

from lakehouse.access.address import network
from lakehouse.state.schema import attempts, stamp
from lakehouse.state.store import State, upsert

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
        with self._state.read() as connection:
            return _wait(connection, name, address)

    def begin(self, name: str, address: str) -> int:
        """Count an attempt as a failure until `succeeded` takes it back, and give 0; or the seconds to wait."""
        with self._state.write(flush=False) as connection:
            wait = _wait(connection, name, address)
            if not wait:
                _failed(connection, name, address)
        return wait

    def failed(self, name: str, address: str) -> None:
        """Count a failure, and forget those that are older than an hour."""
        with self._state.write(flush=False) as connection:
            _failed(connection, name, address)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of this name at this address, and the attempt that was begun; others of it stay."""
        mine = attempts.c.key == _address(address).hashed
        with self._state.write(flush=False) as connection:
            connection.execute(delete(attempts).where(attempts.c.key == _pair(name, address).hashed))
            # The wait that came with the attempt goes too; whoever began it had none left to wait for.
            taken = update(attempts).where(mine, attempts.c.failures > 0)
            connection.execute(taken.values(failures=attempts.c.failures - 1, blocked_until=None))


def _wait(connection: Connection, name: str, address: str) -> int:
    moment = datetime.now(UTC)
    keys = [_pair(name, address).hashed, _address(address).hashed]
    blocked = select(func.max(attempts.c.blocked_until)).where(attempts.c.key.in_(keys))
    until = connection.execute(blocked).scalar()
    if until is None or until <= stamp(moment):
        return 0
    # At least a second, also for its last part; never more than the longest, should the clock have been put back.
    return min(LONGEST_SECONDS, math.ceil((datetime.fromisoformat(until) - moment).total_seconds()))


def _failed(connection: Connection, name: str, address: str) -> None:
    moment = datetime.now(UTC)
    connection.execute(delete(attempts).where(attempts.c.last < stamp(moment - FORGOTTEN)))
    for key in (_pair(name, address), _address(address)):
        _count(connection, key, moment)


def _count(connection: Connection, key: _Key, moment: datetime) -> None:
    # The database adds, so two processes that count at the same time never lose one of them.
    counted = (
        upsert(connection, attempts)
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


def _pair(name: str, address: str) -> _Key:
    return _Key(f"{name.strip().lower()}\n{network(address)}", free=5)


def _address(address: str) -> _Key:
    return _Key(network(address), free=20)
