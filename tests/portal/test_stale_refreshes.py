"""Somebody reads a served portal while real refreshes run in it: every answer is of one whole release, and none is old.

One rule: the refreshes are the portal's own children, and go behind whoever reads.
"""

import time
from pathlib import Path

import pytest

from lakehouse.child import NICE
from tests.bench.refreshing import changing
from tests.bench.states import COMMON
from tests.portal.whole_answers import oracles_of, wrong

READS, REFRESHES = 300, 2
PAUSE_SECONDS = 0.4
"""Between two rounds of the states, so that about so many answers are read over both refreshes."""


@pytest.mark.slow
def test_no_answer_is_mixed_while_refreshes_run(tmp_path: Path) -> None:
    with changing(tmp_path / "lake") as served:
        reader, refreshes = served.reader, served.refreshes
        with refreshes.going_on():
            while len(reader.seen.reads) < READS or len(refreshes.done) < REFRESHES:
                reader.read(len(COMMON))
                time.sleep(PAUSE_SECONDS)
        reader.read(len(COMMON))
        oracles = oracles_of(served.lakehouse, reader.seen)

    assert wrong(oracles, reader.seen) == []
    released, read = [1, *(one.release for one in refreshes.done)], list(oracles)
    assert [one for one in released if one in read] == read
    assert (read[0], read[-1]) == (released[0], released[-1])  # on a busy machine one may come and go between two looks
    assert {one.nice for one in refreshes.done} == {NICE}
