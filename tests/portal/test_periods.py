"""Which days a page shows, which earlier ones it compares them with, and how their buckets meet."""

import datetime
from datetime import date

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from lakehouse.errors import UnknownName
from lakehouse.metrics.period import GRAINS, MONTHS_OF, offset
from lakehouse.metrics.period import Period as HalfOpen
from portal.buckets import following, shifted_month
from portal.periods import DEFAULT, PRESETS, Period, Span, before_buckets, buckets, custom, preset

DAY = datetime.timedelta(days=1)
DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))
SLUGS = st.sampled_from(list(PRESETS))
BACK_BY_DAYS = {"last-7-days": 7, "last-30-days": 30, "last-90-days": 90}


def span(first: str, last: str) -> Span:
    return Span(date.fromisoformat(first), date.fromisoformat(last))


def spans(longest_days: int) -> st.SearchStrategy[Span]:
    return st.builds(lambda first, days: Span(first, first + days * DAY), DAYS, st.integers(0, longest_days))


def data_to(last: str) -> Span:
    """The bounds of data that go back far enough for everything."""
    return span("2000-01-01", last)


BOUNDS = spans(3000)
SAMPLE = span("2009-12-01", "2011-12-09")


def days(period: Period) -> list[str]:
    """The first and last day of the period, then of the one before."""
    ends = [period.span.first, period.span.last]
    ends += [period.before.first, period.before.last] if period.before else []
    return [end.isoformat() for end in ends]


def test_the_menu_begins_with_the_shortest_period_and_holds_the_default() -> None:
    assert list(PRESETS) == [*BACK_BY_DAYS, "last-26-weeks", "last-12-months", "this-year", "all"]
    assert PRESETS[DEFAULT] == "Last 30 days"


@pytest.mark.parametrize(
    ("slug", "expected", "versus"),
    [
        ("last-7-days", ["2011-12-03", "2011-12-09", "2011-11-26", "2011-12-02"], "7 days before"),
        ("last-30-days", ["2011-11-10", "2011-12-09", "2011-10-11", "2011-11-09"], "30 days before"),
        ("last-90-days", ["2011-09-11", "2011-12-09", "2011-06-13", "2011-09-10"], "90 days before"),
        ("last-26-weeks", ["2011-06-13", "2011-12-09", "2010-12-13", "2011-06-10"], "26 weeks before"),
        ("last-12-months", ["2011-01-01", "2011-12-09", "2010-01-01", "2010-12-09"], "12 months before"),
        ("this-year", ["2011-01-01", "2011-12-09", "2010-01-01", "2010-12-09"], "the same days of 2010"),
        ("all", ["2009-12-01", "2011-12-09"], ""),
    ],
)
def test_presets_count_back_from_the_last_date_in_the_data(slug: str, expected: list[str], versus: str) -> None:
    found = preset(slug, SAMPLE)

    assert (found.slug, found.label, found.versus) == (slug, PRESETS[slug], versus)
    assert days(found) == expected


def test_26_weeks_that_end_on_a_sunday_are_whole() -> None:
    found = preset("last-26-weeks", data_to("2011-12-11"))

    assert days(found) == ["2011-06-13", "2011-12-11", "2010-12-13", "2011-06-12"]


@pytest.mark.parametrize(
    ("last", "slug", "before_ends"),
    [
        ("2024-03-31", "last-12-months", "2023-03-31"),
        ("2024-02-29", "last-12-months", "2023-02-28"),
        ("2025-02-28", "last-12-months", "2024-02-29"),  # the month's last day stays the month's last day
        ("2024-02-28", "last-12-months", "2023-02-28"),
        ("2024-02-29", "this-year", "2023-02-28"),
        ("2025-02-28", "this-year", "2024-02-28"),  # the same day stays the same day
        ("2024-02-28", "this-year", "2023-02-28"),
    ],
)
def test_a_leap_day_has_a_counterpart(last: str, slug: str, before_ends: str) -> None:
    found = preset(slug, data_to(last))

    assert found.before is not None
    assert found.before.last == date.fromisoformat(before_ends)


def test_this_year_on_its_first_day_is_compared_with_one_day() -> None:
    assert days(preset("this-year", data_to("2024-01-01"))) == ["2024-01-01", "2024-01-01", "2023-01-01", "2023-01-01"]


def test_an_unknown_preset_lists_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"No period named 'last-week'\. Known periods: all, last-12-months,"):
        preset("last-week", SAMPLE)


@given(SLUGS, BOUNDS)
def test_every_preset_ends_with_the_data(slug: str, bounds: Span) -> None:
    assert preset(slug, bounds).span.last == bounds.last


@given(st.sampled_from(list(BACK_BY_DAYS)), BOUNDS)
def test_the_days_before_are_as_many_and_end_the_day_before_the_period(slug: str, bounds: Span) -> None:
    found = preset(slug, bounds)

    assert found.span.days == BACK_BY_DAYS[slug]
    if found.before:
        assert (found.before.days, found.before.until) == (found.span.days, found.span.first)


@given(BOUNDS)
def test_26_weeks_meet_as_many_days_with_the_same_weekdays(bounds: Span) -> None:
    found = preset("last-26-weeks", bounds)

    assert found.span.first.weekday() == 0
    assert 25 * 7 < found.span.days <= 26 * 7
    if found.before:
        assert found.before.days == found.span.days
        assert found.before.first == found.span.first - 26 * 7 * DAY


@given(BOUNDS)
@example(span("2020-01-01", "2025-02-28"))
def test_12_months_meet_the_same_months_a_year_earlier(bounds: Span) -> None:
    found = preset("last-12-months", bounds)

    assert len(buckets(found.span, "month", bounds)) == 12
    if found.before:
        assert found.before.first == shifted_month(found.span.first, -12)
        assert shifted_month(found.before.last, 12) == shifted_month(found.span.last, 0)
        assert found.span.until.day != 1 or found.before.until.day == 1


PERIODS = st.one_of(
    st.builds(preset, SLUGS, BOUNDS),
    st.builds(lambda chosen, bounds: custom(chosen.first, chosen.last, bounds), spans(800), BOUNDS),
)


@given(PERIODS)
def test_the_earlier_period_lies_in_the_data_and_before_the_period(found: Period) -> None:
    if found.before:
        assert found.bounds.first <= found.before.first
        assert found.before.last < found.span.first


@given(PERIODS)
def test_a_period_says_either_what_it_is_compared_with_or_why_not(found: Period) -> None:
    assert bool(found.before) == bool(found.versus) == (not found.no_before)


def whole_calendar(year: int, place: int, grain: str) -> Span:
    months = MONTHS_OF[grain]
    first = date(year, place * months % 12 // months * months + 1, 1)
    return Span(first, following(first, grain) - DAY)


@given(st.integers(1900, 2100), st.integers(0, 11), st.sampled_from(list(MONTHS_OF)), st.integers(-400, 800))
def test_an_earlier_period_is_there_exactly_when_the_data_go_back_far_enough(
    year: int, place: int, grain: str, later: int
) -> None:
    chosen = whole_calendar(year, place, grain)
    expected = shifted_month(chosen.first, -MONTHS_OF[grain])
    bounds = Span(expected + later * DAY, date(2200, 1, 1))

    found = custom(chosen.first, chosen.last, bounds)

    assert found.before == (Span(expected, chosen.first - DAY) if later <= 0 else None)


def test_where_the_data_begin_later_the_reason_is_kept() -> None:
    found = preset("last-30-days", span("2024-01-01", "2024-02-28"))

    assert (found.before, found.versus, found.no_before) == (None, "", "Data begin on 1 Jan 2024")


def test_an_earlier_period_that_begins_with_the_data_is_whole() -> None:
    assert days(preset("last-30-days", span("2024-01-01", "2024-02-29")))[2:] == ["2024-01-01", "2024-01-30"]


def test_all_data_have_none_before() -> None:
    assert preset("all", SAMPLE).no_before == "No earlier data"


@pytest.mark.parametrize(
    ("first", "last", "label", "versus", "before"),
    [
        ("2024-03-01", "2024-03-31", "March 2024", "February 2024", ["2024-02-01", "2024-02-29"]),
        ("2024-02-01", "2024-02-29", "February 2024", "January 2024", ["2024-01-01", "2024-01-31"]),
        ("2024-01-01", "2024-01-31", "January 2024", "December 2023", ["2023-12-01", "2023-12-31"]),
        ("2024-04-01", "2024-06-30", "Q2 2024", "Q1 2024", ["2024-01-01", "2024-03-31"]),
        ("2024-01-01", "2024-12-31", "2024", "2023", ["2023-01-01", "2023-12-31"]),
        ("2024-02-01", "2024-04-30", "1 Feb – 30 Apr 2024", "90 days before", ["2023-11-03", "2024-01-31"]),
        ("2024-03-01", "2024-03-30", "1 Mar – 30 Mar 2024", "30 days before", ["2024-01-31", "2024-02-29"]),
        ("2024-03-05", "2024-03-05", "5 Mar 2024", "1 day before", ["2024-03-04", "2024-03-04"]),
    ],
)
def test_a_whole_month_quarter_or_year_is_compared_with_the_one_before(
    first: str, last: str, label: str, versus: str, before: list[str]
) -> None:
    found = custom(date.fromisoformat(first), date.fromisoformat(last), data_to("2024-12-31"))

    assert (found.slug, found.label, found.versus) == ("", label, versus)
    assert days(found) == [first, last, *before]


def test_a_custom_range_may_go_on_after_the_data_and_says_so() -> None:
    found = custom(date(2011, 12, 1), date(2011, 12, 31), SAMPLE)

    assert days(found) == ["2011-12-01", "2011-12-31", "2011-11-01", "2011-11-30"]
    assert found.incomplete
    assert not preset("last-26-weeks", SAMPLE).incomplete


def test_a_range_before_the_data_has_nothing_to_compare_with() -> None:
    found = custom(date(1, 1, 1), date(1, 1, 31), SAMPLE)

    assert (found.before, found.no_before) == (None, "Data begin on 1 Dec 2009")


def starts(period: Period, grain: str) -> list[tuple[str, str]]:
    """The buckets of the period with those of the one before, where both have as many."""
    now, before = buckets(period.span, grain, period.bounds), before_buckets(period, grain)
    return [(here.start.isoformat(), there.start.isoformat()) for here, there in zip(now, before, strict=True)]


def test_26_weeks_line_up_week_by_week() -> None:
    found = starts(preset("last-26-weeks", SAMPLE), "week")

    assert len(found) == 26
    assert found[:3] == [("2011-06-13", "2010-12-13"), ("2011-06-20", "2010-12-20"), ("2011-06-27", "2010-12-27")]
    assert found[-1] == ("2011-12-05", "2011-06-06")


def test_12_months_line_up_month_by_month() -> None:
    found = starts(preset("last-12-months", data_to("2012-02-29")), "month")

    assert len(found) == 12
    assert found[:2] == [("2011-03-01", "2010-03-01"), ("2011-04-01", "2010-04-01")]
    assert found[-2:] == [("2012-01-01", "2011-01-01"), ("2012-02-01", "2011-02-01")]


def test_both_last_buckets_are_cut_alike() -> None:
    period = preset("last-26-weeks", SAMPLE)

    last = before_buckets(period, "week")[-1]

    assert (last.span, last.whole, last.so_far) == (span("2011-06-06", "2011-06-10"), False, False)


def test_a_week_that_the_period_cuts_meets_the_first_week_of_the_days_before() -> None:
    # A Thursday is the first day here, a Tuesday there: both weeks are the first of their period.
    found = starts(preset("last-30-days", SAMPLE), "week")

    assert found[0] == ("2011-11-07", "2011-10-10")
    assert found[-1] == ("2011-12-05", "2011-11-07")


def test_the_days_before_may_touch_more_weeks_than_the_period() -> None:
    # From a Tuesday to the Sunday of one week; before that, from a Wednesday to the Monday of the next.
    found = custom(date(2024, 3, 5), date(2024, 3, 10), data_to("2024-03-31"))

    assert [one.start.isoformat() for one in buckets(found.span, "week", found.bounds)] == ["2024-03-04"]
    assert [one.start.isoformat() for one in before_buckets(found, "week")] == ["2024-02-26", "2024-03-04"]


def test_without_an_earlier_period_there_are_no_buckets_of_it() -> None:
    assert before_buckets(preset("all", SAMPLE), "month") == []


@given(PERIODS, st.sampled_from(GRAINS))
def test_buckets_meet_as_the_compiler_of_plans_matches_them(period: Period, grain: str) -> None:
    assume(period.before)
    assert period.before
    distance, unit = offset(
        HalfOpen(period.span.first, period.span.until), HalfOpen(period.before.first, period.before.until), grain
    )
    rows = [one.start for one in buckets(period.span, grain, period.bounds)]

    found = before_buckets(period, grain)

    while len(rows) < len(found):  # rows behind the end of the period
        rows.append(following(rows[-1], grain))
    moved = [shifted_month(one.start, distance) if unit == "month" else one.start + distance * DAY for one in found]
    assert moved == rows[: len(found)]
