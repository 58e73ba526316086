"""Sessions that go through a portal for a long time, and what its processes hold meanwhile.

One rule: whatever comes back is judged at once and counted: an answer, a refusal in a sentence, or something wrong,
which is kept in words.
"""

import json
import random
import re
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

from tests.bench.family import WORKERS, family
from tests.portal.caller import Answered, Caller
from tests.portal.landing import PRODUCTS, REGIONS

THINK_SECONDS = (1.5, 4.5)
PERIODS = ("all", "last-30-days", "last-7-days", "last-90-days")
GRAINS = ("day", "week", "month")
FILES = ("revenue.csv", "revenue/lines.parquet", "revenue/key-figures.csv", "revenue/region.xlsx")
SENTENCE = re.compile(r"[A-Z0-9].*[.!?]$", re.DOTALL)
REFUSED = "cannot be shown"
"""Stands on a page that is no answer but a sentence that says why there is none."""

CRASHED = "Unexpected error"
GONE = (OSError, HTTPException, ValueError)
"""What a connection raises that was cut off, or brings something else than an answer."""


@dataclass(frozen=True)
class Told:
    """One request: what was asked, when it began, how long it took in ms, and what is wrong with what came back."""

    what: str
    at: float
    took_ms: float
    refused: bool
    wrong: str


def judged(answer: Answered) -> tuple[bool, str]:
    """Whether an answer is a refusal, and what is wrong with it, which is nothing for a refusal in a sentence."""
    text = answer.body.decode(errors="replace")
    if CRASHED in text or "Traceback" in text:
        return True, f"{answer.status}: {text[:300]}"
    if answer.status >= 400:
        try:
            said = json.loads(text)["text"]
        except (ValueError, KeyError, TypeError):
            return True, f"{answer.status} without a sentence: {text[:300]!r}"
        return True, "" if SENTENCE.match(said) else f"{answer.status}: {said!r} is no sentence"
    if answer.status == 200 and not answer.body:
        return False, "an answer without a body"
    if answer.headers.get("content-type") == "application/json":
        json.loads(text)
    return answer.status == 200 and REFUSED in text, ""


class Session(threading.Thread):
    """Somebody who looks at pages, with pauses; `releases` says how many there are to look back at."""

    door = threading.Lock()
    """The way in, one after the other: passwords cost processor time on purpose."""

    def __init__(self, port: int, name: str, releases: Callable[[], int], until: threading.Event) -> None:
        super().__init__(name=name)
        self.told = list[Told]()
        self._chance = random.Random(name)  # noqa: S311  # the same course at every run
        self._caller, self._releases, self._until = Caller(port, is_patient=False), releases, until

    def run(self) -> None:
        """Look at pages until it is time to end."""
        self._enter()
        while not self._think():
            self._do()
        self._caller.close()

    def _enter(self) -> None:
        """Log in; who is not let in is told so at everything that follows."""
        began, wrong = time.monotonic(), ""
        try:
            with self.door:
                self._caller.close()  # whoever has waited here for long finds that the server has hung up
                self._caller.log_in(self.name)
        except (AssertionError, *GONE) as error:
            self._caller.close()
            wrong = f"could not log in: {error!r}"
        self.told.append(Told("login", began, (time.monotonic() - began) * 1000, bool(wrong), wrong))

    def _think(self) -> bool:
        """Pause, and ask each second whether there is a newer release, as an open page does; whether it is time."""
        left = self._chance.uniform(*THINK_SECONDS)
        while left > 0 and not self._until.wait(min(1.0, left)):
            self._tell("release", lambda: self._caller.ask("/_release"))
            left -= 1
        return self._until.is_set()

    def _do(self) -> None:
        kind = self._chance.choices(("page", "past", "other", "file", "again"), (76, 8, 8, 6, 2))[0]
        if kind == "again":
            self._tell("logout", self._caller.log_out)
            self._enter()
        elif kind == "file":
            file = f"/export/{self._chance.choice(FILES)}{self._search()}"
            self._tell(kind, lambda: self._caller.ask(file))
        else:
            others = ("/", "/data", "/data?table=marts.order_lines")
            address = self._chance.choice(others) if kind == "other" else f"/revenue{self._search()}"
            if kind == "past":
                address += f"{'&' if '?' in address else '?'}at={self._chance.randint(1, self._releases())}"
            self._tell(kind, lambda: self._caller.show(address))

    def _search(self) -> str:
        """The query string of a state; two thirds are of a few states that others look at too."""
        chance = self._chance
        if chance.random() < 0.67:
            return chance.choice(("", "?period=all", "?period=all&grain=week", "?region=North"))
        keys = [("period", chance.choice(PERIODS)), ("grain", chance.choice(GRAINS))]
        keys += [("region", name) for name in chance.sample(REGIONS, chance.randint(0, 2))]
        keys += [("product", name) for name in chance.sample(PRODUCTS, chance.randint(0, 3))]
        keys += [("amount.min", f"{chance.randint(1, 500) / 100}")] if chance.random() < 0.5 else []
        return "?" + "&".join(f"{key}={value.replace(' ', '+')}" for key, value in keys)

    def _tell(self, what: str, ask: Callable[[], Answered]) -> None:
        began = time.monotonic()
        try:
            refused, wrong = judged(ask())
        except GONE as error:
            self._caller.close()
            refused, wrong = False, f"no answer: {error!r}"
        self.told.append(Told(what, began, (time.monotonic() - began) * 1000, refused, wrong))


@dataclass(frozen=True)
class Sample:
    """What the processes of a portal hold at a moment; memory in MB, what they share counted once (PSS)."""

    at: float
    memory_mb: float
    files: int
    threads: int
    processes: int
    zombies: int


def sample(first: int) -> Sample:
    """What the family of a process holds now; of one that ends meanwhile nothing counts."""
    found = [one for one in map(_held, family(first)) if one is not None]
    living = [one for one in found if one != ZOMBIE]
    memory, files, threads = (sum(values) for values in zip(*living, strict=True))
    return Sample(time.monotonic(), memory / 1024, files, threads, len(living), len(found) - len(living))


ZOMBIE = (0, 0, 0)


def _held(process: int) -> tuple[int, int, int] | None:
    """Memory in kB, open files and threads of a process; None when it has gone."""
    folder = Path(f"/proc/{process}")
    with suppress(OSError):
        if (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return ZOMBIE
        pss = re.search(r"^Pss: +(\d+) kB$", (folder / "smaps_rollup").read_text(), re.MULTILINE)
        if pss is not None:
            return int(pss[1]), len(list((folder / "fd").iterdir())), len(list((folder / "task").iterdir()))
    return None


def workers(first: int) -> list[int]:
    """The query workers of a portal."""
    found = []
    for process in family(first):
        with suppress(OSError):
            if WORKERS in Path(f"/proc/{process}/cmdline").read_bytes():
                found.append(process)
    return found


@dataclass
class Watch:
    """Samples of a portal, taken while something else happens."""

    first: int
    every_seconds: float
    samples: list[Sample] = field(default_factory=list)

    def during(self, seconds: float, meanwhile: Callable[[], object], each_seconds: float) -> None:
        """Sample for so long; in between do something every few seconds."""
        begin = time.monotonic()
        due, next_sample = begin + each_seconds, begin
        while time.monotonic() < begin + seconds:
            if time.monotonic() >= next_sample:
                self.samples.append(sample(self.first))
                next_sample += self.every_seconds
            if time.monotonic() >= due:
                meanwhile()
                due += each_seconds
            time.sleep(0.05)

    def ends(self, value: Callable[[Sample], float]) -> tuple[float, float]:
        """The median of a figure over the first third after the warm-up, which takes a quarter, and over the last."""
        warm = self.samples[len(self.samples) // 4 :]
        third = max(1, len(warm) // 3)
        return statistics.median(map(value, warm[:third])), statistics.median(map(value, warm[-third:]))


def by_minute(told: Sequence[Told], samples: Sequence[Sample], began: float) -> list[tuple[object, ...]]:
    """A line for each minute: answers, refusals, times of pages, and what the processes held at its end."""
    lines: list[tuple[object, ...]] = []
    for minute in sorted({int((one.at - began) // 60) for one in samples}):
        these = [one for one in told if int((one.at - began) // 60) == minute]
        held = [one for one in samples if int((one.at - began) // 60) == minute][-1]
        took = sorted(one.took_ms for one in these if one.what == "page") or [float("nan")]
        times = (f"{took[len(took) // 2]:.0f}", f"{took[int(len(took) * 0.95)]:.0f}")
        refused = sum(one.refused for one in these)
        figures = (f"{held.memory_mb:.0f}", held.files, held.threads, held.processes, held.zombies)
        lines.append((minute, len(these), refused, *times, *figures))
    return lines


HEADING = (
    "minute",
    "requests",
    "refused",
    "page p50 ms",
    "p95",
    "memory MB",
    "files",
    "threads",
    "processes",
    "zombies",
)
