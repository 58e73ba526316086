"""A crowd of users in a process of its own: `python -m tests.bench.crowd` with its orders on standard input, as JSON.

Each user changes a filter every few seconds, and has a page open that asks every second whether there is a newer
release. One rule: it costs little, so it speaks HTTP over bare connections and looks at nothing of an answer but its
head. It prints `begun` when the time that counts begins, and then one JSON document: `Seen`.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field

from tests.bench.browser import CALLBACKS, page_body

CHECK_SECONDS = 1.0
JITTER = 0.25
"""Share of the time between two requests by which it is shorter or longer."""
NEW_EVERY = 3
"""Each third change of a user asks for what nobody has asked for before."""
BEGUN = "begun"


@dataclass(frozen=True)
class Orders:
    """What the crowd does. A user is cookies and a token; `common` and `new` are query strings of the revenue page."""

    port: int
    release: str
    users: list[tuple[str, str]]
    common: list[str]
    new: list[str]
    change_seconds: float
    settle_seconds: float
    measured_seconds: float


@dataclass
class Seen:
    """What came of it: of each change its ms, whether it was new, and its request's id; of each check its ms."""

    changes: list[tuple[float, bool, str]] = field(default_factory=list)
    checks: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    cpu_seconds: float = 0.0


@dataclass(frozen=True)
class Head:
    """What an answer begins with; its headers have small letters."""

    status: int
    headers: dict[str, str]


class Line:
    """One connection that is kept, and opened again when the server has closed it between two requests."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: str) -> Head:
        """The head of the answer, when all of it has come."""
        is_kept = self._streams is not None
        try:
            return await self._ask(request.encode())
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            self.close()
            if not is_kept or getattr(error, "partial", b""):
                raise
            return await self._ask(request.encode())

    async def _ask(self, request: bytes) -> Head:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        reader, writer = self._streams
        writer.write(request)
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")[:-4].split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        await reader.readexactly(int(headers.get("content-length", "0")))
        return Head(int(first.split(" ", 2)[1]), headers)

    def close(self) -> None:
        """Give the connection up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class Crowd:
    """Users who share a clock, and the states that are still new."""

    def __init__(self, orders: Orders) -> None:
        self.orders, self.seen = orders, Seen()
        self._new = iter(orders.new)
        self._chance = random.Random(7)  # noqa: S311  # no secret
        self._counts_from = time.monotonic() + orders.settle_seconds
        self._ends = self._counts_from + orders.measured_seconds

    async def run(self) -> None:
        """Let everybody browse until the time is over."""
        loops = [self._browse(number, *user) for number, user in enumerate(self.orders.users)]
        loops += [self._check(cookie) for cookie, _ in self.orders.users]
        await asyncio.gather(*loops, self._count_cpu())

    async def _browse(self, number: int, cookie: str, token: str) -> None:
        head = (
            f"POST {CALLBACKS} HTTP/1.1\r\nX-CSRFToken: {token}\r\nContent-Type: application/json\r\n{_common(cookie)}"
        )
        changes = number  # so that not everybody asks for something new at the same time

        async def change(line: Line) -> Callable[[float], None]:
            nonlocal changes
            changes += 1
            is_new = changes % NEW_EVERY == 0
            body = page_body(next(self._new) if is_new else self._chance.choice(self.orders.common))
            answer = await line.ask(f"{head}Content-Length: {len(body)}\r\n\r\n{body}")
            _expect(answer.status == 200, f"a change was answered with {answer.status}")
            _expect(answer.headers.get("x-lakeport-release") == self.orders.release, "a page is of no release")
            return lambda spent: self.seen.changes.append((spent, is_new, answer.headers["x-request-id"]))

        await self._again(self.orders.change_seconds, change)

    async def _check(self, cookie: str) -> None:
        request = f'GET /_release HTTP/1.1\r\nIf-None-Match: "{self.orders.release}"\r\n{_common(cookie)}\r\n'

        async def check(line: Line) -> Callable[[float], None]:
            answer = await line.ask(request)
            _expect(answer.status == 304, f"a check was answered with {answer.status}")
            return self.seen.checks.append

        await self._again(CHECK_SECONDS, check)

    async def _again(self, seconds: float, ask: Callable[[Line], Awaitable[Callable[[float], None]]]) -> None:
        """Ask every so many seconds, but never before the last answer is there; time counts from when it was due."""
        line = Line(self.orders.port)
        due = time.monotonic() + self._chance.uniform(0, seconds)
        while due < self._ends:
            await asyncio.sleep(due - time.monotonic())
            try:
                note = await ask(line)
            except (OSError, EOFError, _Unexpected) as error:
                line.close()
                self.seen.errors[str(error) or type(error).__name__] += 1
            else:
                if due >= self._counts_from:
                    note((time.monotonic() - due) * 1000)
            due = max(due + seconds * self._chance.uniform(1 - JITTER, 1 + JITTER), time.monotonic())
        line.close()

    async def _count_cpu(self) -> None:
        await asyncio.sleep(self._counts_from - time.monotonic())
        used = time.process_time()
        print(BEGUN, flush=True)
        await asyncio.sleep(self._ends - time.monotonic())
        self.seen.cpu_seconds = time.process_time() - used


class _Unexpected(Exception):
    """An answer that is no good one."""


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _Unexpected(otherwise)


def _common(cookie: str) -> str:
    return f"Host: 127.0.0.1\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nCookie: {cookie}\r\n"


def main() -> None:
    """Carry the orders out and say what was seen."""
    crowd = Crowd(Orders(**json.load(sys.stdin)))
    asyncio.run(crowd.run())
    print(json.dumps(asdict(crowd.seen)))


if __name__ == "__main__":
    main()
