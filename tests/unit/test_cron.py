"""When something that repeats is due: what is understood, and what happens on the nights when clocks are changed."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.cron import Times, known_cron

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
"""The nights on which clocks go from 02:00 to 03:00, and from 03:00 back to 02:00."""
DAILY = ("30 2 * * *", "0 2 * * *", "0 3 * * *", "30 1 * * *", "0 0 * * *", "59 23 * * *")
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "America/St_Johns", "UTC")
MOMENTS = st.datetimes(datetime(2016, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def due_on(day: date, cron: str, zone: ZoneInfo = BERLIN) -> list[str]:
    """The times of a local day, with their distance from UTC."""
    times, found = Times(cron, zone), []
    at = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) - timedelta(seconds=1)
    while (at := times.following(at)).astimezone(zone).date() == day:
        found.append(at.astimezone(zone).strftime("%H:%M%z")[:-2])
    return found


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("10 6 * * *", "10 6 * * *"),
        (" 10\t6  * * MON-FRI ", "10 6 * * mon-fri"),
        ("*/15 8-18 1,15 jan-jun 0,7", "*/15 8-18 1,15 jan-jun 0,7"),
        ("0 0 29 2 *", "0 0 29 2 *"),
    ],
)
def test_five_fields_are_understood(text: str, known: str) -> None:
    assert known_cron(text) == known


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "nonsense",
            "@daily",
            "@reboot",
            "10 6 * *",
            "* * * * * *",
            "10 6 * * * 2026",
            "60 6 * * *",
            "10 24 * * *",
        ),
        *("10 6 0 * *", "10 6 * 13 *", "10 6 * * 8", "*/0 * * * *", "h 6 * * *", "r 6 * * *", "R(0-5) 6 * * *"),
        *(
            "10 6 l * *",
            "10 6 15w * *",
            "10 6 * * 5#2",
            "10 6 * * l5",
            "mon 6 * * *",
            "10 6 * * *; rm",
            "\u0661 6 * * *",
        ),
    ],
)
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match=r"minute \(0-59\), hour \(0-23\), day of month"):
        known_cron(text)


def test_a_day_that_no_month_has_is_never_due() -> None:
    with pytest.raises(ValueError, match="never due"):
        known_cron("0 0 30 2 *")


@pytest.mark.parametrize(
    ("cron", "times"),
    [
        ("30 1 * * *", ["01:30+01"]),
        ("0 2 * * *", ["03:00+02"]),
        ("30 2 * * *", ["03:00+02"]),
        ("*/15 2 * * *", ["03:00+02"]),
        ("0 3 * * *", ["03:00+02"]),
        ("0 2-4 * * *", ["03:00+02", "04:00+02"]),
    ],
)
def test_a_time_that_clocks_leave_out_is_due_once_when_they_go_on(cron: str, times: list[str]) -> None:
    assert due_on(SPRING, cron) == times


@pytest.mark.parametrize(
    ("cron", "times"),
    [
        ("30 1 * * *", ["01:30+02"]),
        ("0 2 * * *", ["02:00+02"]),
        ("30 2 * * *", ["02:30+02"]),
        ("0 3 * * *", ["03:00+01"]),
        ("0,30 2 * * *", ["02:00+02", "02:30+02"]),
        ("15 2,3 * * *", ["02:15+02", "03:15+01"]),
    ],
)
def test_a_time_that_clocks_show_twice_is_due_the_first_time_alone(cron: str, times: list[str]) -> None:
    assert due_on(AUTUMN, cron) == times


def test_what_is_due_every_hour_is_due_in_every_hour_there_is() -> None:
    assert (len(due_on(SPRING, "0 * * * *")), len(due_on(AUTUMN, "0 * * * *"))) == (23, 25)
    assert due_on(AUTUMN, "*/30 * * * *")[3:8] == ["01:30+02", "02:00+02", "02:30+02", "02:00+01", "02:30+01"]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("cron", DAILY)
def test_what_is_due_every_day_is_due_once_on_each(cron: str, zone: str) -> None:
    there = ZoneInfo(zone)
    times, at = Times(cron, there), datetime(2017, 12, 31, tzinfo=there)

    days: Counter[date] = Counter()
    while (at := times.following(at)).astimezone(there).year < 2019:
        days[at.astimezone(there).date()] += 1

    assert set(days.values()) == {1}
    assert len(days) in (365, 366)


@settings(max_examples=60, deadline=None)
@given(now=MOMENTS, cron=st.sampled_from((*DAILY, "15 2,3 * * *", "*/20 * * * *")), zone=st.sampled_from(ZONES))
def test_nothing_is_due_between_the_newest_time_and_the_following_one(now: datetime, cron: str, zone: str) -> None:
    times = Times(cron, ZoneInfo(zone))

    latest, following = times.latest(now), times.following(now)

    assert latest <= now < following
    assert times.following(latest) == following
    assert times.latest(following) == following
    assert times.latest(following - timedelta(microseconds=1)) == latest
