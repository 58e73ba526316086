"""When something that repeats is due: the five fields of cron, read by the clocks of a time zone.

One rule: each time that the fields name is due once, whatever the clocks do. A time that clocks leave out is due when
they go on (02:30 becomes 03:00 on the night in March); one that they show twice is due the first time, unless the hour
begins with `*`: what is due every hour is due in the repeated one too. Cron itself does the same.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

ALLOWED = (
    "write five fields, such as '10 6 * * 1-5': minute (0-59), hour (0-23), day of month (1-31), month (1-12 or "
    "jan-dec), day of week (0-7 or sun-sat; 0 and 7 are Sunday); each is *, a number, a range 1-5, a list 1,3 or a "
    "step */15"
)
MINUTE = timedelta(minutes=1)
_PART = r"(?:\*|\w+(?:-\w+)?)(?:/\d+)?"
_FIELDS = re.compile(rf"{_PART}(?:,{_PART})*(?: {_PART}(?:,{_PART})*){{4}}", re.ASCII)
_NO_TIME = re.compile(r"(?:^|[ ,-])(?:[lrh]\d*|\d+w)(?:$|[ ,/-])")
"""Extensions of croniter: the last day, a nearest weekday, and times that are drawn by lot at each look."""


def known_cron(text: str) -> str:
    """The five fields with one space between them. Raises `ValueError`, which says what is allowed."""
    from croniter import croniter

    fields = " ".join(text.lower().split())
    if not _FIELDS.fullmatch(fields) or _NO_TIME.search(fields) or not croniter.is_valid(fields):
        raise ValueError(f"{text!r} is no time that cron knows; {ALLOWED}")
    if not croniter.is_valid(fields, strict=True):
        raise ValueError(f"{text!r} is never due; choose a day that one of its months has")
    return fields


@dataclass(frozen=True)
class Times:
    """The moments, in UTC, at which something is due; `cron` is as `known_cron` gives it."""

    cron: str
    zone: ZoneInfo

    def latest(self, now: datetime) -> datetime:
        """The newest moment that is not after `now`."""
        return self._found(now.astimezone(UTC).replace(second=0, microsecond=0) + MINUTE, is_before=True)

    def following(self, after: datetime) -> datetime:
        """The first moment after another one."""
        return self._found(after.astimezone(UTC), is_before=False)

    def _found(self, start: datetime, *, is_before: bool) -> datetime:
        # Here: a lake without schedules has no use for it.
        from croniter import croniter

        walk = croniter(self.cron, start.astimezone(self.zone), ret_type=datetime)
        step: Callable[[], datetime] = walk.get_prev if is_before else walk.get_next
        found = step()
        while self._is_repeated(found):
            found = step()
        return found.astimezone(UTC)

    def _is_repeated(self, moment: datetime) -> bool:
        """Whether clocks show the moment's time for the second time, which makes nothing due at a fixed hour."""
        first, second = moment.replace(fold=0).utcoffset(), moment.replace(fold=1).utcoffset()
        return first != second and moment.utcoffset() == second and not self.cron.split()[1].startswith("*")
