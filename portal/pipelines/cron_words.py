"""Cron's five fields in words: "Mon to Fri at 06:10", "Every 15 minutes".

One rule: what has no plain words has none here; the fields themselves stand beside them in any case.
"""

from datetime import UTC, datetime

from portal import wording
from portal.formats import WEEKDAYS

MOST_TIMES = 4
"""Of a day; more of them are no plain words any more."""


def cron_words(cron: str) -> str:
    """When something is due, in words; empty where they would be no clearer than the fields."""
    minute, hour, *days = cron.split()
    day, times = _day(*days), _times(minute, hour)
    if not day or not times:
        return ""
    if times.startswith("Every"):
        return times if day == "Every day" else f"{day}, {times[:1].lower()}{times[1:]}"
    return f"{day} at {times}"


def _times(minute: str, hour: str) -> str:
    """The times of a day: "06:10, 18:10", or "Every 15 minutes"."""
    minutes, hours = _numbers(minute), _numbers(hour)
    if minutes and hours:
        found = [wording.clock(datetime(2000, 1, 1, at, past, tzinfo=UTC), UTC) for at in hours for past in minutes]
        return ", ".join(found) if len(found) <= MOST_TIMES else ""
    if hour == "*" and minute == "*":
        return "Every minute"
    if hour == "*" and minute.startswith("*/") and 60 % int(minute[2:]) == 0:
        return _every(int(minute[2:]), "minute")
    if len(minutes) == 1 and (hour == "*" or (hour.startswith("*/") and 24 % int(hour[2:]) == 0)):
        every = _every(int(hour[2:]) if hour != "*" else 1, "hour")
        return f"{every}, {wording.count(minutes[0], 'minute', 'minutes')} past" if minutes[0] else every
    return ""


def _every(number: int, unit: str) -> str:
    return f"Every {unit}" if number == 1 else f"Every {number} {unit}s"


def _day(day: str, month: str, weekday: str) -> str:
    """The days: "Every day", "Mon to Fri", "Day 1 of every month"."""
    if month != "*" or (day != "*" and weekday != "*"):
        return ""
    if weekday != "*":
        return _weekdays(weekday)
    if day == "*":
        return "Every day"
    days = _numbers(day)
    return f"Day {', '.join(map(str, days))} of every month" if days else ""


def _weekdays(text: str) -> str:
    parts = [part.split("-") for part in text.split(",")]
    if not all(one.isdecimal() or one.capitalize() in WEEKDAYS for part in parts for one in part):
        return ""
    return ", ".join(" to ".join(map(_weekday, part)) for part in parts)


def _weekday(text: str) -> str:
    """A day by its number, where 0 and 7 are Sunday, or by its name."""
    return WEEKDAYS[(int(text) - 1) % 7] if text.isdecimal() else text.capitalize()


def _numbers(text: str) -> list[int]:
    """A number or a list of them; nothing where it is something else."""
    parts = text.split(",")
    return sorted({int(part) for part in parts}) if all(part.isdecimal() for part in parts) else []
