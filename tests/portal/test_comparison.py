"""What a period is compared with when an address says so: the year before, or nothing.

One rule: the same dates are compared, and whole months, quarters and years with their namesakes.
"""

from datetime import date

import pytest
from hypothesis import given

from lakehouse.errors import UnknownName
from portal.periods import PRESETS, Span, compared, custom, preset
from tests.portal.test_periods import BOUNDS, SAMPLE, data_to, span, spans


@pytest.mark.parametrize(
    ("first", "last", "before", "versus"),
    [
        ("2024-02-29", "2024-02-29", "2023-02-28 2023-02-28", "the same days of 2023"),
        ("2024-02-28", "2024-02-28", "2023-02-28 2023-02-28", "the same days of 2023"),
        ("2025-02-10", "2025-02-28", "2024-02-10 2024-02-28", "the same days of 2024"),
        ("2024-02-01", "2024-02-29", "2023-02-01 2023-02-28", "February 2023"),
        ("2025-02-01", "2025-02-28", "2024-02-01 2024-02-29", "February 2024"),
        ("2024-01-01", "2024-03-31", "2023-01-01 2023-03-31", "Q1 2023"),
        ("2024-01-01", "2024-12-31", "2023-01-01 2023-12-31", "2023"),
        ("2023-12-24", "2024-01-06", "2022-12-24 2023-01-06", "the same days a year before"),
        ("2024-03-04", "2024-03-10", "2023-03-04 2023-03-10", "the same days of 2023"),
        ("2020-02-29", "2024-02-29", "2019-02-28 2023-02-28", "the same days a year before"),
    ],
)
def test_a_year_earlier_lie_the_same_dates_or_the_same_month(first: str, last: str, before: str, versus: str) -> None:
    days = span(first, last)

    found = compared(custom(days.first, days.last, data_to("2030-01-01")), "previous-year")

    assert found.before is not None
    assert f"{found.before.first} {found.before.last}" == before
    assert (found.versus, found.span, found.label) == (versus, days, custom(days.first, days.last, SAMPLE).label)


@pytest.mark.parametrize(
    ("first", "bounds", "no_before"),
    [
        ("2011-12-01", "2010-12-01", ""),
        ("2011-11-30", "2010-12-01", "Data begin on 1 Dec 2010"),
        ("2010-12-01", "2010-12-01", "No earlier data"),
        ("2012-02-29", "2011-02-28", ""),
        ("2012-02-29", "2011-03-01", "Data begin on 1 Mar 2011"),
    ],
)
def test_a_year_is_compared_as_far_as_the_data_go_back(first: str, bounds: str, no_before: str) -> None:
    day = date.fromisoformat(first)

    found = compared(custom(day, day, span(bounds, "2013-01-01")), "previous-year")

    assert (found.no_before, found.before is None) == (no_before, bool(no_before))


def test_the_first_year_of_all_has_none_before_it() -> None:
    bounds = Span(date.min, date(2011, 1, 1))

    for days in (
        Span(date(1, 1, 1), date(1, 1, 1)),
        Span(date(1, 1, 1), date(1, 12, 31)),
        Span(date(1, 3, 4), date(2, 1, 1)),
    ):
        assert compared(custom(days.first, days.last, bounds), "previous-year").before is None


@pytest.mark.parametrize("slug", list(PRESETS))
def test_without_a_comparison_nothing_is_said_of_one(slug: str) -> None:
    for bounds in (SAMPLE, span("2011-12-01", "2011-12-09")):
        found = compared(preset(slug, bounds), "off")

        assert (found.before, found.versus, found.no_before) == (None, "", "")
        assert (found.span, found.label, found.slug) == (preset(slug, bounds).span, PRESETS[slug], slug)


def test_an_unknown_comparison_is_named_with_those_that_there_are() -> None:
    with pytest.raises(
        UnknownName, match=r"No comparison named 'both'. Known comparisons: off, previous-period, previous-"
    ):
        compared(preset("all", SAMPLE), "both")


@given(days=spans(1500), bounds=BOUNDS)
def test_a_year_earlier_lie_about_as_many_days_in_the_data(days: Span, bounds: Span) -> None:
    found = compared(custom(days.first, days.last, bounds), "previous-year").before

    if found is not None:
        assert found.first >= bounds.first
        assert abs(found.days - days.days) <= 1
        assert (found.first.year, found.first.month) == (days.first.year - 1, days.first.month)
        assert (found.last.year, found.last.month) == (days.last.year - 1, days.last.month)
