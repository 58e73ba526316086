"""Spans, the buckets that cover them, and the grains at which a chart can show them."""

import datetime
import itertools
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import RequestWrong
from lakehouse.metrics.period import bucket
from portal.buckets import GRAINS, LATEST, Bucket, Span, allowed_grains, buckets, default_grain, following

DAY = datetime.timedelta(days=1)
DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))
LENGTHS = st.integers(0, 800)


def span(first: str, last: str) -> Span:
    return Span(date.fromisoformat(first), date.fromisoformat(last))


SPANS = st.builds(lambda first, days: Span(first, first + days * DAY), DAYS, LENGTHS)


def test_a_span_counts_both_of_its_ends() -> None:
    february = span("2024-02-01", "2024-02-29")

    assert (february.days, february.until) == (29, date(2024, 3, 1))


def test_a_span_that_ends_before_it_begins_is_refused_with_both_dates() -> None:
    with pytest.raises(RequestWrong, match=r"begins on 2024-03-02, after its end on 2024-03-01"):
        span("2024-03-02", "2024-03-01")


def test_a_day_that_no_day_follows_is_refused() -> None:
    with pytest.raises(RequestWrong, match=r"9999-12-31 is too late .* up to 9998-12-31"):
        span("2024-03-02", "9999-12-31")


@pytest.mark.parametrize("grain", GRAINS)
def test_the_last_day_of_all_still_has_a_bucket(grain: str) -> None:
    last = Span(LATEST, LATEST)

    assert [found.span for found in buckets(last, grain, last)] == [last]


@given(SPANS, st.sampled_from(GRAINS), SPANS)
def test_buckets_cover_the_span_without_gap_or_overlap(period: Span, grain: str, bounds: Span) -> None:
    found = buckets(period, grain, bounds)

    assert (found[0].span.first, found[-1].span.last) == (period.first, period.last)
    assert all(left.span.until == right.span.first for left, right in itertools.pairwise(found))


@given(SPANS, st.sampled_from(GRAINS), SPANS)
def test_a_bucket_stands_as_its_calendar_start(period: Span, grain: str, bounds: Span) -> None:
    found = buckets(period, grain, bounds)

    assert all({one.start} == {bucket(one.span.first, grain), bucket(one.span.last, grain)} for one in found)


@given(SPANS, st.sampled_from(GRAINS), SPANS)
def test_a_bucket_is_whole_when_the_period_and_the_data_hold_all_its_days(
    period: Span, grain: str, bounds: Span
) -> None:
    for one in buckets(period, grain, bounds):
        days = [one.start]
        while bucket(days[-1] + DAY, grain) == one.start:
            days.append(days[-1] + DAY)

        assert one.so_far == (days[-1] > bounds.last)
        assert one.whole == all(period.first <= day <= min(period.last, bounds.last) for day in days)


def test_the_last_week_of_the_data_counts_so_far() -> None:
    bounds = span("2009-12-01", "2011-12-09")

    found = buckets(span("2011-11-28", "2011-12-09"), "week", bounds)

    assert found == [
        Bucket(date(2011, 11, 28), span("2011-11-28", "2011-12-04"), whole=True, so_far=False),
        Bucket(date(2011, 12, 5), span("2011-12-05", "2011-12-09"), whole=False, so_far=True),
    ]


def test_months_that_the_period_cuts_are_not_whole_though_the_data_go_on() -> None:
    bounds = span("2020-01-01", "2024-12-31")

    found = buckets(span("2023-12-15", "2024-02-10"), "month", bounds)

    assert [(one.start.isoformat(), one.whole, one.so_far) for one in found] == [
        ("2023-12-01", False, False),
        ("2024-01-01", True, False),
        ("2024-02-01", False, False),
    ]


def test_a_bucket_after_the_data_is_not_whole() -> None:
    bounds = span("2020-01-01", "2024-01-31")

    found = buckets(span("2024-01-01", "2024-02-29"), "month", bounds)

    assert [(one.whole, one.so_far) for one in found] == [(True, False), (False, True)]


@pytest.mark.parametrize(
    ("first", "last", "grain"),
    [
        ("2024-01-01", "2024-02-14", "day"),  # 45 days
        ("2024-01-01", "2024-02-15", "week"),
        ("2024-01-01", "2024-07-18", "week"),  # 200 days
        ("2024-01-01", "2024-07-19", "month"),
        ("2022-01-01", "2024-12-31", "month"),  # three years with a leap day
        ("2022-01-01", "2025-01-01", "quarter"),
        ("2013-01-01", "2024-12-31", "quarter"),  # twelve years
        ("2013-01-01", "2025-01-01", "year"),
        ("0001-01-01", "9998-12-31", "year"),
    ],
)
def test_a_span_is_first_shown_at_a_grain_that_fits_its_length(first: str, last: str, grain: str) -> None:
    assert default_grain(span(first, last)) == grain


@given(st.builds(lambda one, other: Span(min(one, other), max(one, other)), DAYS, DAYS))
def test_the_default_grain_is_allowed(period: Span) -> None:
    assert default_grain(period) in allowed_grains(period)


@given(SPANS, st.sampled_from(GRAINS))
def test_a_grain_is_allowed_when_it_gives_at_most_400_buckets(period: Span, grain: str) -> None:
    assert (grain in allowed_grains(period)) == (len(buckets(period, grain, period)) <= 400)


@pytest.mark.parametrize(
    ("longest", "following_day", "grain"),
    [
        ("2025-02-03", "2025-02-04", "day"),  # 400 days after the last of 2023
        ("2031-08-31", "2031-09-01", "week"),
        ("2057-04-30", "2057-05-01", "month"),
        ("2123-12-31", "2124-01-01", "quarter"),
    ],
)
def test_400_buckets_are_the_most(longest: str, following_day: str, grain: str) -> None:
    assert grain in allowed_grains(span("2024-01-01", longest))
    assert grain not in allowed_grains(span("2024-01-01", following_day))


def test_a_span_of_any_length_can_be_shown_by_year() -> None:
    assert allowed_grains(span("0001-01-01", "9998-12-31")) == ("year",)


@given(DAYS, st.sampled_from(GRAINS))
def test_the_next_bucket_starts_on_the_first_day_that_is_in_another(day: date, grain: str) -> None:
    start = bucket(day, grain)

    after = following(start, grain)

    assert (bucket(after - DAY, grain), bucket(after, grain)) == (start, after)
