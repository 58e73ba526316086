"""What readers got while releases landed, and what any of it says that its release does not.

One rule: an answer is compared, whole, with what the one release that it names must give, and with no other.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from lakehouse.access.identity import operator
from lakehouse.core import Lakehouse
from tests.portal.expected_files import expected_file
from tests.portal.expected_page import expected_page
from tests.portal.markup import with_content
from tests.portal.page_numbers import read
from tests.portal.revenue_numbers import differences
from tests.portal.revenue_oracle import Oracle
from tests.portal.such import Such
from tests.portal.visitor import Shown

ALL = "/revenue?period=all"
FILES = ("key-figures", "region", "over-time", "lines")
"""Parts of the page `ALL` that can be had as files."""
COUNTED = "select sum(line_total), count(*) from marts.order_lines"


@dataclass(frozen=True)
class Read:
    """One answer: what was asked, the release that was current before, the one asked for (0: now), what came.

    What was asked is one of `FILES`, or the address of a page.
    """

    what: str
    current: int
    wanted: int
    release: int
    content: str


@dataclass
class Seen:
    """Everything that was read, and of equal answers one, since all of them would be a gigabyte."""

    reads: list[Read] = field(default_factory=list)
    kept: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def add(self, found: Read, body: bytes) -> None:
        """Take note of an answer."""
        content, _ = self.kept.setdefault(found.content, (found.content, body))
        self.reads.append(replace(found, content=content))


def oracles_of(lakehouse: Lakehouse, seen: Seen) -> dict[int, Oracle]:
    """The rows behind every release of which something was read."""
    numbers = sorted({one.release for one in seen.reads})
    return {number: Oracle(lakehouse.as_user(operator()).at(str(number))) for number in numbers}


def wrong(oracles: Mapping[int, Oracle], seen: Seen) -> list[str]:
    """What any answer says that its release does not; each different answer is looked at once."""
    return [
        f"{one.what} of release {one.release}: {problem}"
        for one in {(one.what, one.release, one.content): one for one in seen.reads}.values()
        for problem in (
            _wrong_file(oracles[one.release], one)
            if one.what in FILES
            else _wrong_page(oracles[one.release], one, seen.kept[one.content][1])
        )
    ]


def _wrong_file(oracle: Oracle, one: Read) -> Iterator[str]:
    rows = [tuple(row) for row in csv.reader(io.StringIO(one.content, newline=""))]
    if one.what != "lines":
        yield from differences(tuple(map(tuple, expected_file(oracle, ALL, one.what))), tuple(rows))
        return
    totals = [Decimal(row[rows[0].index("line_total")]) for row in rows[1:]]
    yield from differences(tuple(oracle.answer(COUNTED)[0]), (sum(totals), len(totals)))


def _wrong_page(oracle: Oracle, one: Read, body: bytes) -> Iterator[str]:
    page = Shown(with_content(json.loads(body)["response"]["shell-page"]["children"]))
    expected = expected_page(oracle, one.what)
    # Between the flip and the end of its run nobody has said yet how the tests of a release went.
    untold = oracle.foot.rpartition(" · ")[0]
    foot: Any = Such("the foot of the release", lambda said: said in (oracle.foot, untold))
    yield from differences(replace(expected, foot=foot), read(page))
    if one.what == ALL and f"of {oracle.answer(COUNTED)[0][1]:,} lines" not in page.one("lp-lines").text:
        yield "the lines are not those of the release"
