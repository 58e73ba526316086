"""A served lake with many users, and the crowd that browses it for a while: what they see, and what that costs.

One rule: what a crowd calls new or asked before is so by the records of the audit; what they do not allow is an error.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse
from portal.page import Visit
from portal.sales import Sales
from tests.bench.browser import Client, text_of
from tests.bench.crowd import BEGUN, NEW_EVERY, Orders, Seen
from tests.bench.family import Used
from tests.bench.measured import percentile
from tests.bench.served import PATIENCE_SECONDS, ROOT, Served
from tests.bench.states import COMMON, new_states
from tests.portal.visitor import PASSWORD

CHANGE_SECONDS = 3.0
SETTLE_SECONDS = 4.0
REST_SECONDS = 0.5
WEB_PROCESSES = "LAKEPORT_SERVER__WORKERS"
BUSY_SHARE = 0.05
"""CPU seconds a second below which a portal counts as doing nothing."""


@dataclass(frozen=True)
class Browsed:
    """What a crowd has seen, and the CPU seconds that the portal has used for it in `seconds`."""

    users: int
    seconds: float
    seen: Seen
    used: Used

    def spent(self, *, new: bool | None = None) -> list[float]:
        """Milliseconds of all changes, or of those that were new or not."""
        return [ms for ms, is_new, _ in self.seen.changes if new in (None, is_new)]

    @property
    def p95(self) -> float:
        """Of all changes, in ms."""
        return percentile(self.spent(), 0.95)


class Town:
    """A portal with users who can be sent to it; each of its web processes draws the common states for itself."""

    def __init__(self, lakehouse: Lakehouse, served: Served, web_processes: int = 1) -> None:
        self.lakehouse, self.served = lakehouse, served
        self._undrawn = (web_processes - 1) * len(COMMON)
        workspace = lakehouse.as_user(operator())
        bounds = Sales(workspace, Visit("/revenue")).bounds
        assert bounds is not None
        self._release = str(workspace.release.number)
        self._new = new_states(bounds)
        self._users: list[tuple[str, str]] = []

    def browse(self, users: int, seconds: float, settle_seconds: float = SETTLE_SECONDS) -> Browsed:
        """Let so many users browse; what counts begins after a while in which everything settles."""
        orders = Orders(
            port=self.served.port,
            release=self._release,
            users=self.users(users),
            common=list(COMMON),
            new=list(islice(self._new, _most_changes(users, settle_seconds + seconds))),
            change_seconds=CHANGE_SECONDS,
            settle_seconds=settle_seconds,
            measured_seconds=seconds,
        )
        browsed = self._send(orders)
        self._check(browsed.seen)
        return browsed

    def users(self, count: int) -> list[tuple[str, str]]:
        """Cookies and token of so many users who are logged in, made when there are not enough yet."""
        known = {user.name for user in self.lakehouse.users.list()}
        for number in range(len(self._users), count):
            name = f"user-{number}"
            if name not in known:
                self.lakehouse.users.add(name, PASSWORD, "viewer")
            with self.served.client(name) as client:
                self._users.append((client.cookie, client.cookies["_csrf_token"]))
        return self._users[:count]

    def new_state(self) -> str:
        """A state of the page that nobody has seen."""
        return next(self._new)

    def rest(self) -> None:
        """Wait until the portal does nothing any more: what nobody reads any longer takes a while to stop."""
        busy, deadline = True, time.monotonic() + PATIENCE_SECONDS
        while busy and time.monotonic() < deadline:
            before = self.served.used
            time.sleep(REST_SECONDS)
            busy = self.served.used.since(before).everything > BUSY_SHARE * REST_SECONDS

    def warm(self, client: Client) -> None:
        """Have every common state drawn once."""
        for search in COMMON:
            text_of(client.page(search))

    def _send(self, orders: Orders) -> Browsed:
        command = [sys.executable, "-m", "tests.bench.crowd"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as crowd:
            assert crowd.stdin is not None
            assert crowd.stdout is not None
            with crowd.stdin:
                json.dump(asdict(orders), crowd.stdin)
            assert crowd.stdout.readline().strip() == BEGUN, "The crowd has ended instead of browsing."
            before, began = self.served.used, time.monotonic()
            said = crowd.stdout.readline()  # with the last answer, which may be late
            used, seconds = self.served.used.since(before), time.monotonic() - began
        seen = json.loads(said)
        return Browsed(len(orders.users), seconds, Seen(**{**seen, "errors": Counter(seen["errors"])}), used)

    def _check(self, seen: Seen) -> None:
        limit = 2 * len(seen.changes) + 1_000
        found = {record["request"]: record for record in self.lakehouse.audit.records(limit=limit)}
        for _, is_new, request in seen.changes:
            record = found[request]
            if record["verdict"] != "allowed":
                seen.errors[f"{record['verdict']} {record['status']}"] += 1
            elif is_new == _was_known(record["detail"]):
                self._undrawn -= 1
                assert not is_new, record
                assert self._undrawn >= 0, record


def _most_changes(users: int, seconds: float) -> int:
    """More new states than so many users ask for in that time."""
    return users + 2 * int(users * seconds / CHANGE_SECONDS / NEW_EVERY)


def _was_known(detail: str) -> bool:
    """Whether everything of a request was answered from what had been asked before."""
    return all(question["cached"] for question in json.loads(detail)["asked"])


@contextmanager
def town(home: Path, web_processes: int = 1, **variables: str) -> Iterator[Town]:
    """A lake that is served as people serve it, or with other settings, with its common states drawn."""
    with Lakehouse.open(home) as lakehouse, Served(home, **{WEB_PROCESSES: str(web_processes)}, **variables) as served:
        found = Town(lakehouse, served, web_processes)
        with served.client() as client:
            found.warm(client)
        yield found
