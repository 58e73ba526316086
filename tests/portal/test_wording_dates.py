"""How dates, spans, buckets and ages are worded."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import wording
from portal.buckets import GRAINS, Span

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 31, 9, 14, tzinfo=UTC)
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def test_a_date_has_a_short_month_and_no_leading_zero() -> None:
    assert wording.day(date(2026, 3, 31)) == "31 Mar 2026"
    assert wording.day_short(date(2026, 9, 5)) == "5 Sep"


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 3, 31, 16, 10, tzinfo=UTC), "today, 18:10"),
        (datetime(2026, 3, 31, 22, 0, tzinfo=UTC), "tomorrow, 00:00"),
        (datetime(2026, 4, 6, 4, 10, tzinfo=UTC), "Mon 6 Apr, 06:10"),
        (datetime(2027, 1, 1, 5, 10, tzinfo=UTC), "1 Jan 2027, 06:10"),
    ],
)
def test_what_is_to_come_names_its_day(at: datetime, text: str) -> None:
    assert wording.coming(at, NOW.astimezone(BERLIN)) == text


@given(st.dates())
def test_a_date_is_read_back(value: date) -> None:
    number, month, year = wording.day(value).split(" ")

    assert date(int(year), 1 + [name[:3] for name in MONTHS].index(month), int(number)) == value


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2011, 6, 13), date(2011, 12, 9), "13 Jun – 9 Dec 2011"),
        (date(2023, 12, 1), date(2024, 3, 3), "1 Dec 2023 – 3 Mar 2024"),
        (date(2011, 12, 9), date(2011, 12, 9), "9 Dec 2011"),
    ],
)
def test_a_span_names_its_year_once(first: date, last: date, text: str) -> None:
    assert wording.span_text(Span(first, last)) == text


@pytest.mark.parametrize(
    ("start", "grain", "text", "tick"),
    [
        (date(2011, 7, 4), "day", "Mon, 4 Jul 2011", "4 Jul"),
        (date(2011, 7, 10), "day", "Sun, 10 Jul 2011", "10 Jul"),
        (date(2011, 6, 13), "week", "13 Jun – 19 Jun 2011", "13 Jun"),
        (date(2011, 12, 26), "week", "26 Dec 2011 – 1 Jan 2012", "26 Dec"),
        (date(9998, 12, 28), "week", "28 Dec 9998 – 3 Jan 9999", "28 Dec"),
        (date(2011, 7, 1), "month", "July 2011", "Jul 2011"),
        (date(2011, 1, 1), "quarter", "Q1 2011", "Q1 2011"),
        (date(2011, 7, 1), "quarter", "Q3 2011", "Q3 2011"),
        (date(2011, 10, 1), "quarter", "Q4 2011", "Q4 2011"),
        (date(2011, 1, 1), "year", "2011", "2011"),
    ],
)
def test_a_bucket_is_named_as_it_stands_on_the_calendar(start: date, grain: str, text: str, tick: str) -> None:
    assert wording.bucket_text(start, grain) == text
    assert wording.bucket_short(start, grain) == tick


def test_every_grain_has_words() -> None:
    texts = {wording.bucket_text(date(2024, 1, 1), grain) for grain in GRAINS}

    assert len(texts) == len(GRAINS)


@pytest.mark.parametrize("number", range(12))
def test_months_are_named_in_english(number: int) -> None:
    assert wording.bucket_text(date(2024, number + 1, 1), "month") == f"{MONTHS[number]} 2024"


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=-90), "just now"),
        (timedelta(), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 min ago"),
        (timedelta(minutes=4, seconds=59), "4 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=1), "1 h ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
        (timedelta(hours=24), "yesterday"),
        (timedelta(hours=33), "yesterday"),  # 00:14 of the day before
        (timedelta(hours=34), "2 days ago"),  # 23:14 of the day before that
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=7), "24 Mar 2026"),
        (timedelta(days=400), "24 Feb 2025"),
    ],
)
def test_an_age_becomes_coarser_and_at_last_a_date(ago: timedelta, text: str) -> None:
    assert wording.age(NOW - ago, NOW) == text


def test_days_are_those_of_the_readers_zone() -> None:
    moment = datetime(2026, 3, 29, 22, 30, tzinfo=UTC)  # the 30th in Berlin

    assert wording.age(moment, NOW) == "2 days ago"
    assert wording.age(moment, NOW.astimezone(BERLIN)) == "yesterday"


def test_an_age_counts_what_has_passed_and_not_what_clocks_show() -> None:
    # Clocks in Berlin went from 02:00 to 03:00 on that night.
    moment, now = datetime(2026, 3, 29, 1, 50, tzinfo=BERLIN), datetime(2026, 3, 29, 3, 5, tzinfo=BERLIN)

    assert wording.age(moment, now) == "15 min ago"


def test_a_day_of_25_hours_is_still_today() -> None:
    moment, now = datetime(2026, 10, 25, 0, 10, tzinfo=BERLIN), datetime(2026, 10, 25, 23, 40, tzinfo=BERLIN)

    assert wording.age(moment, now) == "24 h ago"


@given(st.timedeltas(timedelta(), timedelta(days=3000)), st.integers(-14 * 60, 14 * 60))
def test_an_age_never_depends_on_the_zone_in_which_the_moment_is_given(ago: timedelta, minutes: int) -> None:
    there = timezone(timedelta(minutes=minutes))

    assert wording.age((NOW - ago).astimezone(there), NOW) == wording.age(NOW - ago, NOW)


def test_a_moment_is_told_in_the_readers_zone() -> None:
    assert wording.moment_text(NOW, UTC) == "31 Mar 2026, 09:14"
    assert wording.moment_text(datetime(2026, 12, 31, 23, 5, tzinfo=UTC), BERLIN) == "1 Jan 2027, 00:05"
